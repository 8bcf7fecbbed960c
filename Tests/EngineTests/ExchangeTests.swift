import Events
import Foundation
import Testing

@testable import Behavior
@testable import Engine

/// Partitions that tell each other their panes: whoever has what, commits, aborts or dies when, everybody's view is the
/// one that the recorded positions give.
@Suite struct ExchangeTests {
    static func plan() -> EnginePlan {
        var plan = EnginePlan()
        plan.secret = Array("a secret for tests".utf8)
        var decode = DecodeOptions()
        decode.requiresKey = false
        plan.inputs = [InputPlan(topic: "events", decode: decode)]
        // Small, so that entries give way.
        (plan.bounds.sharedNetworks, plan.bounds.sharedValues) = (16, 16)
        return plan
    }

    struct Line {
        var user: String
        var json: String
    }

    /// Time goes on by a second or so, now and then by minutes, and some events come late.
    static func lines(_ count: Int, seed: UInt64) -> [Line] {
        var random = SplitMix(seed)
        var now: Int64 = 1_767_225_600_000
        return (0..<count).map { number in
            now += Int64(random.next() % (random.next() % 40 == 0 ? 400_000 : 2_500))
            let user = "u\(random.next() % 12)"
            let time = random.next() % 12 == 0 ? now - Int64(random.next() % 90_000) : now
            let rest = random.next() % 3 == 0
                ? #""type":"action","action":"a\#(random.next() % 5)""#
                : #""type":"login","outcome":"\#(random.next() % 3 == 0 ? "failure" : "success")""#
            let place = #""ip":"203.0.\#(random.next() % 20).9","asn":\#(random.next() % 9 + 1),"geo":{"country":"\#(["NO", "SE", "DE"][Int(random.next() % 3)])"},"device":{"id":"d\#(random.next() % 9)"}"#
            return Line(user: user, json: #"{"id":"e\#(number)","time":\#(time),"user":"\#(user)",\#(rest),\#(place)}"#)
        }
    }

    static func step(_ engine: Engine, _ json: String, partition: Int32, offset: Int64, _ effects: inout Effects, recovering: Bool = false) {
        var json = json
        effects.removeAll()
        json.withUTF8 { bytes in
            _ = engine.step(
                Record(input: 0, partition: partition, offset: offset, timestamp: nil, key: .absent, value: ByteView(UnsafeRawBufferPointer(bytes))),
                into: &effects, recovering: recovering)
        }
    }

    /// A partition as a shard keeps it.
    final class Member {
        struct Batch {
            var ends: Int
            /// By partition, up to where its panes were absorbed before the batch.
            var absorbed: [Int64]
        }
        let partition: Int32
        let lines: [String]
        var engine = Engine(plan: plan(), keepsPreImages: true)
        var effects = Effects()
        var rows: [UInt32: [UInt8]] = [:]
        var redo: [UInt8]?
        var batches: [Batch] = []
        var uncommitted: [Batch] = []
        var commits: Int64 = 0
        var (next, committed) = (0, 0)
        var sealed: [SealedPane] = []

        init(_ partition: Int32, _ lines: [String]) {
            (self.partition, self.lines) = (partition, lines)
            engine.mark(mark)
        }

        var mark: CutMark { mark(after: batches.count) }

        /// The place in the cuts is that of the batch to go on with.
        func mark(after batch: Int) -> CutMark {
            CutMark(positions: [Int64(next)], cutsOffset: Int64(batch), milliseconds: commits)
        }

        func absorb(upTo positions: [Int64], of topic: [[SealedPane]], recovering: Bool = false) {
            for (other, end) in positions.enumerated() {
                let from = engine.panePositions.indices.contains(other) ? engine.panePositions[other].next : 0
                for offset in stride(from: from, to: end, by: 1) {
                    if other == Int(partition) {
                        engine.pass(partition: partition, offset: offset, recovering: recovering)
                    } else {
                        engine.absorb(topic[other][Int(offset)], partition: Int32(other), offset: offset, recovering: recovering)
                    }
                }
            }
        }

        func batch(_ count: Int, absorbing positions: [Int64], of topic: [[SealedPane]]) {
            absorb(upTo: positions, of: topic)
            for _ in 0..<min(count, lines.count - next) {
                ExchangeTests.step(engine, lines[next], partition: partition, offset: Int64(next), &effects)
                next += 1
            }
            engine.takeSealed(into: &sealed)
            uncommitted.append(Batch(ends: next, absorbed: positions))
        }

        func commit(_ random: inout SplitMix, to topic: inout [[SealedPane]]) {
            commits += 1
            batches += uncommitted
            uncommitted = []
            let isWhole = random.next() % 4 == 0
            let slice = engine.slice(
                at: mark, dirtyBefore: isWhole ? .max : commits - Int64(random.next() % 6),
                maxBytes: random.next() % 3 == 0 ? 4_000 : .max)
            engine.forEach(in: slice) { number, row in rows[number] = row.map { Array($0) } }
            redo = slice.redo.encoded()
            engine.mark(mark)
            engine.complete(slice)
            topic[Int(partition)] += sealed
            sealed = []
            committed = next
        }

        func abort() {
            engine.undo()
            (next, uncommitted, sealed) = (committed, [], [])
        }

        func crash(_ topic: [[SealedPane]]) throws {
            engine = Engine(plan: plan(), keepsPreImages: true)
            (uncommitted, sealed, next) = ([], [], 0)
            var from = 0
            if let redo {
                let redo = try RedoPoint(decoding: redo)
                try engine.restore(redo: redo)
                for (number, row) in rows { try row.withUnsafeBytes { try engine.restore(user: number, row: $0) } }
                next = Int(redo.positions[0])
                from = Int(redo.cutsOffset)
                absorb(upTo: engine.toAbsorb, of: topic, recovering: true)
            } else {
                engine.mark(mark(after: 0))
            }
            for (index, batch) in batches[from...].enumerated() {
                absorb(upTo: batch.absorbed, of: topic, recovering: true)
                while next < batch.ends {
                    ExchangeTests.step(engine, lines[next], partition: partition, offset: Int64(next), &effects, recovering: true)
                    next += 1
                }
                engine.mark(mark(after: from + index + 1))
            }
            next = committed
            engine.mark(mark)
            var none: [SealedPane] = []
            engine.takeSealed(into: &none)
            #expect(none.isEmpty, "what redo seals was told before")
        }
    }

    @Test(arguments: (31...40).map { UInt64($0) }) func viewsFollowTheRecordedPositions(seed: UInt64) throws {
        var random = SplitMix(seed)
        var dealt: [[String]] = [[], [], []]
        for line in Self.lines(900, seed: seed) { dealt[Int(line.user.utf8.last!) % 3].append(line.json) }
        let members = (0..<3).map { Member(Int32($0), dealt[$0]) }
        var topic: [[SealedPane]] = [[], [], []]
        while members.contains(where: { $0.committed < $0.lines.count }) {
            let member = members[Int(random.next() % 3)]
            switch random.next() % 20 {
            case 0..<12:
                let positions = topic.indices.map { other -> Int64 in
                    let from = member.engine.panePositions.indices.contains(other) ? member.engine.panePositions[other].next : 0
                    return from + Int64(random.next() % UInt64(Int64(topic[other].count) - from + 1))
                }
                member.batch(Int(random.next() % 25), absorbing: positions, of: topic)
            case 12..<17: member.commit(&random, to: &topic)
            case 17..<19: member.abort()
            default: try member.crash(topic)
            }
        }
        for member in members {
            member.abort()
            let reference = Member(member.partition, member.lines)
            for batch in member.batches {
                reference.batch(batch.ends - reference.next, absorbing: batch.absorbed, of: topic)
            }
            let isEqual = reference.engine.sharedImage() == member.engine.sharedImage()
            #expect(isEqual, "seed \(seed), partition \(member.partition)")
            #expect(reference.sealed == topic[Int(member.partition)], "seed \(seed), partition \(member.partition)")
            #expect(member.engine.shared.users > 2)
        }
    }

    /// Where everybody's time goes on alike, however people are dealt to partitions.
    @Test(arguments: [UInt64(41), 42, 43]) func anySplitGivesTheSameView(seed: UInt64) {
        var plan = Self.plan()
        (plan.bounds.sharedNetworks, plan.bounds.sharedValues) = (512, 512)
        let lines = Self.lines(500, seed: seed)
        func run(_ partitions: Int) -> [[Double]] {
            let engines = (0..<partitions).map { _ in Engine(plan: plan) }
            var (seen, offsets): ([[Double]], [Int64]) = ([], Array(repeating: 0, count: partitions))
            var topic: [Int64] = Array(repeating: 0, count: partitions)
            var effects = Effects()
            var (sealed, newest): ([SealedPane], Int64) = ([], 0)
            func tell(_ partition: Int, _ json: String) {
                Self.step(engines[partition], json, partition: Int32(partition), offset: offsets[partition], &effects)
                offsets[partition] += 1
                engines[partition].takeSealed(into: &sealed)
                for pane in sealed {
                    for other in engines.indices where other != partition {
                        engines[other].absorb(pane, partition: Int32(partition), offset: topic[partition])
                    }
                    topic[partition] += 1
                }
                sealed = []
            }
            for (number, line) in lines.enumerated() {
                let time = Int64(line.json.split(separator: #""time":"#)[1].prefix { $0.isNumber })!
                if time / 5_000 > newest {
                    newest = time / 5_000
                    for partition in 0..<partitions {
                        tell(partition, #"{"id":"t\#(number)","time":\#(time),"user":"tick","type":"challenge","challenge":{"decision":"x","method":"m","result":"passed","nonce":"n"}}"#)
                    }
                }
                let partition = Int(line.user.utf8.last!) % partitions
                tell(partition, line.json)
                let view = engines[partition].shared
                seen.append((1..<24).flatMap { key -> [Double] in
                    let activity = view.activity(provider: UInt32(key))
                    return [
                        view.users, view.users(of: .provider, UInt32(key)), Double(activity.tries), Double(activity.failures),
                        Double(activity.usersTried), Double(activity.usersFailing),
                    ]
                })
            }
            return seen
        }
        let one = run(1)
        #expect(one.last!.reduce(0, +) > 100)
        for partitions in [2, 3, 5] { #expect(run(partitions) == one, "seed \(seed), \(partitions) partitions") }
    }

    @Test func anEventSeesPanesUpToTheOneBeforeTheLast() {
        let story = Story()
        let address = with(Story.Circumstances.home) { $0.ip = "192.0.2.1" }
        story.now = 1_767_225_600_000
        for number in 0..<5 {
            story.user = "victim\(number)"
            story.login(after: 0.1, in: address, outcome: "failure")
        }
        let prefix = 0x0100_0000 | UInt32(192) << 16 | 0 << 8 | 2
        story.login(after: 5, outcome: "success")
        #expect(story.engine.shared.activity(prefix: prefix).failures == 0)
        story.login(after: 5, outcome: "success")
        #expect(story.engine.shared.activity(prefix: prefix).failures == 5)
        #expect((4...6).contains(story.engine.shared.activity(prefix: prefix).usersFailing))
    }

    /// An event's clock that is ahead, within what is allowed, moves no pane: what follows is seen as soon as without it.
    ///
    ///     record   0 s            1…5 s           6 s    11 s       18 s
    ///     event    0 s + 4 min    spray           …      …          asked
    @Test(arguments: [0, 240_000, 299_000]) func anEventThatIsAheadDelaysNothing(ahead: Int64) {
        let story = Story()
        story.now = 1_767_225_600_000
        func login(_ user: String, time: Int64, _ outcome: String) {
            story.tell(
                raw: #"{"id":"\#(user)-\#(time)","type":"login","user":"\#(user)","time":\#(time),"outcome":"\#(outcome)","ip":"192.0.2.1"}"#,
                brokerTime: story.now)
        }
        login("early", time: story.now + ahead, "success")
        for number in 0..<5 {
            story.now += 1_000
            login("victim\(number)", time: story.now, "failure")
        }
        for _ in 0..<2 {
            story.now += 6_000
            login("later", time: story.now, "success")
        }
        let prefix = 0x0100_0000 | UInt32(192) << 16 | 0 << 8 | 2
        #expect(story.engine.shared.activity(prefix: prefix).failures == 5)
    }

    /// More than may wait is folded, the oldest half first, and the same by redo from any image.
    @Test func aPartitionThatStandsStillStaysBounded() throws {
        let engine = Engine(plan: Self.plan(), keepsPreImages: true)
        var effects = Effects()
        let begin = Int64(1_767_225_600_000)
        Self.step(engine, #"{"id":"e","type":"login","user":"a","time":\#(begin),"outcome":"success"}"#, partition: 0, offset: 0, &effects)
        let count = Population.mostPending + 10
        let panes = (0..<count).map { SharedViewTests.pane(begin / 5_000 + Int64($0), [SharedViewTests.login(UInt64($0), prefix: 9)]) }
        for (offset, pane) in panes.enumerated() { engine.absorb(pane, partition: 1, offset: Int64(offset)) }
        let waiting = engine.population.book.pending.count
        #expect(waiting > Population.mostPending / 2 && waiting <= Population.mostPending)
        let other = Engine(plan: Self.plan(), keepsPreImages: true)
        try engine.sharedImage().withUnsafeBytes { try other.restore(shared: $0) }
        let owed = other.toAbsorb[1]
        for offset in other.panePosition(of: 1)..<owed { other.absorb(panes[Int(offset)], partition: 1, offset: offset) }
        other.absorbedWhatWasOwed()
        #expect(other.population.book.pending.count == waiting)
        let isEqual = other.sharedImage() == engine.sharedImage()
        #expect(isEqual)
    }
}
