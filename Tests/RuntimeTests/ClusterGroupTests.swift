import Events
import Runtime
import Testing
import VigilTesting

/// The simulated cluster's consumers, its group, and what retention and compaction do to its logs.
@Suite struct ClusterGroupTests {
    let cluster = SimulatedCluster(options: ClusterTests.options(inputs: 2, partitions: 4), seed: 11)

    func member(_ process: SimulatedProcess, _ name: String, instance: String? = nil) -> GroupReader {
        GroupReader(process.input(member: name, instance: instance))
    }

    func turn(_ readers: GroupReader..., until isDone: () -> Bool) throws {
        for _ in 0..<200 where !isDone() { for reader in readers { try reader.turn() } }
        #expect(isDone())
    }

    func failure(_ call: () throws -> Void) -> LogFailure? {
        do { try call(); return nil } catch { return error as? LogFailure }
    }

    @Test func membersShareTakeOverAndLeave() throws {
        let first = member(cluster.process("a"), "a")
        try turn(first) { first.assigned.count == 8 }
        let second = member(cluster.process("b"), "b")
        try turn(first, second) { first.assigned.count == 4 && second.assigned.count == 4 }
        #expect(first.events == ["assigned 8", "revoked", "assigned 4"])
        // Co-partitioned: both inputs of the same partitions.
        #expect(Set(first.assigned.filter { $0.input == 0 }.map(\.partition)) == Set(first.assigned.filter { $0.input == 1 }.map(\.partition)))
        #expect(Set(first.assigned).isDisjoint(with: second.assigned))
        second.input.close()
        try turn(first) { first.assigned.count == 8 }
    }

    @Test func moreMembersThanPartitions() throws {
        let readers = (0..<5).map { member(cluster.process("p\($0)"), "m\($0)") }
        try turn(readers[0], readers[1], readers[2], readers[3], readers[4]) {
            readers.map(\.assigned.count).sorted() == [0, 2, 2, 2, 2]
        }
    }

    /// A group without members takes offsets from nobody in particular.
    @Test func whoeverIsPutOutOfAnEmptyGroupCommitsNothing() throws {
        let process = cluster.process("a")
        let zombie = member(process, "a")
        try turn(zombie) { zombie.assigned.count == 8 }
        let place = InputPartition(input: 0, partition: 0)
        process.setCutOff(true)
        cluster.clock.advance(milliseconds: 11_000)
        cluster.settle()
        #expect(cluster.memberCount == 0)
        process.setCutOff(false)
        cluster.settle()
        guard case .fenced = failure({ try zombie.input.commit([InputPosition(partition: place, offset: 3)]) }) else {
            Issue.record("an offset was taken from somebody who is no member")
            return
        }
        #expect(cluster.committed(place) == nil)
    }

    @Test func oneThatStandsStillTooLongHasLostItsPartitions() throws {
        let process = cluster.process("a")
        let zombie = member(process, "a")
        try turn(zombie) { zombie.assigned.count == 8 }
        let stale = zombie.membership!
        process.freeze()
        cluster.clock.advance(milliseconds: 9_000)
        let other = member(cluster.process("b"), "b")
        try other.turn()
        #expect(other.assigned.isEmpty)
        cluster.clock.advance(milliseconds: 2_000)
        try turn(other) { other.assigned.count == 8 }
        process.thaw()
        // Its outputs are refused by its membership, whether it knows already or not…
        let output = process.output(transactionalID: "a")
        try output.prepare()
        let position = InputPosition(partition: InputPartition(input: 0, partition: 0), offset: 3)
        guard case .aborted = failure({ try output.commit([position], as: stale, timeoutMilliseconds: 50) }) else {
            Issue.record("not refused"); return
        }
        try output.abort()
        // …but not when it asks who it is only now.
        cluster.clock.advance(milliseconds: 10)
        cluster.settle()
        try output.commit([position], as: try zombie.input.membership(), timeoutMilliseconds: 50)
        guard case .fenced = failure({ try zombie.input.commit([position]) }) else { Issue.record("not fenced"); return }
        try turn(zombie, other) { zombie.assigned.count == 4 && other.assigned.count == 4 }
        #expect(zombie.events == ["assigned 8", "lost", "assigned 4"])
    }

