extension DecayedMoments {
    /// How surprisingly large a value is: ln((1 − p)/p), where p is the chance that the next value is as large or larger,
    /// by the predictive distribution of normal values of unknown mean and variance (Student's t with weight − 1 degrees
    /// of freedom, Gelman et al., "Bayesian Data Analysis", 3.2). 0 at the mean, 4.6 where one in a hundred is larger,
    /// negative below the mean; 0, too, while two values have not been seen, or where `value` is not a number.
    ///
    /// `leastDeviation` is taken for the standard deviation where that is smaller: who always does exactly the same
    /// would otherwise astonish by the first cent.
    /// - Complexity: O(1), without libm.
    public func excess(of value: Float, leastDeviation: Float) -> Double {
        guard weight >= 2 else { return 0 }
        return Tail.student(deviations(of: value, least: leastDeviation), degrees: Double(weight) - 1)
    }

    /// Whether a value is above the mean by more than so many deviations, for at least two values: up to half of one its
    /// `excess` is below 1, up to one and a half it is below 3, as with normal values, of which Student's t has fewer there.
    /// Squares are compared, for a root takes as long as all the rest.
    @inline(__always)
    public func exceeds(_ deviations: Double, by value: Float, least: Float) -> Bool {
        let above = Double(value) - Double(mean)
        let square = max(Double(variance), Double(least) * Double(least), 1e-60)
        return above > 0 && above * above * Double(weight) > deviations * deviations * square * (Double(weight) + 1)
    }

    private func deviations(of value: Float, least: Float) -> Double {
        let deviation = max(Double(variance).squareRoot(), Double(least), 1e-30)
        return (Double(value) - Double(mean)) / (deviation * (1 + 1 / Double(weight)).squareRoot())
    }
}

/// Tails of distributions in log-odds, ln((1 − Q)/Q) of the upper tail Q: antisymmetric, and finite where Q itself is
/// too small to be written. Only `Portable` functions are used: the same bits everywhere.
public enum Tail {
    /// Of the standard normal distribution, within 10⁻⁹ of the exact value up to 40 and relatively beyond: Abramowitz and
    /// Stegun 26.2.11 (a series) below 3, 26.2.14 (a continued fraction) above it. 0 for what is not a number.
    public static func normal(_ z: Double) -> Double {
        guard !z.isNaN else { return 0 }
        let x = min(abs(z), 1e6)
        let result = x < 3 ? near(x) : far(x)
        return z < 0 ? -result : result
    }

    private static func near(_ x: Double) -> Double {
        var (term, sum, odd) = (x, 0.0, 1.0)
        while sum + term != sum {
            sum += term
            odd += 2
            term *= x * x / odd
        }
        let part = sum * Portable.exp(-x * x / 2) * 0.3989422804014327
        return Portable.log((0.5 + part) / (0.5 - part))
    }

    private static func far(_ x: Double) -> Double {
        var fraction = x
        for k in stride(from: 24.0, through: 1, by: -1) { fraction = x + k / fraction }
        let logTail = -x * x / 2 - 0.9189385332046727 - Portable.log(fraction)
        return Portable.log(1 - Portable.exp(logTail)) - logTail
    }

    /// Of Student's t. The value is turned into the normal one with the same tail (Hill, "Algorithm 395", Communications
    /// of the ACM 1970). Up to t = 30 the result is off by 16 % at one degree of freedom, 1 % at two, 0.2 % at three, and by
    /// less with more. Fewer than one count as one.
    public static func student(_ t: Double, degrees: Double) -> Double {
        guard !t.isNaN && !degrees.isNaN else { return 0 }
        let n = min(max(degrees, 1), 1e12)
        let x = min(abs(t), 1e12)
        let a = n - 0.5
        let b = 48 * a * a
        // ln(1 + t²/n), of which the sum loses what is small.
        let ratio = x * x / n
        let y = a * (ratio < 1e-5 ? ratio - ratio * ratio / 2 : Portable.log(1 + ratio))
        let correction = (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + b)
        let z = ((correction + y + 3) / b + 1) * y.squareRoot()
        return normal(t < 0 ? -z : z)
    }
}
