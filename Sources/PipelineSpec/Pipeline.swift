import Engine
import Enrichment
import Events

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
    /// Topics whose records are keyed anew before the engine reads them.
    public var repartitions: [Repartition] = []
    public var delivery = DeliveryOptions()
    /// The opened files that events are enriched from; nil when there are none.
    public var enrichment: EnrichmentSource?
    /// What the file says it does, for `vigil test`; no part of what is decided.
    public var tests: [PipelineTest] = []
    /// Of the weights file it names, in `plan.model` already: slope and offset on the log-odds. 1 and 0 without one.
    public var calibration = Calibration()
    /// What is allowed but probably not meant, in file order.
    public var warnings: [Diagnostic] = []
    /// What it can't change while it runs.
    var fixed = FixedKeys()
    public init() {}

    /// What enriches one shard's events.
    public func makeEnrichment() -> EventEnrichment { enrichment.map { Enricher($0) } ?? EventEnrichment() }
}

/// What makes log-odds mean a probability: slope × them + offset.
public struct Calibration: Sendable, Equatable {
    public var slope = 1.0
    public var offset = 0.0
}

/// Where checkpoints live and how often they are written.
public struct StateOptions: Sendable, Equatable {
    public var directory = "state"
    /// For how long a changed user may stay unwritten.
    public var checkpointMilliseconds = 10_000
    /// Of each shard.
    public var checkpointBytesPerSecond = 16 << 20
    /// Of all shards together.
    public var memoryBytes = 4 << 30
    /// State and cuts go to topics too, so that they can follow a partition to another host. An embedded broker would lose
    /// them, so there they don't.
    public var travels = true
    public var topic = "vigil-state"
    public var cutsTopic = "vigil-cuts"
    public var networksTopic = "vigil-networks"
    /// `delete.retention.ms` of the state topic.
    public var tombstoneMilliseconds = 86_400_000
    public init() {}
}

/// A topic that is copied, keyed by user, into one of Vigil's own. The plan's input reads the copy.
public struct Repartition: Sendable, Equatable {
    /// Index into `EnginePlan.inputs`.
    public var input: Int
    /// What producers write to; the plan's input has the copy's name.
    public var source: String
}

/// What a crash may do to decisions.
public enum DeliveryMode: Sendable, Equatable { case exactlyOnce, atLeastOnce }

/// How outputs and offsets are committed.
public struct DeliveryOptions: Sendable, Equatable {
    public var mode = DeliveryMode.exactlyOnce
    public var commitMilliseconds = 100
    /// After an intervention.
    public var interventionCommitMilliseconds = 20
    /// How long records of one topic wait for another's.
    public var idleMilliseconds = 2_000
    /// Most records in one batch.
    public var batchRecords = 1024
    /// Most bytes waiting in the producer's queue.
    public var queueBytes = 64 * 1024 * 1024
    public init() {}
}
