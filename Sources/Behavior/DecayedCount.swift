import Events

/// How fast the past fades.
public struct HalfLife: Sendable, Equatable {
    public let seconds: Double

    /// - Precondition: `seconds` is above 0.
    public init(seconds: Double) {
        precondition(seconds > 0, "a half-life is above 0")
        self.seconds = seconds
    }
    public init(milliseconds: Int64) { self.init(seconds: Double(milliseconds) / 1000) }

    /// What is left of 1 after so many seconds, the same on every processor. 1 for a time that runs backwards.
    @inlinable public func factor(after seconds: Double) -> Float {
        seconds > 0 ? Float(Portable.exp2(-seconds / self.seconds)) : 1
    }
}

extension Timestamp {
    /// Whole seconds since 1970, held within 1970 and 2106.
    @inlinable var secondsHeld: UInt32 { UInt32(clamping: milliseconds / 1000) }
}

/// A count that fades by half in every half-life, kept as its value at the newest event and brought up to date when it is
/// touched (forward decay: Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009). All-zero bytes are the empty count.
///
/// The order of events does not matter, but for rounding: 2⁻²⁴ of the value for each addition. Times count in whole
/// seconds. An event far in the future fades everything before it, so times ahead of the log's must be clamped before.
public struct DecayedCount: Sendable, Equatable, BitwiseCopyable {
    /// The count at `last`.
    public private(set) var value: Float = 0
    /// Seconds since 1970 of the newest event.
    public private(set) var last: UInt32 = 0

    public init() {}

    /// Counts `amount`, above 0 and finite (anything else changes nothing), at a time that may be earlier than the newest.
    public mutating func add(_ amount: Float = 1, at time: Timestamp, halfLife: HalfLife) {
        guard amount > 0 && amount.isFinite else { return }
        merge(DecayedCount(value: amount, last: time.secondsHeld), halfLife: halfLife)
    }

    /// The count as it has faded at `time`; for a time before the newest event, as it was at that event.
    public func value(at time: Timestamp, halfLife: HalfLife) -> Float {
        value * halfLife.factor(after: Double(time.secondsHeld) - Double(last))
    }

    /// Becomes the count of both streams, under one half-life.
    public mutating func merge(_ other: DecayedCount, halfLife: HalfLife) {
        let gap = Double(other.last) - Double(last)
        let sum = value * halfLife.factor(after: gap) + other.value * halfLife.factor(after: -gap)
        value = min(sum, .greatestFiniteMagnitude)
        last = max(last, other.last)
    }

    init(value: Float, last: UInt32) {
        self.value = value
        self.last = last
    }
}

/// One stream counted with a short and a long memory: when they differ, something has changed.
/// All-zero bytes are the empty count.
public struct TwoSpeedCount: Sendable, Equatable, BitwiseCopyable {
    /// The counts at `last`.
    public private(set) var fast: Float = 0
    public private(set) var slow: Float = 0
    /// Seconds since 1970 of the newest and of the oldest event.
    public private(set) var last: UInt32 = 0
    public private(set) var first: UInt32 = 0

    public init() {}

    /// As `DecayedCount.add`.
    public mutating func add(_ amount: Float = 1, at time: Timestamp, fast short: HalfLife, slow long: HalfLife) {
        guard amount > 0 && amount.isFinite else { return }
        var other = TwoSpeedCount()
        (other.fast, other.slow, other.last, other.first) = (amount, amount, time.secondsHeld, time.secondsHeld)
        merge(other, fast: short, slow: long)
    }

    /// Becomes the count of both streams, under the same half-lives.
    public mutating func merge(_ other: TwoSpeedCount, fast short: HalfLife, slow long: HalfLife) {
        first = slow == 0 ? other.first : other.slow == 0 ? first : min(first, other.first)
        var (ownFast, ownSlow) = (DecayedCount(value: fast, last: last), DecayedCount(value: slow, last: last))
        ownFast.merge(DecayedCount(value: other.fast, last: other.last), halfLife: short)
        ownSlow.merge(DecayedCount(value: other.slow, last: other.last), halfLife: long)
        (fast, slow, last) = (ownFast.value, ownSlow.value, ownFast.last)
    }

    /// The logarithm of how many times more often things happen of late than they used to: ln((fast + k) / (expected + k)),
    /// where `expected` is what a steady stream with this slow count, as long as this one, would have for its fast one,
    /// and k, above 0, is how many events it takes to be believed. 0 when empty; a steady stream is near 0 from the start.
    public func drift(at time: Timestamp, fast short: HalfLife, slow long: HalfLife, prior: Float = 3) -> Float {
        let age = Double(time.secondsHeld) - Double(last)
        let (recent, usual) = (fast * short.factor(after: age), slow * long.factor(after: age))
        let span = max(Double(max(time.secondsHeld, last)) - Double(first), 1)
        let share = short.seconds * (1 - Portable.exp2(-span / short.seconds))
            / (long.seconds * (1 - Portable.exp2(-span / long.seconds)))
        return Float(Portable.log((Double(recent) + Double(prior)) / (Double(usual) * share + Double(prior))))
    }
}
