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
    public func count(_ what: Kind, having: Kind = [], at time: Timestamp, length: Int64) -> Int {
        withUnsafePointer(to: self) { $0.count(what, having: having, at: time, length: length) }
    }

    /// Forgets what is any of `what`.
    public mutating func remove(_ what: Kind) {
        for index in 0..<Self.capacity where marks[index] & what.rawValue != 0 { (marks[index], seconds[index]) = (0, 0) }
    }
}

/// What every event asks of a history, which stays where it is.
extension UnsafePointer where Pointee == ChallengeHistory {
    @usableFromInline static var marksOffset: Int { MemoryLayout<InlineArray<12, UInt32>>.size }

    /// Everything that is any of them; empty when nothing is remembered.
    @inline(__always) @inlinable
    public var kinds: ChallengeHistory.Kind {
        let raw = UnsafeRawPointer(self) + Self.marksOffset
        var all = raw.loadUnaligned(as: UInt64.self) | UInt64(raw.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        all |= all >> 32
        all |= all >> 16
        all |= all >> 8
        return ChallengeHistory.Kind(rawValue: UInt8(truncatingIfNeeded: all))
    }

    /// Milliseconds from the newest to `time`: nothing counts in a window that is no longer.
    @inline(__always) @inlinable
    public func age(at time: Timestamp) -> Int64 {
        let seconds = UnsafeRawPointer(self).assumingMemoryBound(to: UInt32.self)
        var newest: UInt32 = 0
        for index in 0..<12 { newest = Swift.max(newest, seconds[index]) }
        return time.milliseconds &- Int64(newest) &* 1000
    }

    /// `ChallengeHistory.count`, four at a time.
    @inlinable
    public func count(
        _ what: ChallengeHistory.Kind, having: ChallengeHistory.Kind = [], at time: Timestamp, length: Int64
    ) -> Int {
        // The whole seconds that lie less than `length` from `time`.
        let length = min(length, 1 << 52)
        let first = UInt32(clamping: max(time.milliseconds - length + 1000, 0) / 1000)
        let last = UInt32(clamping: (time.milliseconds + length - 1) / 1000)
        if last < first { return 0 }
        // Compared as signed numbers, which processors do four at a time.
        func signed(_ second: UInt32) -> SIMD4<Int32> { SIMD4(repeating: Int32(bitPattern: second ^ 0x8000_0000)) }
        let raw = UnsafeRawPointer(self)
        let (first4, last4) = (signed(first), signed(last))
        let (what, having) = (SIMD4(repeating: Int32(what.rawValue)), SIMD4(repeating: Int32(having.rawValue)))
        var sum = SIMD4<Int32>.zero
        for part in 0..<3 {
            let seconds = raw.loadUnaligned(fromByteOffset: 16 * part, as: SIMD4<Int32>.self) ^ SIMD4(repeating: .min)
            let marks = SIMD4<Int32>(
                truncatingIfNeeded: raw.loadUnaligned(fromByteOffset: Self.marksOffset + 4 * part, as: SIMD4<UInt8>.self))
            let isInside = (seconds .>= first4) .& (seconds .<= last4)
            let isMeant = (marks & what .!= 0) .& (marks & having .== having)
            sum &+= SIMD4<Int32>.zero.replacing(with: 1, where: isInside .& isMeant)
        }
        return Int(sum.wrappedSum())
    }
}

extension Timestamp {
    /// Whole seconds since 1970, held within 1970 and 2106.
    @inlinable var secondsHeld: UInt32 { UInt32(clamping: milliseconds / 1000) }
}
