import Events
import Runtime

/// A reader of a simulated cluster's internal topics: read_committed, outside of any group.
final class ClusterInternalLog: InternalLog {
    private let process: SimulatedProcess
    private var cluster: SimulatedCluster { process.cluster }

    /// The last end that was told.
    private var told: (place: TopicPartition, end: Int64)?

    init(process: SimulatedProcess) { self.process = process }

    private func log(_ topic: InternalTopic, _ partition: Int32) -> PartitionLog {
        cluster.log(TopicPartition(ClusterTopic(topic), partition))
    }

    func bounds(_ topic: InternalTopic, partition: Int32) throws(LogFailure) -> (first: Int64, end: Int64) {
        try process.call(.internalBounds) { () throws(LogFailure) in
            guard process.isReachable else { throw process.unanswered("reading the bounds of \(topic)/\(partition)") }
            let log = log(topic, partition)
            return (log.first, log.end)
        }
    }

    func read(
        _ topic: InternalTopic, partition: Int32, from offset: Int64, maxRecords: Int, timeoutMilliseconds: Int,
        _ body: (_ offset: Int64, _ record: InternalRecord) -> Void
    ) throws(LogFailure) -> Int64 {
        try process.call(.internalRead) { () throws(LogFailure) in
            guard process.isReachable else { throw process.unanswered("reading \(topic)/\(partition)") }
            let log = log(topic, partition)
            guard offset >= log.first, offset <= log.end else {
                throw .stop("\(topic)/\(partition): offset \(offset) is not in the log")
            }
            let deadline = cluster.now + Int64(timeoutMilliseconds)
            // The end of what can be read is told at once, the first time; after that there is waiting for more.
            let isNew = told?.place != TopicPartition(ClusterTopic(topic), partition) || told?.end != offset
            while !log.hasVisible(from: offset, below: log.end), log.stable == offset, cluster.now < deadline, !isNew {
                cluster.clock.advance(milliseconds: 1)
                cluster.settle()
            }
            told = (TopicPartition(ClusterTopic(topic), partition), max(offset, log.stable))
            let most = Int.random(in: 1...max(1, maxRecords), using: &cluster.random)
            return log.read(from: offset, below: log.end, most: most) { offset, record in
                view(record.key) { key in
                    view(record.value) { value in
                        body(offset, InternalRecord(topic: topic, partition: partition, key: key, value: value))
                    }
                }
            }
        }
    }

    func partitions(of topic: InternalTopic) -> Int { Int(cluster.options.partitions) }

    func follow(
        from offsets: [Int64], maxRecords: Int, _ body: (_ partition: Int32, _ offset: Int64, _ value: ByteView) -> Void
    ) throws(LogFailure) -> [Int64] {
        try process.call(.internalRead) { () throws(LogFailure) in
            guard process.isReachable else { throw process.unanswered("following networks") }
            return offsets.enumerated().map { partition, offset in
                let log = log(.networks, Int32(partition))
                return log.read(from: max(offset, log.first), below: log.end, most: maxRecords) { offset, record in
                    view(record.value) { body(Int32(partition), offset, $0) }
                }
            }
        }
    }

    /// An empty array has an address too: present and empty is not absent.
    private func view(_ bytes: [UInt8]?, _ body: (ByteView) -> Void) {
        guard let bytes else { return body(.absent) }
        if bytes.isEmpty { return body(ByteView(staticText: "")) }
        bytes.withUnsafeBufferPointer { body(ByteView(UnsafeRawBufferPointer($0))) }
    }

    func close() {}
}
