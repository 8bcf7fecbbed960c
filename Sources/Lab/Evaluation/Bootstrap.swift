/// How often each user counts: once each in the data itself, a resample's number of draws otherwise.
struct UserWeights {
    private var counts: [UInt16]

    /// Every user once.
    init(users: Int) { counts = Array(repeating: 1, count: users) }

    subscript(user: UInt32) -> Double { Double(counts[Int(user)]) }

    /// Draws as many users as there are, with replacement.
    mutating func draw(_ random: inout Random) {
        let users = counts.count
        for user in 0..<users { counts[user] = 0 }
        for _ in 0..<users { counts[random.below(users)] &+= 1 }
    }
}

/// A measured number with its 95 % interval; the interval is nil where resampling leaves nothing to measure.
public struct Estimate: Sendable, Equatable, Encodable {
    public var value: Double
    public var low: Double?
    public var high: Double?
}

/// The cluster bootstrap (Bradley Efron and Robert Tibshirani, "An Introduction to the Bootstrap", 1993, sections 8 and
/// 13.3): whole users are drawn with replacement, because the events of one are not independent of each other. All
/// statistics of a round see the same draw, so that differences between them have intervals too.
struct Bootstrap {
    var rounds = 200
    var seed: UInt64 = 1
    var users: Int

    /// Estimates of each statistic's numbers with their percentile intervals; nil for a number that is NaN on the data.
    /// - Complexity: O(rounds × (users + the statistics'))
    func estimates(of statistics: [(UserWeights) -> [Double]]) -> [[Estimate?]] {
        var weights = UserWeights(users: users)
        let values = statistics.map { $0(weights) }
        var draws = values.map { [[Double]](repeating: [], count: $0.count) }
        var random = Random(seed: Random.mix(seed, 0x626F_6F74))
        for _ in 0..<rounds {
            weights.draw(&random)
            for (index, statistic) in statistics.enumerated() {
                for (number, value) in statistic(weights).enumerated() where !value.isNaN {
                    draws[index][number].append(value)
                }
            }
        }
        return zip(values, draws).map { values, draws in
            zip(values, draws).map { value, draws in value.isNaN ? nil : Self.estimate(value, draws) }
        }
    }

    private static func estimate(_ value: Double, _ draws: [Double]) -> Estimate {
        let sorted = draws.sorted()
        guard let last = sorted.indices.last, last > 0 else { return Estimate(value: value, low: nil, high: nil) }
        func quantile(_ share: Double) -> Double { sorted[Int((share * Double(last)).rounded())] }
        return Estimate(value: value, low: quantile(0.025), high: quantile(0.975))
    }
}
