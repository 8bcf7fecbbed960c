import Events
import Testing
import VigilTesting

@testable import Behavior

/// What is looked up a fast way is what the plain way finds.
@Suite struct LookUpTests {
    @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65, 100, 224, 255])
    func pairsAreFoundAsByLookingAtEachInTurn(count: Int) {
        let seed = UInt64(count) + 3
        var random = SeededGenerator(seed: seed)
        // Something lies before every section of a row.
        let row = UnsafeMutablePointer<PairSlot>.allocate(capacity: 4 + count)
        row.initialize(repeating: PairSlot(previous: 3, next: 1, weight: 1), count: 4 + count)
        defer { row.deallocate() }
        let memory = row + 4
        for round in 0..<50 {
            for index in 0..<count {
                memory[index] = PairSlot(
                    previous: UInt16(random.next() % 12), next: UInt16(random.next() % UInt64(count / 2 + 1)), weight: Float(random.next() % 1000))
            }
            let slots = Slots(base: memory, count: count, capacity: count)
            let previous = UInt32(random.next() % 12)
            let next = UInt32(random.next() % UInt64(count + 2))
            var expected = BigramContext()
            var place = -1
            for index in 0..<count where memory[index].previous == UInt16(previous) {
                if memory[index].next == UInt16(next) { (place, expected.pair) = (index, memory[index].weight) }
                expected.total += memory[index].weight
                expected.kinds += 1
            }
            let found = slots.context(of: next, after: previous)
            #expect(found.context == expected && found.index == place, "seed \(seed), round \(round)")
            #expect(slots.lastIndex(of: UInt16(previous), UInt16(next)) == place, "seed \(seed), round \(round)")
        }
    }

    /// The estimate by its formula, register by register.
    private func estimate(_ words: [UInt64], alpha: Double) -> Float {
        let m = Double(words.count * 16)
        let ranks = words.flatMap { word in (0..<16).map { Int(word >> UInt64($0 * 4) & 15) } }
        let (empty, full) = (ranks.count { $0 == 0 }, ranks.count { $0 == 15 })
        if empty == ranks.count { return 0 }
        if full == ranks.count { return Float(m * 131_072) }
        var (power, factor, sigma, before) = (Double(empty) / m, 1.0, Double(empty) / m, -1.0)
        while sigma != before {
            before = sigma
            power *= power
            sigma += power * factor
            factor += factor
        }
        let share = 1 - Double(full) / m
        var (root, part, tau, last) = (share, 1.0, 1 - share, -1.0)
        while share != 0 && share != 1 && tau != last {
            last = tau
            root = root.squareRoot()
            part *= 0.5
            tau -= (1 - root) * (1 - root) * part
        }
        let weight = ranks.reduce(0) { $0 + ($1 == 0 ? 0 : 16_384 >> $1) }
        let sum = m * sigma + (Double(weight) + m * (share == 1 ? 0 : tau / 3)) / 16_384
        return Float(min(alpha * m * m / sum, m * 131_072))
    }

    @Test func estimatesOfDistinctThingsAreThoseOfTheFormula() {
        var random = SeededGenerator(seed: 11)
        var sketch = HyperLogLog64()
        var small = HyperLogLog16()
        for things in 0..<3_000 {
            let words = (0..<4).map { sketch.words[$0] }
            #expect(sketch.estimate == estimate(words, alpha: 0.709), "seed 11, \(things) things")
            #expect(small.estimate == estimate([small.word], alpha: 0.673), "seed 11, \(things) things")
            // Some with ranks that few things reach.
            let hash = things % 16 == 0 ? random.next() & 0xFC00_0000_0000_0FFF : random.next()
            _ = (sketch.add(hash: hash), small.add(hash: hash))
        }
    }

    @Test func valuesThatNeedNoSecondLookAreNotInTheTail() {
        var random = SeededGenerator(seed: 5)
        for round in 0..<20_000 {
            var moments = DecayedMoments()
            moments.weight = 2 + Float(random.next() % 4_000) / 40
            moments.mean = Float(random.next() % 1_000) / 100
            moments.squares = Float(random.next() % 1_000) / 10
            let value = moments.mean + Float(random.next() % 10_000) / 1_000 - 3
            let excess = moments.excess(of: value, leastDeviation: 0.3)
            if !moments.exceeds(0.5, by: value, least: 0.3) { #expect(excess < 1, "seed 5, round \(round)") }
            if !moments.exceeds(1.5, by: value, least: 0.3) { #expect(excess < 3, "seed 5, round \(round)") }
        }
    }

    @Test func anAgentMetAgainHasTheFingerprintItHad() {
        let hash = KeyedHash(k0: 7, k1: 9)
        let memo = AgentMemo()
        for round in 0..<3 {
            for number in 0..<1_000 {
                let text = Array("Mozilla/5.0 (X11; Linux) Browser-\(String(repeating: "x", count: number % 50))/\(number).\(round)".utf8)
                text.withUnsafeBufferPointer {
                    let view = ByteView(base: $0.baseAddress, count: $0.count)
                    #expect(memo.withoutVersions(view, hash: hash) == Observation.withoutVersions(view, hash: hash))
                }
            }
        }
    }
}
