import Events
import Foundation
import Testing
import VigilTesting

@testable import Behavior

@Suite struct DecayedCountTests {
    let start: Int64 = 1_772_000_000
    func at(_ second: Int64) -> Timestamp { Timestamp(milliseconds: (start + second) * 1000) }
    let hour = HalfLife(seconds: 3600)
    let month = HalfLife(milliseconds: 30 * 86_400_000)

    func exact(_ events: [(second: Int64, amount: Float)], at second: Int64, _ halfLife: HalfLife) -> Double {
        events.reduce(0) { $0 + Double($1.amount) * pow(2, -Double(second - $1.second) / halfLife.seconds) }
    }

    func stream(_ random: inout SeededGenerator) -> [(second: Int64, amount: Float)] {
        (0..<400).map { _ in (Int64(random.next() % 40_000), Float(random.next() % 5 + 1)) }
    }

    @Test(arguments: 1...8) func theCountIsTheSumOfFadedEventsInAnyOrder(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let events = stream(&random)
        for order in [events, events.sorted { $0.second < $1.second }, events.sorted { $0.second > $1.second }] {
            var (whole, a, b) = (DecayedCount(), DecayedCount(), DecayedCount())
            for event in order {
                whole.add(event.amount, at: at(event.second), halfLife: hour)
                if random.next() % 2 == 0 {
                    a.add(event.amount, at: at(event.second), halfLife: hour)
                } else {
                    b.add(event.amount, at: at(event.second), halfLife: hour)
                }
            }
            a.merge(b, halfLife: hour)
            for later: Int64 in [40_000, 43_600, 90_000] {
                let truth = exact(events, at: later, hour)
                #expect(abs(Double(whole.value(at: at(later), halfLife: hour)) / truth - 1) < 5e-5, "seed \(seed)")
                #expect(abs(Double(a.value(at: at(later), halfLife: hour)) / truth - 1) < 5e-5, "merged, seed \(seed)")
            }
        }
    }

    @Test func halfIsLeftAfterAHalfLife() {
        var count = DecayedCount()
        count.add(8, at: at(0), halfLife: hour)
        #expect(count.value(at: at(3600), halfLife: hour) == 4)
        #expect(count.value(at: at(3 * 3600), halfLife: hour) == 1)
        #expect(count.value(at: at(-500), halfLife: hour) == 8, "time going back does not raise it")
        count.add(1, at: at(-3600), halfLife: hour)
        #expect(count.value == 8.5 && count.last == UInt32(start))
    }

    @Test func hostileExtremes() {
        var count = DecayedCount()
        for amount in [Float.nan, .infinity, -1, 0] { count.add(amount, at: at(0), halfLife: hour) }
        #expect(count == DecayedCount() && zeroed(DecayedCount.self) == DecayedCount())
        #expect(DecayedCount().value(at: at(0), halfLife: hour) == 0)
        count.add(.greatestFiniteMagnitude, at: at(0), halfLife: hour)
        count.add(.greatestFiniteMagnitude, at: at(0), halfLife: hour)
        #expect(count.value == .greatestFiniteMagnitude)
        count = DecayedCount()
        count.add(5, at: at(0), halfLife: hour)
        count.add(1, at: Timestamp(milliseconds: .max), halfLife: hour)
        #expect(count.value == 1 && count.last == .max, "a far future is held at the end of the range")
        count.add(1, at: .distantPast, halfLife: hour)
        #expect(count.value == 1)
        #expect(MemoryLayout<DecayedCount>.size == 8 && MemoryLayout<TwoSpeedCount>.size == 16)
    }

    @Test(arguments: 1...6) func bothSpeedsAreExactInAnyOrder(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let events = stream(&random)
        var (whole, a, b) = (TwoSpeedCount(), TwoSpeedCount(), TwoSpeedCount())
        for event in events {
            whole.add(event.amount, at: at(event.second), fast: hour, slow: month)
            if random.next() % 2 == 0 {
                a.add(event.amount, at: at(event.second), fast: hour, slow: month)
            } else {
                b.add(event.amount, at: at(event.second), fast: hour, slow: month)
            }
        }
        a.merge(b, fast: hour, slow: month)
        let last = events.map(\.second).max() ?? 0
        for count in [whole, a] {
            #expect(count.last == UInt32(start + last) && Int64(count.first) == start + (events.map(\.second).min() ?? 0))
            #expect(abs(Double(count.fast) / exact(events, at: last, hour) - 1) < 5e-5, "seed \(seed)")
            #expect(abs(Double(count.slow) / exact(events, at: last, month) - 1) < 5e-5, "seed \(seed)")
        }
    }

