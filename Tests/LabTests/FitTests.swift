import Foundation
import Risk
import Testing

@testable import Lab

@Suite struct FitTests {
    /// Events whose label is drawn with the probability that known weights give them.
    private func synthetic(
        _ random: inout Random, count: Int, base: Double, weights: [Signal: Double], model: ModelOptions
    ) -> (EvidenceTable, [Bool]) {
        var table = EvidenceTable()
        var hostile: [Bool] = []
        let fusion = Fusion(model)
        var all = [Double](repeating: 0, count: Signal.count)
        for (signal, weight) in weights { all[Int(signal.rawValue)] = weight }
        var gradient: [(signal: Int, slope: Double)] = []
        for index in 0..<count {
            for signal in weights.keys.sorted(by: { $0.rawValue < $1.rawValue }) where random.chance(0.5) {
                table.append(signal, raw: random.uniform(-10, 25))
            }
            table.endEvent()
            let points = base + fusion.points(table, index, weights: all, gradient: &gradient)
            hostile.append(random.chance(1 / (1 + exp(-points / 10))))
        }
        return (table, hostile)
    }

    private var wide: ModelOptions {
        var model = ModelOptions()
        for index in model.signals.indices { model.signals[index] = SignalOptions(cap: 100) }
        for index in model.groupCaps.indices { model.groupCaps[index] = 200 }
        model.reassuranceCap = 100
        return model
    }

    private func regression(
        _ table: EvidenceTable, _ hostile: [Bool], _ model: ModelOptions, ridge: Double
    ) -> WeightsRegression {
        WeightsRegression(
            table: table, fusion: Fusion(model), events: Array(0..<table.count), isHostile: hostile,
            shares: Array(repeating: 1 / Double(table.count), count: table.count), prior: model.signals.map(\.weight),
            ridge: ridge)
    }

    @Test func knownWeightsAreRecovered() {
        let seed = UInt64.random(in: 1...1_000_000)
        print("seed \(seed)")
        var random = Random(seed: seed)
        // An event speaks for its user through signals of the device, so nothing is beyond denial.
        let truth: [Signal: Double] = [.deviceNew: 0.4, .placeNew: 1.8, .timeUnusual: 0, .actionRare: 1]
        let (table, hostile) = synthetic(&random, count: 8_000, base: -12, weights: truth, model: wide)
        let found = regression(table, hostile, wide, ridge: 1e-7).solve(base: -40)
        #expect(abs(found.base - -12) < 2, "seed \(seed): base \(found.base)")
        for (signal, weight) in truth {
            #expect(abs(found.weights[Int(signal.rawValue)] - weight) < 0.2, "seed \(seed): \(signal) \(found.weights)")
        }
        // Who never spoke stays what it was.
        #expect(found.weights[Int(Signal.drift.rawValue)] == 1)
    }

    @Test func capsAreFittedThrough() {
        var random = Random(seed: 12)
        var model = ModelOptions()
        model.signals[Int(Signal.placeNew.rawValue)].cap = 12
        let truth: [Signal: Double] = [.deviceNew: 1.5, .placeNew: 0.8, .networkNew: 1.2]
        let (table, hostile) = synthetic(&random, count: 8_000, base: -8, weights: truth, model: model)
        let found = regression(table, hostile, model, ridge: 1e-7).solve(base: -40)
        for (signal, weight) in truth { #expect(abs(found.weights[Int(signal.rawValue)] - weight) < 0.25, "\(signal)") }
    }

    @Test func theRidgeHoldsAndWeightsAreNeverNegative() {
        var random = Random(seed: 4)
        let (table, hostile) = synthetic(&random, count: 3_000, base: -10, weights: [.deviceNew: 1], model: wide)
        let held = regression(table, hostile, wide, ridge: 1e6).solve(base: -10)
        #expect(held.weights.allSatisfy { abs($0 - 1) < 1e-3 })
        let opposite = regression(table, hostile.map { !$0 }, wide, ridge: 1e-7).solve(base: 0)
        #expect(opposite.weights.allSatisfy { $0 >= 0 })
        #expect(opposite.weights[Int(Signal.deviceNew.rawValue)] == 0)
    }

    /// The slopes given are those of the loss.
    @Test func gradientsAreDifferences() {
        let seed = UInt64.random(in: 1...1_000_000)
        print("seed \(seed)")
        var random = Random(seed: seed)
        let (table, _) = synthetic(
            &random, count: 300, base: 0,
            weights: [.deviceNew: 1, .deviceFamily: 1, .placeNew: 1, .placeCountry: 1, .networkSpray: 1, .timeUnusual: 1],
            model: ModelOptions())
        let fusion = Fusion(ModelOptions())
        let weights = (0..<Signal.count).map { _ in random.uniform(0.2, 2) }
        var (gradient, unused) = ([(signal: Int, slope: Double)](), [(signal: Int, slope: Double)]())
        for event in 0..<table.count {
            _ = fusion.points(table, event, weights: weights, gradient: &gradient)
            for signal in weights.indices {
                var (less, more) = (weights, weights)
                less[signal] -= 1e-6
                more[signal] += 1e-6
                let slope = (fusion.points(table, event, weights: more, gradient: &unused)
                    - fusion.points(table, event, weights: less, gradient: &unused)) / 2e-6
                let given = gradient.first { $0.signal == signal }?.slope ?? 0
                #expect(abs(slope - given) < 1e-3, "seed \(seed), event \(event), signal \(signal)")
            }
        }
    }

    @Test func plattFindsSlopeAndOffset() {
        var random = Random(seed: 8)
        let logits = (0..<20_000).map { _ in 3 * random.normal() }
        let hostile = logits.map { random.chance(1 / (1 + exp(-(0.6 * $0 - 1.2)))) }
        let shares = Array(repeating: 1 / Double(logits.count), count: logits.count)
        let found = PlattScaling(logits: logits, isHostile: hostile, shares: shares)
        #expect(abs(found.slope - 0.6) < 0.05)
        #expect(abs(found.offset - -1.2) < 0.1)
        #expect(PlattScaling(logits: logits, isHostile: hostile.map { _ in false }, shares: shares).slope == 1)
    }

    @Test func symmetricSystemsAreSolved() {
        let (matrix, right) = ([[4, 2, 0.5], [2, 5, 1], [0.5, 1, 3]], [9, 15, 11.5])
        let found = solveSymmetric(matrix, right)
        for (row, wanted) in zip(matrix, right) {
            #expect(abs(zip(row, found).reduce(0) { $0 + $1.0 * $1.1 } - wanted) < 1e-9)
        }
    }
}
