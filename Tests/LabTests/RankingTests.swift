import Foundation
import Testing

@testable import Lab

/// The measures against what they are by definition, counted pair by pair.
@Suite struct RankingTests {
    private static let kinds = 3

    /// Few distinct scores, so that ties are everywhere.
    private func units(_ random: inout Random, count: Int, users: Int) -> [ScoredUnit] {
        (0..<count).map { _ in
            ScoredUnit(
                user: UInt32(random.below(users)), kind: UInt16(random.pick([8, 1, 1])), history: .much,
                score: random.chance(0.1) ? .nan : Float(random.below(12)))
        }
    }

    /// Each unit as often as its user counts.
    private func expanded(_ units: [ScoredUnit], _ weights: UserWeights) -> [ScoredUnit] {
        units.flatMap { unit in Array(repeating: unit, count: Int(weights[unit.user])) }
    }

    private func rank(_ unit: ScoredUnit) -> Float { unit.score.isNaN ? -.infinity : unit.score }

    private func area(_ units: [ScoredUnit], _ isHostile: (ScoredUnit) -> Bool) -> Double {
        var (wins, pairs) = (0.0, 0.0)
        for hostile in units where isHostile(hostile) {
            for other in units where other.kind == 0 {
                pairs += 1
                wins += rank(hostile) > rank(other) ? 1 : rank(hostile) == rank(other) ? 0.5 : 0
            }
        }
        return pairs == 0 ? .nan : wins / pairs
    }

    /// The most that a threshold at some score finds while it suspects at most so many.
    private func recall(_ units: [ScoredUnit], at limit: Double, _ isHostile: (ScoredUnit) -> Bool) -> Double {
        let hostile = units.filter(isHostile)
        let legitimate = units.filter { $0.kind == 0 }
        var best = 0.0
        for threshold in units.map(rank) {
            let suspected = legitimate.count { rank($0) >= threshold }
            guard Double(suspected) <= limit * Double(legitimate.count) else { continue }
            best = max(best, Double(hostile.count { rank($0) >= threshold }) / Double(hostile.count))
        }
        return best
    }

    /// The least that a threshold suspects which finds at least so many.
    private func suspected(_ units: [ScoredUnit], at share: Double, _ isHostile: (ScoredUnit) -> Bool) -> Double {
        let hostile = units.filter(isHostile)
        let legitimate = units.filter { $0.kind == 0 }
        var least = 1.0
        for threshold in units.map(rank) where Double(hostile.count { rank($0) >= threshold }) >= share * Double(hostile.count) {
            least = min(least, Double(legitimate.count { rank($0) >= threshold }) / Double(legitimate.count))
        }
        return least
    }

