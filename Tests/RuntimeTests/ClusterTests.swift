import Events
import Runtime
import Testing
import VigilTesting

/// The simulated cluster by itself: what exactly-once rests on must be there before a shard is tried on it.
@Suite struct ClusterTests {
    static func options(inputs: Int = 1, partitions: Int32 = 2) -> ClusterOptions {
        var options = ClusterOptions()
        options.inputs = inputs
        options.partitions = partitions
        return options
    }

    let cluster = SimulatedCluster(options: Self.options())
    let everybody = NoMember()

    /// For outputs whose group has no members.
    final class NoMember {
        let cluster = SimulatedCluster()
        func membership() throws -> any GroupMembership {
            try cluster.process("none").input(member: "none").membership()
        }
    }

    func prepared(_ id: String, in process: SimulatedProcess) throws -> any OutputLog {
        let output = process.output(transactionalID: id)
        try retrying { () throws(LogFailure) in try output.prepare() }
        return output
    }

    func retrying(_ call: () throws(LogFailure) -> Void) throws {
        for _ in 0..<100 {
            do throws(LogFailure) { return try call() } catch .retry {} catch { throw error }
        }
        Issue.record("retried 100 times in vain")
    }

    func commit(_ output: any OutputLog, _ positions: [InputPosition] = [], as member: (any GroupMembership)? = nil) throws {
        let member = try member ?? everybody.membership()
        try retrying { () throws(LogFailure) in try output.commit(positions, as: member, timeoutMilliseconds: 100) }
    }

    func put(_ output: any OutputLog, _ key: String, _ value: String?, _ topic: InternalTopic = .state, partition: Int32 = 0) throws {
        try cluster.produce(output, key, value, topic, partition: partition)
    }

    func texts(_ topic: ClusterTopic = .state, partition: Int32 = 0) -> [String] {
        cluster.records(topic, partition: partition).map {
            "\(String(decoding: $0.record.key ?? [], as: UTF8.self))=\($0.record.value.map { String(decoding: $0, as: UTF8.self) } ?? "∅")"
        }
    }

    func failure(_ call: () throws -> Void) -> LogFailure? {
        do { try call(); return nil } catch { return error as? LogFailure }
    }

    func pass(_ milliseconds: Int) {
        cluster.clock.advance(milliseconds: milliseconds)
        cluster.settle()
    }

    // MARK: Transactions

    @Test func committedRecordsAppearTogetherAndOpenOnesNotAtAll() throws {
        let output = try prepared("a", in: cluster.process("p"))
        try put(output, "k", "1")
        try put(output, "k", "2", .cuts)
        #expect(try output.flush(timeoutMilliseconds: 100))
        #expect(texts().isEmpty)
        #expect(cluster.bounds(.state, partition: 0) == (0, 0, 1))
        let place = InputPartition(input: 0, partition: 1)
        try commit(output, [InputPosition(partition: place, offset: 7)])
        pass(20)
        #expect(texts() == ["k=1"])
        #expect(texts(.cuts) == ["k=2"])
        #expect(cluster.committed(place) == 7)
        // The record and its marker.
        #expect(cluster.bounds(.state, partition: 0) == (0, 2, 2))
        #expect(output.acknowledged(.state, partition: 0) == 1)
    }

    @Test func abortedRecordsAreNeverSeen() throws {
        let output = try prepared("a", in: cluster.process("p"))
        try put(output, "k", "1")
        #expect(try output.flush(timeoutMilliseconds: 100))
        try retrying { () throws(LogFailure) in try output.abort() }
        try put(output, "k", "2")
        try commit(output)
        pass(20)
        #expect(texts() == ["k=2"])
        // An abort of nothing is nothing.
        try output.abort()
    }

    @Test func anOpenTransactionHoldsBackWhatIsBehindIt() throws {
        let slow = try prepared("slow", in: cluster.process("p"))
        let quick = try prepared("quick", in: cluster.process("q"))
        try put(slow, "slow", "1")
        #expect(try slow.flush(timeoutMilliseconds: 100))
        try put(quick, "quick", "1")
        try commit(quick)
        pass(20)
        #expect(texts().isEmpty)
        try commit(slow)
        pass(20)
        #expect(texts() == ["slow=1", "quick=1"])
    }

    @Test func markersComeOneByOneAfterTheAnswer() throws {
        var options = Self.options()
        options.markerDelay = 1_000
        let cluster = SimulatedCluster(options: options, seed: 5)
        let output = cluster.process("p").output(transactionalID: "a")
        try output.prepare()
        for partition in 0..<Int32(2) { try cluster.produce(output, "k", "1", .state, partition: partition) }
        try output.commit([], as: try everybody.membership(), timeoutMilliseconds: 100)
        let isOpen = { (partition: Int32) in
            let bounds = cluster.bounds(.state, partition: partition)
            return bounds.stable < bounds.end
        }
        #expect(isOpen(0) && isOpen(1))
        while isOpen(0) && isOpen(1) {
            cluster.clock.advance(milliseconds: 1)
            cluster.settle()
        }
        #expect(isOpen(0) != isOpen(1))
        // The next transaction waits for the last marker, and is whole.
        try cluster.produce(output, "k", "2", .state, partition: 0)
        #expect(try output.flush(timeoutMilliseconds: 2_000))
        #expect(!isOpen(1))
    }

