import CRdKafka
import struct Logging.Logger
import Runtime

/// Reads on in all partitions of one topic at once, committed records only, without a group and without waiting. Use from
/// one thread only.
final class TopicFollower {
    private let properties: [String: String]
    private let topic: Topic
    private let logger: Logger
    /// Made when it is first used.
    private var client: Client?
    /// By partition, where the fetcher stands: past the last record and the last end it told.
    private var next: [Int64] = []
    private var doubt = Doubt()

    init(properties: [String: String], topic: String, logger: Logger) {
        self.properties = properties
        self.topic = Topic(topic)
        self.logger = logger
    }

    func close() { client?.close() }

    /// Hands over what has come from these offsets on, in order within each partition, at most `maxRecords`. Goes on without
    /// asking the broker anew where the last call ended. Returns where to read on, past markers and aborted records as far
    /// as the log has told. An offset that is gone stands for the first that is there.
    /// - Throws: `.stop` when the topic is missing for seconds, or access is refused.
    func follow(
        from offsets: [Int64], maxRecords: Int, _ body: (borrowing UnsafePointer<rd_kafka_message_t>) -> Void
    ) throws(LogFailure) -> [Int64] {
        let client = try opened()
        if next != offsets { try seek(client, offsets) }
        var count = 0
        while count < maxRecords, let message = rd_kafka_consumer_poll(client.handle, 0) {
            defer { rd_kafka_message_destroy(message) }
            let partition = Int(message.pointee.partition)
            let isHere = next.indices.contains(partition) && message.pointee.offset >= next[partition]
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR where isHere:
                body(message)
                next[partition] = message.pointee.offset + 1
                count += 1
            case RD_KAFKA_RESP_ERR__PARTITION_EOF where isHere: next[partition] = message.pointee.offset
            case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR__PARTITION_EOF, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: break
            case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
                throw doubt.failure("following \(topic.name): \(text(message.pointee.err)): does the topic exist, with as many partitions as the inputs? `vigil topics FILE` checks it")
            default:
                if isFinal(message.pointee.err) { throw .stop("following \(topic.name): \(text(message.pointee.err))") }
            }
        }
        if count > 0 {
            client.events.sawBroker()
            doubt = Doubt()
        }
        if let failure = client.events.failure {
            client.events.failure = nil
            throw failure
        }
        return next
    }

    private func opened() throws(LogFailure) -> Client {
        if let client { return client }
        let made = try Client(
            .consumer,
            KafkaProperties(
                defaults: [
                    ("fetch.wait.max.ms", "100"), ("queued.max.messages.kbytes", "16384"),
                    ("queued.min.messages", "1000"), ("socket.nagle.disable", "true"), ("client.id", "vigil-networks"),
                ], user: properties,
                fixed: [
                    // librdkafka wants a name even where no group is joined.
                    ("group.id", "vigil-networks"), ("enable.auto.commit", "false"),
                    ("enable.auto.offset.store", "false"), ("isolation.level", "read_committed"),
                    ("auto.offset.reset", "earliest"), ("enable.partition.eof", "true"),
                ]),
            name: "networks", logger: logger)
        client = made
        return made
    }

    private func seek(_ client: Client, _ offsets: [Int64]) throws(LogFailure) {
        let positions = offsets.enumerated().map {
            InputPosition(partition: InputPartition(input: 0, partition: Int32($0)), offset: $1)
        }
        let list = TopicPartitions(positions, topics: [topic.name])
        let error = rd_kafka_assign(client.handle, list.list)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw isFinal(error) ? .stop("following \(topic.name): \(text(error))") : .retry("following \(topic.name): \(text(error))")
        }
        next = offsets
    }
}
