import Foundation
import Testing
import VigilTesting

@testable import Behavior

@Suite struct SequenceEvidenceTests {
    @Test func withoutHistoryNothingIsSaid() {
        let others = StepCounts(count: 3, total: 500, context: BigramContext(pair: 40, total: 60, kinds: 5))
        #expect(SequenceEvidence.ofStep(user: StepCounts(), others: others, kinds: 24) == 0)
        #expect(SequenceEvidence.ofStep(user: StepCounts(), others: StepCounts(), kinds: 24) == 0)
        #expect(SequenceEvidence.ofStep(user: StepCounts(), others: StepCounts(), kinds: 0, strength: 0).isFinite)
        let never = StepCounts(count: 0, total: 1e9, context: BigramContext(pair: 0, total: 1e9, kinds: 0))
        #expect(SequenceEvidence.ofStep(user: never, others: others, kinds: 24, strength: 0).isFinite)
        #expect(SequenceEvidence.ofStep(user: never, others: others, kinds: 24) > 5)
    }

    @Test(arguments: 1...8) func evidenceIsTheRatioOfInterpolatedProbabilities(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func counts() -> StepCounts {
            let (count, pair) = (Float(random.next() % 20), Float(random.next() % 10))
            let context = BigramContext(pair: pair, total: pair + Float(random.next() % 30), kinds: Int(random.next() % 6) + 1)
            return StepCounts(count: count, total: count + Float(random.next() % 300), context: context)
        }
        func probability(_ c: StepCounts, _ parent: Double) -> Double {
            let unigram = (Double(c.count) + 5 * parent) / (Double(c.total) + 5)
            let (total, kinds) = (Double(c.context.total), Double(c.context.kinds))
            let lambda = total / (total + kinds)
            return total > 0 ? lambda * Double(c.context.pair) / total + (1 - lambda) * unigram : unigram
        }
        for _ in 0..<200 {
            let (user, others) = (counts(), counts())
            let common = probability(others, 1.0 / 24)
            let exact = log(common) - log(probability(user, common))
            #expect(abs(Double(SequenceEvidence.ofStep(user: user, others: others, kinds: 24)) - exact) < 1e-5, "seed \(seed)")
        }
    }

    @Test func theWindowIsADecayedMean() {
        var (window, exact, weight) = (SequenceWindow(), 0.0, 0.0)
        #expect(window == zeroed(SequenceWindow.self) && window.mean == 0 && MemoryLayout<SequenceWindow>.size == 12)
        var random = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            let evidence = Float.random(in: -6...6, using: &random)
            window.add(evidence, length: 50)
            exact = exact * 0.98 + Double(min(max(evidence, -4), 4))
            weight = weight * 0.98 + 1
            #expect(abs(Double(window.sum) - exact) < 1e-3 && abs(Double(window.weight) - weight) < 1e-3)
            #expect(abs(window.mean) <= 4 && window.weight < 50.01)
        }
        #expect(window.count == 500 && window.weight > 49.9)
        for evidence in [Float.nan, .infinity, -.infinity] { window.add(evidence, length: 0) }
        #expect(window.sum == -4 && window.weight == 1, "a window of one step holds the last")
    }

    /// Two users with the same unigrams who do things in another order: only pairs tell them apart.
    @Test(arguments: 1...4) func orderTellsUsersApartWhereFrequencyCannot(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        /// A walk round eight actions, forwards or backwards, with one step in four at random.
        func walk(_ length: Int, step: UInt64) -> [UInt32] {
            var position: UInt64 = 0
            return (0..<length).map { _ in
                position = random.next() % 4 == 0 ? random.next() % 8 : (position + step) % 8
                return UInt32(position) &* 0x9E37_79B1
            }
        }
        var (own, all) = (Habits(), Habits())
        var (unigram, common): ([UInt32: Float], [UInt32: Float]) = ([:], [:])
        func learn(_ actions: [UInt32], _ habits: inout Habits, _ counts: inout [UInt32: Float]) {
            for (previous, next) in zip(actions, actions.dropFirst()) {
                habits.learn(next, after: previous)
                counts[next, default: 0] += 1
            }
        }
        learn(walk(500, step: 1), &own, &unigram)
        for step: UInt64 in 1...7 { learn(walk(500, step: step), &all, &common) }
        func score(_ actions: [UInt32], pairs: Bool) -> Float {
            var window = SequenceWindow()
            for (previous, next) in zip(actions, actions.dropFirst()) {
                var user = StepCounts(count: unigram[next] ?? 0, total: 499)
                var others = StepCounts(count: common[next] ?? 0, total: 3493)
                if pairs {
                    user.context = own.row.pairs.context(of: next, after: previous).context
                    others.context = all.row.pairs.context(of: next, after: previous).context
                }
                window.add(SequenceEvidence.ofStep(user: user, others: others, kinds: 8), length: 30)
            }
            return window.mean
        }
        var (wrongPairs, wrongUnigrams) = (0, 0)
        for _ in 0..<50 {
            let (mine, theirs) = (walk(40, step: 1), walk(40, step: 7))
            if score(mine, pairs: true) >= score(theirs, pairs: true) { wrongPairs += 1 }
            if score(mine, pairs: false) >= score(theirs, pairs: false) { wrongUnigrams += 1 }
        }
        #expect(wrongPairs == 0 && wrongUnigrams > 8, "\(wrongPairs) and \(wrongUnigrams) of 50, seed \(seed)")
    }
}
