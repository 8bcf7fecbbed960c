import Events

/// How many distinct things were seen lately, in 72 bytes: two generations of `HyperLogLog64`, the window that is open and
/// the one before it. What an estimate covers is between one and two windows long. All-zero bytes are empty.
///
/// A late event counts in its own window while that is held, else in the open one: events held back must not make a crowd
/// look smaller. The length of windows must stay what it was at the first event.
public struct RotatingDistinct: Sendable, Equatable, BitwiseCopyable {
    /// Index (time / length) of the open window.
    var index: Int64 = 0
    var open = HyperLogLog64()
    var before = HyperLogLog64()

    public init() {}

    /// Takes in the hash of a thing seen at `time`, in windows of `length` milliseconds, and says whether it changed
    /// anything but the time.
    /// - Complexity: O(1)
    public mutating func add(hash: UInt64, at time: Timestamp, length: Int64) -> Bool {
        let window = Self.window(of: time, length)
        rotate(to: window)
        return window == index - 1 ? before.add(hash: hash) : open.add(hash: hash)
    }

    /// About how many distinct things were seen in the window of `time` and the one before it; for a time before the open
    /// window, as it was at the newest event. For the error see `HyperLogLog64`.
    public func estimate(at time: Timestamp, length: Int64) -> Float {
        var view = self
        view.rotate(to: Self.window(of: time, length))
        view.open.merge(view.before)
        return view.open.estimate
    }

    /// Becomes the sketch of both streams, in windows of one length: to the bit, if no event came too late for its window.
    public mutating func merge(_ other: RotatingDistinct) {
        var other = other
        rotate(to: other.index)
        other.rotate(to: index)
        open.merge(other.open)
        before.merge(other.before)
    }

    private mutating func rotate(to window: Int64) {
        guard window > index else { return }
        before = window &- index == 1 ? open : HyperLogLog64()
        open = HyperLogLog64()
        index = window
    }

    private static func window(of time: Timestamp, _ length: Int64) -> Int64 { max(time.milliseconds, 0) / max(length, 1) }
}
