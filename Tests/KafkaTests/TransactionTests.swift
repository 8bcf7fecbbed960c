import Events
import Runtime
import Testing

@testable import Kafka

/// One shard's ends on a real broker, its topics, and a reader of committed records.
struct TransactionalEnds {
    let broker: RealBroker
    let partitions: Int
    var properties: [String: String] { broker.properties }
    var input: String { "\(broker.run)-logins" }
    var decisions: String { "\(broker.run)-decisions" }
    var letters: String { "\(broker.run)-letters" }
    var state: String { "\(broker.run)-state" }
    var cuts: String { "\(broker.run)-cuts" }
    var networks: String { "\(broker.run)-networks" }

    init(partitions: Int = 2) throws {
        broker = RealBroker()
        self.partitions = partitions
        try broker.create(
            .input(input, partitions: partitions), .output(decisions, partitions: 1), .output(letters, partitions: 1),
            .output(state, partitions: partitions), .output(cuts, partitions: partitions),
            .output(networks, partitions: partitions))
    }

    /// `patience` is for how long a transaction may stay open, in milliseconds; by default less than a session may be silent.
    func output(id: String? = "shard-0", patience: Int? = nil, probe: ShardProbe? = nil) throws -> KafkaOutputLog {
        let more = patience.map { ["transaction.timeout.ms": "\($0)"] } ?? [:]
        let log = try KafkaOutputLog(
            properties: properties.merging(more) { $1 }, decisionsTopic: decisions, deadLettersTopic: letters, stateTopic: state,
            cutsTopic: cuts, networksTopic: networks, transactionalID: id.map { "\(broker.run)-\($0)" },
            queueBytes: 1 << 20, logger: quiet, probe: probe)
        try retrying { () throws(LogFailure) in try log.prepare() }
        return log
    }

    func reader() throws -> Reader { try Reader(properties, topics: [input], group: broker.run) }

    /// A reader that has its partitions, and its membership.
    func member() throws -> (Reader, any GroupMembership) {
        let reader = try reader()
        try until("an assignment") { try reader.turn(); return reader.assigned.count == partitions }
        return (reader, try reader.log.membership())
    }

    func internalLog() throws -> KafkaInternalLog {
        try KafkaInternalLog(
            properties: properties, stateTopic: state, cutsTopic: cuts, networksTopic: networks, logger: quiet)
    }

    func position(_ partition: Int32, _ offset: Int64) -> InputPosition {
        InputPosition(partition: InputPartition(input: 0, partition: partition), offset: offset)
    }
}

/// Produces a record of an internal topic.
func produce(
    _ log: KafkaOutputLog, _ topic: InternalTopic, partition: Int32 = 0, key: String, value: String?
) throws(LogFailure) {
    let key = Array(key.utf8), content = value.map { Array($0.utf8) } ?? []
    try key.withUnsafeBufferPointer { key throws(LogFailure) in
        try content.withUnsafeBufferPointer { bytes throws(LogFailure) in
            try log.produce(InternalRecord(
                topic: topic, partition: partition, key: ByteView(base: key.baseAddress, count: key.count),
                value: value == nil ? .absent : ByteView(base: bytes.baseAddress, count: bytes.count)))
        }
    }
}

/// Commits, as often as it says to retry.
func commit(
    _ log: KafkaOutputLog, _ positions: [InputPosition], _ member: any GroupMembership
) throws(LogFailure) {
    try retrying { () throws(LogFailure) in try log.commit(positions, as: member, timeoutMilliseconds: 1_000) }
}

/// Everything of a partition of an internal topic that is committed, and where reading ended.
func readAll(
    _ log: KafkaInternalLog, _ topic: InternalTopic, partition: Int32 = 0, from start: Int64 = 0, to end: Int64,
    maxRecords: Int = 100
) throws -> (records: [(offset: Int64, key: String, value: String?)], next: Int64) {
    var records: [(offset: Int64, key: String, value: String?)] = []
    var next = start
    try until("offset \(end) of \(topic)/\(partition)") {
        next = try log.read(
            topic, partition: partition, from: next, maxRecords: maxRecords, timeoutMilliseconds: 100
        ) { offset, record in
            records.append((offset, record.key.string, record.value.isPresent ? record.value.string : nil))
        }
        return next >= end
    }
    return (records, next)
}

/// What a call throws; nil when it throws nothing.
func failure(_ body: () throws(LogFailure) -> Void) -> LogFailure? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}

extension LogFailure {
    var isRetry: Bool { if case .retry = self { true } else { false } }
    var isAborted: Bool { if case .aborted = self { true } else { false } }
    var isUnknown: Bool { if case .unknown = self { true } else { false } }
    var isStop: Bool { if case .stop = self { true } else { false } }
}