    @Test func measuresAreWhatTheirDefinitionsSay() {
        let seed = UInt64.random(in: 1...1_000_000)
        print("seed \(seed)")
        var random = Random(seed: seed)
        for _ in 0..<40 {
            let users = 1 + random.below(12)
            let units = units(&random, count: 20 + random.below(120), users: users)
            let ranking = Ranking(units, kinds: Self.kinds)
            var weights = UserWeights(users: users)
            if random.chance(0.7) { weights.draw(&random) }
            let all = expanded(units, weights)
            let measured = ranking.measure(weights)
            for kind in 0..<Self.kinds {
                let isHostile: (ScoredUnit) -> Bool = { kind == 0 ? $0.kind != 0 : Int($0.kind) == kind }
                let numbers = Array(measured[(kind * 5)..<(kind * 5 + 5)])
                guard all.contains(where: isHostile), all.contains(where: { $0.kind == 0 }) else {
                    #expect(numbers.allSatisfy { $0.isNaN }, "seed \(seed)")
                    continue
                }
                let expected = [
                    area(all, isHostile), recall(all, at: 0.01, isHostile), recall(all, at: 0.001, isHostile),
                    suspected(all, at: 0.9, isHostile), suspected(all, at: 0.99, isHostile),
                ]
                for (number, wanted) in zip(numbers, expected) { #expect(abs(number - wanted) < 1e-9, "seed \(seed)") }
            }
        }
    }

    @Test func aLargeStreamsRecallLiesAtItsThreshold() {
        // 1,000 legitimate units at 0…999, hostile ones at 989.5 and 990.5: ten, or nine, lie above.
        let legitimate = (0..<1_000).map { ScoredUnit(user: UInt32($0), kind: 0, history: .none, score: Float($0)) }
        func hostile(_ score: Float) -> ScoredUnit { ScoredUnit(user: 0, kind: 1, history: .none, score: score) }
        let weights = UserWeights(users: 1_000)
        let found = Ranking(legitimate + [hostile(989.5), hostile(988.5)], kinds: 2).measure(weights)
        #expect(found[5 + Ranking.Measure.recallAtPercent.rawValue] == 0.5)
        #expect(found[5 + Ranking.Measure.recallAtPerMille.rawValue] == 0)
        #expect(found[5 + Ranking.Measure.suspectedAt90.rawValue] == 0.011)
    }

    @Test func curvesEndAtTheirCornersAndHaveTheArea() {
        var random = Random(seed: 5)
        let units = units(&random, count: 400, users: 30)
        let ranking = Ranking(units, kinds: Self.kinds)
        let corners = ranking.curve(kind: 1)
        #expect(corners.last?.found == 1)
        var (area, x, y) = (0.0, 0.0, 0.0)
        for corner in corners {
            area += (corner.above - x) * y + (corner.reached - corner.above) * (y + corner.found) / 2
            (x, y) = (corner.reached, corner.found)
        }
        area += (1 - x) * y
        #expect(abs(area - ranking.measure(UserWeights(users: 30))[5]) < 1e-9)
    }

    // MARK: - Resampling

    @Test func resamplingIsDeterministicAndDrawsWholeUsers() {
        let values = (0..<50).map { Double($0 % 7) }
        let mean: (UserWeights) -> [Double] = { weights in
            var (sum, count) = (0.0, 0.0)
            for (user, value) in values.enumerated() {
                sum += weights[UInt32(user)] * value
                count += weights[UInt32(user)]
            }
            return [sum / count, count, .nan]
        }
        let bootstrap = Bootstrap(rounds: 200, seed: 9, users: 50)
        let found = bootstrap.estimates(of: [mean])[0]
        #expect(found == bootstrap.estimates(of: [mean])[0])
        #expect(found != Bootstrap(rounds: 200, seed: 10, users: 50).estimates(of: [mean])[0])
        // As many users as there are, always; a number that isn't there has no estimate.
        #expect(found[1] == Estimate(value: 50, low: 50, high: 50))
        #expect(found[2] == nil)
        // The standard error of this mean is 0.28.
        guard let estimate = found[0], let low = estimate.low, let high = estimate.high else {
            Issue.record("no interval")
            return
        }
        #expect(low < estimate.value && estimate.value < high)
        #expect(0.7...1.6 ~= high - low)
    }

    @Test func withoutRoundsThereAreNoIntervals() {
        let found = Bootstrap(rounds: 0, seed: 1, users: 3).estimates(of: [{ _ in [1] }])
        #expect(found == [[Estimate(value: 1, low: nil, high: nil)]])
    }

    // MARK: - Calibration

    @Test func reliabilityIsCountedByBin() {
        let logits: [Float] = Array(repeating: -4, count: 100) + Array(repeating: 4, count: 100)
        let hostile = (0..<200).map { $0 < 100 ? $0 < 2 : $0 < 190 }
        let found = Reliability(logits: logits, isHostile: hostile)
        #expect(found.bins.count == 2)
        #expect(found.bins.map(\.observed) == [0.02, 0.9])
        let probability = 1 / (1 + exp(-4.0))
        #expect(abs(found.expectedError - (abs(1 - probability - 0.02) + abs(probability - 0.9)) / 2) < 1e-6)
        #expect(abs(logarithmicLoss(800, false) - 800) < 1e-9)
        #expect(logarithmicLoss(800, true) == 0)
    }
}
