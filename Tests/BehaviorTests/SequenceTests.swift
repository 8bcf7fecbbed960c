import Foundation
import Testing
import VigilTesting

@testable import Behavior

/// A table over slots of its own, freed with it.
final class Bigrams {
    let slots: UnsafeMutablePointer<BigramSlot>
    let table: BigramTable
    let count: Int
    init(_ count: Int) {
        self.count = count
        slots = .allocate(capacity: count)
        slots.initialize(repeating: zeroed(BigramSlot.self), count: count)
        table = BigramTable(slots: slots, count: count)
    }
    deinit { slots.deallocate() }
}

@Suite struct BigramTests {
    /// Of five actions, each with up to five followers, in a table where no run can fill.
    @Test(arguments: 1...8) func countsAndProbabilitiesAreExactWhileNoRunIsFull(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (whole, a, b) = (Bigrams(1024), Bigrams(1024), Bigrams(1024))
        let names: [UInt32] = (0..<5).map { _ in UInt32(truncatingIfNeeded: random.next()) }
        var pairs: [UInt32: [UInt32: Double]] = [:]
        for step in 0..<600 {
            let (previous, next) = (names[Int(random.next() % 5)], names[Int(random.next() % 5)])
            guard !(random.next() % 4 > 0 && previous == names[0]) else { continue }
            whole.table.add(next, after: previous)
            (random.next() % 2 == 0 ? a : b).table.add(next, after: previous)
            pairs[previous, default: [:]][next, default: 0] += 1
            if step == 400 {
                for table in [whole, a, b] { table.table.decay(by: 0.5) }
                pairs = pairs.mapValues { $0.mapValues { $0 / 2 } }
            }
        }
        a.table.merge(b.table)
        for previous in names {
            let followers = pairs[previous] ?? [:]
            let (total, kinds) = (followers.values.reduce(0, +), Double(followers.count))
            for counted in [whole, a] {
                var sum: Float = 0
                for next in names {
                    let context = counted.table.context(of: next, after: previous)
                    #expect(abs(Double(context.pair) - (followers[next] ?? 0)) < 1e-3, "seed \(seed)")
                    #expect(abs(Double(context.total) - total) < 1e-3 && context.kinds == Int(kinds), "seed \(seed)")
                    let exact = ((followers[next] ?? 0) + kinds * 0.2) / (total + kinds)
                    #expect(abs(Double(context.probability(unigram: 0.2)) - exact) < 1e-5, "seed \(seed)")
                    sum += context.probability(unigram: 0.2)
                }
                #expect(abs(sum - 1) < 1e-5, "what may follow adds up to 1, seed \(seed)")
            }
        }
        #expect(whole.table.context(of: 1, after: 0xDEAD_0001).probability(unigram: 0.3) == 0.3, "an unknown context backs off")
    }

    @Test(arguments: [1, 8, 16, 64]) func aFullTableKeepsTheHeavyAndNeverOverflows(count: Int) {
        var random = SeededGenerator(seed: 9)
        let bigrams = Bigrams(count)
        for step in 0..<5000 {
            if step % 2 == 0 { bigrams.table.add(7, after: 3) }
            bigrams.table.add(UInt32(truncatingIfNeeded: random.next()), after: UInt32(truncatingIfNeeded: random.next()))
        }
        if count > 1 { #expect(bigrams.table.context(of: 7, after: 3).pair == 2500, "seed 9") }
        for _ in 0..<2000 { bigrams.table.decay(by: 0.9) }
        #expect((0..<count).allSatisfy { bigrams.slots[$0].weight == 0 && bigrams.slots[$0].previous == 0 })
    }

    @Test func hostileWeights() {
        let bigrams = Bigrams(16)
        for weight in [Float.nan, .infinity, -1, 0] { bigrams.table.add(1, after: 2, weight: weight) }
        #expect(bigrams.table.context(of: 1, after: 2) == BigramContext())
        for _ in 0..<3 { bigrams.table.add(1, after: 2, weight: .greatestFiniteMagnitude) }
        #expect(bigrams.table.context(of: 1, after: 2).pair == 1e9)
        for factor in [Float.nan, -1, 1, 3] { bigrams.table.decay(by: factor) }
        #expect(bigrams.table.context(of: 1, after: 2).pair == 1e9)
        #expect(MemoryLayout<BigramSlot>.stride == 8)
    }
}

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
        let (own, all) = (Bigrams(256), Bigrams(256))
        var (unigram, common): ([UInt32: Float], [UInt32: Float]) = ([:], [:])
        func learn(_ actions: [UInt32], _ table: BigramTable, _ counts: inout [UInt32: Float]) {
            for (previous, next) in zip(actions, actions.dropFirst()) {
                table.add(next, after: previous)
                counts[next, default: 0] += 1
            }
        }
        learn(walk(500, step: 1), own.table, &unigram)
        for step: UInt64 in 1...7 { learn(walk(500, step: step), all.table, &common) }
        func score(_ actions: [UInt32], pairs: Bool) -> Float {
            var window = SequenceWindow()
            for (previous, next) in zip(actions, actions.dropFirst()) {
                var user = StepCounts(count: unigram[next] ?? 0, total: 499)
                var others = StepCounts(count: common[next] ?? 0, total: 3493)
                if pairs {
                    user.context = own.table.context(of: next, after: previous)
                    others.context = all.table.context(of: next, after: previous)
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