    @Test func anOldGenerationIsRefused() throws {
        let first = member(cluster.process("a"), "a")
        try turn(first) { first.assigned.count == 8 }
        let stale = first.membership!
        let second = member(cluster.process("b"), "b")
        try turn(first, second) { first.assigned.count == 4 && second.assigned.count == 4 }
        let output = cluster.process("c").output(transactionalID: "c")
        try output.prepare()
        let position = InputPosition(partition: InputPartition(input: 0, partition: 0), offset: 3)
        guard case .aborted = failure({ try output.commit([position], as: stale, timeoutMilliseconds: 50) }) else {
            Issue.record("not refused"); return
        }
        try output.abort()
        try output.commit([position], as: first.membership!, timeoutMilliseconds: 50)
    }

    /// Between revocation and release a commit is still good: everybody waits for it.
    @Test func theLastCommitBeforeAReleaseCounts() throws {
        let first = cluster.process("a").input(member: "a")
        var batch: [Record] = []
        var event = LogEvent.records
        func poll() throws { event = try first.poll(into: &batch, maxRecords: 10, timeoutMilliseconds: 5) }
        while event == .records { try poll() }
        let membership = try first.membership()
        try first.start(at: [])
        let second = member(cluster.process("b"), "b")
        try second.turn()
        while event != .revoked { try poll() }
        let output = cluster.process("a").output(transactionalID: "a")
        try output.prepare()
        let place = InputPartition(input: 1, partition: 2)
        try output.commit([InputPosition(partition: place, offset: 9)], as: membership, timeoutMilliseconds: 50)
        try first.commit([InputPosition(partition: place, offset: 10)])
        for _ in 0..<20 { try second.turn() }
        #expect(second.assigned.isEmpty)
        try first.release()
        try turn(second) { second.assigned.count == 4 }
        cluster.settle()
        // The transaction's offsets were written before the plain ones.
        #expect(cluster.committed(place) == 10)
    }

    @Test func aStaticMemberComesBackAsItself() throws {
        let process = cluster.process("a")
        let first = member(process, "a", instance: "i")
        try turn(first) { first.assigned.count == 8 }
        process.die()
        let second = member(cluster.process("a"), "a", instance: "i")
        try turn(second) { second.assigned.count == 8 }
        let third = member(cluster.process("b"), "b", instance: "i")
        try turn(third) { third.assigned.count == 8 }
        guard case .stop = failure({ for _ in 0..<5 { try second.turn() } }) else { Issue.record("not fenced"); return }
    }

    @Test func recordsComeInOrderAcrossMarkersAndTrailingOnesAreNotMore() throws {
        let place = InputPartition(input: 0, partition: 3)
        cluster.append(partition: 3, key: "k", value: "0")
        cluster.appendTransaction(partition: 3, [("k", "1"), ("k", "2")], commits: true)
        cluster.appendTransaction(partition: 3, [("k", "never")], commits: false)
        cluster.append(partition: 3, key: "k", value: "6")
        cluster.appendTransaction(partition: 3, [("k", "never")], commits: false)
        let reader = member(cluster.process("a"), "a")
        try turn(reader) { reader.seen.count == 4 }
        #expect(reader.seen.map(\.offset) == [0, 1, 2, 6])
        #expect(!reader.input.hasMore(place))
        #expect(try reader.input.bounds([place])[0] == (0, 9))
        #expect(!cluster.isDrained)
        try reader.input.commit([InputPosition(partition: place, offset: 7)])
        #expect(cluster.isDrained)
    }

    @Test func aPausedPartitionIsSilentAndTheGroupIsKept() throws {
        for partition in 0..<Int32(4) { for _ in 0..<3 { cluster.append(partition: partition, key: "k", value: "v") } }
        let reader = member(cluster.process("a"), "a")
        while reader.assigned.isEmpty { try reader.turn() }
        let silent = InputPartition(input: 0, partition: 1)
        try reader.input.setPaused([silent])
        try turn(reader) { reader.seen.count == 9 }
        for _ in 0..<50 { try reader.turn(timeoutMilliseconds: 1_000) }
        #expect(!reader.seen.contains { $0.place == silent })
        #expect(reader.input.hasMore(silent))
        try reader.input.setPaused([])
        try turn(reader) { reader.seen.count == 12 }
        #expect(reader.events == ["assigned 8"])
    }

