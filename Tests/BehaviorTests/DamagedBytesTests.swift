import Events
import Testing
import VigilTesting

@testable import Behavior

/// Checksums find damage; this is for what they don't: whatever bytes a value is made of, nothing it is asked traps.
@Suite struct DamagedBytesTests {
    @Test(arguments: 1...200) func nothingTraps(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))

        var quantiles = drawn(QuantileSketch.self, &random)
        if random.next() % 2 == 0 { for _ in 0..<20 { quantiles.decay(by: 0.5) } }
        quantiles.add(value)
        quantiles.merge(drawn(QuantileSketch.self, &random))
        _ = quantiles.quantile(0.5)
        #expect((0...1).contains(quantiles.rank(of: 100)), "seed \(seed)")

        var window = drawn(SequenceWindow.self, &random)
        window.add(value, length: 10)
        #expect(window.count > 0)
        var moments = DecayedMoments()
        (moments.weight, moments.mean, moments.squares) = (value, value, -value)
        #expect(!moments.excess(of: 3, leastDeviation: 0.1).isNaN, "seed \(seed)")
    }
}
