import Glibc

/// A seeded generator of random numbers: xoshiro256++ (David Blackman and Sebastiano Vigna, domain,
/// prng.di.unimi.it), its state filled by SplitMix64. Equal seeds give equal sequences.
public struct Random: RandomNumberGenerator, Sendable {
    var s0: UInt64
    var s1: UInt64
    var s2: UInt64
    var s3: UInt64

    /// Equal seeds give equal sequences.
    public init(seed: UInt64) {
        var state = seed
        s0 = Self.splitMix(&state)
        s1 = Self.splitMix(&state)
        s2 = Self.splitMix(&state)
        s3 = Self.splitMix(&state)
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        let sum = s0 &+ s3
        let result = (sum << 23 | sum >> 41) &+ s0
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = s3 << 45 | s3 >> 19
        return result
    }

    /// SplitMix64 (Guy Steele, Doug Lea, Christine Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
    static func splitMix(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// One number that depends on both: the way independent sequences are derived from one seed.
    static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        var state = a ^ b &* 0xD6E8_FEB8_6659_FD93
        return splitMix(&state)
    }
    static func mix(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 { mix(mix(a, b), c) }

    /// Uniform over 0..<1.
    mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
    mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }
    /// Uniform over 0..<bound; 0 for a bound below 2.
    mutating func below(_ bound: Int) -> Int {
        bound < 2 ? 0 : Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
    mutating func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }
    mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// Standard normal, by Box and Muller.
    mutating func normal() -> Double {
        let u = 1 - uniform()
        return sqrt(-2 * log(u)) * cos(2 * .pi * uniform())
    }
    mutating func lognormal(median: Double, sigma: Double) -> Double { median * exp(sigma * normal()) }

    /// Knuth's method; only for small means.
    mutating func poisson(_ mean: Double) -> Int {
        let limit = exp(-min(mean, 50))
        var count = 0
        var product = uniform()
        while product > limit {
            count += 1
            product *= uniform()
        }
        return count
    }

    /// Gamma of unit scale (George Marsaglia and Wai Wan Tsang, ACM TOMS 26, 2000).
    mutating func gamma(_ shape: Double) -> Double {
        if shape < 1 { return gamma(shape + 1) * pow(1 - uniform(), 1 / shape) }
        let d = shape - 1.0 / 3
        let c = 1 / sqrt(9 * d)
        while true {
            let x = normal()
            let base = 1 + c * x
            if base <= 0 { continue }
            let v = base * base * base
            if log(1 - uniform()) < 0.5 * x * x + d * (1 - v + log(v)) { return d * v }
        }
    }

    /// An index chosen in proportion to its weight.
    /// - Complexity: O(*n*).
    mutating func pick(_ weights: [Double]) -> Int {
        var total = 0.0
        for weight in weights { total += weight }
        var rest = uniform() * total
        for (index, weight) in weights.enumerated() {
            rest -= weight
            if rest < 0 { return index }
        }
        return weights.count - 1
    }
}

/// Picks 0..<n with probability proportional to 1/(rank+1)^exponent, by inversion of the continuous envelope
/// (Wolfgang Hörmann and Gerhard Derflinger, "Rejection-inversion to generate variates from monotone discrete
/// distributions", ACM TOMACS 6, 1996).
struct Zipf: Sendable {
    private let count: Double
    private let exponent: Double
    private let low: Double
    private let high: Double
    private let shortcut: Double

    init(count: Int, exponent: Double) {
        self.count = Double(max(count, 1))
        self.exponent = exponent
        low = Self.integral(1.5, exponent) - 1
        high = Self.integral(self.count + 0.5, exponent)
        shortcut = 2 - Self.inverse(Self.integral(2.5, exponent) - pow(2, -exponent), exponent)
    }

    private static func integral(_ x: Double, _ s: Double) -> Double {
        abs(1 - s) < 1e-9 ? log(x) : (pow(x, 1 - s) - 1) / (1 - s)
    }
    private static func inverse(_ y: Double, _ s: Double) -> Double {
        abs(1 - s) < 1e-9 ? exp(y) : pow(max(1 + y * (1 - s), 0), 1 / (1 - s))
    }

    /// - Complexity: O(1), less than 1.2 tries on average.
    func sample(_ random: inout Random) -> Int {
        while true {
            let u = high + random.uniform() * (low - high)
            let x = Self.inverse(u, exponent)
            let k = min(max((x + 0.5).rounded(.down), 1), count)
            if k - x <= shortcut || u >= Self.integral(k + 0.5, exponent) - pow(k, -exponent) { return Int(k) - 1 }
        }
    }
}
