import CRdKafka
import Runtime

/// A consumer's place in its group at one generation: what a transaction's offsets are fenced with.
public final class KafkaMembership: GroupMembership {
    let metadata: GroupMetadata
    /// The names that go with the inputs of positions.
    let topics: [String]

    /// - Throws: `.retry` for a consumer that is no member: what it commits would not be fenced. Polling tells how it
    ///   lost its place.
    init(of consumer: OpaquePointer, topics: [String]) throws(LogFailure) {
        guard let pointer = rd_kafka_consumer_group_metadata(consumer) else {
            throw .retry("the consumer has no group")
        }
        metadata = GroupMetadata(pointer: pointer)
        self.topics = topics
        guard metadata.generation >= 0 else { throw .retry("this consumer is not a member of its group at present") }
    }
}

/// librdkafka's group metadata.
struct GroupMetadata: ~Copyable {
    let pointer: OpaquePointer

    deinit { rd_kafka_consumer_group_metadata_destroy(pointer) }

    /// −1 for who is no member. 2.0.2 shows it only in the serialised form: 8 bytes of magic, then the generation.
    var generation: Int32 {
        var bytes: UnsafeMutableRawPointer?
        var count = 0
        if let error = rd_kafka_consumer_group_metadata_write(pointer, &bytes, &count) {
            rd_kafka_error_destroy(error)
            return -1
        }
        guard let bytes else { return -1 }
        defer { rd_kafka_mem_free(nil, bytes) }
        return count < 12 ? -1 : bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self)
    }
}
