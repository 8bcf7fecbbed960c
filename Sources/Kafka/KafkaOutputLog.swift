import CRdKafka
import Events
import struct Logging.Logger
import Runtime

/// The outputs of one shard: an idempotent producer that waits for all replicas.
///
/// Nothing expires while the brokers are away; the bounded queue fills instead and `produce` says `.retry`. A record
/// the brokers refuse makes the next call throw, so that no offset is ever committed past a lost output. Use from one
/// thread only.
public final class KafkaOutputLog: OutputLog {
    private let decisionsTopic: Topic
    private let deadLettersTopic: Topic
    private let properties: [String: String]
    private let queueBytes: Int
    private let logger: Logger
    private var client: Client
    private var failure: LogFailure?
    private var headers: [vk_header] = []

    /// - Parameter queueBytes: most bytes waiting for acknowledgement, at least 1 KiB.
    /// - Throws: `.stop` for a property that is refused.
    public init(
        properties: [String: String], decisionsTopic: String, deadLettersTopic: String,
        queueBytes: Int = 64 * 1024 * 1024, logger: Logger
    ) throws(LogFailure) {
        self.decisionsTopic = Topic(decisionsTopic)
        self.deadLettersTopic = Topic(deadLettersTopic)
        self.properties = properties
        self.queueBytes = queueBytes
        self.logger = logger
        client = try Self.makeClient(properties, queueBytes: queueBytes, logger: logger)
        listen()
        // Otherwise the first record waits up to a second for metadata. Without a broker it waits anyway.
        _ = try? client.partitionCounts([decisionsTopic, deadLettersTopic], timeoutMilliseconds: 500)
    }

    deinit { close() }

    static func makeClient(
        _ properties: [String: String], queueBytes: Int, logger: Logger
    ) throws(LogFailure) -> Client {
        try Client(
            .producer,
            KafkaProperties(
                defaults: [
                    ("partitioner", "murmur2_random"), ("compression.type", "lz4"), ("linger.ms", "2"),
                    ("queue.buffering.max.kbytes", String(max(1, min(queueBytes / 1024, 2_097_151)))),
                    ("queue.buffering.max.messages", "1000000"), ("socket.nagle.disable", "true"),
                    ("client.id", "vigil"), ("allow.auto.create.topics", "false"),
                ], user: properties,
                fixed: [("enable.idempotence", "true"), ("acks", "all"), ("message.timeout.ms", "0")]),
            name: "producer", logger: logger)
    }

    public func produce(_ output: Effects.Output, of effects: borrowing Effects) throws(LogFailure) {
        try check()
        headers.removeAll(keepingCapacity: true)
        for index in output.headers {
            let header = effects.headers[index]
            headers.append(header.name.record(effects.view(header.value)))
        }
        let key = output.key.map { effects.view($0) } ?? .absent
        let value = output.value.map { effects.view($0) } ?? .absent
        let topic = output.kind == .deadLetter ? deadLettersTopic : decisionsTopic
        let error = send(topic, key, value)
        switch error {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            rd_kafka_poll(client.handle, 0)
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            rd_kafka_poll(client.handle, 0)
            try check()
            throw .retry("the producer's queue is full")
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE where output.kind == .deadLetter:
            try sendShortened(key, value)
        default:
            try check()
            let origin = "the record at input \(output.input), partition \(output.partition), offset \(output.offset)"
            let words = "topic \(topic.name): the output of \(origin) was not taken: \(text(error))"
            throw error == RD_KAFKA_RESP_ERR__FATAL ? .fenced(words) : .stop(words)
        }
    }

    public func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool {
        rd_kafka_flush(client.handle, Int32(clamping: max(0, timeoutMilliseconds)))
        try check()
        return rd_kafka_outq_len(client.handle) == 0
    }

    public func close() { client.close() }

    private func send(_ topic: Topic, _ key: ByteView, _ value: ByteView) -> rd_kafka_resp_err_t {
        topic.bytes.withUnsafeBufferPointer { name in
            headers.withUnsafeBufferPointer { list in
                vk_produce(
                    client.handle, name.baseAddress, -1, key.base, key.count, value.base, value.count,
                    list.baseAddress, list.count)
            }
        }
    }

    // MARK: Records too large

    /// Most bytes of value and of key that a shortened dead letter keeps.
    static let keptValueBytes = 32 * 1024
    static let keptKeyBytes = 1024

    /// A dead letter beyond the brokers' maximum keeps its first bytes, and says how long it was and what it hashed to.
    private func sendShortened(_ key: ByteView, _ value: ByteView) throws(LogFailure) {
        let note = "\(value.count) sha256:\(Digest.hex(Digest.sha256(value)))"
        var note8 = note
        let error = note8.withUTF8 { bytes in
            headers.append(HeaderName.truncated.record(ByteView(UnsafeRawBufferPointer(bytes))))
            return send(deadLettersTopic, key.prefix(Self.keptKeyBytes), value.prefix(Self.keptValueBytes))
        }
        switch error {
        case RD_KAFKA_RESP_ERR_NO_ERROR: return
        case RD_KAFKA_RESP_ERR__QUEUE_FULL: throw .retry("the producer's queue is full")
        default: throw .stop("topic \(deadLettersTopic.name): a shortened dead letter was not taken: \(text(error))")
        }
    }

    // MARK: Delivery reports

    private func listen() {
        client.events.delivered = { [unowned self] message in delivered(message.pointee) }
    }

    private func delivered(_ message: rd_kafka_message_t) {
        if message.err == RD_KAFKA_RESP_ERR_NO_ERROR {
            client.events.sawBroker()
            return
        }
        let topic = message.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? "an output"
        let words = "topic \(topic): a record of \(message.len) bytes could not be delivered: \(text(message.err))"
        switch message.err {
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
            failure = failure ?? .stop(
                "\(words). The broker takes less than this client sends: set Kafka property `message.max.bytes` to the topic's max.message.bytes")
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            failure = failure ?? .stop("topic \(topic) does not exist: `vigil topics FILE --create` makes it")
        default:
            failure = failure ?? (isFinal(message.err) ? .stop(words) : .fenced(words))
        }
    }

    /// Throws what went wrong since the last call. After `.fenced` the producer is a new one, and what the old one
    /// had not delivered is gone: the shard goes back to its last commit.
    private func check() throws(LogFailure) {
        guard let found = client.events.failure ?? failure else { return }
        client.events.failure = nil
        failure = nil
        if case .fenced = found {
            client.close(deadlineMilliseconds: 2_000)
            client = try Self.makeClient(properties, queueBytes: queueBytes, logger: logger)
            listen()
        }
        throw found
    }
}

/// A topic's name for Swift and for C.
struct Topic {
    let name: String
    let bytes: [CChar]
    init(_ name: String) {
        self.name = name
        bytes = Array(name.utf8CString)
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
