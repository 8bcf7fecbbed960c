import Behavior
import Events
import Testing

@Suite struct ChallengeHistoryTests {
    /// Against the definition, over every date that can be held.
    @Test func countsWhatLiesInTheWindow() {
        let seed = UInt64.random(in: 0 ... .max)
        print("countsWhatLiesInTheWindow seed \(seed)")
        var state = seed
        func next(_ below: Int64) -> Int64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(state >> 33) % below
        }
        for round in 0..<400 {
            // Before and behind what 31 bits of seconds hold.
            let around = [1_700_000_000_000, 2_147_483_640_000, 4_000_000_000_000, 30_000][round % 4] as Int64
            var history = ChallengeHistory()
            var all: [(kind: ChallengeHistory.Kind, second: Int64)] = []
            for _ in 0..<next(13) {
                let kind = ChallengeHistory.Kind(rawValue: UInt8([1, 2, 4, 9, 10, 12][Int(next(6))]))
                let time = Timestamp(milliseconds: max(around + next(20_000) - 10_000, 0))
                history.add(kind, at: time)
                all.append((kind, time.milliseconds / 1000))
            }
            let raw = all.reduce(0) { $0 | $1.kind.rawValue }
            withUnsafePointer(to: history) { #expect($0.kinds.rawValue == raw, "seed \(seed)") }
            for _ in 0..<20 {
                let (time, length) = (max(around + next(20_000) - 10_000, 0), [0, 1, 999, 1000, 5000, 3_600_000, .max][Int(next(7))] as Int64)
                let (what, having) = (ChallengeHistory.Kind(rawValue: UInt8(1 + next(7))), ChallengeHistory.Kind(rawValue: next(2) == 0 ? 0 : 8))
                let expected = all.filter {
                    !$0.kind.isDisjoint(with: what) && $0.kind.isSuperset(of: having) && abs($0.second * 1000 - time) < length
                }
                let found = history.count(what, having: having, at: Timestamp(milliseconds: time), length: length)
                #expect(found == expected.count, "seed \(seed)")
            }
        }
    }
}
