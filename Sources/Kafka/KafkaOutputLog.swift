import CRdKafka
import Events
import struct Logging.Logger
import Runtime

/// The outputs of one shard: decisions, dead letters and its internal topics, through one producer.
///
/// With a transactional id everything between two commits becomes visible together with the offsets, or not at all.
/// Without one nothing expires while the brokers are away; the bounded queue fills instead and `produce` says `.retry`.
/// Either way a record the brokers refuse makes the next call throw, so that no offset is ever committed past a lost
/// output. Use from one thread only.
public final class KafkaOutputLog: OutputLog {
    private let decisionsTopic: Topic
    private let deadLettersTopic: Topic
    private let internalTopics: [Topic?]
    private let producer: Producer
    private let probe: ShardProbe?
    private var headers: [vk_header] = []
    /// By internal topic, then partition: the offset after the last acknowledged record; −1 where there is none.
    private var acknowledgedEnds: [[Int64]]

    /// - Parameters:
    ///   - properties: librdkafka's, as in the pipeline file. `transaction.timeout.ms` is 8/10 of the session timeout
    ///     where it does not say otherwise.
    ///   - stateTopic: nil drops records of the state topic; `cutsTopic` and `networksTopic` likewise.
    ///   - transactionalID: nil for at-least-once. No two live outputs may share one: the younger shuts the elder out.
    ///   - queueBytes: most bytes waiting for acknowledgement, at least 1 KiB.
    ///   - probe: called at the steps of a commit.
    /// - Throws: `.stop` for a property that is refused.
    public init(
        properties: [String: String], decisionsTopic: String, deadLettersTopic: String, stateTopic: String? = nil,
        cutsTopic: String? = nil, networksTopic: String? = nil, transactionalID: String? = nil, queueBytes: Int = 64 * 1024 * 1024, logger: Logger,
        probe: ShardProbe? = nil
    ) throws(LogFailure) {
        self.decisionsTopic = Topic(decisionsTopic)
        self.deadLettersTopic = Topic(deadLettersTopic)
        internalTopics = InternalTopic.allCases.map { topic in
            switch topic {
            case .state: stateTopic.map { Topic($0) }
            case .cuts: cutsTopic.map { Topic($0) }
            case .networks: networksTopic.map { Topic($0) }
            }
        }
        acknowledgedEnds = InternalTopic.allCases.map { _ in [] }
        self.probe = probe
        producer = try Producer(
            properties: properties, transactionalID: transactionalID, queueBytes: queueBytes, logger: logger)
        producer.acknowledged = { [unowned self] in note($0) }
        // Otherwise the first record waits up to a second for metadata. Without a broker it waits anyway.
        let topics = [decisionsTopic, deadLettersTopic] + internalTopics.compactMap { $0?.name }
        _ = try? producer.client.partitionCounts(topics, timeoutMilliseconds: 500)
    }

    deinit { close() }

    public var isTransactional: Bool { producer.isTransactional }

    public func prepare() throws(LogFailure) { try producer.prepare() }

    public func produce(_ output: Effects.Output, of effects: borrowing Effects) throws(LogFailure) {
        try ready()
        headers.removeAll(keepingCapacity: true)
        for index in output.headers {
            let header = effects.headers[index]
            headers.append(header.name.record(effects.view(header.value)))
        }
        let key = output.key.map { effects.view($0) } ?? .absent
        let value = output.value.map { effects.view($0) } ?? .absent
        let topic = switch output.kind {
        case .decision, .receipt: decisionsTopic
        case .deadLetter: deadLettersTopic
        }
        // The client may be set to send more than the topic takes, which only the broker would tell, after the fact.
        if output.kind == .deadLetter && value.count > Self.mostDeadLetterBytes { return try sendShortened(key, value) }
        switch producer.send(topic, key: key, value: value, headers: headers) {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            rd_kafka_poll(producer.client.handle, 0)
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE where output.kind == .deadLetter:
            try sendShortened(key, value)
        case let error:
            let origin = "the record at input \(output.input), partition \(output.partition), offset \(output.offset)"
            throw try producer.refusal(
                error, "topic \(topic.name): the output of \(origin) was not taken: \(text(error))")
        }
    }

