/// Which of a policy's rules would have decided, had they been enforced: 256 bits.
public struct ReportedRules: Sendable, Equatable {
    /// Rules of a policy, the copies that overrides make included.
    public static let capacity = 256
    @usableFromInline var words = SIMD4<UInt64>.zero
    @inlinable public init() {}
    @inlinable public static var none: ReportedRules { ReportedRules() }

    @inlinable public var isEmpty: Bool { words == .zero }
    @inlinable public mutating func insert(_ rule: Int) { words[rule >> 6] |= 1 << UInt64(rule & 63) }
    @inlinable public func contains(_ rule: Int) -> Bool { words[rule >> 6] >> UInt64(rule & 63) & 1 == 1 }
}
