/// ln(a / b) of normal positive numbers to a relative error below 10⁻⁹, with one division for both: the quotient's power of
/// two and the rest apart, the rest by the series of the inverse hyperbolic tangent of (a − b)/(a + b) (Abramowitz and Stegun
/// 4.1.28). Evidence is rounded to a hundredth, and unlike the C library's this gives the same bits on every processor.
@inlinable @inline(__always)
public func ln(_ a: Double, over b: Double) -> Double {
    // The bits of a number are its binary logarithm to a tenth, so that what is left of the quotient is between 2/3 and 3/2.
    // Rounding them takes no branch, which would be guessed wrong every other time.
    let bits = Int64(bitPattern: a.bitPattern &- b.bitPattern)
    let exponent = (bits &+ 1 << 51) >> 52
    let a = Double(bitPattern: a.bitPattern &- UInt64(bitPattern: exponent) << 52)
    let s = (a - b) / (a + b)
    let q = s * s
    // Halves of the series that don't wait for each other.
    let square = q * q
    let low = (1 + q * (1.0 / 3)) + square * (1.0 / 5 + q * (1.0 / 7))
    let series = low + square * square * (1.0 / 9 + q * (1.0 / 11))
    return 2 * s * series + Double(exponent) * 0.6931471805599453
}

/// ln x, as `ln(_:over:)`.
@inlinable @inline(__always)
public func ln(_ x: Double) -> Double { ln(x, over: 1) }
