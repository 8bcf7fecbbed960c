import CRdKafka
import Events
import Glibc
import struct Logging.Logger
import Runtime

/// The inputs of one shard, read as a member of a consumer group.
///
/// Records are taken from librdkafka one at a time, because batch consuming in 2.0.2 can skip offsets around a pause
/// or a rebalance; they are borrowed until the next poll. Use from one thread only.
public final class KafkaInputLog: InputLog {
    let client: Client
    let topics: [String]
    private let topicNames: [[CChar]]
    private let logger: Logger
    private let isCoPartitioned: Bool

    /// What the batch's records borrow from, in their order.
    private(set) var held: [UnsafeMutablePointer<rd_kafka_message_t>] = []
    private var pendingFailure: LogFailure?
    /// By input, then partition: the offset expected next; -1 where nothing is assigned.
    private var expected: [[Int64]]
    private var assigned: [InputPartition] = []
    private var paused: Set<InputPartition> = []
    /// Resuming what is not paused would rewind it, so what librdkafka was told is remembered.
    private var pausedInClient: Set<InputPartition> = []
    /// By input, then partition: where the log last told that it ends for now; −1 where it has not.
    private var seenEnds: [[Int64]]
    /// Where reading began, by input and partition.
    private var started: [[Int64]]
    private var recognizer: PartitionerRecognizer?
    private var partitionCounts: [Int] = []
    private var warnedOfTimestamps: [Bool]
    private var lastRecord = 0
    private var nextProbe = 0
    private var nextTopicCheck = 0
    private var doubt = Doubt()

    /// The session timeout where the pipeline file sets none, in milliseconds: a quiet shard is noticed dead within
    /// seconds, and one in a long step is not.
    static let sessionMilliseconds = 10_000

