import CRdKafka
import struct Logging.Logger
import Runtime

/// Checks and creates the topics of a pipeline.
public final class TopicAdmin {
    /// A topic a pipeline needs.
    public struct Need: Sendable, Equatable {
        public var name: String
        /// Inputs must have equally many partitions.
        public var isInput: Bool
        /// What to create; a topic that is there may have another number.
        public var partitions: Int
        public var replicationFactor: Int
        /// Topic configuration, such as `message.timestamp.type`.
        public var configuration: [String: String]

        public init(
            name: String, isInput: Bool, partitions: Int, replicationFactor: Int = 1,
            configuration: [String: String] = [:]
        ) {
            self.name = name
            self.isInput = isInput
            self.partitions = partitions
            self.replicationFactor = replicationFactor
            self.configuration = configuration
        }

        /// An input of the pipeline: stamped by the broker, so that a producer can't date its events ahead.
        public static func input(_ name: String, partitions: Int, replicationFactor: Int = 1) -> Need {
            Need(
                name: name, isInput: true, partitions: partitions, replicationFactor: replicationFactor,
                configuration: ["message.timestamp.type": "LogAppendTime"])
        }

        /// An output of the pipeline.
        public static func output(_ name: String, partitions: Int, replicationFactor: Int = 1) -> Need {
            Need(name: name, isInput: false, partitions: partitions, replicationFactor: replicationFactor)
        }
    }

    private let client: Client

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

    /// Everything that is wrong with the topics, one sentence each; empty when the pipeline can run.
    public func problems(_ needs: [Need], timeoutMilliseconds: Int = 10_000) throws(LogFailure) -> [String] {
        let counts = try partitionCounts(needs.map(\.name), timeoutMilliseconds: timeoutMilliseconds)
        var problems: [String] = []
        var inputs: [(name: String, count: Int)] = []
        for (need, count) in zip(needs, counts) {
            guard let count else {
                problems.append("topic \(need.name) does not exist, or these credentials may not see it")
                continue
            }
            if need.isInput { inputs.append((need.name, count)) }
        }
        if Set(inputs.map(\.count)).count > 1 {
            let list = inputs.map { "\($0.name) has \($0.count)" }.joined(separator: ", ")
            problems.append("the inputs must have equally many partitions, so that a user's events meet: \(list)")
        }
        return problems
    }

    /// Creates those topics that are not there, and returns their names.
    /// - Throws: `.stop` that names every topic that can't be made and why.
    public func create(_ needs: [Need], timeoutMilliseconds: Int = 30_000) throws(LogFailure) -> [String] {
        let counts = try partitionCounts(needs.map(\.name))
        let missing = zip(needs, counts).filter { $0.1 == nil }.map(\.0)
        if missing.isEmpty { return [] }
        // It would leave the request unanswered.
        if client.clusterIdentity(timeoutMilliseconds: timeoutMilliseconds)?.hasPrefix("mockCluster") == true {
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
        return missing.map(\.name)
    }

    private func request(_ topics: inout [OpaquePointer?], _ timeoutMilliseconds: Int) throws(LogFailure) {
        let queue = rd_kafka_queue_new(client.handle)
        let options = rd_kafka_AdminOptions_new(client.handle, RD_KAFKA_ADMIN_OP_CREATETOPICS)
        defer {
            rd_kafka_AdminOptions_destroy(options)
            rd_kafka_queue_destroy(queue)
        }
        rd_kafka_AdminOptions_set_request_timeout(options, Int32(timeoutMilliseconds), nil, 0)
        rd_kafka_CreateTopics(client.handle, &topics, topics.count, options, queue)
        guard let answer = rd_kafka_queue_poll(queue, Int32(timeoutMilliseconds + 1_000)) else {
            throw .retry("creating topics: the controller did not answer within \(timeoutMilliseconds) ms")
        }
        defer { rd_kafka_event_destroy(answer) }
        let error = rd_kafka_event_error(answer)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let words = "creating topics: \(text(error))"
            throw isFinal(error) ? .stop(words) : .retry(words)
        }
        var count = 0
        guard let result = rd_kafka_event_CreateTopics_result(answer),
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
