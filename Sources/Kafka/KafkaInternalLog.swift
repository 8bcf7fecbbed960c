import CRdKafka
import Events
import struct Logging.Logger
import Runtime

/// The internal topics of a pipeline, read back. Use from one thread only.
public final class KafkaInternalLog: InternalLog {
    private let reader: PartitionReader
    private let topics: [String]

    /// Neither the broker nor the topics need to be there yet.
    /// - Parameter properties: librdkafka's, as in the pipeline file.
    /// - Throws: `.stop` for a property that is refused.
    public init(
        properties: [String: String], stateTopic: String, cutsTopic: String, logger: Logger
    ) throws(LogFailure) {
        topics = InternalTopic.allCases.map { $0 == .state ? stateTopic : cutsTopic }
        reader = try PartitionReader(properties: properties, name: "restore", logger: logger)
    }

    deinit { close() }

    /// - Throws: `.retry` when no broker answers within 10 s, `.stop` when the partition is missing
    ///   for seconds.
    public func bounds(_ topic: InternalTopic, partition: Int32) throws(LogFailure) -> (first: Int64, end: Int64) {
        try reader.bounds(topics[topic.index], partition: partition)
    }

    /// Records are borrowed for the length of `body`. Returns at once at the end of the partition when that was not
    /// told before. Reading one partition on is cheap; another partition or offset costs a round trip.
    /// - Throws: `.stop` when the offset is not in the log, or the partition is missing for seconds.
    public func read(
        _ topic: InternalTopic, partition: Int32, from offset: Int64, maxRecords: Int, timeoutMilliseconds: Int,
        _ body: (_ offset: Int64, _ record: InternalRecord) -> Void
    ) throws(LogFailure) -> Int64 {
        try reader.read(
            topics[topic.index], partition: partition, from: offset, maxRecords: maxRecords,
            timeoutMilliseconds: timeoutMilliseconds
        ) { message in
            body(
                message.pointee.offset,
                InternalRecord(topic: topic, partition: partition, key: key(of: message), value: value(of: message)))
        }
    }

    public func close() { reader.close() }
}

/// The key of a message, borrowed; absent where there is none.
func key(of message: UnsafePointer<rd_kafka_message_t>) -> ByteView {
    message.pointee.key.map { ByteView(UnsafeRawBufferPointer(start: $0, count: message.pointee.key_len)) } ?? .absent
}

/// The value of a message, borrowed; absent for a null payload.
func value(of message: UnsafePointer<rd_kafka_message_t>) -> ByteView {
    message.pointee.payload.map { ByteView(UnsafeRawBufferPointer(start: $0, count: message.pointee.len)) } ?? .absent
}