    /// Joins the group. Neither the broker nor the topics need to be there yet.
    ///
    /// - Parameters:
    ///   - properties: librdkafka's, as in the pipeline file.
    ///   - topics: in the order of `EnginePlan.inputs`, without duplicates.
    ///   - instance: the static member id, or nil for dynamic membership. No two members may share one.
    ///   - queueBytes: most bytes fetched ahead of what was polled.
    ///   - isCoPartitioned: a partition's records of all topics belong together, so the topics must agree in number of
    ///     partitions and partitioner, for good. A repartitioner, which mends that, reads topics that don't.
    ///   - repartitioned: the topics that a `Repartitioner` writes. They keep their source's timestamps, so CreateTime
    ///     says nothing against them.
    /// - Throws: `.stop` for a property that is refused.
    public init(
        properties: [String: String], topics: [String], group: String, instance: String?,
        queueBytes: Int = 32 * 1024 * 1024, isCoPartitioned: Bool = true,
        repartitioned: Set<String> = [], logger: Logger
    ) throws(LogFailure) {
        self.topics = topics
        self.isCoPartitioned = isCoPartitioned
        self.logger = logger
        topicNames = topics.map { Array($0.utf8CString) }
        expected = Array(repeating: [], count: topics.count)
        seenEnds = expected
        started = expected
        warnedOfTimestamps = topics.map { repartitioned.contains($0) }
        var fixed = [
            ("group.id", group), ("partition.assignment.strategy", "range"), ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"), ("isolation.level", "read_committed"),
            // Every position is explicit, so one that is gone is a loss to be told, never a jump.
            ("auto.offset.reset", "error"),
            // The last offset may be a transaction's marker, which no record tells.
            ("enable.partition.eof", "true"),
        ]
        if let instance { fixed.append(("group.instance.id", instance)) }
        let kilobytes = max(1, min(queueBytes / 1024, 2_097_151))
        client = try Client(
            .consumer,
            KafkaProperties(
                defaults: [
                    ("fetch.wait.max.ms", "5"), ("queued.max.messages.kbytes", String(kilobytes)),
                    ("queued.min.messages", "100000"), ("socket.nagle.disable", "true"), ("client.id", "vigil"),
                    ("socket.timeout.ms", "10000"), ("heartbeat.interval.ms", "2000"),
                    ("session.timeout.ms", String(Self.sessionMilliseconds)),
                ], user: properties, fixed: fixed),
            name: "consumer", logger: logger)
        let list = TopicPartitions(topics.indices.map { InputPartition(input: $0, partition: -1) }, topics: topics)
        let error = rd_kafka_subscribe(client.handle, list.list)
        if error != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw .stop("can't subscribe to \(topics.joined(separator: ", ")): \(text(error))")
        }
    }

    deinit { close() }

    public func identity() throws(LogFailure) -> String {
        guard let id = client.clusterIdentity(timeoutMilliseconds: 10_000) else {
            throw .retry("the brokers did not tell the cluster's id within 10 s")
        }
        return id
    }

    // MARK: Polling

    public func poll(
        into batch: inout [Record], maxRecords: Int, timeoutMilliseconds: Int
    ) throws(LogFailure) -> LogEvent {
        dropHeld()
        if let failure = pendingFailure {
            pendingFailure = nil
            throw failure
        }
        if let event = nextRebalance() { return event }
        if client.events.brokerAway { probe() } else if !assigned.isEmpty { try checkTopics() }

        while held.count < maxRecords {
            let message = next(held.isEmpty ? timeoutMilliseconds : 0)
            if let message {
                if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                    take(message, into: &batch)
                } else {
                    note(message)
                    rd_kafka_message_destroy(message)
                }
            }
            if let failure = client.events.failure {
                client.events.failure = nil
                pendingFailure = pendingFailure ?? failure
            }
            if message == nil || pendingFailure != nil || !client.events.rebalances.isEmpty { break }
        }
        if !held.isEmpty {
            lastRecord = monotonicMilliseconds()
            return .records
        }
        if let failure = pendingFailure {
            pendingFailure = nil
            throw failure
        }
        return nextRebalance() ?? .records
    }

    /// The next message within the timeout, seeing to it that a fetcher whose queue was full goes on.
    private func next(_ timeoutMilliseconds: Int) -> UnsafeMutablePointer<rd_kafka_message_t>? {
        if timeoutMilliseconds <= 0 { return rd_kafka_consumer_poll(client.handle, 0) }
        let soon = min(timeoutMilliseconds, Client.wakeMilliseconds)
        if let message = rd_kafka_consumer_poll(client.handle, Int32(soon)) { return message }
        if !client.events.brokerAway, client.events.rebalances.isEmpty,
            monotonicMilliseconds() - lastRecord < 1_000,
            let partition = assigned.first(where: { !paused.contains($0) && hasMore($0) })
        {
            topicNames[partition.input].withUnsafeBufferPointer {
                client.wakeFetcher($0.baseAddress!, partition: partition.partition)
            }
        }
        return rd_kafka_consumer_poll(client.handle, Int32(clamping: timeoutMilliseconds - soon))
    }

    private func dropHeld() {
        for message in held { rd_kafka_message_destroy(message) }
        held.removeAll(keepingCapacity: true)
    }

    private func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>, into batch: inout [Record]) {
        let partition = Int(message.pointee.partition)
        guard let input = input(of: message), partition < expected[input].count,
            expected[input][partition] >= 0, message.pointee.offset >= expected[input][partition]
        else {
            rd_kafka_message_destroy(message)
            return
        }
        expected[input][partition] = message.pointee.offset + 1
        held.append(message)
        let key = key(of: message)
        batch.append(Record(
            input: UInt16(input), partition: message.pointee.partition, offset: message.pointee.offset,
            timestamp: timestamp(of: message, input), key: key, value: value(of: message)))
        client.events.sawBroker()
        do {
            try recognizer?.observe(input: input, partition: message.pointee.partition, key: key)
        } catch {
            pendingFailure = error
        }
    }

    private func input(of message: UnsafeMutablePointer<rd_kafka_message_t>) -> Int? {
        guard let name = rd_kafka_topic_name(message.pointee.rkt) else { return nil }
        for index in topicNames.indices where strcmp(topicNames[index], name) == 0 { return index }
        return nil
    }

    private func timestamp(of message: UnsafeMutablePointer<rd_kafka_message_t>, _ input: Int) -> Timestamp? {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = rd_kafka_message_timestamp(message, &type)
        if type == RD_KAFKA_TIMESTAMP_CREATE_TIME && !warnedOfTimestamps[input] {
            warnedOfTimestamps[input] = true
            logger.warning(
                "topic \(topics[input]) carries its producers' timestamps (CreateTime), so events dated in the future can't be recognised; set message.timestamp.type=LogAppendTime on it")
        }
        return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : Timestamp(milliseconds: milliseconds)
    }

    /// An error in place of a record.
    private func note(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let error = message.pointee.err
        // An error of the whole consumer has no topic.
        let topic = message.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? topics.joined(separator: ", ")
        switch error {
        case RD_KAFKA_RESP_ERR__PARTITION_EOF: noteEnd(message)
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            pendingFailure = .stop(
                "\(topic)/\(message.pointee.partition): the next position is no longer in the log: retention has deleted records that were never read, or the topic was made anew. A restart says which and goes on after them")
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            pendingFailure = .stop("topic \(topic) does not exist: `vigil topics FILE --create` makes it")
        case RD_KAFKA_RESP_ERR__FATAL: pendingFailure = client.events.fatalFailure(of: client.handle)
        case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
            logger.warning("the group has dropped this shard: it did not poll within max.poll.interval.ms")
        default:
            if isFinal(error) {
                pendingFailure = .stop("topic \(topic): \(text(error))")
            } else {
                logger.debug("topic \(topic): \(text(error))")
            }
        }
    }

    private func noteEnd(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        client.events.sawBroker()
        let partition = Int(message.pointee.partition)
        guard let input = input(of: message), seenEnds[input].indices.contains(partition) else { return }
        seenEnds[input][partition] = message.pointee.offset
    }

    /// As far as the last answers tell: a partition that is paused is not asked. True behind an open transaction, whose
    /// records are in the log and may still come.
    public func hasMore(_ partition: InputPartition) -> Bool {
        guard expected.indices.contains(partition.input),
            expected[partition.input].indices.contains(Int(partition.partition))
        else { return false }
        let next = expected[partition.input][Int(partition.partition)]
        if next < 0 { return false }
        let seen = seenEnds[partition.input][Int(partition.partition)]
        let end = topicNames[partition.input].withUnsafeBufferPointer {
            client.lastKnownEnd($0.baseAddress!, partition: partition.partition)
        }
        // Before the first answer nothing is known about the end; what librdkafka remembers is of an earlier assignment.
        guard let end, next > started[partition.input][Int(partition.partition)] || seen >= 0 else { return seen < next }
        return max(next, seen) < end
    }

    public func knownEnd(_ partition: InputPartition) -> Int64? {
        guard topicNames.indices.contains(partition.input) else { return nil }
        return topicNames[partition.input].withUnsafeBufferPointer {
            client.lastKnownEnd($0.baseAddress!, partition: partition.partition)
        }
    }

    /// librdkafka tells when brokers go, not when they come back.
    private func probe() {
        let now = monotonicMilliseconds()
        guard now >= nextProbe else { return }
        nextProbe = now + 1_000
        _ = try? client.partitionCounts([topics[0]], timeoutMilliseconds: 200)
    }

    /// No record tells that a topic was deleted or has grown, so the brokers are asked.
    private func checkTopics() throws(LogFailure) {
        let now = monotonicMilliseconds()
        guard now >= nextTopicCheck else { return }
        nextTopicCheck = now + 15_000
        do {
            try checkPartitionCounts(timeoutMilliseconds: 500)
        } catch .retry {
            if doubt.isPending { nextTopicCheck = now + Doubt.milliseconds }
        } catch {
            throw error
        }
    }

    // MARK: Assignment

    private func nextRebalance() -> LogEvent? {
        guard !client.events.rebalances.isEmpty else { return nil }
        switch client.events.rebalances.removeFirst() {
        case .revoked: return .revoked
        case .lost: return .lost
        case .assigned(let partitions):
            return .assigned(partitions.compactMap { entry in
                topics.firstIndex(of: entry.topic).map { InputPartition(input: $0, partition: entry.partition) }
            })
        }
    }

    /// - Throws: `.stop` when the inputs keep differing in their number of partitions, or it has changed.
    public func start(at positions: [InputPosition]) throws(LogFailure) {
        try checkPartitionCounts()
        for input in topics.indices {
            expected[input] = Array(repeating: -1, count: partitionCounts[input])
            seenEnds[input] = expected[input]
        }
        for position in positions {
            guard position.partition.partition >= 0,
                Int(position.partition.partition) < partitionCounts[position.partition.input]
            else { throw .retry("\(name(position.partition)) is not in the metadata yet") }
            expected[position.partition.input][Int(position.partition.partition)] = position.offset
        }
        started = expected
        try resumeAll()
        let list = TopicPartitions(positions, topics: topics)
        let error = rd_kafka_assign(client.handle, list.list)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(error, "starting to read") }
        assigned = positions.map(\.partition)
        try setPaused(paused)
    }

    private func checkPartitionCounts(timeoutMilliseconds: Int = 5_000) throws(LogFailure) {
        do {
            try comparePartitionCounts(timeoutMilliseconds: timeoutMilliseconds)
            doubt = Doubt()
        } catch .stop(let why) {
            throw doubt.failure(why)
        } catch {
            throw error
        }
    }

    private func comparePartitionCounts(timeoutMilliseconds: Int) throws(LogFailure) {
        var counts: [Int] = []
        for (topic, count) in zip(topics, try client.partitionCounts(topics, timeoutMilliseconds: timeoutMilliseconds)) {
            guard let count else {
                throw .stop("topic \(topic) does not exist: `vigil topics FILE --create` makes it")
            }
            counts.append(count)
        }
        guard isCoPartitioned else {
            partitionCounts = counts
            return
        }
        if Set(counts).count > 1 {
            let list = zip(topics, counts).map { "\($0) \($1)" }.joined(separator: ", ")
            throw .stop("the inputs must have equally many partitions, so that a user's events meet: \(list)")
        }
        if !partitionCounts.isEmpty && partitionCounts != counts {
            throw .stop("the number of partitions has changed from \(partitionCounts[0]) to \(counts[0]), so users have moved away from their state: use new topics")
        }
        if recognizer == nil { recognizer = PartitionerRecognizer(topics: topics, partitionCounts: counts) }
        partitionCounts = counts
    }

    public func release() throws(LogFailure) {
        try resumeAll()
        for input in topics.indices {
            for partition in expected[input].indices { expected[input][partition] = -1 }
        }
        assigned = []
        let error = rd_kafka_assign(client.handle, nil)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(error, "giving partitions back") }
    }

    public func setPaused(_ partitions: Set<InputPartition>) throws(LogFailure) {
        paused = partitions
        let wanted = assigned.filter { partitions.contains($0) }
        try tellPaused(wanted.filter { !pausedInClient.contains($0) }, true)
        try tellPaused(assigned.filter { pausedInClient.contains($0) && !partitions.contains($0) }, false)
    }

    /// A pause outlives the assignment in librdkafka, so it is undone before; `start(at:)` puts it back.
    private func resumeAll() throws(LogFailure) {
        try tellPaused(assigned.filter { pausedInClient.contains($0) }, false)
    }

    private func tellPaused(_ partitions: [InputPartition], _ pausing: Bool) throws(LogFailure) {
        if partitions.isEmpty { return }
        let list = TopicPartitions(partitions, topics: topics)
        let error = pausing
            ? rd_kafka_pause_partitions(client.handle, list.list) : rd_kafka_resume_partitions(client.handle, list.list)
        // What librdkafka does not know is not paused either.
        if pausing, let problem = list.problem { throw .retry("pausing \(problem.place): \(text(problem.error))") }
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(error, pausing ? "pausing" : "resuming") }
        if pausing { pausedInClient.formUnion(partitions) } else { pausedInClient.subtract(partitions) }
    }

    /// - Throws: `.retry` when the group has given this consumer up: what it would commit could not be fenced.
    public func membership() throws(LogFailure) -> any GroupMembership {
        try KafkaMembership(of: client.handle, topics: topics)
    }

    public func close() {
        dropHeld()
        client.close()
    }
}
