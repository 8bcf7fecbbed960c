import CRdKafka
import Events
import struct Logging.Logger
import Runtime

/// Reads one topic without a group and without committing: for watching.
public final class KafkaTail {
    /// One record, copied.
    public struct Entry: Sendable, Equatable {
        public var partition: Int32
        public var offset: Int64
        /// Milliseconds since 1970; nil where the record has none.
        public var timestamp: Timestamp?
        /// Nil for a record without a key.
        public var key: [UInt8]?
        /// Nil for a null payload.
        public var value: [UInt8]?
        public var headers: [Header]

        /// The first header of that name, as text.
        public func header(_ name: String) -> String? {
            headers.first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    public struct Header: Sendable, Equatable {
        public var name: String
        /// Nil for a null value.
        public var value: [UInt8]?
    }

    private let client: Client

    /// - Parameter fromBeginning: false to read only what comes from now on.
    /// - Throws: `.retry` when no broker answers within 10 s, `.stop` when the topic does not exist.
    public init(
        properties: [String: String], topic: String, fromBeginning: Bool, logger: Logger
    ) throws(LogFailure) {
        client = try Client(
            .consumer,
            KafkaProperties(
                defaults: [
                    ("fetch.wait.max.ms", "5"), ("queued.max.messages.kbytes", "16384"),
                    ("queued.min.messages", "1000"), ("socket.nagle.disable", "true"), ("client.id", "vigil-tail"),
                ], user: properties,
                fixed: [
                    // librdkafka wants a name even where no group is joined.
                    ("group.id", "vigil-tail"), ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
                    ("isolation.level", "read_committed"), ("auto.offset.reset", "earliest"),
                ]),
            name: "tail", logger: logger)
        guard let partitions = try client.partitionCounts([topic], timeoutMilliseconds: 10_000)[0] else {
            throw .stop("topic \(topic) does not exist")
        }
        let list = TopicPartitions(
            (0..<Int32(partitions)).map { InputPartition(input: 0, partition: $0) }, topics: [topic])
        for partition in 0..<partitions {
            // The end is asked for at once, not when reading starts, so that nothing in between is missed.
            var first: Int64 = 0, end: Int64 = 0
            let error = rd_kafka_query_watermark_offsets(
                client.handle, topic, Int32(partition), &first, &end, 10_000)
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw .retry("topic \(topic): \(text(error))") }
            list.list.pointee.elems[partition].offset = fromBeginning ? first : end
        }
        let error = rd_kafka_assign(client.handle, list.list)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw .stop("topic \(topic): \(text(error))") }
    }

    /// The next record, or nil when none came within `timeoutMilliseconds`. Brokers that are away are waited for.
    /// - Throws: `.stop` for what waiting won't mend.
    public func next(timeoutMilliseconds: Int) throws(LogFailure) -> Entry? {
        let message = rd_kafka_consumer_poll(client.handle, Int32(clamping: max(0, timeoutMilliseconds)))
        if let failure = client.events.failure {
            if let message { rd_kafka_message_destroy(message) }
            client.events.failure = nil
            throw failure
        }
        guard let message else { return nil }
        defer { rd_kafka_message_destroy(message) }
        if message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
            // Leave to join the group that is only a name is not needed.
            let isGroup = message.pointee.err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED
            if isFinal(message.pointee.err) && !isGroup { throw .stop(text(message.pointee.err)) }
            return nil
        }
        client.events.sawBroker()
        return Entry(message)
    }

    public func close() { client.close() }
}

extension KafkaTail.Entry {
    /// A copy of the message.
    init(_ message: UnsafePointer<rd_kafka_message_t>) {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = rd_kafka_message_timestamp(message, &type)
        self.init(
            partition: message.pointee.partition, offset: message.pointee.offset,
            timestamp: type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : Timestamp(milliseconds: milliseconds),
            key: Self.copy(message.pointee.key, message.pointee.key_len),
            value: Self.copy(message.pointee.payload, message.pointee.len), headers: Self.headers(of: message))
    }

    private static func headers(of message: UnsafePointer<rd_kafka_message_t>) -> [KafkaTail.Header] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        var headers: [KafkaTail.Header] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var count = 0
        while rd_kafka_header_get_all(list, headers.count, &name, &value, &count) == RD_KAFKA_RESP_ERR_NO_ERROR {
            headers.append(KafkaTail.Header(name: name.map { String(cString: $0) } ?? "", value: copy(value, count)))
        }
        return headers
    }

    private static func copy(_ bytes: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
        bytes.map { Array(UnsafeRawBufferPointer(start: $0, count: count)) }
    }
}
