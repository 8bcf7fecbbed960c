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
        var (crashes, redone, recent) = (0, 0, 0)
        while partition.committed < lines.count {
            for _ in 0..<partition.below(25) + 1 where partition.next < lines.count {
                let line = partition.next
                let output = try partition.step()
                guard output == reference.outputs[line] else {
                    Issue.record("seed \(seed), \(crashes) crashes, line \(line) differs")
                    return
                }
            }
            switch partition.below(12) {
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
}
