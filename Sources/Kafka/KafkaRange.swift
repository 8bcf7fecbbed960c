import CRdKafka
import struct Logging.Logger
import Runtime

/// Reads stretches of any topic by partition and offset, committed records only, without a group and without
/// committing: for explaining one decision, and for checking a whole topic. Use from one thread only.
public final class KafkaRange {
    private let reader: PartitionReader

    /// - Throws: `.stop` for a property that is refused.
    public init(properties: [String: String], logger: Logger) throws(LogFailure) {
        reader = try PartitionReader(properties: properties, name: "range", logger: logger)
    }

    deinit { close() }

    /// The topic's number of partitions; nil where it does not exist or may not be seen.
    public func partitions(of topic: String) throws(LogFailure) -> Int? { try reader.partitionCount(topic) }

    /// The first available offset and the one after the last record, committed or not.
    public func bounds(_ topic: String, partition: Int32) throws(LogFailure) -> (first: Int64, end: Int64) {
        try reader.bounds(topic, partition: partition)
    }

    /// Hands over committed records from `offset` on, in order, at most `maxRecords`, waiting up to
    /// `timeoutMilliseconds` for the first. Returns where to read on, past what is no record; `bounds` tells where to
    /// end. A record behind an open transaction is not handed over.
    public func read(
        _ topic: String, partition: Int32, from offset: Int64, maxRecords: Int = 10_000, timeoutMilliseconds: Int,
        _ body: (KafkaTail.Entry) -> Void
    ) throws(LogFailure) -> Int64 {
        try reader.read(
            topic, partition: partition, from: offset, maxRecords: maxRecords, timeoutMilliseconds: timeoutMilliseconds
        ) { body(KafkaTail.Entry($0)) }
    }

    public func close() { reader.close() }
}
