import Runtime

extension KafkaRange: TopicLog {
    public func read(
        _ topic: String, partition: Int32, from offset: Int64, maxRecords: Int, timeoutMilliseconds: Int,
        _ body: (StoredRecord) -> Void
    ) throws(LogFailure) -> Int64 {
        try read(
            topic, partition: partition, from: offset, maxRecords: maxRecords, timeoutMilliseconds: timeoutMilliseconds
        ) { (entry: KafkaTail.Entry) in
            body(StoredRecord(
                offset: entry.offset, timestamp: entry.timestamp, key: entry.key, value: entry.value,
                headers: entry.headers.map { StoredRecord.Header(name: $0.name, value: $0.value) }))
        }
    }
}
