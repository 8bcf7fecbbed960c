import Events

/// What came of a user's last challenges, in event time: twelve of them, in 60 bytes. All-zero bytes are empty.
public struct ChallengeHistory {
    /// What came of one, as a set: what, and whether it was a push.
    public struct Kind: OptionSet, Sendable {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        @inlinable public static var failed: Kind { Kind(rawValue: 1) }
        /// “Not me.”
        @inlinable public static var denied: Kind { Kind(rawValue: 2) }
        /// Abandoned, timed out, expired, or given up for a newer one.
        @inlinable public static var unanswered: Kind { Kind(rawValue: 4) }
        @inlinable public static var push: Kind { Kind(rawValue: 8) }
    }

    @usableFromInline static var capacity: Int { 12 }
    /// Seconds since 1970.
    @usableFromInline var seconds = InlineArray<12, UInt32>(repeating: 0)
    /// 0 where free.
    @usableFromInline var marks = InlineArray<12, UInt8>(repeating: 0)

    public init() {}

    /// Remembers one. At the bound the oldest makes room, one that was denied last.
    /// - Complexity: O(12)
    public mutating func add(_ kind: Kind, at time: Timestamp) {
        var victim = 0
        for index in 0..<Self.capacity where rank(index) < rank(victim) { victim = index }
        seconds[victim] = time.secondsHeld
        marks[victim] = kind.rawValue
    }

    private func rank(_ index: Int) -> UInt64 {
        if marks[index] == 0 { return 0 }
        return UInt64(marks[index] & Kind.denied.rawValue) << 32 | UInt64(seconds[index])
    }

    /// How many that are any of `what`, and all of `having`, lie within `length` milliseconds before `time`.
    /// - Complexity: O(12)
    @inline(__always) @inlinable
    public func count(_ what: Kind, having: Kind = [], at time: Timestamp, length: Int64) -> Int {
        if kinds.isDisjoint(with: what) { return 0 }
        // The whole seconds that lie less than `length` from `time`.
        let length = min(length, 1 << 52)
        let first = UInt32(clamping: max(time.milliseconds - length + 1000, 0) / 1000)
        let last = UInt32(clamping: (time.milliseconds + length - 1) / 1000)
        var sum = 0
        for index in 0..<Self.capacity {
            let isMeant = marks[index] & what.rawValue != 0 && marks[index] & having.rawValue == having.rawValue
            sum &+= isMeant && seconds[index] >= first && seconds[index] <= last ? 1 : 0
        }
        return sum
    }

    /// Milliseconds from the newest to `time`: nothing counts in a window that is no longer.
    @inline(__always) @inlinable
    public func age(at time: Timestamp) -> Int64 {
        var newest: UInt32 = 0
        for index in 0..<Self.capacity { newest = max(newest, seconds[index]) }
        return time.milliseconds &- Int64(newest) &* 1000
    }

    /// Forgets what is any of `what`.
    public mutating func remove(_ what: Kind) {
        for index in 0..<Self.capacity where marks[index] & what.rawValue != 0 { (marks[index], seconds[index]) = (0, 0) }
    }

    /// Everything that is any of them; empty when nothing is remembered.
    @inline(__always) @inlinable
    public var kinds: Kind {
        var all: UInt8 = 0
        for index in 0..<Self.capacity { all |= marks[index] }
        return Kind(rawValue: all)
    }
}

extension Timestamp {
    /// Whole seconds since 1970, held within 1970 and 2106.
    @inlinable var secondsHeld: UInt32 { UInt32(clamping: milliseconds / 1000) }
}
