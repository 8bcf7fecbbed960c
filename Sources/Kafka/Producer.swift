import CRdKafka
import Events
import struct Logging.Logger
import Runtime

/// A producer that waits for all replicas: idempotent, or transactional where it has a transactional id.
///
/// A record the brokers refuse makes the next call throw, so that nothing is ever committed past a lost record. Use
/// from one thread only.
final class Producer {
    /// Where the transaction stands; the calls that lead from one state to the next are in Producer+Transactions.swift.
    ///
    ///     unprepared ─prepare→ idle ─begin→ open ─offsets sent→ sealed ─→ ending ─ended→ idle
    ///                                        └────────┬──────────┘          └─outcome open→ dead
    ///                                                abort→ aborting ─→ idle
    ///
    /// A fatal error leads from every state to `dead`, and `prepare` from there with a new client to `idle`.
    enum Transaction: Equatable {
        case unprepared, idle, open, sealed, aborting
        /// Since when, in monotonic milliseconds.
        case ending(since: Int)
        /// Why the client can't be used any more.
        case dead(String)
    }

    private(set) var client: Client
    /// Nil for a producer without transactions.
    let transactionalID: String?
    /// After so many milliseconds brokers abort a transaction that has not ended.
    let transactionMilliseconds: Int
    var transaction = Transaction.unprepared
    /// The open transaction's end was asked for more than once.
    var wasEndRetried = false
    /// Called for every record the brokers have taken.
    var acknowledged: ((UnsafePointer<rd_kafka_message_t>) -> Void)?

    private let properties: [String: String]
    private let queueBytes: Int
    private let logger: Logger
    private var failure: LogFailure?

    var isTransactional: Bool { transactionalID != nil }

    /// - Parameter queueBytes: most bytes waiting for acknowledgement, at least 1 KiB.
    /// - Throws: `.stop` for a property that is refused.
    init(
        properties: [String: String], transactionalID: String?, queueBytes: Int, logger: Logger
    ) throws(LogFailure) {
        self.properties = properties
        self.transactionalID = transactionalID
        self.queueBytes = queueBytes
        self.logger = logger
        transactionMilliseconds = Self.transactionMilliseconds(properties)
        client = try Self.makeClient(
            properties, transactionalID: transactionalID, queueBytes: queueBytes, logger: logger)
        listen()
    }

    deinit { close() }

    func close() {
        // No call must reach the handle any more.
        transaction = .unprepared
        client.close()
    }

    /// Replaces the client by a new one. What the old one had not delivered is gone.
    func remake() throws(LogFailure) {
        client.close(deadlineMilliseconds: 2_000)
        failure = nil
        transaction = .unprepared
        wasEndRetried = false
        client = try Self.makeClient(
            properties, transactionalID: transactionalID, queueBytes: queueBytes, logger: logger)
        listen()
    }

    static func makeClient(
        _ properties: [String: String], transactionalID: String? = nil, queueBytes: Int, logger: Logger
    ) throws(LogFailure) -> Client {
        var defaults = [
            ("partitioner", "murmur2_random"), ("compression.type", "lz4"), ("linger.ms", "2"),
            ("queue.buffering.max.kbytes", String(max(1, min(queueBytes / 1024, 2_097_151)))),
            ("queue.buffering.max.messages", "1000000"), ("socket.nagle.disable", "true"),
            ("client.id", "vigil"), ("allow.auto.create.topics", "false"),
        ]
        var fixed = [("enable.idempotence", "true"), ("acks", "all")]
        if let transactionalID {
            // A record can't outlive its transaction. (0, for ever, is taken too, but then nothing tells an outage
            // that has outlasted the transaction from one that has not.)
            let limit = String(transactionMilliseconds(properties))
            defaults.append(("transaction.timeout.ms", limit))
            fixed += [("transactional.id", transactionalID), ("message.timeout.ms", limit)]
        } else {
            // Nothing expires while the brokers are away: the bounded queue fills instead.
            fixed.append(("message.timeout.ms", "0"))
        }
        return try Client(
            .producer, KafkaProperties(defaults: defaults, user: properties, fixed: fixed),
            name: "producer", logger: logger)
    }

    /// Below the session timeout, so that a member the group has given up holds no transaction open for long.
    private static func transactionMilliseconds(_ properties: [String: String]) -> Int {
        if let given = properties["transaction.timeout.ms"].flatMap({ Int($0) }) { return given }
        let session = properties["session.timeout.ms"].flatMap { Int($0) } ?? KafkaInputLog.sessionMilliseconds
        return max(1_000, session / 10 * 8)
    }