    @Test func whatRetentionDeletedStopsTheReader() throws {
        for _ in 0..<5 { cluster.append(key: "k", value: "v") }
        cluster.delete(.input(0), partition: 0, below: 3)
        let place = InputPartition(input: 0, partition: 0)
        let reader = member(cluster.process("a"), "a")
        try turn(reader) { reader.seen.count == 2 }
        #expect(try reader.input.bounds([place])[0] == (3, 5))
        try reader.input.start(at: [InputPosition(partition: place, offset: 2)])
        guard case .stop = failure({ try reader.turn() }) else { Issue.record("went on"); return }
    }

    @Test func borrowedBytesEndWithTheNextPoll() throws {
        cluster.append(key: "k", value: "value")
        let input = cluster.process("a").input(member: "a")
        var batch: [Record] = []
        while batch.isEmpty {
            if case .assigned(let all) = try input.poll(into: &batch, maxRecords: 1, timeoutMilliseconds: 1) {
                try input.start(at: all.map { InputPosition(partition: $0, offset: 0) })
            }
        }
        #expect(batch[0].value.string == "value")
        let kept = batch[0]
        _ = try input.poll(into: &batch, maxRecords: 1, timeoutMilliseconds: 1)
        #expect(kept.value.bytes.allSatisfy { $0 == 0xA5 })
    }

    // MARK: Outages and deaths

    @Test func aBrokerThatIsAwayAnswersNobodyAndLosesNobody() throws {
        let reader = member(cluster.process("a"), "a")
        try turn(reader) { reader.assigned.count == 8 }
        cluster.goAway(milliseconds: 30_000)
        guard case .retry = failure({ try reader.input.commit([]) }) else { Issue.record("answered"); return }
        for _ in 0..<40 { try reader.turn(timeoutMilliseconds: 1_000) }
        #expect(reader.events == ["assigned 8"])
        try reader.input.commit([])
    }

    @Test func aProcessThatIsCutOffIsExpelled() throws {
        let process = cluster.process("a")
        let reader = member(process, "a")
        try turn(reader) { reader.assigned.count == 8 }
        process.setCutOff(true)
        for _ in 0..<20 { try reader.turn(timeoutMilliseconds: 1_000) }
        #expect(cluster.memberCount == 0)
        let other = member(cluster.process("b"), "b")
        try turn(other) { other.assigned.count == 8 }
        process.setCutOff(false)
        try turn(reader, other) { reader.assigned.count == 4 && other.assigned.count == 4 }
        #expect(reader.events == ["assigned 8", "lost", "assigned 4"])
    }

    @Test func aProcessDiesAtACallBeforeOrAfterItsEffect() throws {
        for after in [false, true] {
            let process = cluster.process("a")
            let input = process.input(member: "a")
            let place = InputPartition(input: 0, partition: 0)
            cluster.setCommitted(place, to: 1)
            process.mishap = Mishap(.call(2, afterEffect: after), .death)
            var batch: [Record] = []
            _ = try input.poll(into: &batch, maxRecords: 1, timeoutMilliseconds: 1)
            #expect(failure { try input.commit([InputPosition(partition: place, offset: 2)]) } != nil)
            #expect(process.isDead)
            #expect(cluster.committed(place) == (after ? 2 : 1))
            #expect(failure { _ = try input.identity() } != nil)
            // Until the dead one is expelled, nobody else gets partitions.
            cluster.clock.advance(milliseconds: 11_000)
            cluster.settle()
            #expect(cluster.memberCount == 0)
        }
    }

    @Test func aPauseAtAStepLetsTheOthersGoOn() throws {
        let process = cluster.process("a")
        let zombie = member(process, "a")
        try turn(zombie) { zombie.assigned.count == 8 }
        let output = process.output(transactionalID: "a")
        try output.prepare()
        let other = member(cluster.process("b"), "b")
        let cluster = cluster
        process.mishap = Mishap(
            .step(.sentOffsets, occurrence: 1),
            .pause {
                cluster.clock.advance(milliseconds: 20_000)
                for _ in 0..<50 where other.assigned.count < 8 { try? other.turn() }
            })
        // The offsets were sent in time, but the transaction timed out meanwhile: whole or not at all.
        let position = InputPosition(partition: InputPartition(input: 0, partition: 0), offset: 3)
        guard case .unknown = failure({ try output.commit([position], as: zombie.membership!, timeoutMilliseconds: 60_000) }) else {
            Issue.record("committed"); return
        }
        #expect(other.assigned.count == 8)
        #expect(cluster.committed(position.partition) == nil)
    }

