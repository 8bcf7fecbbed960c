import CRdKafka
import struct Logging.Logger
import Runtime

/// Checks and creates the topics of a pipeline.
public final class TopicAdmin {
    let client: Client

    public init(properties: [String: String], logger: Logger) throws(LogFailure) {
        client = try Client(
            .producer, KafkaProperties(defaults: [("client.id", "vigil-admin")], user: properties), name: "admin",
            logger: logger)
    }

    /// The partition count of each topic, nil where it does not exist or may not be seen.
    /// - Throws: `.retry` when no broker answers in time, `.stop` when access is refused.
    public func partitionCounts(
        _ topics: [String], timeoutMilliseconds: Int = 10_000
    ) throws(LogFailure) -> [Int?] {
        let visible = try client.visibleTopics(timeoutMilliseconds: timeoutMilliseconds)
        return topics.map { visible[$0] }
    }

    /// Whether the brokers are an embedded one.
    /// - Throws: `.retry` when none answers in time.
    public func isEmbedded(timeoutMilliseconds: Int = 10_000) throws(LogFailure) -> Bool {
        guard let id = client.clusterIdentity(timeoutMilliseconds: timeoutMilliseconds) else {
            throw .retry("the brokers did not tell the cluster's id")
        }
        return id.hasPrefix("mockCluster")
    }

    /// What is wrong with topics, one sentence each.
    public struct Findings: Sendable, Equatable {
        /// The pipeline can't run with these.
        public var problems: [String] = []
        /// It can run, and somebody should know.
        public var notes: [String] = []
    }

    /// Everything that is wrong with the topics; empty when the pipeline can run.
    public func problems(_ needs: [Need], timeoutMilliseconds: Int = 10_000) throws(LogFailure) -> [String] {
        try check(needs, timeoutMilliseconds: timeoutMilliseconds).problems
    }

    /// Whether the topics are there, fit each other, and are configured for what they hold. A cluster that does not
    /// let its topics' configuration be read is noted, not refused.
    /// - Throws: `.retry` when no broker answers in time, `.stop` when access is refused.
    public func check(_ needs: [Need], timeoutMilliseconds: Int = 10_000) throws(LogFailure) -> Findings {
        let counts = try partitionCounts(needs.map(\.name), timeoutMilliseconds: timeoutMilliseconds)
        var findings = Findings()
        var inputs: [(name: String, count: Int)] = []
        for (need, count) in zip(needs, counts) {
            guard let count else {
                findings.problems.append("topic \(need.name) does not exist, or these credentials may not see it")
                continue
            }
            if need.isInput { inputs.append((need.name, count)) }
        }
        if Set(inputs.map(\.count)).count > 1 {
            let list = inputs.map { "\($0.name) has \($0.count)" }.joined(separator: ", ")
            findings.problems.append("the inputs must have equally many partitions, so that a user's events meet: \(list)")
        } else if let wanted = inputs.first {
            for (need, count) in zip(needs, counts) where need.isInternal && count != nil && count != wanted.count {
                findings.problems.append(
                    "topic \(need.name) has \(count ?? 0) partitions and \(wanted.name) has \(wanted.count): what belongs to a partition is kept under its number, so they must agree. Make \(need.name) anew, which loses what it holds")
            }
        }
        let there = zip(needs, counts).filter { $0.1 != nil }.map(\.0)
        try checkConfigurations(there, timeoutMilliseconds, &findings)
        return findings
    }

