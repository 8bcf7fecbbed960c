/// The natural logarithm to a relative error below 10⁻⁹ for normal positive numbers: exponent and mantissa apart, the
/// mantissa by the series of the inverse hyperbolic tangent (Abramowitz and Stegun 4.1.27). Evidence is rounded to a
/// hundredth, and unlike the C library's this gives the same bits on every processor.
@inline(__always)
func ln(_ x: Double) -> Double {
    var exponent = Int64(x.bitPattern >> 52) - 1023
    var mantissa = Double(bitPattern: x.bitPattern & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000)
    if mantissa > 1.4142135623730951 {
        mantissa *= 0.5
        exponent += 1
    }
    let s = (mantissa - 1) / (mantissa + 1)
    let q = s * s
    let series = 1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q / 11))))
    return 2 * s * series + Double(exponent) * 0.6931471805599453
}