extension RealBrokerTests {
@Suite struct Transactions {
    @Test func recordsAndOffsetsBecomeVisibleTogether() throws {
        let ends = try TransactionalEnds()
        let (reader, member) = try ends.member()
        var steps: [ShardStep] = []
        let output = try ends.output { steps.append($0) }
        let restore = try ends.internalLog()
        let partition = InputPartition(input: 0, partition: 1)
        #expect(try retrying { () throws(LogFailure) in try restore.bounds(.state, partition: 1) } == (first: 0, end: 0))

        try produce(output, .decision, key: "alice", value: [1])
        try produce(output, .state, partition: 1, key: "7", value: "row")
        try produce(output, .state, partition: 1, key: "8", value: nil)
        try produce(output, .cuts, partition: 1, key: "cut", value: "1")
        try until("delivery") { try output.flush(timeoutMilliseconds: 100) }
        #expect(output.acknowledged(.state, partition: 1) == 2 && output.acknowledged(.cuts, partition: 1) == 1)
        #expect(output.acknowledged(.state, partition: 0) == nil)
        // The end counts what is not committed; nothing of it is handed over.
        #expect(try restore.bounds(.state, partition: 1) == (first: 0, end: 2))
        #expect(try restore.read(.state, partition: 1, from: 0, maxRecords: 10, timeoutMilliseconds: 300) { _, _ in
            Issue.record("a record of an open transaction was handed over")
        } == 0)
        #expect(try reader.log.committed([partition]) == [nil])