    /// Creates those topics that are not there, and returns their names.
    /// - Throws: `.stop` that names every topic that can't be made and why.
    public func create(_ needs: [Need], timeoutMilliseconds: Int = 30_000) throws(LogFailure) -> [String] {
        let counts = try partitionCounts(needs.map(\.name))
        let missing = zip(needs, counts).filter { $0.1 == nil }.map(\.0)
        if missing.isEmpty { return [] }
        // It would leave the request unanswered.
        if try isEmbedded() {
            throw .stop("the embedded broker does not create topics on request: it makes its topics when it starts, or by itself when they are first used")
        }
        var topics: [OpaquePointer?] = []
        defer { for topic in topics { rd_kafka_NewTopic_destroy(topic) } }
        for need in missing {
            var reason = [CChar](repeating: 0, count: 256)
            guard let topic = rd_kafka_NewTopic_new(
                need.name, Int32(clamping: need.partitions), Int32(clamping: need.replicationFactor), &reason,
                reason.count)
            else { throw .stop("topic \(need.name) can't be made: \(text(reason))") }
            topics.append(topic)
            for (name, value) in need.configuration.sorted(by: { $0.key < $1.key }) {
                rd_kafka_NewTopic_set_config(topic, name, value)
            }
        }
        try request(&topics, timeoutMilliseconds)
        try awaitSight(of: missing.map(\.name))
        return missing.map(\.name)
    }

    /// The controller answers before every broker has learned of the topics. What is not to be seen in time is left for
    /// `check` to say.
    private func awaitSight(of topics: [String]) throws(LogFailure) {
        let until = monotonicMilliseconds() + 10_000
        while try partitionCounts(topics).contains(nil), monotonicMilliseconds() < until { rd_kafka_poll(client.handle, 50) }
    }

    private func request(_ topics: inout [OpaquePointer?], _ timeoutMilliseconds: Int) throws(LogFailure) {
        let answer = try AdminAnswer(
            of: client, RD_KAFKA_ADMIN_OP_CREATETOPICS, "creating topics", timeoutMilliseconds: timeoutMilliseconds
        ) { rd_kafka_CreateTopics(client.handle, &topics, topics.count, $0, $1) }
        var count = 0
        guard let result = rd_kafka_event_CreateTopics_result(answer.event),
            let outcomes = rd_kafka_CreateTopics_result_topics(result, &count)
        else { return }
        var problems: [String] = []
        for outcome in UnsafeBufferPointer(start: outcomes, count: count) {
            let error = rd_kafka_topic_result_error(outcome)
            if error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { continue }
            let name = rd_kafka_topic_result_name(outcome).map { String(cString: $0) } ?? "?"
            let reason = rd_kafka_topic_result_error_string(outcome).map { String(cString: $0) } ?? text(error)
            problems.append("topic \(name) can't be made: \(reason)")
        }
        if !problems.isEmpty { throw .stop(problems.joined(separator: "; ")) }
    }
}

/// The cluster's answer to one request of administration.
struct AdminAnswer: ~Copyable {
    let event: OpaquePointer

    /// - Parameter send: issues the request with these options, to be answered on this queue.
    /// - Throws: `.retry` when nobody answers in time, `.stop` when access is refused.
    init(
        of client: Client, _ operation: rd_kafka_admin_op_t, _ doing: String, timeoutMilliseconds: Int,
        _ send: (_ options: OpaquePointer?, _ queue: OpaquePointer?) -> Void
    ) throws(LogFailure) {
        let queue = rd_kafka_queue_new(client.handle)
        let options = rd_kafka_AdminOptions_new(client.handle, operation)
        defer {
            rd_kafka_AdminOptions_destroy(options)
            rd_kafka_queue_destroy(queue)
        }
        rd_kafka_AdminOptions_set_request_timeout(options, Int32(clamping: timeoutMilliseconds), nil, 0)
        send(options, queue)
        guard let event = rd_kafka_queue_poll(queue, Int32(clamping: timeoutMilliseconds + 1_000)) else {
            throw .retry("\(doing): the controller did not answer within \(timeoutMilliseconds) ms")
        }
        let error = rd_kafka_event_error(event)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            rd_kafka_event_destroy(event)
            let words = "\(doing): \(text(error))"
            throw isFinal(error) ? .stop(words) : .retry(words)
        }
        self.event = event
    }

    deinit { rd_kafka_event_destroy(event) }
}