    @Test func anotherLifeUnderTheSameNameShutsTheFirstOut() throws {
        let first = try prepared("a", in: cluster.process("p"))
        try put(first, "k", "1")
        #expect(try first.flush(timeoutMilliseconds: 100))
        let second = try prepared("a", in: cluster.process("q"))
        #expect(cluster.bounds(.state, partition: 0) == (0, 2, 2))
        try put(second, "k", "2")
        try commit(second)
        let failure = failure {
            try put(first, "k", "3")
            try commit(first)
        }
        guard case .unknown = failure else { Issue.record("\(String(describing: failure))"); return }
        pass(20)
        #expect(texts() == ["k=2"])
        // The first may come back under the same name.
        try retrying { () throws(LogFailure) in try first.prepare() }
        try put(first, "k", "4")
        try commit(first)
        pass(20)
        #expect(texts() == ["k=2", "k=4"])
    }

    @Test func aTransactionLeftOpenTimesOutAndItsProducerIsShutOut() throws {
        let output = try prepared("a", in: cluster.process("p"))
        try put(output, "k", "1")
        #expect(try output.flush(timeoutMilliseconds: 100))
        pass(7_000)
        #expect(cluster.bounds(.state, partition: 0).stable == 0)
        pass(3_000)
        pass(20)
        #expect(cluster.bounds(.state, partition: 0) == (0, 2, 2))
        guard case .unknown = failure({ try commit(output) }) else { Issue.record("not fenced"); return }
        #expect(texts().isEmpty)
    }

    @Test func pendingOffsetsAreNotRead() throws {
        let process = cluster.process("p")
        let input = cluster.process("q").input(member: "m")
        let output = try prepared("a", in: process)
        let place = InputPartition(input: 0, partition: 0)
        process.mishap = Mishap(.step(.sentOffsets, occurrence: 1), .death)
        _ = failure { try commit(output, [InputPosition(partition: place, offset: 5)]) }
        #expect(process.isDead)
        guard case .retry = failure({ _ = try input.committed([place]) }) else { Issue.record("offsets were read"); return }
        _ = try prepared("a", in: cluster.process("r"))
        #expect(try input.committed([place]) == [nil])
    }

    // MARK: The end of a transaction

    @Test func aLostRequestLeavesTheTransactionOpen() throws {
        let output = try prepared("a", in: cluster.process("p"))
        try put(output, "k", "1")
        cluster.endFaults = [.requestLost]
        guard case .unknown = failure({ try commit(output) }) else { Issue.record("known"); return }
        #expect(cluster.bounds(.state, partition: 0).stable == 0)
        guard case .unknown = failure({ try put(output, "k", "2") }) else { Issue.record("usable"); return }
        _ = try prepared("a", in: cluster.process("q"))
        #expect(texts().isEmpty)
    }

    @Test func aLostAnswerMeansItWasCommitted() throws {
        let output = try prepared("a", in: cluster.process("p"))
        try put(output, "k", "1")
        cluster.endFaults = [.answerLost]
        guard case .unknown = failure({ try commit(output) }) else { Issue.record("known"); return }
        #expect(texts() == ["k=1"])
    }

    @Test func aDelayedEndIsHarmlessOnceTheEpochMovedOn() throws {
        let output = try prepared("a", in: cluster.process("p"))
        try put(output, "k", "1")
        cluster.endFaults = [.delayed(milliseconds: 3_000)]
        guard case .unknown = failure({ try commit(output) }) else { Issue.record("known"); return }
        let second = try prepared("a", in: cluster.process("p"))
        try put(second, "k", "2")
        #expect(try second.flush(timeoutMilliseconds: 100))
        pass(4_000)
        pass(20)
        #expect(texts().isEmpty)
        try commit(second)
        pass(20)
        #expect(texts() == ["k=2"])
    }

    /// What KIP-890 is about, and why a producer must not go on after an end it doesn't know.
    @Test func aDelayedEndOfTheSameEpochEndsALaterTransaction() throws {
        var options = Self.options()
        options.repeatsUnknownEnds = true
        let cluster = SimulatedCluster(options: options)
        let output = cluster.process("p").output(transactionalID: "a")
        try output.prepare()
        try cluster.produce(output, "k", "1")
        cluster.endFaults = [.delayed(milliseconds: 2_500)]
        try output.commit([], as: try everybody.membership(), timeoutMilliseconds: 10_000)
        try cluster.produce(output, "k", "half")
        #expect(try output.flush(timeoutMilliseconds: 100))
        cluster.clock.advance(milliseconds: 1_000)
        cluster.settle()
        cluster.clock.advance(milliseconds: 20)
        cluster.settle()
        #expect(cluster.records(.state, partition: 0).count == 2)
    }

    @Test func anAnswerThatComesLateIsWaitedFor() throws {
        let output = try prepared("a", in: cluster.process("p"))
        try put(output, "k", "1")
        cluster.endFaults = [.requestLost]
        let member = try everybody.membership()
        guard case .retry = failure({ try output.commit([], as: member, timeoutMilliseconds: 50) }) else {
            Issue.record("no answer, and yet one"); return
        }
        guard case .unknown = failure({ try output.commit([], as: member, timeoutMilliseconds: 5_000) }) else {
            Issue.record("known"); return
        }
    }
}

extension SimulatedCluster {
    /// Produces one internal record.
    func produce(
        _ output: any OutputLog, _ key: String, _ value: String?, _ topic: InternalTopic = .state, partition: Int32 = 0
    ) throws {
        var key = key
        var text = value ?? ""
        try key.withUTF8 { key in
            try text.withUTF8 { text in
                try output.produce(InternalRecord(
                    topic: topic, partition: partition, key: ByteView(UnsafeRawBufferPointer(key)),
                    value: value == nil ? .absent : ByteView(UnsafeRawBufferPointer(text))))
            }
        }
    }
}
