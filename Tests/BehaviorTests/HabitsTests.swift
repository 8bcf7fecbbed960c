import Events
import Foundation
import Testing
import VigilTesting

@testable import Behavior

/// One user's row in a table of its own.
struct Habits {
    let table: UserTable
    private(set) var row: UserRow

    init(bounds: StateBounds = StateBounds()) {
        var name = "alice"
        let table = UserTable(bounds: bounds, inputs: 1)
        self.table = table
        row = name.withUTF8 {
            table.sequence += 1
            let row = table.findOrInsert(
                hash: 1, tenant: .absent, user: ByteView(base: $0.baseAddress, count: $0.count),
                at: Timestamp(milliseconds: Self.start))
            table.touch(row)
            return row
        }
    }

    static let start: Int64 = 1_772_409_600_000

    mutating func learn(_ action: UInt32, after previous: UInt32, weight: Float = 1) {
        row = table.learnAction(action, after: previous, of: row, weight: weight)
    }

    mutating func learn(_ seen: Observation) {
        row = table.learnContext(seen, of: row, weight: 1, counts: true, vouches: true)
    }
}

/// What a row counts, beside the same counted exactly.
@Suite struct HabitsTests {
    @Test func onlyARowThatCanHoldEverythingBeginsWithRoomForManyPairs() {
        var bounds = StateBounds()
        let largest = UserTable.largestRow(bounds: bounds, inputs: 1, identityBytes: 5)
        for (bytes, capacity) in [(largest, 8), (largest - 64, 1), (4096, 1)] {
            bounds.bytesPerUser = bytes
            var habits = Habits(bounds: bounds)
            habits.learn(1, after: 2)
            #expect(habits.row.pairs.count == 1 && habits.row.pairs.capacity == capacity, "\(bytes) bytes of \(largest)")
        }
    }

    /// Half-lives of 10 and 2 days.
    let aging = Aging(halfLife: 10 * 86_400_000, fastHalfLife: 2 * 86_400_000)

    func faded(_ days: [Int], at now: Int, halfLife: Double) -> Double {
        days.reduce(0) { $0 + pow(2, -Double(now - $1) / halfLife) }
    }

    @Test(arguments: 1...6) func whatIsKnownFadesAsExactCountsDo(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var habits = Habits()
        var devices: [UInt32: [Int]] = [:]
        var hours: [Int: [Int]] = [:]
        var actions: [UInt32: [Int]] = [:]
        var all: [Int] = []
        for step in 0..<300 {
            let day = step / 5
            let time = Timestamp(milliseconds: Habits.start + Int64(day) * 86_400_000 + Int64(step % 5) * 60_000)
            aging.age(habits.row, to: time)
            var seen = Observation(time: time)
            seen.device = UInt32(random.next() % 5) + 1
            seen.hour = Int(random.next() % 24)
            habits.learn(seen)
            let action = UInt32(random.next() % 7) + 1
            habits.learn(action, after: 0)
            devices[seen.device, default: []].append(day)
            hours[seen.hour, default: []].append(day)
            actions[action, default: []].append(day)
            all.append(day)
            guard step % 50 == 49 else { continue }
            let header = habits.row.header
            #expect(abs(Double(header.pointee.contexts) - faded(all, at: day, halfLife: 10)) < 1e-3, "seed \(seed)")
            #expect(abs(Double(header.pointee.recentContexts) - faded(all, at: day, halfLife: 2)) < 1e-3, "seed \(seed)")
            for (device, days) in devices {
                let slot = (0..<habits.row.devices.count).first { habits.row.devices[$0].fingerprint == device }
                let exact = faded(days, at: day, halfLife: 10)
                // A weight of two hundredths is given up.
                let weight = slot.map { Double(habits.row.devices[$0].weight) } ?? 0
                #expect(abs(weight - exact) < (slot == nil ? 0.02 : 1e-3), "device \(device), seed \(seed)")
                if let slot {
                    #expect(abs(Double(habits.row.devices[slot].recent) - faded(days, at: day, halfLife: 2)) < 1e-3, "seed \(seed)")
                }
            }
            for (action, days) in actions {
                let slot = habits.row.actions.firstIndex(ofAction: action)
                let exact = faded(days, at: day, halfLife: 10)
                #expect(abs((slot < 0 ? 0 : Double(habits.row.actions[slot].weight)) - exact) < (slot < 0 ? 0.02 : 1e-3), "seed \(seed)")
            }
            for (hour, days) in hours {
                // Units of 1/32, cut down once a day.
                let missing = faded(days, at: day, halfLife: 10) - Double(header.pointee.hours[hour]) / 32
                #expect(missing > -1e-3 && missing < 1 / (32 * (1 - pow(2, -0.1))) + 1e-3, "hour \(hour), seed \(seed)")
            }
        }
    }

    @Test func timeThatGoesBackFadesNothing() {
        var habits = Habits()
        habits.learn(7, after: 0)
        aging.age(habits.row, to: Timestamp(milliseconds: Habits.start - 30 * 86_400_000))
        #expect(habits.row.header.pointee.actionTotal == 1)
        aging.age(habits.row, to: Timestamp(milliseconds: Habits.start + 10 * 86_400_000))
        #expect(habits.row.header.pointee.actionTotal == 0.5)
    }

    @Test(arguments: 1...6) func probabilitiesOfWhatFollowsAreThoseOfExactCounts(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var habits = Habits()
        let names: [UInt32] = (0..<6).map { UInt32($0) &* 0x9E37_79B1 &+ 1 }
        var pairs: [UInt32: [UInt32: Double]] = [:]
        for _ in 0..<600 {
            let (previous, next) = (names[Int(random.next() % 6)], names[Int(random.next() % 6)])
            habits.learn(next, after: previous)
            pairs[previous, default: [:]][next, default: 0] += 1
        }
        for previous in names {
            let followers = pairs[previous] ?? [:]
            let (total, kinds) = (followers.values.reduce(0, +), Double(followers.count))
            var sum: Float = 0
            for next in names {
                let context = habits.row.pairs.context(of: next, after: previous).context
                let exact = ((followers[next] ?? 0) + kinds / 6) / (total + kinds)
                #expect(abs(Double(context.probability(unigram: 1 / 6)) - exact) < 1e-5, "seed \(seed)")
                sum += context.probability(unigram: 1 / 6)
            }
            #expect(abs(sum - 1) < 1e-5, "what may follow adds up to 1, seed \(seed)")
        }
        let unknown = habits.row.pairs.context(of: names[0], after: 0xDEAD_0001).context
        #expect(unknown.probability(unigram: 0.3) == 0.3, "an unknown context backs off")
    }

    @Test func aFullRowKeepsWhatIsHeavy() {
        var random = SeededGenerator(seed: 9)
        var habits = Habits()
        for _ in 0..<5000 {
            habits.learn(7, after: 3)
            habits.learn(UInt32(truncatingIfNeeded: random.next()) | 1, after: UInt32(truncatingIfNeeded: random.next()) | 1)
        }
        let bounds = StateBounds()
        #expect(habits.row.pairs.count <= bounds.pairs && habits.row.actions.count <= bounds.actions)
        #expect(habits.row.pairs.context(of: 7, after: 3).context.pair == 5000, "seed 9")
        #expect(habits.row.pairs.context(of: 7, after: 3).index == 0 && habits.row.actions.firstIndex(ofAction: 7) == 0)
    }
}
