import Foundation

/// Whether a score means what it says: of the events given 20 %, one in five should be hostile.
public struct Reliability: Sendable, Equatable, Encodable {
    /// Events whose probability lies in one range.
    public struct Bin: Sendable, Equatable, Encodable {
        public var low: Double
        public var high: Double
        public var events: Int
        /// Mean probability.
        public var expected: Double
        /// Share that is hostile.
        public var observed: Double
    }

    /// Bounds of the bins: finer towards both ends, because that is where nearly all events are.
    static let bounds = [0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1]

    public var bins: [Bin]
    /// Mean distance between expected and observed over the events, bin by bin (Mahdi Pakdaman Naeini, Gregory Cooper,
    /// Milos Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015).
    public var expectedError: Double
    /// Mean squared distance of the probability from what was (Glenn Brier, 1950).
    public var brier: Double
    /// Mean surprise in nats.
    public var logLoss: Double
    public var events: Int

    /// - Complexity: O(events)
    init(logits: [Float], isHostile: [Bool]) {
        var counts = [(events: Int, expected: Double, hostile: Int)](
            repeating: (0, 0, 0), count: Self.bounds.count - 1)
        var (squares, surprise) = (0.0, 0.0)
        for (logit, hostile) in zip(logits, isHostile) {
            let probability = 1 / (1 + exp(-Double(logit)))
            let bin = min((Self.bounds.firstIndex { $0 > probability } ?? Self.bounds.count - 1) - 1, counts.count - 1)
            counts[bin].events += 1
            counts[bin].expected += probability
            counts[bin].hostile += hostile ? 1 : 0
            let miss = probability - (hostile ? 1 : 0)
            squares += miss * miss
            surprise += logarithmicLoss(Double(logit), hostile)
        }
        events = logits.count
        let all = Double(max(events, 1))
        brier = squares / all
        logLoss = surprise / all
        var error = 0.0
        var bins: [Bin] = []
        for (index, count) in counts.enumerated() where count.events > 0 {
            let weight = Double(count.events)
            let (expected, observed) = (count.expected / weight, Double(count.hostile) / weight)
            error += weight / all * abs(expected - observed)
            bins.append(Bin(
                low: Self.bounds[index], high: Self.bounds[index + 1], events: count.events, expected: expected,
                observed: observed))
        }
        expectedError = error
        self.bins = bins
    }
}

/// −ln of the probability given to what was, without overflow.
func logarithmicLoss(_ logit: Double, _ isTrue: Bool) -> Double {
    let margin = isTrue ? -logit : logit
    return margin > 0 ? margin + log1p(exp(-margin)) : log1p(exp(margin))
}