    public func produce(_ record: InternalRecord) throws(LogFailure) {
        let index = record.topic.index
        guard let topic = internalTopics[index] else { return }
        try ready()
        let error = producer.send(
            topic, partition: record.partition, key: record.key, value: record.value, tag: index + 1)
        if error == RD_KAFKA_RESP_ERR_NO_ERROR {
            rd_kafka_poll(producer.client.handle, 0)
        } else {
            throw try producer.refusal(
                error, "topic \(topic.name)/\(record.partition): a record of \(record.value.count) bytes was not taken: \(text(error))")
        }
    }

    public func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool {
        try producer.flush(timeoutMilliseconds: timeoutMilliseconds)
    }

    public func commit(
        _ positions: [InputPosition], as member: any GroupMembership, timeoutMilliseconds: Int
    ) throws(LogFailure) {
        guard isTransactional else { throw .stop("an output without a transactional id has no transactions") }
        try producer.commit(positions, as: member, timeoutMilliseconds: timeoutMilliseconds, probe: probe)
    }

    public func abort() throws(LogFailure) {
        if isTransactional { try producer.abort() }
    }

    public func acknowledged(_ topic: InternalTopic, partition: Int32) -> Int64? {
        let ends = acknowledgedEnds[topic.index]
        guard ends.indices.contains(Int(partition)), ends[Int(partition)] >= 0 else { return nil }
        return ends[Int(partition)]
    }

    public func close() { producer.close() }

    /// Throws what is wrong with earlier records, and opens a transaction where one is needed.
    private func ready() throws(LogFailure) {
        try producer.check()
        if isTransactional { try producer.begin() }
    }

    private func note(_ message: UnsafePointer<rd_kafka_message_t>) {
        let tag = Int(bitPattern: message.pointee._private)
        guard tag > 0, message.pointee.partition >= 0 else { return }
        let partition = Int(message.pointee.partition)
        let missing = partition + 1 - acknowledgedEnds[tag - 1].count
        if missing > 0 { acknowledgedEnds[tag - 1] += Array(repeating: -1, count: missing) }
        acknowledgedEnds[tag - 1][partition] = max(acknowledgedEnds[tag - 1][partition], message.pointee.offset + 1)
    }

    // MARK: Records too large

    /// A topic takes batches of 1 MiB unless it is configured otherwise.
    static let mostDeadLetterBytes = 900_000
    /// Most bytes of value and of key that a shortened dead letter keeps.
    static let keptValueBytes = 32 * 1024
    static let keptKeyBytes = 1024

    /// A dead letter beyond the brokers' maximum keeps its first bytes, and says how long it was and what it hashed to.
    private func sendShortened(_ key: ByteView, _ value: ByteView) throws(LogFailure) {
        var note = "\(value.count) sha256:\(Digest.hex(Digest.sha256(value)))"
        let error = note.withUTF8 { bytes in
            headers.append(HeaderName.truncated.record(ByteView(UnsafeRawBufferPointer(bytes))))
            return producer.send(
                deadLettersTopic, key: key.prefix(Self.keptKeyBytes), value: value.prefix(Self.keptValueBytes),
                headers: headers)
        }
        if error != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw try producer.refusal(
                error, "topic \(deadLettersTopic.name): a shortened dead letter was not taken: \(text(error))")
        }
    }
}

extension InternalTopic {
    /// In the order of `allCases`.
    var index: Int {
        switch self {
        case .state: 0
        case .cuts: 1
        case .networks: 2
        }
    }
}

extension HeaderName {
    /// The name outlives every call; the value is borrowed. `StaticString`s end with NUL.
    func record(_ value: ByteView) -> vk_header {
        vk_header(
            name: UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self), value: value.base,
            value_count: value.count)
    }
}