    // MARK: Sending

    /// Hands over one record, whose bytes are copied. `partition` −1 asks the partitioner; `tag` comes back in
    /// `acknowledged`.
    func send(
        _ topic: Topic, partition: Int32 = -1, key: ByteView, value: ByteView, headers: [vk_header] = [], tag: Int = 0
    ) -> rd_kafka_resp_err_t {
        topic.bytes.withUnsafeBufferPointer { name in
            headers.withUnsafeBufferPointer { list in
                vk_produce(
                    client.handle, name.baseAddress, partition, key.base, key.count, value.base, value.count,
                    list.baseAddress, list.count, UnsafeMutableRawPointer(bitPattern: tag))
            }
        }
    }

    /// What a record that was not taken means.
    func refusal(_ error: rd_kafka_resp_err_t, _ words: String) throws(LogFailure) -> LogFailure {
        // The cause comes with the delivery reports.
        rd_kafka_poll(client.handle, 0)
        try check()
        return switch error {
        case RD_KAFKA_RESP_ERR__QUEUE_FULL: .retry("the producer's queue is full")
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: .stop("\(words). \(Self.sizeRemedy)")
        case RD_KAFKA_RESP_ERR__STATE where isTransactional: .aborted(words)
        case RD_KAFKA_RESP_ERR__FATAL: isTransactional ? dies(words) : .fenced(words)
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: .stop("\(words). \(Self.partitionRemedy)")
        default: .stop(words)
        }
    }

    /// Waits until everything was acknowledged; false when the time ran out.
    func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool {
        rd_kafka_flush(client.handle, Int32(clamping: max(0, timeoutMilliseconds)))
        try check()
        return rd_kafka_outq_len(client.handle) == 0
    }

    // MARK: Delivery reports

    private func listen() {
        client.events.delivered = { [unowned self] message in delivered(message) }
    }

    private func delivered(_ message: UnsafePointer<rd_kafka_message_t>) {
        let error = message.pointee.err
        switch error {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            client.events.sawBroker()
            acknowledged?(message)
            return
        case RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
            // Of a transaction that is aborted or must be, which is told by the calls that end it.
            return
        default: break
        }
        let topic = message.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? "an output"
        let words = "topic \(topic): a record of \(message.pointee.len) bytes could not be delivered: \(text(error))"
        switch error {
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
            failure = failure ?? .stop("\(words). \(Self.sizeRemedy)")
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            failure = failure ?? .stop("topic \(topic) does not exist: `vigil topics FILE --create` makes it")
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            failure = failure ?? .stop("\(words). \(Self.partitionRemedy)")
        case RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
            // The broker will refuse it again however often it is made.
            failure = failure ?? .stop("\(words). What the topic is configured for does not admit it: an output topic must not be compacted")
        default:
            failure = failure ?? (isFinal(error) ? .stop(words) : isTransactional ? .aborted(words) : .fenced(words))
        }
    }

    /// Forgets failed deliveries: they belong to a transaction that was aborted.
    func forgetDeliveries() {
        if case .aborted = failure { failure = nil }
    }

    /// Throws what went wrong since the last call. Without transactions, after `.fenced`, the client is a new one, and
    /// what the old one had not delivered is gone: the shard goes back to its last commit. With transactions a fatal
    /// error is `.unknown`, and a failed delivery stays told until the transaction is aborted.
    func check() throws(LogFailure) {
        if case .dead(let why) = transaction { throw .unknown(why) }
        if let found = client.events.failure {
            client.events.failure = nil
            guard case .fenced(let why) = found else { throw found }
            if isTransactional { throw dies(why) }
            try remake()
            throw found
        }
        guard let found = failure else { return }
        if case .aborted = found { throw found }
        failure = nil
        if case .fenced = found { try remake() }
        throw found
    }

    /// The transactional client can't be used any more.
    func dies(_ why: String) -> LogFailure {
        transaction = .dead(why)
        return .unknown(why)
    }

    private static let sizeRemedy =
        "The broker takes less than this client sends, or a record is beyond both: set Kafka property "
        + "`message.max.bytes` to the topic's max.message.bytes, and raise both where records are that large"
    private static let partitionRemedy =
        "Internal topics need as many partitions as the inputs: `vigil topics FILE` checks them"
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