    @Test func aDeadProcessLeavesAPrefixOfEachPartition() throws {
        var lengths: Set<[Int]> = []
        for seed in 1...UInt64(40) {
            let cluster = SimulatedCluster(options: ClusterTests.options(partitions: 2), seed: seed)
            let process = cluster.process("a")
            let output = process.output(transactionalID: nil)
            for number in 0..<6 { try cluster.produce(output, "k", "\(number)", partition: Int32(number % 2)) }
            process.die()
            cluster.clock.advance(milliseconds: 1_000)
            cluster.settle()
            lengths.insert((0..<2).map { partition in
                let values = cluster.records(.state, partition: Int32(partition)).map { String(decoding: $0.record.value!, as: UTF8.self) }
                #expect(values == Array(["0", "2", "4"].prefix(values.count)) || values == Array(["1", "3", "5"].prefix(values.count)), "seed \(seed)")
                return values.count
            })
        }
        #expect(lengths.count > 4)
    }

    // MARK: Compaction

    @Test func compactionKeepsTheLastOfEachKeyAndOffsets() throws {
        let output = cluster.process("a").output(transactionalID: "a")
        try output.prepare()
        let nobody = try SimulatedCluster().process("n").input(member: "n").membership()
        func commit(_ records: (String, String?)...) throws {
            for (key, value) in records { try cluster.produce(output, key, value) }
            try output.commit([], as: nobody, timeoutMilliseconds: 100)
            cluster.clock.advance(milliseconds: 20)
            cluster.settle()
        }
        try commit(("a", "1"), ("b", "1"))
        try commit(("a", "2"), ("c", "1"))
        try cluster.produce(output, "b", "aborted")
        #expect(try output.flush(timeoutMilliseconds: 100))
        try output.abort()
        cluster.clock.advance(milliseconds: 20)
        try commit(("c", nil))
        let end = cluster.bounds(.state, partition: 0).end
        func left() -> [Int64] { cluster.records(.state, partition: 0).map(\.offset) }
        #expect(left() == [0, 1, 3, 4, 8])
        cluster.compact(.state, partition: 0)
        #expect(left() == [1, 3, 8])
        #expect(cluster.bounds(.state, partition: 0) == (0, end, end))
        cluster.clock.advance(milliseconds: 59_000)
        cluster.compact(.state, partition: 0)
        #expect(left() == [1, 3, 8])
        cluster.clock.advance(milliseconds: 2_000)
        cluster.compact(.state, partition: 0)
        #expect(left() == [1, 3])
        // An open transaction and what is behind it are left alone.
        try cluster.produce(output, "a", "3")
        #expect(try output.flush(timeoutMilliseconds: 100))
        cluster.compact(.state, partition: 0)
        #expect(left() == [1, 3])
        // A reader goes over the gaps.
        let reader = cluster.process("r").internalLog()
        var offsets: [Int64] = []
        var next: Int64 = 0
        while next < end {
            next = try reader.read(.state, partition: 0, from: next, maxRecords: 3, timeoutMilliseconds: 1) { offset, _ in
                offsets.append(offset)
            }
        }
        #expect(offsets == [1, 3])
    }

    @Test func theSameSeedGivesTheSameRun() throws {
        func run(seed: UInt64) throws -> [Int64] {
            let cluster = SimulatedCluster(options: ClusterTests.options(inputs: 2, partitions: 4), seed: seed)
            for number in 0..<100 { cluster.append(input: number % 2, partition: Int32(number % 4), key: "k", value: "v") }
            let reader = member(cluster.process("a"), "a")
            while reader.seen.count < 100 { try reader.turn() }
            return reader.seen.map { $0.offset * 10 + Int64($0.place.input) }
        }
        #expect(try run(seed: 3) == run(seed: 3))
        #expect(try run(seed: 3) != run(seed: 4))
    }
}
