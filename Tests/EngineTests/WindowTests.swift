import Events
import Testing

@testable import Behavior

/// Each timeline shows event time from left to right; `|` are pane borders.
@Suite struct WindowTests {
    func at(_ seconds: Double) -> Timestamp { Timestamp(milliseconds: 1_000_000_000_000 + Int64(seconds * 1000)) }

    // hop 5 s, 3 panes:   |x x  |x    |     |x    |
    //                     0     5     10    15
    @Test func hoppingWindowForgetsPaneByPane() {
        var window = HoppingWindow()
        func count(_ seconds: Double) -> Int { window.count(at: at(seconds), hop: 5000, panes: 3) }
        func add(_ seconds: Double) { window.add(at: at(seconds), hop: 5000, panes: 3) }
        add(0)
        add(2)
        #expect(count(2) == 2)
        add(5)
        #expect(count(9) == 3)
        #expect(count(14.9) == 3)
        #expect(count(15) == 1, "the first pane has left the window")
        add(15)
        #expect(count(15) == 2)
        #expect(count(20) == 1)
        #expect(count(1000) == 0)
    }

    //   |x    |     |x  l |       l is late: its pane is still held
    //   l                         l is later than the window: counted in the newest pane
    @Test func lateEventsCountInTheHoppingWindow() {
        var window = HoppingWindow()
        window.add(at: at(0), hop: 5000, panes: 3)
        window.add(at: at(10), hop: 5000, panes: 3)
        window.add(at: at(6), hop: 5000, panes: 3)
        #expect(window.count(at: at(10), hop: 5000, panes: 3) == 3)
        #expect(window.count(at: at(15), hop: 5000, panes: 3) == 2, "the pane of second 0 left, the late one's stays")
        window.add(at: at(-600), hop: 5000, panes: 3)
        #expect(window.count(at: at(10), hop: 5000, panes: 3) == 4, "holding events back doesn't make a burst smaller")
    }

    @Test(arguments: [1, 2, 3, 4, 5]) func hoppingWindowEqualsACount(seed: UInt64) {
        var random = SplitMix(seed)
        var window = HoppingWindow()
        var times: [Int64] = []
        var now: Int64 = 1_000_000_000_000
        let panes = Int(seed) * 3
        for _ in 0..<2000 {
            now += Int64(random.next() % 4000)
            let time = Timestamp(milliseconds: now)
            window.add(at: time, hop: 5000, panes: panes)
            times.append(now)
            let first = now / 5000 - Int64(panes) + 1
            #expect(window.count(at: time, hop: 5000, panes: panes) == times.count { $0 / 5000 >= first }, "seed \(seed)")
        }
    }

    //   |x x x|x x  |l    |     |x
    //   0     60    120         240      l: late, for the first window
    @Test func tumblingWindowClosesOnceAndStaysClosed() {
        var window = TumblingWindow()
        func add(_ seconds: Double) -> UInt32? { window.add(at: at(seconds + 20), length: 60_000) }
        #expect([add(0), add(1), add(2)] == [nil, nil, nil])
        #expect(add(60) == 3)
        #expect(add(61) == nil)
        #expect(add(5) == nil, "late: the window it belonged to is closed")
        #expect(add(120) == 2)
        #expect(add(240) == 1)
    }

    //   x   x   x       x
    //   0   1   2       9    window of 3 s, open at its start: (t − 3, t]
    @Test func slidingWindowIsExact() {
        var window = SlidingWindow()
        for second in [0.0, 1, 2] { window.add(at: at(second)) }
        #expect(window.count(at: at(2), length: 3000) == 3)
        #expect(window.count(at: at(3), length: 3000) == 2)
        window.add(at: at(9))
        #expect(window.count(at: at(9), length: 3000) == 1)
        for _ in 0..<40 { window.add(at: at(10)) }
        #expect(window.count(at: at(10), length: 3000) == SlidingWindow.capacity, "at least that many")
    }

    //   x----x----x            x      gap 30 s
    //   0    20   40           71
    @Test func sessionWindowEndsAfterItsGap() {
        var window = SessionWindow(at: at(0))
        window.extend(to: at(20))
        window.extend(to: at(40))
        window.extend(to: at(30))
        #expect(window.last == at(40), "a late event does not shorten it")
        #expect(!window.hasEnded(at: at(70), gap: 30_000))
        #expect(window.hasEnded(at: at(71), gap: 30_000))
        #expect(window.start == at(0))
    }

    // input a   0 ---------- 100 ---------- 200
    // input b   0 -- 50 .................... (idle from 200 − 90)
    @Test func watermarkIsHeldBackByTheSlowestInputThatIsNotIdle() {
        var watermark = Watermark(inputs: 3, allowedLateness: 10_000, idle: 90_000)
        func isLate(_ input: Int, _ seconds: Double) -> Bool { watermark.advance(input: input, to: at(seconds)) }
        #expect(watermark.current == .distantPast)
        #expect(!isLate(0, 0))
        #expect(watermark.current == at(-10))
        _ = isLate(0, 80)
        #expect(watermark.current == at(70))
        #expect(isLate(1, 50), "behind the watermark: late")
        #expect(watermark.current == at(70), "it never goes back")
        _ = isLate(0, 100)
        #expect(watermark.current == at(70), "input b has only come to 50")
        _ = isLate(0, 141)
        #expect(watermark.current == at(131), "input b is idle now")
        #expect(!isLate(0, 135), "within the allowed lateness")
    }

    @Test(arguments: 1...8) func watermarkIsThatOfItsDefinition(inputs: Int) {
        var random = SplitMix(UInt64(inputs))
        for _ in 0..<50 {
            let (lateness, idle) = (Int64(random.next() % 30), Int64(random.next() % 100))
            var watermark = Watermark(inputs: inputs, allowedLateness: lateness, idle: idle)
            var times = [Int64](repeating: .min, count: inputs)
            var (expected, clock) = (Timestamp.distantPast, Int64(1_000_000))
            for step in 0..<400 {
                if step % 97 == 96 { watermark.restore(greatest: times, current: expected) }
                clock += Int64(random.next() % 8)
                let input = Int(random.next() % UInt64(inputs))
                let time = clock - Int64(random.next() % 120)
                #expect(watermark.advance(input: input, to: Timestamp(milliseconds: time)) == (time < expected.milliseconds))
                if time > times[input] {
                    times[input] = time
                    let least = times.filter { $0 > times.max()! - max(idle, 1) }.min()!
                    expected = max(expected, Timestamp(milliseconds: least - lateness))
                }
                #expect(watermark.current == expected, "step \(step), \(inputs) inputs, idle \(idle)")
            }
        }
    }

    @Test func decayedMomentsMatchTheirDefinition() {
        var random = SplitMix(7)
        var moments = DecayedMoments()
        var halves = (DecayedMoments(), DecayedMoments())
        var values: [Double] = []
        for index in 0..<500 {
            let value = Double(random.next() % 10_000) / 1000
            values.append(value)
            moments.add(Float(value))
            if index < 200 { halves.0.add(Float(value)) } else { halves.1.add(Float(value)) }
        }
        let mean = values.reduce(0, +) / 500
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 499
        halves.0.merge(halves.1, weight: 1)
        for each in [moments, halves.0] {
            #expect(abs(Double(each.mean) - mean) < 0.001)
            #expect(abs(Double(each.variance) - variance) < 0.01)
        }
    }
}

/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
