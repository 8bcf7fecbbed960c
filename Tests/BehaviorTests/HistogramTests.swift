import Events
import Foundation
import Testing
import VigilTesting

@testable import Behavior

@Suite struct FadingBinsTests {
    @Test(arguments: 1...6) func decayStaysWithinItsRounding(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bins = FadingBins<8>()
        var exact = [Double](repeating: 0, count: 8)
        let factor: Float = [0.5, 0.9, 0.977][Int(seed % 3)]
        for day in 0..<200 {
            let bin = Int(random.next() % 8)
            bins.add(to: bin)
            exact[bin] += 256
            bins.decay(by: factor)
            for bin in 0..<8 {
                exact[bin] *= Double(factor)
                let missing = exact[bin] - Double(bins[bin])
                #expect(missing > -0.01 && missing < min(Double(day + 1), 1 / (1 - Double(factor))) + 0.01, "seed \(seed)")
            }
        }
        for _ in 0..<2000 { bins.decay(by: factor) }
        #expect(bins.totalUnits == 0, "what nobody feeds is forgotten")
    }

    @Test func anOverflowKeepsTheShape() {
        var bins = FadingBins<3>()
        for _ in 0..<100 { bins.add(to: 0) }
        for _ in 0..<5000 {
            for _ in 0..<2 { bins.add(to: 1) }
            bins.add(to: 2)
        }
        #expect(abs(Double(bins[1]) / Double(bins[2]) - 2) < 0.05)
        #expect(bins[0] < 1000, "the old fades as the new comes in")
        bins.add(to: 0, weight: .greatestFiniteMagnitude)
        bins.add(to: 0, weight: .infinity)
        #expect(bins[0] > 32_000)
        let before = bins.totalUnits
        for weight in [Float.nan, -1, 0] { bins.add(to: 1, weight: weight) }
        for factor in [Float.nan, -1, 2, .infinity] { bins.decay(by: factor) }
        #expect(bins.totalUnits == before)
        let copy = bins
        bins.merge(copy)
        #expect(abs(Int(bins[0]) - Int(copy[0])) <= 1, "a merge that overflows halves the sum")
    }
}

@Suite struct QuantileSketchTests {
    func lognormal(_ random: inout SeededGenerator, spread: Double) -> Float {
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
        return Float(exp(4 + spread * radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))))
    }

    @Test(arguments: 1...8) func quantilesAreWithinTheirBound(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var sketch = QuantileSketch()
        // Fewer than a bin holds, so that none is halved.
        let values = (0..<200).map { _ in lognormal(&random, spread: 0.8) }
        for value in values { sketch.add(value) }
        let sorted = values.sorted()
        for step in 0...20 {
            let q = Float(step) / 20
            let exact = sorted[max(0, Int((Double(q) * 200).rounded(.up)) - 1)]
            let estimate = sketch.quantile(q) ?? 0
            #expect(abs(estimate / exact - 1) < 0.0873, "q \(q): \(estimate), exact \(exact), seed \(seed)")
        }
        for value in values.prefix(30) {
            let below = Float(values.count { $0 < value }) / 200
            let own = values.count { QuantileSketch.size(of: $0) == QuantileSketch.size(of: value) }
            #expect(abs(sketch.rank(of: value) - below) <= Float(own) / 400 + 1e-5, "seed \(seed)")
        }
        #expect(sketch.rank(of: 1e30) == 1 && sketch.rank(of: 1e-30) == 0)
    }

    @Test(arguments: 1...8) func mergeIsTheSketchOfBothStreams(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (a, b, both) = (QuantileSketch(), QuantileSketch(), QuantileSketch())
        for _ in 0..<200 {
            let value = random.next() % 20 == 0 ? 0 : lognormal(&random, spread: 0.8)
            both.add(value)
            if random.next() % 2 == 0 { a.add(value) } else { b.add(value) }
        }
        a.merge(b)
        for step in 0...100 { #expect(a.quantile(Float(step) / 100) == both.quantile(Float(step) / 100), "seed \(seed)") }
        #expect(a.weight == both.weight)
    }

    @Test func oneAbsurdNumberDoesNotPushOutTheHistory() {
        var sketch = QuantileSketch()
        for value in stride(from: Float(20), through: 80, by: 1) { sketch.add(value) }
        let (low, middle) = (sketch.quantile(0.05) ?? 0, sketch.quantile(0.5) ?? 0)
        for value in [Float.greatestFiniteMagnitude, .infinity, 1e20] { sketch.add(value) }
        sketch.add(.leastNonzeroMagnitude)
        #expect(abs((sketch.quantile(0.05) ?? 0) / low - 1) < 0.2)
        #expect(abs((sketch.quantile(0.5) ?? 0) / middle - 1) < 0.2)
        #expect(sketch.rank(of: 1e30) == 1 && sketch.weight == 65)
        for _ in 0..<600 { sketch.decay(by: 0.977) }
        #expect(sketch.weight == 0 && sketch.quantile(0.5) == nil)
        for _ in 0..<10 { sketch.add(1e6) }
        #expect(abs((sketch.quantile(0.5) ?? 0) / 1e6 - 1) < 0.0873, "the span goes where the values went")
    }

    @Test func emptyNothingAndNoNumbers() {
        #expect(MemoryLayout<QuantileSketch>.size == 96)
        var sketch = zeroed(QuantileSketch.self)
        #expect(sketch.quantile(0.5) == nil && sketch.rank(of: 3) == 0)
        sketch.add(.nan)
        #expect(sketch.weight == 0)
        sketch.add(0)
        sketch.add(-5)
        sketch.add(-.infinity)
        #expect(sketch.weight == 3 && sketch.quantile(0.9) == 0 && sketch.rank(of: 0) == 0.5 && sketch.rank(of: 1) == 1)
        sketch.add(8)
        #expect(sketch.quantile(.nan) == nil && sketch.quantile(7) == sketch.quantile(1) && sketch.quantile(-3) == 0)
    }

    @Test(arguments: 1...3) func sizesAreQuarterPowers(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next() >> 33) % 0x7F80_0000)
            guard value > 0 else { continue }
            let exact = 4 * log2(Double(value))
            #expect(abs(Double(QuantileSketch.size(of: value)) + 0.5 - exact) <= 0.500001, "\(value), seed \(seed)")
        }
    }
}
