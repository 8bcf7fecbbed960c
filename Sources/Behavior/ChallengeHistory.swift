import Events

/// What came of a user's last challenges, in event time: twelve of them, in 60 bytes. All-zero bytes are empty.
public struct ChallengeHistory {
    /// What came of one, as a set: what, and whether it was a push.
    public struct Kind: OptionSet, Sendable {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let failed = Kind(rawValue: 1)
        /// “Not me.”
        public static let denied = Kind(rawValue: 2)
        /// Abandoned, timed out, expired, or given up for a newer one.
        public static let unanswered = Kind(rawValue: 4)
        public static let push = Kind(rawValue: 8)
    }

    static let capacity = 12
    /// Seconds since 1970.
    var seconds = InlineArray<12, UInt32>(repeating: 0)
    /// 0 where free.
    var kinds = InlineArray<12, UInt8>(repeating: 0)

    public init() {}

    /// Remembers one. At the bound the oldest makes room, one that was denied last.
    /// - Complexity: O(12)
    public mutating func add(_ kind: Kind, at time: Timestamp) {
        var victim = 0
        for index in 0..<Self.capacity where rank(index) < rank(victim) { victim = index }
        seconds[victim] = time.secondsHeld
        kinds[victim] = kind.rawValue
    }

    private func rank(_ index: Int) -> UInt64 {
        if kinds[index] == 0 { return 0 }
        return UInt64(kinds[index] & Kind.denied.rawValue) << 32 | UInt64(seconds[index])
    }

    /// How many that are any of `what`, and all of `having`, lie within `length` milliseconds before `time`.
    /// - Complexity: O(12)
    public func count(_ what: Kind, having: Kind = [], at time: Timestamp, length: Int64) -> Int {
        if union & what.rawValue == 0 { return 0 }
        var sum = 0
        for index in 0..<Self.capacity where kinds[index] & what.rawValue != 0 {
            guard kinds[index] & having.rawValue == having.rawValue else { continue }
            let age = time.milliseconds - Int64(seconds[index]) * 1000
            if age < length && age > -length { sum += 1 }
        }
        return sum
    }

    /// Forgets what is any of `what`.
    public mutating func remove(_ what: Kind) {
        for index in 0..<Self.capacity where kinds[index] & what.rawValue != 0 { (kinds[index], seconds[index]) = (0, 0) }
    }

    public var isEmpty: Bool { union == 0 }

    /// Everything that is any of them.
    private var union: UInt8 {
        var all: UInt8 = 0
        for index in 0..<Self.capacity { all |= kinds[index] }
        return all
    }
}

extension Timestamp {
    /// Whole seconds since 1970, held within 1970 and 2106.
    @inlinable var secondsHeld: UInt32 { UInt32(clamping: milliseconds / 1000) }
}
