import CRdKafka
import Glibc
import struct Logging.Logger
import Runtime

/// Reads single partitions by offset, committed records only, without a group.
final class PartitionReader {
    private let client: Client
    private let properties: [String: String]
    private let name: String
    private let logger: Logger
    /// Made when the first end is asked for.
    private var uncommitted: Client?
    private var topic = Topic("")
    private var partition: Int32 = -1
    /// Where the fetcher stands in that partition: past the last record and the last end it told.
    private var next: Int64 = -1
    private var lastRecord = 0
    private var doubt = Doubt()

    /// - Parameter name: for logs and the client id.
    init(properties: [String: String], name: String, logger: Logger) throws(LogFailure) {
        self.properties = properties
        self.name = name
        self.logger = logger
        client = try Self.makeClient(properties, isolation: "read_committed", name: name, logger: logger)
    }

    private static func makeClient(
        _ properties: [String: String], isolation: String, name: String, logger: Logger
    ) throws(LogFailure) -> Client {
        try Client(
            .consumer,
            KafkaProperties(
                defaults: [
                    ("fetch.wait.max.ms", "5"), ("queued.max.messages.kbytes", "16384"),
                    ("queued.min.messages", "100000"), ("socket.nagle.disable", "true"), ("client.id", "vigil-\(name)"),
                    ("socket.timeout.ms", "10000"),
                ], user: properties,
                fixed: [
                    // librdkafka wants a name even where no group is joined.
                    ("group.id", "vigil-\(name)"), ("enable.auto.commit", "false"),
                    ("enable.auto.offset.store", "false"), ("isolation.level", isolation),
                    ("auto.offset.reset", "error"), ("enable.partition.eof", "true"),
                ]),
            name: name, logger: logger)
    }

    func close() {
        client.close()
        uncommitted?.close()
    }

    func partitionCount(_ topic: String) throws(LogFailure) -> Int? {
        try client.partitionCounts([topic], timeoutMilliseconds: 10_000)[0]
    }

    /// The first available offset and the one after the last record, whether committed or not: a reader of committed
    /// records would be told the last stable offset and could take a state that is still being committed for the end
    /// (KAFKA-10167).
    func bounds(_ topic: String, partition: Int32) throws(LogFailure) -> (first: Int64, end: Int64) {
        let client: Client
        if let uncommitted {
            client = uncommitted
        } else {
            client = try Self.makeClient(properties, isolation: "read_uncommitted", name: name, logger: logger)
            uncommitted = client
        }
        var first: Int64 = 0, end: Int64 = 0
        let error = rd_kafka_query_watermark_offsets(client.handle, topic, partition, &first, &end, 10_000)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw failure(error, "reading the bounds of \(topic)/\(partition)")
        }
        doubt = Doubt()
        return (first, end)
    }

    /// Hands over committed records from `offset` on, in order, at most `maxRecords`, waiting up to
    /// `timeoutMilliseconds` for the first. Returns where to read on: past markers and aborted records as far as the
    /// log has told. Goes on without asking the broker anew where the last call ended.
    /// - Throws: `.stop` when the offset is not in the log, the topic is missing for seconds, or access is refused.
    func read(
        _ name: String, partition: Int32, from offset: Int64, maxRecords: Int, timeoutMilliseconds: Int,
        _ body: (borrowing UnsafePointer<rd_kafka_message_t>) -> Void
    ) throws(LogFailure) -> Int64 {
        if topic.name != name || self.partition != partition || next != offset {
            try seek(name, partition, offset)
        }
        var count = 0
        while count < maxRecords, let message = poll(count == 0 ? timeoutMilliseconds : 0) {
            defer { rd_kafka_message_destroy(message) }
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                // Of an earlier place.
                guard isHere(message), message.pointee.offset >= next else { continue }
                body(message)
                next = message.pointee.offset + 1
                count += 1
            } else if message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF {
                guard isHere(message), message.pointee.offset >= next else { continue }
                next = message.pointee.offset
                break
            } else if try isOver(message) {
                break
            }
        }
        if count > 0 {
            client.events.sawBroker()
            lastRecord = monotonicMilliseconds()
        }
        if let failure = client.events.failure {
            client.events.failure = nil
            throw failure
        }
        return next
    }

    /// The next message within the timeout, seeing to it that a fetcher whose queue was full goes on.
    private func poll(_ timeoutMilliseconds: Int) -> UnsafeMutablePointer<rd_kafka_message_t>? {
        if timeoutMilliseconds <= 0 { return rd_kafka_consumer_poll(client.handle, 0) }
        let soon = min(timeoutMilliseconds, Client.wakeMilliseconds)
        if let message = rd_kafka_consumer_poll(client.handle, Int32(soon)) { return message }
        if monotonicMilliseconds() - lastRecord < 1_000 {
            topic.bytes.withUnsafeBufferPointer {
                guard client.lastKnownEnd($0.baseAddress!, partition: partition) ?? 0 > next else { return }
                client.wakeFetcher($0.baseAddress!, partition: partition)
            }
        }
        return rd_kafka_consumer_poll(client.handle, Int32(clamping: timeoutMilliseconds - soon))
    }

    private func seek(_ name: String, _ partition: Int32, _ offset: Int64) throws(LogFailure) {
        if topic.name != name {
            // Otherwise the first record waits up to a second for metadata.
            guard let count = try client.partitionCounts([name], timeoutMilliseconds: 5_000)[0], partition < count
            else { throw failure(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, "reading \(name)/\(partition)") }
            doubt = Doubt()
        }
        let list = TopicPartitions(
            [InputPosition(partition: InputPartition(input: 0, partition: partition), offset: offset)], topics: [name])
        let error = rd_kafka_assign(client.handle, list.list)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(error, "reading \(name)/\(partition)") }
        topic = Topic(name)
        self.partition = partition
        next = offset
    }

    private func isHere(_ message: UnsafePointer<rd_kafka_message_t>) -> Bool {
        message.pointee.partition == partition
            && topic.bytes.withUnsafeBufferPointer { strcmp($0.baseAddress!, rd_kafka_topic_name(message.pointee.rkt)) == 0 }
    }

    /// True when an error in place of a record ends this call.
    private func isOver(_ message: UnsafePointer<rd_kafka_message_t>) throws(LogFailure) -> Bool {
        let error = message.pointee.err
        switch error {
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            let place = "\(topic.name)/\(partition) at offset \(next)"
            next = -1
            throw .stop("\(place): it is no longer in the log: retention has deleted what was to be read, or the topic was made anew. A restart asks anew what is there")
        // Leave to join the group that is only a name is not needed.
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED: return false
        default:
            let failure = failure(error, "reading \(topic.name)/\(partition)")
            if case .stop = failure { throw failure }
            return true
        }
    }

    private func failure(_ error: rd_kafka_resp_err_t, _ doing: String) -> LogFailure {
        let words = "\(doing): \(text(error))"
        switch error {
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            return doubt.failure("\(words): does the topic exist, with as many partitions as the inputs? `vigil topics FILE` checks it")
        default:
            return isFinal(error) ? .stop(words) : .retry(words)
        }
    }
}
