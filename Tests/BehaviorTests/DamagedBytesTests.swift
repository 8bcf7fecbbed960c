import Events
import Testing
import VigilTesting

@testable import Behavior

/// Checksums find damage; this is for what they don't: whatever bytes a value is made of, nothing it is asked traps.
@Suite struct DamagedBytesTests {
    @Test(arguments: 1...200) func nothingTraps(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let time = Timestamp(milliseconds: 1_772_000_000_000)
        let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))

        var distinct = drawn(RotatingDistinct.self, &random)
        _ = distinct.add(hash: random.next(), at: time, length: 60_000)
        distinct.merge(drawn(RotatingDistinct.self, &random))
        #expect(distinct.estimate(at: time, length: 60_000).isFinite, "seed \(seed)")

        var quantiles = drawn(QuantileSketch.self, &random)
        if random.next() % 2 == 0 { for _ in 0..<20 { quantiles.decay(by: 0.5) } }
        quantiles.add(value)
        quantiles.merge(drawn(QuantileSketch.self, &random))
        _ = quantiles.quantile(0.5)
        #expect((0...1).contains(quantiles.rank(of: 100)), "seed \(seed)")

        var hours = drawn(CircularHours.self, &random)
        hours.add(at: time, weight: value)
        hours.merge(drawn(CircularHours.self, &random))
        #expect((0...1).contains(hours.density(at: time)) && hours.mode != nil, "seed \(seed)")

        var count = drawn(TwoSpeedCount.self, &random)
        let (fast, slow) = (HalfLife(seconds: 3600), HalfLife(seconds: 86_400))
        count.add(at: time, fast: fast, slow: slow)
        count.merge(drawn(TwoSpeedCount.self, &random), fast: fast, slow: slow)
        _ = count.drift(at: time, fast: fast, slow: slow)

        var window = drawn(SequenceWindow.self, &random)
        window.add(value, length: 10)
        #expect(window.count > 0)
        var moments = DecayedMoments()
        (moments.weight, moments.mean, moments.squares) = (value, value, -value)
        #expect(!moments.excess(of: 3, leastDeviation: 0.1).isNaN, "seed \(seed)")

        let slots = UnsafeMutablePointer<BigramSlot>.allocate(capacity: 16)
        defer { slots.deallocate() }
        for index in 0..<16 { (slots + index).initialize(to: drawn(BigramSlot.self, &random)) }
        let table = BigramTable(slots: slots, count: 16)
        table.add(1, after: 2)
        table.decay(by: 0.5)
        _ = table.context(of: 1, after: 2)
    }
}
