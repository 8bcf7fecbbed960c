import Behavior
import Events
import Testing

@testable import Engine

/// Aborts, crashes and paging leave no trace: compared with an engine that has never had any.
@Suite struct ExactlyOnceTests {
    static let seeds: [UInt64] = Array(201...212)

    static func plan(_ seed: UInt64) -> EnginePlan {
        var plan = PropertyTests.plan(seed)
        // Tight enough that somebody gives way all the time, with users enough to come back.
        plan.bounds.usersPerPartition = Int(seed % 7) + 3
        plan.bounds.unprovenPerPartition = Int(seed % 3) + 2
        return plan
    }

    static func lines(_ seed: UInt64, _ count: Int = 1500) -> [PropertyTests.Stream.Line] {
        PropertyTests.stream(seed, count: count, users: 12)
    }

    /// The engine that nothing ever happens to, and what it says of each line.
    struct Reference {
        let engine: Engine
        let outputs: [[UInt8]]
        init(_ seed: UInt64, _ lines: [PropertyTests.Stream.Line]) {
            engine = Engine(plan: plan(seed))
            outputs = PropertyTests.run(engine, lines)
        }
        var people: [String: [UInt8]] {
            var people: [String: [UInt8]] = [:]
            engine.forEachUser { people[$0 + "/" + $1] = $2 }
            return people
        }
    }

    func expectSame(_ partition: Partition, _ reference: Reference, _ comment: Comment) throws {
        let (people, expected) = (try partition.people(), reference.people)
        #expect(Set(people.keys) == Set(expected.keys), comment)
        for (name, state) in expected where people[name] != state { Issue.record("\(comment): \(name) differs") }
        #expect(partition.engine.sharedImage() == reference.engine.sharedImage(), comment)
    }

    @Test(arguments: seeds) func anUndoneStretchHasNeverBeen(seed: UInt64) throws {
        let lines = Self.lines(seed)
        let reference = Reference(seed, lines)
        // Two partitions that commit alike, one of which tries things out before.
        let partition = Partition(seed: seed, plan: Self.plan(seed), lines: lines)
        let twin = Partition(seed: seed, plan: Self.plan(seed), lines: lines)
        var random = SplitMix(seed)
        var undone = 0
        while partition.committed < lines.count {
            let end = min(lines.count, partition.next + Int(random.next() % 40) + 1)
            while random.next() % 2 == 0 {
                let counters = partition.engine.counters
                let shared = partition.engine.sharedImage()
                let dirty = (partition.engine.dirtyCount, partition.engine.oldestMark)
                let people = try partition.people()
                // Any records do: those that will come, or others.
                partition.next = Int(random.next() % UInt64(lines.count))
                for _ in 0..<random.next() % 60 where partition.next < lines.count { _ = try partition.step() }
                partition.abort()
                undone += 1
                #expect(partition.engine.counters == counters, "seed \(seed), line \(partition.next)")
                #expect(partition.engine.sharedImage() == shared, "seed \(seed), line \(partition.next)")
                #expect((partition.engine.dirtyCount, partition.engine.oldestMark) == dirty, "seed \(seed)")
                #expect(try partition.people() == people, "seed \(seed), line \(partition.next)")
                #expect(partition.engine.evictions.isEmpty)
            }
            while partition.next < end {
                let line = partition.next
                let output = try partition.step()
                #expect(output == reference.outputs[line], "seed \(seed), line \(line)")
                _ = try twin.step()
            }
            #expect(partition.engine.evictions == twin.engine.evictions, "seed \(seed), line \(end)")
            partition.commit()
            twin.commit()
            #expect(partition.rows == twin.rows, "seed \(seed), line \(end)")
            #expect(partition.redo == twin.redo, "seed \(seed), line \(end)")
        }
        #expect(undone > 10)
        #expect(partition.engine.counters.evicted > 20, "seed \(seed)")
        try expectSame(partition, reference, "seed \(seed)")
    }