        try commit(output, [ends.position(1, 5)], member)
        #expect(steps == [.sendingOffsets, .sentOffsets, .ending, .ended])
        let state = try readAll(restore, .state, partition: 1, to: 3)
        #expect(state.records.map(\.key) == ["7", "8"] && state.records.map(\.value) == ["row", nil])
        // Past the marker, which is no record.
        #expect(state.next == 3)
        #expect(try retrying { () throws(LogFailure) in try reader.log.committed([partition]) } == [5])
        #expect(try read(ends.decisions, count: 1, ends.properties)[0].key == Array("alice".utf8))
        reader.log.close()
        output.close()
        restore.close()
    }

    @Test func abortLeavesNothing() throws {
        let ends = try TransactionalEnds()
        let (reader, member) = try ends.member()
        let output = try ends.output()
        try output.abort()
        for round in 0..<3 {
            try produce(output, .state, key: "\(round)", value: "aborted")
            _ = try output.flush(timeoutMilliseconds: round == 0 ? 0 : 5_000)
            try retrying { () throws(LogFailure) in try output.abort() }
            try produce(output, .state, key: "\(round)", value: "kept")
            try commit(output, [ends.position(0, Int64(round + 1))], member)
        }
        let restore = try ends.internalLog()
        let end = try restore.bounds(.state, partition: 0).end
        // Small batches: reading on at a marker or an aborted record must not stick.
        let state = try readAll(restore, .state, to: end, maxRecords: 1)
        #expect(state.records.map(\.value) == ["kept", "kept", "kept"])
        #expect(try retrying { () throws(LogFailure) in try reader.log.committed(reader.assigned) }.contains(3))
        reader.log.close()
        output.close()
        restore.close()
    }

    @Test func trailingAbortIsPassed() throws {
        let ends = try TransactionalEnds()
        let output = try ends.output()
        for _ in 0..<5 { try produce(output, .cuts, key: "a", value: "aborted") }
        _ = try output.flush(timeoutMilliseconds: 5_000)
        try retrying { () throws(LogFailure) in try output.abort() }
        let restore = try ends.internalLog()
        let end = try restore.bounds(.cuts, partition: 0).end
        #expect(end == 6)
        #expect(try readAll(restore, .cuts, to: end).records.isEmpty)
        output.close()
        restore.close()
    }

    @Test func readingStopsBeforeAnOpenTransaction() throws {
        let ends = try TransactionalEnds()
        let member = NoMembership()
        let (first, second) = (try ends.output(id: "a"), try ends.output(id: "b", patience: 60_000))
        try produce(first, .state, key: "before", value: "1")
        try commit(first, [], member)
        try produce(second, .state, key: "open", value: "2")
        try until("delivery") { try second.flush(timeoutMilliseconds: 100) }
        try produce(first, .state, key: "behind", value: "3")
        try commit(first, [], member)
        let restore = try ends.internalLog()
        let end = try restore.bounds(.state, partition: 0).end
        let before = try readAll(restore, .state, to: 2)
        #expect(before.records.map(\.key) == ["before"] && before.next == 2 && end > 2)
        #expect(try restore.read(.state, partition: 0, from: 2, maxRecords: 10, timeoutMilliseconds: 200) { _, _ in
            Issue.record("a record behind an open transaction was handed over")
        } == 2)
        try commit(second, [], member)
        let rest = try readAll(restore, .state, from: 2, to: restore.bounds(.state, partition: 0).end)
        #expect(rest.records.map(\.key) == ["open", "behind"])
        for log in [first, second] { log.close() }
        restore.close()
    }

    @Test func youngerOutputShutsTheElderOut() throws {
        let ends = try TransactionalEnds()
        let (reader, member) = try ends.member()
        let elder = try ends.output()
        try produce(elder, .decision, key: "elder", value: [1])
        try until("delivery") { try elder.flush(timeoutMilliseconds: 100) }
        let younger = try ends.output()
        let why = failure { () throws(LogFailure) in try commit(elder, [ends.position(0, 1)], member) }
        #expect(why?.isUnknown == true, "\(String(describing: why))")
        #expect(failure { () throws(LogFailure) in try produce(elder, .decision, key: "elder", value: [1]) }?.isUnknown == true)
        #expect(failure { () throws(LogFailure) in try elder.abort() }?.isUnknown == true)
        try produce(younger, .decision, key: "younger", value: [2])
        try commit(younger, [ends.position(0, 2)], member)
        #expect(try read(ends.decisions, count: 1, ends.properties).map(\.key) == [Array("younger".utf8)])
        #expect(try retrying { () throws(LogFailure) in try reader.log.committed([InputPartition(input: 0, partition: 0)]) } == [2])
        // The elder may come back under the same name.
        try retrying { () throws(LogFailure) in try elder.prepare() }
        try produce(elder, .decision, key: "again", value: [3])
        try commit(elder, [ends.position(0, 3)], member)
        #expect(try read(ends.decisions, count: 2, ends.properties).last?.key == Array("again".utf8))
        reader.log.close()
        elder.close()
        younger.close()
    }

    @Test func staleMemberCannotCommit() throws {
        let ends = try TransactionalEnds()
        let (first, member) = try ends.member()
        let output = try ends.output()
        try produce(output, .decision, key: "stale", value: [1])
        let second = try ends.reader()
        try until("a share for each", seconds: 40) {
            try first.turn()
            try second.turn()
            return first.assigned.count == 1 && second.assigned.count == 1
        }
        let why = failure { () throws(LogFailure) in try commit(output, [ends.position(0, 1)], member) }
        #expect(why?.isAborted == true, "\(String(describing: why))")
        try retrying { () throws(LogFailure) in try output.abort() }
        // With the membership of today the same output goes on.
        let taken = first.assigned[0]
        try produce(output, .decision, key: "fresh", value: [2])
        try commit(output, [InputPosition(partition: taken, offset: 4)], first.log.membership())
        #expect(try read(ends.decisions, count: 1, ends.properties).map(\.key) == [Array("fresh".utf8)])
        #expect(try retrying { () throws(LogFailure) in try first.log.committed([taken]) } == [4])
        for reader in [first, second] { reader.log.close() }
        output.close()
    }

    @Test func positionsAloneAreATransactionAndNothingIsNone() throws {
        let ends = try TransactionalEnds()
        let (reader, member) = try ends.member()
        var steps: [ShardStep] = []
        let output = try ends.output { steps.append($0) }
        try output.commit([], as: member, timeoutMilliseconds: 1_000)
        #expect(steps.isEmpty)
        for offset in Int64(1)...3 { try commit(output, [ends.position(0, offset), ends.position(1, offset)], member) }
        let partitions = (0..<2).map { InputPartition(input: 0, partition: Int32($0)) }
        #expect(try retrying { () throws(LogFailure) in try reader.log.committed(partitions) } == [3, 3])
        #expect(failure { () throws(LogFailure) in try commit(output, [ends.position(0, 9)], NoMembership()) }?.isStop == true)
        reader.log.close()
        output.close()
    }

    @Test func offsetsOfAnOpenTransactionAreWaitedFor() throws {
        let ends = try TransactionalEnds()
        let (reader, member) = try ends.member()
        let output = try ends.output { step throws(LogFailure) in
            if step == .sentOffsets { throw .retry("held here") }
        }
        try produce(output, .decision, key: "a", value: [1])
        #expect(failure { () throws(LogFailure) in
            try output.commit([ends.position(0, 1)], as: member, timeoutMilliseconds: 5_000)
        }?.isRetry == true)
        let partition = InputPartition(input: 0, partition: 0)
        let why = failure { () throws(LogFailure) in _ = try reader.log.committed([partition]) }
        #expect(why?.isRetry == true, "\(String(describing: why))")
        // The same call goes on where it was.
        try commit(output, [ends.position(0, 1)], member)
        #expect(try retrying { () throws(LogFailure) in try reader.log.committed([partition]) } == [1])
        reader.log.close()
        output.close()
    }

    @Test func endsArePastTrailingMarkers() throws {
        let ends = try TransactionalEnds(partitions: 1)
        // The input itself is written in transactions: one committed, one aborted.
        let writer = try KafkaOutputLog(
            properties: ends.properties, decisionsTopic: ends.input, deadLettersTopic: ends.letters,
            transactionalID: "\(ends.broker.run)-writer", queueBytes: 1 << 20, logger: quiet)
        try retrying { () throws(LogFailure) in try writer.prepare() }
        try produce(writer, .decision, key: "a", value: [1])
        try commit(writer, [], NoMembership())
        try produce(writer, .decision, key: "b", value: [1])
        try until("delivery") { try writer.flush(timeoutMilliseconds: 100) }
        try retrying { () throws(LogFailure) in try writer.abort() }
        let reader = try ends.reader()
        let partition = InputPartition(input: 0, partition: 0)
        try until("the record and the end") {
            try reader.turn()
            return reader.seen.count == 1 && !reader.log.hasMore(partition)
        }
        #expect(try reader.log.bounds([partition])[0].end == 4)
        try produce(writer, .decision, key: "c", value: [1])
        try until("delivery") { try writer.flush(timeoutMilliseconds: 100) }
        try until("what is not committed yet") { try reader.turn(milliseconds: 20); return reader.log.hasMore(partition) }
        try commit(writer, [], NoMembership())
        try until("the next record") { try reader.turn(); return reader.seen.count == 2 && !reader.log.hasMore(partition) }
        #expect(reader.seen.map(\.key) == ["a", "c"])
        reader.log.close()
        writer.close()
    }

    @Test func stretchesOfATopicAreReadByOffset() throws {
        let ends = try TransactionalEnds()
        let output = try ends.output()
        for round in 0..<4 {
            for i in 0..<10 { try produce(output, .decision, key: "\(round)-\(i)", value: [1], headers: [(.ceID, "\(i)")]) }
            if round == 2 {
                try until("delivery") { try output.flush(timeoutMilliseconds: 100) }
                try retrying { () throws(LogFailure) in try output.abort() }
            } else {
                try commit(output, [], NoMembership())
            }
        }
        let range = try KafkaRange(properties: ends.properties, logger: quiet)
        #expect(try range.partitions(of: ends.decisions) == 1)
        #expect(try range.partitions(of: "\(ends.broker.run)-nowhere") == nil)
        let end = try range.bounds(ends.decisions, partition: 0).end
        #expect(end == 44)
        var found: [KafkaTail.Entry] = []
        var next: Int64 = 5
        try until("the end") {
            next = try range.read(ends.decisions, partition: 0, from: next, maxRecords: 3, timeoutMilliseconds: 100) { found.append($0) }
            return next >= end
        }
        #expect(found.count == 25 && found.first?.offset == 5 && found.last?.header("ce_id") == "9")
        #expect(found.map(\.offset) == found.map(\.offset).sorted())
        // Back to one record, as an explanation asks for.
        var one: [KafkaTail.Entry] = []
        _ = try range.read(ends.decisions, partition: 0, from: 12, maxRecords: 1, timeoutMilliseconds: 5_000) { one.append($0) }
        #expect(one.map(\.key) == [Array("1-1".utf8)])
        // A topic may be unknown for a moment, not for long.
        var why: LogFailure?
        try until("the refusal") {
            why = failure { () throws(LogFailure) in
                _ = try range.read("\(ends.broker.run)-nowhere", partition: 0, from: 0, timeoutMilliseconds: 100) { _ in }
            }
            return why?.isRetry != true
        }
        #expect(why?.isStop == true)
        range.close()
        output.close()
    }

    @Test func tooLargeForTheBrokerStopsWithARemedy() throws {
        let ends = try TransactionalEnds()
        let output = try ends.output()
        let large = String(repeating: "x", count: 2_000_000)
        let why = failure { () throws(LogFailure) in try produce(output, .state, key: "a", value: large) }
        #expect(why?.isStop == true && why?.description.contains("message.max.bytes") == true)
        #expect(failure { () throws(LogFailure) in try produce(output, .cuts, partition: 7, key: "a", value: "1") }?.description.contains("partitions") == true)
        output.close()
    }
}
}
