import Testing
import VigilTesting

@testable import Behavior

/// Every sketch is judged against the exact answer on random streams; a failure names its seed.
@Suite struct HyperLogLogTests {
    /// Root mean square and 99th percentile of the relative error over many streams of `count` distinct things.
    func error(
        of count: Int, streams: Int, seed: UInt64, estimate: (inout SeededGenerator) -> Float
    ) -> (rms: Double, p99: Double) {
        var random = SeededGenerator(seed: seed)
        let errors = (0..<streams).map { _ in Double(estimate(&random)) / Double(count) - 1 }
        let rms = (errors.reduce(0) { $0 + $1 * $1 } / Double(streams)).squareRoot()
        return (rms, errors.map(abs).sorted()[streams * 99 / 100])
    }

    @Test(arguments: [(1, 0.02), (5, 0.10), (20, 0.10), (64, 0.115), (150, 0.13), (1000, 0.15), (10_000, 0.16)])
    func sixtyFourRegistersStayWithinTheirBound(count: Int, bound: Double) {
        let seed = UInt64(count) + 7
        let (rms, p99) = error(of: count, streams: count > 1000 ? 100 : 400, seed: seed) { random in
            var sketch = HyperLogLog64()
            for _ in 0..<count { _ = sketch.add(hash: random.next()) }
            return sketch.estimate
        }
        #expect(rms < bound, "seed \(seed)")
        #expect(p99 < 0.5, "seed \(seed)")
    }

    @Test(arguments: [(1, 0.04), (3, 0.18), (8, 0.21), (25, 0.25), (200, 0.31), (5000, 0.34)])
    func sixteenRegistersStayWithinTheirBound(count: Int, bound: Double) {
        let seed = UInt64(count) + 11
        let (rms, _) = error(of: count, streams: count > 1000 ? 200 : 2000, seed: seed) { random in
            var sketch = HyperLogLog16()
            for _ in 0..<count { _ = sketch.add(hash: random.next()) }
            return sketch.estimate
        }
        #expect(rms < bound, "seed \(seed)")
    }

    /// A stream of a million things as its registers see it: the greatest of k geometric ranks, drawn at once.
    @Test func theRangeReachesAMillion() {
        let (rms, _) = error(of: 1_000_000, streams: 200, seed: 5) { random in
            var sketch = HyperLogLog64()
            for register in 0..<64 {
                var chance = 1.0, rank = 15
                let drawn = Double.random(in: 0..<1, using: &random)
                while rank > 1 {
                    // P(rank < r) = (1 − 2^(1−r))^k with k = 15,625 things in each register
                    let one = 1 - Double(sign: .plus, exponent: 1 - rank, significand: 1)
                    chance = 1
                    for bit in 0..<14 where 15_625 >> bit & 1 == 1 { chance *= power(one, 1 << bit) }
                    if drawn >= chance { break }
                    rank -= 1
                }
                _ = sketch.words[register >> 4].raise(nibble: register & 15, to: UInt64(rank))
            }
            return sketch.estimate
        }
        #expect(rms < 0.17, "seed 5")
    }

    func power(_ base: Double, _ twoToThe: Int) -> Double {
        var (value, left) = (base, twoToThe)
        while left > 1 {
            value *= value
            left /= 2
        }
        return value
    }

    @Test(arguments: 1...20) func mergeIsTheSketchOfBothStreams(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (a, b, both) = (HyperLogLog64(), HyperLogLog64(), HyperLogLog64())
        var (a16, b16, both16) = (HyperLogLog16(), HyperLogLog16(), HyperLogLog16())
        for _ in 0..<Int(random.next() % 500) {
            let hash = random.next()
            let place = random.next() % 3
            if place != 0 { _ = (a.add(hash: hash), a16.add(hash: hash)) }
            if place != 1 { _ = (b.add(hash: hash), b16.add(hash: hash)) }
            _ = (both.add(hash: hash), both16.add(hash: hash))
        }
        let (first, first16) = (a, a16)
        a.merge(b)
        a16.merge(b16)
        b.merge(first)
        b16.merge(first16)
        #expect(a == both && b == both, "seed \(seed)")
        #expect(a16 == both16 && b16 == both16, "seed \(seed)")
        a.merge(a)
        #expect(a == both, "merging with itself changes nothing, seed \(seed)")
    }

    @Test(arguments: 1...5) func aThingSeenBeforeChangesNothing(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (sketch, small) = (HyperLogLog64(), HyperLogLog16())
        let hashes = (0..<200).map { _ in random.next() }
        for hash in hashes { _ = (sketch.add(hash: hash), small.add(hash: hash)) }
        #expect(hashes.allSatisfy { !sketch.add(hash: $0) && !small.add(hash: $0) }, "seed \(seed)")
        var monotonous = HyperLogLog64()
        var last: Float = 0
        for hash in hashes where monotonous.add(hash: hash) {
            #expect(monotonous.estimate > last, "what changes the sketch raises the estimate, seed \(seed)")
            last = monotonous.estimate
        }
    }

    @Test func zeroBytesAreEmptyAndFullIsFinite() {
        #expect(MemoryLayout<HyperLogLog64>.stride == 32 && MemoryLayout<HyperLogLog16>.stride == 8)
        #expect(zeroed(HyperLogLog64.self) == HyperLogLog64() && HyperLogLog64().estimate == 0 && HyperLogLog64().isEmpty)
        #expect(zeroed(HyperLogLog16.self) == HyperLogLog16() && HyperLogLog16().estimate == 0 && HyperLogLog16().isEmpty)
        var (sketch, small) = (HyperLogLog64(), HyperLogLog16())
        for register in 0..<UInt64(64) { _ = (sketch.add(hash: register << 58), small.add(hash: register << 58)) }
        #expect(sketch.estimate == 8_388_608 && small.estimate == 2_097_152, "hashes of zeros fill every register")
    }
}

