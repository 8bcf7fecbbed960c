import CRdKafka
import Runtime

/// librdkafka's list of partitions with offsets.
struct TopicPartitions: ~Copyable {
    let list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    /// - Parameter topics: the names by input.
    init(_ partitions: [InputPartition], topics: [String]) {
        list = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        for entry in partitions { rd_kafka_topic_partition_list_add(list, topics[entry.input], entry.partition) }
    }

    init(_ positions: [InputPosition], topics: [String]) {
        self.init(positions.map(\.partition), topics: topics)
        for (index, position) in positions.enumerated() { list.pointee.elems[index].offset = position.offset }
    }

    deinit { rd_kafka_topic_partition_list_destroy(list) }

    /// The first error of an entry, with its topic and partition.
    var problem: (error: rd_kafka_resp_err_t, place: String)? {
        for index in 0..<Int(list.pointee.cnt) {
            let entry = list.pointee.elems[index]
            if entry.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                return (entry.err, "\(String(cString: entry.topic))/\(entry.partition)")
            }
        }
        return nil
    }
}
