import CRdKafka
import Runtime

/// Committed offsets, bounds, and what errors about them mean.
extension KafkaInputLog {
    public func committed(_ partitions: [InputPartition]) throws(LogFailure) -> [Int64?] {
        let list = TopicPartitions(partitions, topics: topics)
        // Offsets in an open transaction are waited for. Not longer than this: the caller must poll in between.
        let error = rd_kafka_committed(client.handle, list.list, 2_000)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(error, "reading committed offsets") }
        if let problem = list.problem { throw failure(problem.error, "reading the committed offset of \(problem.place)") }
        client.events.sawBroker()
        return (0..<partitions.count).map {
            let offset = list.list.pointee.elems[$0].offset
            return offset < 0 ? nil : offset
        }
    }

    public func bounds(_ partitions: [InputPartition]) throws(LogFailure) -> [(first: Int64, end: Int64)] {
        var bounds: [(first: Int64, end: Int64)] = []
        for entry in partitions {
            var first: Int64 = 0, end: Int64 = 0
            let error = rd_kafka_query_watermark_offsets(
                client.handle, topics[entry.input], entry.partition, &first, &end, 5_000)
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(error, "reading the bounds of \(name(entry))") }
            bounds.append((first, end))
        }
        client.events.sawBroker()
        return bounds
    }

    public func commit(_ positions: [InputPosition]) throws(LogFailure) {
        if positions.isEmpty { return }
        // A client that has been put out of the group commits as nobody, which brokers take where the group has no members
        // any more: offsets would go back to before what others have committed meanwhile.
        if rd_kafka_assignment_lost(client.handle) != 0 { throw .fenced("committing: the assignment was lost") }
        let list = TopicPartitions(positions, topics: topics)
        // The plain call has no deadline; an answer that comes after ours is harmless, for offsets only grow.
        let queue = rd_kafka_queue_new(client.handle)
        defer { rd_kafka_queue_destroy(queue) }
        let error = rd_kafka_commit_queue(client.handle, list.list, queue, nil, nil)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(error, "committing") }
        guard let answer = rd_kafka_queue_poll(queue, 10_000) else {
            throw .retry("committing: the group coordinator did not answer within 10 s")
        }
        defer { rd_kafka_event_destroy(answer) }
        let outcome = rd_kafka_event_error(answer)
        if outcome != RD_KAFKA_RESP_ERR_NO_ERROR && outcome != RD_KAFKA_RESP_ERR__NO_OFFSET {
            throw failure(outcome, "committing")
        }
        if let entries = rd_kafka_event_topic_partition_list(answer) {
            for index in 0..<Int(entries.pointee.cnt) {
                let entry = entries.pointee.elems[index]
                if entry.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                    throw failure(entry.err, "committing \(String(cString: entry.topic))/\(entry.partition)")
                }
            }
        }
        client.events.sawBroker()
    }

    func name(_ partition: InputPartition) -> String { "\(topics[partition.input])/\(partition.partition)" }

    func failure(_ error: rd_kafka_resp_err_t, _ doing: String) -> LogFailure {
        let words = "\(doing): \(text(error))"
        switch error {
        case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
            return .fenced(words)
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            return .stop("\(words): another process has joined the group under the same instance id; give each its own")
        case RD_KAFKA_RESP_ERR__FATAL:
            return .stop("\(words): the consumer can't go on")
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            // Brokers that have just started say so too. Whether the topic is gone is checked elsewhere.
            return .retry("\(words): does the topic exist? `vigil topics FILE --create` makes it")
        default:
            return isFinal(error) ? .stop(words) : .retry(words)
        }
    }
}
