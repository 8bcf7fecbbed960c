import Events

/// A task's watermark: the least, over its inputs that are not idle, of the greatest event time less the allowed
/// lateness. An input is idle when its newest event lies `idle` or more behind the task's newest, which the log alone
/// decides, so replay comes to the same watermark.
public struct Watermark: Sendable, Equatable {
    /// Per input, the greatest event time in milliseconds; `.min` before the first event.
    public private(set) var greatest: [Int64]
    public private(set) var current = Timestamp.distantPast
    let lateness: Int64
    let idle: Int64

    public init(inputs: Int, allowedLateness: Int64, idle: Int64) {
        greatest = Array(repeating: .min, count: inputs)
        lateness = allowedLateness
        self.idle = idle
    }

    /// Takes in an event's time and says whether the event is late: behind the watermark as it was before it.
    /// - Complexity: O(inputs)
    public mutating func advance(input: Int, to time: Timestamp) -> Bool {
        let late = time < current
        if time.milliseconds > greatest[input] {
            greatest[input] = time.milliseconds
            var newest = Int64.min
            for value in greatest { newest = max(newest, value) }
            var least = Int64.max
            for value in greatest where value > Int64.min && newest - value < max(idle, 1) { least = min(least, value) }
            current = max(current, Timestamp(milliseconds: least - lateness))
        }
        return late
    }

    /// The greatest event time on any input; `.distantPast` before the first event.
    public var newest: Timestamp {
        let value = greatest.max() ?? .min
        return value == .min ? .distantPast : Timestamp(milliseconds: value)
    }

    /// Puts back what was persisted. The counts of inputs must be equal.
    public mutating func restore(greatest: [Int64], current: Timestamp) {
        precondition(greatest.count == self.greatest.count)
        self.greatest = greatest
        self.current = current
    }
}
