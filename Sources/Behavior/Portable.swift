/// Logarithm and exponential made of IEEE additions, multiplications, divisions and square roots alone, so that they give
/// the same bits on every processor and with every C library, which no libm promises. Relative error below 2·10⁻¹⁵.
public enum Portable {
    @usableFromInline static let ln2 = 0.693147180559945309417232121458

    /// The natural logarithm; −∞ at 0, not a number below it.
    /// - Complexity: O(1): one division and a polynomial.
    public static func log(_ x: Double) -> Double {
        guard x > 0 && x.isFinite else { return x == 0 ? -.infinity : x > 0 ? x : .nan }
        var (exponent, fraction) = (Double(x.exponent), x.significand)
        if fraction > 1.4142135623730951 {
            fraction *= 0.5
            exponent += 1
        }
        // ln f = 2·artanh s, with |s| ≤ 0.1716
        let s = (fraction - 1) / (fraction + 1)
        let square = s * s
        var sum = 1.0 / 21
        sum = sum * square + 1.0 / 19
        sum = sum * square + 1.0 / 17
        sum = sum * square + 1.0 / 15
        sum = sum * square + 1.0 / 13
        sum = sum * square + 1.0 / 11
        sum = sum * square + 1.0 / 9
        sum = sum * square + 1.0 / 7
        sum = sum * square + 1.0 / 5
        sum = sum * square + 1.0 / 3
        sum = sum * square + 1
        return exponent * ln2 + 2 * s * sum
    }

    /// 2ˣ; 0 below −1074, ∞ from 1024.
    /// - Complexity: O(1): a polynomial.
    public static func exp2(_ x: Double) -> Double {
        guard x < 1024 else { return x.isNaN ? x : .infinity }
        guard x > -1076 else { return 0 }
        let whole = x.rounded()
        let r = (x - whole) * ln2
        // The sum of rⁿ/n!, with |r| ≤ 0.3466
        var sum = 1.0 / 87_178_291_200
        sum = sum * r + 1.0 / 6_227_020_800
        sum = sum * r + 1.0 / 479_001_600
        sum = sum * r + 1.0 / 39_916_800
        sum = sum * r + 1.0 / 3_628_800
        sum = sum * r + 1.0 / 362_880
        sum = sum * r + 1.0 / 40_320
        sum = sum * r + 1.0 / 5_040
        sum = sum * r + 1.0 / 720
        sum = sum * r + 1.0 / 120
        sum = sum * r + 1.0 / 24
        sum = sum * r + 1.0 / 6
        sum = sum * r + 1.0 / 2
        sum = sum * r + 1
        sum = sum * r + 1
        return whole < -1000 ? scaled(scaled(sum, -1000), Int(whole) + 1000) : scaled(sum, Int(whole))
    }

    /// eˣ. The relative error grows with the size of `x` to 10⁻¹³ at its ends.
    public static func exp(_ x: Double) -> Double { exp2(x / ln2) }

    /// Within 2^−1074 and 2^1024, `x` times a power of two.
    private static func scaled(_ x: Double, _ power: Int) -> Double {
        power > 1023 ? x * 2 * Double(sign: .plus, exponent: power - 1, significand: 1)
            : x * Double(sign: .plus, exponent: power, significand: 1)
    }
}
