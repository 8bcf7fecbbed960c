/// The natural logarithm to a relative error below 10⁻⁹ for normal positive numbers: exponent and mantissa apart, the
/// mantissa by the series of the inverse hyperbolic tangent (Abramowitz and Stegun 4.1.27). Evidence is rounded to a
/// hundredth, and unlike the C library's this gives the same bits on every processor.
@inline(__always)
func ln(_ x: Double) -> Double {
    // A mantissa above √2 is halved. Adding what carries it into the exponent takes no branch, which would be guessed wrong
    // every other time.
    let bits = x.bitPattern &+ 0x0009_5F61_9980_C432
    let exponent = Int64(bits >> 52) &- 1023
    let mantissa = Double(bitPattern: x.bitPattern &- UInt64(bitPattern: exponent) << 52)
    let s = (mantissa - 1) / (mantissa + 1)
    let q = s * s
    // Halves of the series that don't wait for each other.
    let square = q * q
    let low = (1 + q * (1.0 / 3)) + square * (1.0 / 5 + q * (1.0 / 7))
    let series = low + square * square * (1.0 / 9 + q * (1.0 / 11))
    return 2 * s * series + Double(exponent) * 0.6931471805599453
}