@Suite struct CountMinTests {
    /// A sketch over memory of its own.
    struct Owned {
        let sketch: CountMinSketch
        init(width: Int) {
            let bytes = CountMinSketch.byteCount(width: width)
            let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 8)
            base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            sketch = CountMinSketch(base: base, width: width)
        }
        func free() { sketch.base.deallocate() }
        var cells: [UInt32] { (0..<CountMinSketch.depth * sketch.width).map { sketch.cells[$0] } }
    }

    /// A skewed stream: one thing in two is the first, one in four the second, the rest spread over many.
    func draw(_ random: inout SeededGenerator, things: UInt64) -> UInt64 {
        let shape = random.next()
        return shape & 1 == 0 ? 0 : shape & 2 == 0 ? 1 : random.next() % things
    }
    /// Things are numbered; their hashes are not.
    func hash(_ thing: UInt64) -> UInt64 {
        var generator = SeededGenerator(seed: thing)
        return generator.next()
    }

    @Test(arguments: 1...6) func estimatesAreNeverBelowAndSeldomFarAbove(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let owned = Owned(width: 256)
        defer { owned.free() }
        var exact: [UInt64: UInt32] = [:]
        for _ in 0..<20_000 {
            let thing = draw(&random, things: 4000)
            exact[thing, default: 0] += 1
            owned.sketch.add(hash: hash(thing))
        }
        let allowed = 2.718281828 / 256 * 20_000
        let beyond = exact.count { owned.sketch.count(hash: hash($0)) > $1 + UInt32(allowed) }
        #expect(exact.allSatisfy { owned.sketch.count(hash: hash($0)) >= $1 }, "seed \(seed)")
        #expect(Double(beyond) <= 0.0183 * Double(exact.count), "\(beyond) of \(exact.count), seed \(seed)")
        #expect(owned.sketch.total == 20_000)
    }

    @Test(arguments: 1...6) func mergeIsTheSketchOfBothStreams(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (a, b, both) = (Owned(width: 64), Owned(width: 64), Owned(width: 64))
        defer { [a, b, both].forEach { $0.free() } }
        for _ in 0..<5000 {
            let (thing, count) = (hash(draw(&random, things: 500)), UInt32(random.next() % 5))
            (random.next() % 2 == 0 ? a : b).sketch.add(hash: thing, count: count)
            both.sketch.add(hash: thing, count: count)
        }
        a.sketch.merge(b.sketch)
        #expect(a.cells == both.cells && a.sketch.total == both.sketch.total, "seed \(seed)")
    }

    @Test(arguments: 1...6) func halvingHalves(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let owned = Owned(width: 128)
        defer { owned.free() }
        var exact: [UInt64: UInt32] = [:]
        for _ in 0..<3 {
            for _ in 0..<4000 {
                let thing = draw(&random, things: 300)
                exact[thing, default: 0] += 1
                owned.sketch.add(hash: hash(thing))
            }
            owned.sketch.halve()
            exact = exact.mapValues { $0 / 2 }
            #expect(exact.allSatisfy { owned.sketch.count(hash: hash($0)) >= $1 }, "seed \(seed)")
        }
        #expect(owned.sketch.total == 3500)
        for _ in 0..<64 { owned.sketch.halve() }
        #expect(owned.cells.allSatisfy { $0 == 0 } && owned.sketch.total == 0)
    }

    @Test func cellsSaturate() {
        let (a, b) = (Owned(width: 2), Owned(width: 2))
        defer { [a, b].forEach { $0.free() } }
        a.sketch.add(hash: 1, count: .max)
        a.sketch.add(hash: 1, count: 5)
        b.sketch.add(hash: 1, count: 9)
        a.sketch.merge(b.sketch)
        #expect(a.sketch.count(hash: 1) == .max)
        #expect(a.sketch.total == UInt64(UInt32.max) + 14)
        a.sketch.removeAll()
        #expect(a.sketch.count(hash: 1) == 0 && a.sketch.total == 0)
    }

    @Test func theWidthFollowsFromTheError() {
        #expect(CountMinSketch.width(error: 0.01) == 512)
        #expect(CountMinSketch.width(error: 0.0001) == 32_768)
        #expect(CountMinSketch.width(error: 0) == 1 << 30)
        #expect(CountMinSketch.byteCount(width: 256) == 4104)
    }
}

/// A value of which every byte is zero.
func zeroed<T: BitwiseCopyable>(_ type: T.Type) -> T {
    withUnsafeTemporaryAllocation(byteCount: MemoryLayout<T>.size, alignment: MemoryLayout<T>.alignment) { buffer in
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        return buffer.load(as: T.self)
    }
}

/// A value whose bytes are drawn: what a sketch that lay in a damaged row may look like.
func drawn<T: BitwiseCopyable>(_ type: T.Type, _ random: inout SeededGenerator) -> T {
    let bytes = (0..<MemoryLayout<T>.size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    return withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: MemoryLayout<T>.alignment) { buffer in
        buffer.copyBytes(from: bytes)
        return buffer.load(as: T.self)
    }
}
