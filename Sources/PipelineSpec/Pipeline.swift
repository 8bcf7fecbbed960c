import Engine

/// A validated pipeline file: everything `vigil run` needs.
public struct Pipeline: Sendable, Equatable {
    /// The pure core's part.
    public var plan = EnginePlan()
    /// Consumer group.
    public var group = ""
    /// Static membership: shard n joins as `<instance>-<n>`. Nil for dynamic membership.
    public var instance: String?
    public var shards = 1
    /// Passed through to librdkafka verbatim, `bootstrap.servers` among them.
    public var kafka: [String: String] = [:]
    public var decisionsTopic = "decisions"
    public var deadLettersTopic = "dead-letters"
    /// What `vigil topics --create` and the embedded broker make.
    public var partitions = 6
    public var replicationFactor = 1
    public var state = StateOptions()
    public var delivery = DeliveryOptions()
    /// What is allowed but probably not meant, in file order.
    public var warnings: [Diagnostic] = []
    public init() {}
}

/// Where checkpoints live and how often they are written.
public struct StateOptions: Sendable, Equatable {
    public var directory = "state"
    public var checkpointMilliseconds = 10_000
    public init() {}
}

/// How outputs and offsets are committed.
public struct DeliveryOptions: Sendable, Equatable {
    public var commitMilliseconds = 100
    /// After an intervention.
    public var interventionCommitMilliseconds = 20
    /// Most records in one batch.
    public var batchRecords = 1024
    /// Most bytes waiting in the producer's queue.
    public var queueBytes = 64 * 1024 * 1024
    public init() {}
}