    //   10 a day ..................... 60 a day ....      silence
    //   0                            60         70                days
    @Test func driftIsNearZeroWhileSteadyAndFollowsAChange() {
        let (fast, slow) = (HalfLife(seconds: 3 * 86_400), HalfLife(seconds: 30 * 86_400))
        var count = TwoSpeedCount()
        #expect(count.drift(at: at(0), fast: fast, slow: slow) == 0)
        func feed(days: Range<Int64>, aDay: Int64) {
            for day in days {
                for event in 0..<aDay { count.add(at: at(day * 86_400 + event * 86_400 / aDay), fast: fast, slow: slow) }
                if aDay == 10 { #expect(abs(drift(day: day + 1)) < 0.25, "steady on day \(day)") }
            }
        }
        func drift(day: Int64) -> Float { count.drift(at: at(day * 86_400), fast: fast, slow: slow) }
        feed(days: 0..<60, aDay: 10)
        feed(days: 60..<70, aDay: 60)
        #expect(drift(day: 70) > 0.5)
        #expect(drift(day: 100) < -1)
        #expect(drift(day: 40_000).isFinite && drift(day: -10).isFinite)
    }

    @Test func oneEventIsNoDrift() {
        var count = TwoSpeedCount()
        count.add(at: at(0), fast: hour, slow: month)
        #expect(abs(count.drift(at: at(0), fast: hour, slow: month)) < 0.001)
        #expect(abs(count.drift(at: at(3600), fast: hour, slow: month)) < 0.2)
        #expect(zeroed(TwoSpeedCount.self) == TwoSpeedCount())
    }
}

@Suite struct RotatingDistinctTests {
    let length: Int64 = 600_000
    func at(_ second: Int64) -> Timestamp { Timestamp(milliseconds: 1_771_800_000_000 + second * 1000) }

    /// What the union of exact windows would hold.
    @Test(arguments: 1...8) func estimatesAreThoseOfTheTwoWindows(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var sketch = RotatingDistinct()
        var seen: [(window: Int64, thing: UInt64)] = []
        var now: Int64 = 0
        for _ in 0..<2000 {
            now += Int64(random.next() % 5)
            let late = random.next() % 10 == 0 ? Int64(random.next() % 300) : 0
            let time = at(max(0, now - late))
            let thing = random.next() % 60
            _ = sketch.add(hash: hash(thing), at: time, length: length)
            seen.append((time.milliseconds / length, thing))
        }
        for ahead: Int64 in [0, 600, 1200] {
            let window = at(now + ahead).milliseconds / length
            let expected = Set(seen.filter { $0.window == window || $0.window == window - 1 }.map(\.thing))
            var exact = HyperLogLog64()
            for thing in expected { _ = exact.add(hash: hash(thing)) }
            #expect(sketch.estimate(at: at(now + ahead), length: length) == exact.estimate, "\(ahead) s on, seed \(seed)")
        }
    }

    @Test(arguments: 1...8) func mergeIsTheSketchOfBothStreams(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (a, b, both) = (RotatingDistinct(), RotatingDistinct(), RotatingDistinct())
        var now: Int64 = 0
        for _ in 0..<500 {
            now += Int64(random.next() % 7)
            let thing = hash(random.next() % 300)
            let isFirst = random.next() % 2 == 0
            _ = isFirst ? a.add(hash: thing, at: at(now), length: length) : b.add(hash: thing, at: at(now), length: length)
            _ = both.add(hash: thing, at: at(now), length: length)
        }
        let first = a
        a.merge(b)
        b.merge(first)
        #expect(a == both && b == both, "seed \(seed)")
    }

    //   |x x  |     |x  l |   l: too late for its window, counts in the open one
    //   l
    @Test func timeMayGoBackAndFarAhead() {
        var sketch = RotatingDistinct()
        #expect(sketch.estimate(at: at(0), length: length) == 0 && zeroed(RotatingDistinct.self) == sketch)
        _ = sketch.add(hash: hash(1), at: at(0), length: length)
        _ = sketch.add(hash: hash(2), at: at(1300), length: length)
        #expect(sketch.estimate(at: at(1300), length: length) < 1.5, "the first window has passed")
        _ = sketch.add(hash: hash(3), at: at(0), length: length)
        _ = sketch.add(hash: hash(4), at: .distantPast, length: length)
        let before = sketch.estimate(at: at(1300), length: length)
        #expect(before > 2.5 && sketch.estimate(at: at(0), length: length) == before)
        #expect(sketch.estimate(at: at(4000), length: length) == 0)
        _ = sketch.add(hash: hash(5), at: Timestamp(milliseconds: .max), length: 0)
        #expect(sketch.estimate(at: Timestamp(milliseconds: .max), length: 0) < 1.5)
        #expect(MemoryLayout<RotatingDistinct>.size == 72)
    }

    func hash(_ thing: UInt64) -> UInt64 {
        var generator = SeededGenerator(seed: thing &* 77)
        return generator.next()
    }
}
