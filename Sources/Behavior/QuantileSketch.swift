/// Quantiles of positive numbers, faded, in 96 bytes, for where moments mislead: buckets whose bounds grow by the fourth root of
/// 2 (DDSketch: Masson, Rim, Lee, VLDB 2019), 46 of them side by side, which span 2,900 to 1. All-zero bytes are empty.
///
/// A quantile is within 8.7 % of the exact one as long as all values lie within the span. The span moves to
/// where the values are, but never drops a bucket that holds some: a value outside counts in the bucket at that end, so
/// one absurd number can't push out the history. Numbers at or below 0 have a bucket of their own.
public struct QuantileSketch: Sendable, BitwiseCopyable {
    @usableFromInline static var span: Int { 46 }
    /// The first 46 by size, the last for what is not above 0.
    var bins = FadingBins<47>()
    /// The size of the first bucket: its least value is 2^(lowest/4).
    var lowest: Int16 = 0

    public init() {}

    /// Observations, faded.
    public var weight: Float { bins.weight }

    /// Takes in a number; what is not one changes nothing. For the weight see `FadingBins`.
    /// - Complexity: O(1), unless the span moves.
    public mutating func add(_ value: Float, weight: Float = 1) {
        guard !value.isNaN else { return }
        bins.add(to: value > 0 ? slot(for: Self.size(of: value)) : Self.span, weight: weight)
    }

    public mutating func decay(by factor: Float) { bins.decay(by: factor) }

    /// Adds another's buckets: those of the whole stream, unless one overflows or the values of both exceed the span.
    public mutating func merge(_ other: QuantileSketch) {
        for index in 0..<Self.span where other.bins[index] > 0 {
            bins.add(to: slot(for: Int(other.lowest) + index), units: UInt32(other.bins[index]))
        }
        bins.add(to: Self.span, units: UInt32(other.bins[Self.span]))
    }

    /// The value that a share `q` of the weight, from 0 to 1, is at or below; nil when empty, or when `q` is not a
    /// number.
    /// - Complexity: O(buckets)
    public func quantile(_ q: Float) -> Float? {
        let total = bins.totalUnits
        guard total > 0 && !q.isNaN else { return nil }
        let wanted = Double(min(max(q, 0), 1)) * Double(total)
        var below = UInt32(bins[Self.span])
        if below > 0 && Double(below) >= wanted { return 0 }
        for index in 0..<Self.span where bins[index] > 0 {
            below += UInt32(bins[index])
            if Double(below) >= wanted { return Self.middle(of: Int(lowest) + index) }
        }
        return nil
    }

    /// The quantile of 1.
    /// - Complexity: O(buckets)
    public var largest: Float? {
        var last = Self.span - 1
        while last >= 0 && bins[last] == 0 { last -= 1 }
        return last >= 0 ? Self.middle(of: Int(lowest) + last) : bins[Self.span] > 0 ? 0 : nil
    }

    /// The share of the weight below a value, with half of its own bucket; off by at most the half. 0 when empty.
    /// - Complexity: O(buckets)
    public func rank(of value: Float) -> Float {
        let total = bins.totalUnits
        guard total > 0 && !value.isNaN else { return 0 }
        let nothing = Float(bins[Self.span])
        guard value > 0 else { return nothing / 2 / Float(total) }
        let own = Self.size(of: value) - Int(lowest)
        var below = nothing
        for index in 0..<Self.span where index < own { below += Float(bins[index]) }
        if own >= 0 && own < Self.span { below += Float(bins[own]) / 2 }
        return below / Float(total)
    }

    /// The bucket for a size, moved there as far as empty buckets at the other end allow.
    private mutating func slot(for size: Int) -> Int {
        var (first, last) = (0, Self.span - 1)
        while first < Self.span && bins[first] == 0 { first += 1 }
        if first == Self.span {
            lowest = Int16(clamping: size - Self.span / 2)
            return Self.span / 2
        }
        let slot = size - Int(lowest)
        if slot >= 0 && slot < Self.span { return slot }
        while bins[last] == 0 { last -= 1 }
        move(by: slot < 0 ? max(slot, last - Self.span + 1) : min(slot - Self.span + 1, first))
        return min(max(size - Int(lowest), 0), Self.span - 1)
    }

    /// Lets the span begin so many buckets later.
    private mutating func move(by buckets: Int) {
        let old = bins
        for index in 0..<Self.span {
            let source = index + buckets
            bins.units[index] = source >= 0 && source < Self.span ? old[source] : 0
        }
        lowest = Int16(clamping: Int(lowest) + buckets)
    }

    /// 4·log₂ of a number above 0, rounded down, by comparison: no logarithm, no rounding at bounds.
    static func size(of value: Float) -> Int {
        let finite = min(value, .greatestFiniteMagnitude)
        let (exponent, fraction) = (Int(finite.exponent), finite.significand)
        let quarter = fraction < 1.4142135 ? (fraction < 1.1892071 ? 0 : 1) : fraction < 1.6817929 ? 2 : 3
        return exponent * 4 + quarter
    }

    /// The value at the same ratio from all of a bucket: 2γ/(1 + γ) times its least.
    private static func middle(of size: Int) -> Float {
        let roots: InlineArray<4, Float> = [1, 1.1892071, 1.4142135, 1.6817929]
        return Float(sign: .plus, exponent: size >> 2, significand: roots[size & 3] * 1.0864272)
    }
}
