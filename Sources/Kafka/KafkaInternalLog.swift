import CRdKafka
import Events
import struct Logging.Logger
import Runtime

/// The internal topics of a pipeline, read back. Use from one thread only.
public final class KafkaInternalLog: InternalLog {
    private let reader: PartitionReader
    private var doubt = Doubt()
    private let topics: [String]
    private let follower: TopicFollower

    /// Neither the broker nor the topics need to be there yet.
    /// - Parameter properties: librdkafka's, as in the pipeline file.
    /// - Throws: `.stop` for a property that is refused.
    public init(
        properties: [String: String], stateTopic: String, cutsTopic: String, networksTopic: String, logger: Logger
    ) throws(LogFailure) {
        topics = InternalTopic.allCases.map { topic in
            switch topic {
            case .state: stateTopic
            case .cuts: cutsTopic
            case .networks: networksTopic
            }
        }
        follower = TopicFollower(properties: properties, topic: networksTopic, logger: logger)
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

    /// - Throws: `.stop` when the topic is missing for seconds.
    public func partitions(of topic: InternalTopic) throws(LogFailure) -> Int {
        guard let count = try reader.partitionCount(topics[topic.index]) else {
            throw doubt.failure("\(topics[topic.index]): the topic doesn't exist. `vigil topics FILE --create` makes it")
        }
        doubt = Doubt()
        return count
    }

    /// Values are borrowed for the length of `body`.
    /// - Throws: `.stop` when the topic is refused or missing for seconds.
    public func follow(
        from offsets: [Int64], maxRecords: Int, _ body: (_ partition: Int32, _ offset: Int64, _ value: ByteView) -> Void
    ) throws(LogFailure) -> [Int64] {
        try follower.follow(from: offsets, maxRecords: maxRecords) { message in
            body(message.pointee.partition, message.pointee.offset, value(of: message))
        }
    }

    public func close() {
        reader.close()
        follower.close()
    }
}

/// The key of a message, borrowed; absent where there is none.
func key(of message: UnsafePointer<rd_kafka_message_t>) -> ByteView {
    message.pointee.key.map { ByteView(UnsafeRawBufferPointer(start: $0, count: message.pointee.key_len)) } ?? .absent
}

/// The value of a message, borrowed; absent for a null payload.
func value(of message: UnsafePointer<rd_kafka_message_t>) -> ByteView {
    message.pointee.payload.map { ByteView(UnsafeRawBufferPointer(start: $0, count: message.pointee.len)) } ?? .absent
}
