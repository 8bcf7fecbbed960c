import Events

/// A task's watermark: the least, over its inputs that are not idle, of the greatest event time less the allowed
/// lateness. An input is idle when its newest event lies `idle` or more behind the task's newest, which the log alone
/// decides, so replay comes to the same watermark.
public struct Watermark: Sendable {
    /// Per input, the greatest event time in milliseconds; `.min` before the first event.
    private var times = InlineArray<8, Int64>(repeating: .min)
    /// The greatest of them.
    private var greatestOfAll = Int64.min
    /// The input that held the watermark back when it was last computed, and its time then. `.min`: it is to be computed.
    private var slowest = 0
    private var slowestTime = Int64.min
    private let inputs: Int
    public private(set) var current = Timestamp.distantPast
    let lateness: Int64
    let idle: Int64

    /// At most 8 inputs.
    public init(inputs: Int, allowedLateness: Int64, idle: Int64) {
        precondition(inputs <= 8, "a task has at most 8 inputs")
        self.inputs = inputs
        lateness = allowedLateness
        // The newest input is never idle.
        self.idle = max(idle, 1)
    }

    /// Per input, the greatest event time in milliseconds; `.min` before the first event.
    public var greatest: [Int64] { (0..<inputs).map { times[$0] } }

    /// Takes in an event's time and says whether the event is late: behind the watermark as it was before it.
    /// - Complexity: O(1) while another input holds the watermark back, else O(inputs)
    @inline(__always)
    public mutating func advance(input: Int, to time: Timestamp) -> Bool {
        let late = time < current
        if time.milliseconds > times[input] {
            times[input] = time.milliseconds
            greatestOfAll = max(greatestOfAll, time.milliseconds)
            // The watermark never falls: while the slowest input stands still and is not idle, no other can raise it.
            if input == slowest || slowestTime <= greatestOfAll - idle { raise() }
        }
        return late
    }

    @inline(never)
    private mutating func raise() {
        let idleUpTo = greatestOfAll - idle
        var least = Int64.max
        for index in 0..<inputs where times[index] > idleUpTo && times[index] < least {
            (least, slowest) = (times[index], index)
        }
        slowestTime = least
        current = max(current, Timestamp(milliseconds: least - lateness))
    }

    /// The greatest event time on any input; `.distantPast` before the first event.
    public var newest: Timestamp {
        greatestOfAll == .min ? .distantPast : Timestamp(milliseconds: greatestOfAll)
    }

    /// Puts back what was persisted. The counts of inputs must be equal.
    public mutating func restore(greatest: [Int64], current: Timestamp) {
        precondition(greatest.count == inputs)
        for index in 0..<inputs { times[index] = greatest[index] }
        greatestOfAll = greatest.max() ?? .min
        slowestTime = .min
        self.current = current
    }
}