    @Test(arguments: seeds) func aCrashAnywhereChangesNothing(seed: UInt64) throws {
        let lines = Self.lines(seed)
        let reference = Reference(seed, lines)
        let partition = Partition(seed: seed, plan: Self.plan(seed), lines: lines)
        partition.lag = 40
        var (crashes, redone, recent) = (0, 0, 0)
        while partition.committed < lines.count {
            for _ in 0..<partition.below(partition.below(4) == 0 ? 80 : 12) + 1 where partition.next < lines.count {
                let line = partition.next
                let output = try partition.step()
                guard output == reference.outputs[line] else {
                    Issue.record("seed \(seed), \(crashes) crashes, line \(line) differs")
                    return
                }
            }
            switch partition.below(10) {
            case 0:
                let before = partition.next
                partition.next = partition.committed
                let people = partition.committed == before ? try partition.people() : nil
                try partition.crash()
                crashes += 1
                redone += partition.committed - (try partition.redo?.withUnsafeBytes { bytes in
                    let redo = try RedoPoint(decoding: bytes)
                    return Int(redo.positions[0] + redo.positions[1])
                } ?? 0)
                if let people { #expect(try partition.people() == people, "seed \(seed), line \(partition.committed)") }
            case 1: partition.abort()
            default:
                recent += partition.engine.evictions.count { !$0.recent.isEmpty }
                partition.commit()
            }
        }
        #expect(crashes > 3 && redone > 100 && recent > 0, "seed \(seed): \(crashes), \(redone), \(recent)")
        try partition.crash()
        try expectSame(partition, reference, "seed \(seed)")
    }

    /// A state file that has not caught up yet says itself where redo begins, as the state topic may be lost.
    @Test(arguments: seeds.prefix(6)) func aCopyThatIsBehindIsEnough(seed: UInt64) throws {
        let lines = Self.lines(seed, 700)
        let reference = Reference(seed, lines)
        let partition = Partition(seed: seed, plan: Self.plan(seed), lines: lines)
        partition.copy = Partition.Copy()
        var losses = 0
        while partition.committed < lines.count {
            for _ in 0..<partition.below(12) + 1 where partition.next < lines.count {
                let line = partition.next
                let output = try partition.step()
                guard output == reference.outputs[line] else {
                    Issue.record("seed \(seed), \(losses) losses, line \(line) differs")
                    return
                }
            }
            partition.commit()
            guard partition.below(8) == 0, partition.copy?.redo != nil else { continue }
            let people = try partition.people()
            partition.lose()
            try partition.crash()
            losses += 1
            #expect(try partition.people() == people, "seed \(seed), line \(partition.committed)")
        }
        #expect(losses > 3 && partition.copy?.timesBehind ?? 0 > 5, "seed \(seed): \(losses)")
        try expectSame(partition, reference, "seed \(seed)")
    }

    @Test(arguments: seeds) func pagingChangesNothing(seed: UInt64) throws {
        let lines = Self.lines(seed)
        let reference = Reference(seed, lines)
        let partition = Partition(seed: seed, plan: Self.plan(seed), lines: lines)
        var paged = 0
        while partition.next < lines.count {
            for _ in 0..<partition.below(20) + 1 where partition.next < lines.count {
                let line = partition.next
                let output = try partition.step()
                #expect(output == reference.outputs[line], "seed \(seed), line \(line)")
            }
            if partition.below(3) > 0 { partition.commit() }
            let before = partition.engine.residentBytes
            let bytes = before * (partition.below(10) + 1) / 10
            let count = partition.engine.pageOut(toFit: bytes)
            paged += count
            #expect(partition.engine.residentBytes <= before)
            if bytes >= before { #expect(count == 0) }
        }
        partition.commit()
        #expect(paged > 30, "seed \(seed): \(paged)")
        try expectSame(partition, reference, "seed \(seed)")
    }

    /// A name that gave way and came again is not what it was, though its old records lie behind the redo point.
    @Test func whoComesAgainIsNotWhoTheyWere() throws {
        var plan = PropertyTests.plan(1)
        plan.bounds.unprovenPerPartition = 2
        let lines = ["a", "b", "c", "d", "b", "e"].enumerated().map { index, user in
            PropertyTests.Stream.Line(
                bytes: Array(
                    #"{"id":"\#(index)","type":"login","outcome":"failure","user":"\#(user)","time":177244200\#(index)000}"#.utf8))
        }
        let partition = Partition(seed: 1, plan: plan, lines: lines)
        for _ in lines { _ = try partition.step() }
        // Everybody but the last is persisted, so redo begins before the first.
        let size = try #require((0..<10_000).first {
            partition.engine.slice(at: partition.cut, dirtyBefore: .max, maxBytes: $0).numbers.count == lines.count - 1
        })
        partition.commit(dirtyBefore: .max, maxBytes: size)
        #expect(partition.rows.values.count { !$0.isEmpty } == 1)
        let people = try partition.people()
        try partition.crash()
        #expect(try partition.people() == people)
    }

    @Test(arguments: seeds.prefix(4)) func aStagedRecordIsSteppedAsIfItWereNot(seed: UInt64) throws {
        let lines = Self.lines(seed)
        let reference = Reference(seed, lines)
        let plan = Self.plan(seed)
        let decoders = Decoders(plan: plan)
        let engine = Engine(plan: plan, decoders: decoders)
        let other = Engine(plan: plan, decoders: decoders)
        var random = SplitMix(seed)
        var effects = Effects()
        let records = lines.enumerated().map { place, line in
            // Staged records outlive the call that made them.
            let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(line.bytes.count, 1))
            _ = bytes.initialize(from: line.bytes)
            return Record(
                input: UInt16(place % 2), partition: 3, offset: Int64(place / 2),
                timestamp: line.brokerTime.map { Timestamp(milliseconds: $0) }, key: .absent,
                value: ByteView(base: UnsafePointer(bytes.baseAddress), count: line.bytes.count))
        }
        defer { for record in records { UnsafePointer(record.value.base)?.deallocate() } }
        var times: [Int: Timestamp?] = [:]
        /// A run of the same input's records.
        func stage(_ engine: Engine, from place: Int) {
            let run = Array(stride(from: place, to: min(place + 2 * Int(1 + random.next() % 20), records.count), by: 2))
            var found: [Timestamp?] = []
            engine.stage(run.map { records[$0] }[...], times: &found)
            #expect(!found.isEmpty && found.count <= Decoders.run)
            for (place, time) in zip(run, found) { times[place] = time }
        }
        for (place, record) in records.enumerated() {
            let shared = engine.sharedImage()
            if times[place] == nil || random.next() % 8 == 0 { stage(engine, from: place) }
            // What is staged of the other input is in other slots.
            if place + 1 < records.count, random.next() % 2 == 0 { stage(engine, from: place + 1) }
            // Another engine may use the decoders meanwhile.
            if random.next() % 4 == 0 { stage(other, from: place) }
            if random.next() % 4 == 0 { other.step(record, into: &effects) }
            #expect(engine.sharedImage() == shared)
            effects.removeAll()
            engine.stepStaged(record, into: &effects)
            let output = Array(effects.bytes.view(from: 0).bytes)
            #expect(output == reference.outputs[place], "seed \(seed), line \(place)")
            let time = try #require(times[place], "seed \(seed), line \(place): never staged")
            #expect((time == nil) == (effects.outputs.last?.kind == .deadLetter), "seed \(seed), line \(place)")
        }
        #expect(engine.sharedImage() == reference.engine.sharedImage())
    }

    /// A shard's way, batch by batch in memory that is used again: partitions share their decoders, keys say whose the records
    /// are or lie, some records are no events, and batches are taken back and decided again.
    @Test(arguments: seeds.prefix(4)) func batchesAreDecidedAsRecordByRecord(seed: UInt64) throws {
        var random = SplitMix(seed)
        func below(_ count: UInt64) -> Int { Int(random.next() % count) }
        var plan = Self.plan(seed)
        plan.inputs = [InputPlan(topic: "one", decode: DecodeOptions())]
        let decoders = Decoders(plan: plan)
        let ahead = (0..<2).map { _ in Engine(plan: plan, decoders: decoders, keepsPreImages: true) }
        let plain = (0..<2).map { _ in Engine(plan: plan, decoders: Decoders(plan: plan), keepsPreImages: true) }
        let users = ["u", "alice", "a/b", "a user of more than sixteen bytes", "zo\u{EB}", "\\u0062ob", "b"]
        var offsets: [Int64] = [0, 0]
        var effects = Effects()
        var others = Effects()
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << 16)
        defer { memory.deallocate() }
        for batch in 0..<120 {
            for (partition, engine) in (ahead + plain).enumerated() {
                let offset = offsets[partition % 2]
                engine.mark(CutMark(positions: [offset], cutsOffset: 0, milliseconds: Int64(batch)))
            }
            var records: [Record] = []
            var (used, next) = (0, offsets)
            func keep(_ text: String) -> ByteView {
                let count = text.utf8.count
                _ = UnsafeMutableBufferPointer(start: memory + used, count: count).update(fromContentsOf: Array(text.utf8))
                defer { used += count }
                return ByteView(base: UnsafePointer(memory + used), count: count)
            }
            for _ in 0..<1 + below(40) {
                let (partition, user, tenant) = (below(2), users[below(7)], ["", "", "t", "a"][below(4)])
                var text = #"{"id":"e\#(below(200))","user":"\#(user)","time":\#(1_772_442_000_000 + batch * 60_000 + below(90_000))"#
                if !tenant.isEmpty { text += #","tenant":"\#(tenant)""# }
                text += [#","type":"action","action":"a\#(below(20))""#, #","type":"login","outcome":"success""#][below(2)]
                if below(3) == 0 { text += #","session":"s","device":{"id":"d\#(below(9))"}"# }
                text += ["}", "}", "}", "}", ",}", #","amount":-1}"#, #","type":"erasure"}"#, #","x":"\\n"}"#][below(8)]
                let name = user == users[5] ? "bob" : user
                let key = below(9) == 0 ? users[below(7)] : tenant.isEmpty || below(2) == 0 ? name : tenant + "/" + name
                let lacks = below(20)
                records.append(Record(
                    input: 0, partition: Int32(partition), offset: next[partition],
                    timestamp: below(3) == 0 ? Timestamp(milliseconds: 1_772_442_000_000 + Int64(batch) * 60_000) : nil,
                    key: lacks == 0 ? .absent : keep(key), value: lacks == 1 ? .absent : keep(text)))
                next[partition] += 1
            }
            // Taken back, the same records come again in the same memory.
            let isTakenBack = below(3) == 0
            for turn in 0...(isTakenBack ? 1 : 0) {
                effects.removeAll()
                others.removeAll()
                var (staged, times) = (0, [Timestamp?]())
                for (place, record) in records.enumerated() {
                    let partition = Int(record.partition)
                    if place >= staged {
                        ahead[partition].stage(records[place...], times: &times)
                        staged = place + times.count
                    }
                    ahead[partition].stepStaged(record, into: &effects)
                    plain[partition].step(record, into: &others)
                }
                let (found, expected) = (Array(effects.bytes.view(from: 0).bytes), Array(others.bytes.view(from: 0).bytes))
                #expect(found == expected, "seed \(seed), batch \(batch), turn \(turn)")
                #expect(ahead.map(\.counters) == plain.map(\.counters), "seed \(seed), batch \(batch), turn \(turn)")
                if isTakenBack && turn == 0 { for engine in ahead + plain { engine.undo() } }
            }
            offsets = next
        }
        let counters = ahead.map(\.counters)
        #expect(counters.allSatisfy { $0.events > 500 && $0.deadLetters > 100 }, "seed \(seed)")
        #expect(ahead.map { $0.sharedImage() } == plain.map { $0.sharedImage() }, "seed \(seed)")
    }

    @Test func theTimeToMergeByIsTheOneTheStepTakes() {
        let story = Story()
        var effects = Effects()
        let text = Array(#"{"id":"1","type":"action","action":"a","user":"u","time":\#(story.now + 900_000)}"#.utf8)
        text.withUnsafeBufferPointer { bytes in
            let record = Record(
                input: 0, partition: 0, offset: 0, timestamp: Timestamp(milliseconds: story.now), key: .absent,
                value: ByteView(base: bytes.baseAddress, count: bytes.count))
            var times: [Timestamp?] = []
            story.engine.stage([record], times: &times)
            #expect(times == [Timestamp(milliseconds: story.now)])
            story.engine.stepStaged(record, into: &effects)
            #expect(story.engine.counters.clamped == 1)
        }
    }

    /// The fault that a simulation's oracle must notice does something.
    @Test func learningFirstIsNoticeable() {
        let seed = Self.seeds[0]
        let lines = Self.lines(seed, 300)
        let faulty = Engine(plan: Self.plan(seed), learnsFirst: true)
        #expect(PropertyTests.run(faulty, lines) != PropertyTests.run(Engine(plan: Self.plan(seed)), lines))
    }
}
