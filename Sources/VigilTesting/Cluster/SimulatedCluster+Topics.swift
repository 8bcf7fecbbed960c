import Events
import Runtime

/// The cluster's topics by name, as an auditor reads them: committed records only, from outside of every process.
extension SimulatedCluster: TopicLog {
    /// The name a topic goes by.
    public func name(of topic: ClusterTopic) -> String {
        switch topic {
        case .input(let input): options.inputNames.indices.contains(input) ? options.inputNames[input] : "input-\(input)"
        case .decisions: "decisions"
        case .deadLetters: "dead-letters"
        case .state: "state"
        case .cuts: "cuts"
        case .networks: "networks"
        }
    }

    private func topic(_ name: String) throws(LogFailure) -> ClusterTopic {
        guard let topic = topics.first(where: { self.name(of: $0) == name }) else {
            throw .stop("there is no topic \(name) in this cluster")
        }
        return topic
    }

    public func partitions(of topic: String) -> Int? {
        topics.contains { name(of: $0) == topic } ? Int(options.partitions) : nil
    }

    public func bounds(_ topic: String, partition: Int32) throws(LogFailure) -> (first: Int64, end: Int64) {
        let log = log(TopicPartition(try self.topic(topic), partition))
        return (log.first, log.end)
    }

    /// Where nothing can be read yet, the clock moves on by what is waited.
    public func read(
        _ topic: String, partition: Int32, from offset: Int64, maxRecords: Int, timeoutMilliseconds: Int,
        _ body: (StoredRecord) -> Void
    ) throws(LogFailure) -> Int64 {
        let log = log(TopicPartition(try self.topic(topic), partition))
        guard offset >= log.first, offset <= log.end else {
            throw .stop("\(topic)/\(partition): offset \(offset) is not in the log")
        }
        let next = log.read(from: offset, below: log.end, most: maxRecords) { offset, record in
            body(StoredRecord(
                offset: offset, timestamp: Timestamp(milliseconds: record.timestamp), key: record.key, value: record.value,
                headers: record.headers.map { StoredRecord.Header(name: $0.name, value: $0.value) }))
        }
        if next == offset {
            clock.advance(milliseconds: max(1, timeoutMilliseconds))
            settle()
        }
        return next
    }
}
