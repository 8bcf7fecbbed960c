import Engine

/// What a shard has done since it was made.
public struct ShardCounters: Sendable, Equatable {
    /// Records decided, dead-lettered or ignored; redone ones are not among them.
    public var records: UInt64 = 0
    public var redone: UInt64 = 0
    public var decisions: UInt64 = 0
    public var deadLetters: UInt64 = 0
    public var commits: UInt64 = 0
    public var checkpoints: UInt64 = 0
    public var failedCheckpoints: UInt64 = 0
    public var outages: UInt64 = 0
    public var aborts: UInt64 = 0
    public var rebalances: UInt64 = 0
    /// Changed pipelines that were swapped in.
    public var reloads: UInt64 = 0
    /// Offsets whose records were redone under another version than they were decided under.
    public var crossed: UInt64 = 0
    public init() {}
}

/// One partition, as its shard sees it.
public struct PartitionStatus: Sendable, Equatable {
    public var partition: Int32
    /// Per input: the offset of the next record.
    public var positions: [Int64]
    public var users: Int
    public var isRedoing: Bool
    /// What a lost state topic had is being written to it again.
    public var isRepublishing: Bool
}

/// One shard between two batches.
public struct ShardStatus: Sendable, Equatable {
    public var name: String
    public var state: Lifecycle
    /// The version of the plan in force.
    public var policy: String
    public var counters: ShardCounters
    /// Summed over the partitions the shard has and had.
    public var engine: EngineCounters
    public var partitions: [PartitionStatus]
    public var users: Int
    /// Records between the shard's positions and the ends of its logs; nil while the log can't say.
    public var lag: Int64?
}

/// How a shard ended.
public enum ShardOutcome: Sendable, Equatable {
    /// Stopped as asked, everything committed.
    case stopped
    /// The log has no more records, everything committed.
    case ended
    /// The hard deadline passed before the log acknowledged; the restart will repeat what wasn't.
    case gaveUp(String)
    /// An operator is needed.
    case failed(String)
}

extension EngineCounters {
    /// Adds what `now` has counted since `before`.
    mutating func add(_ now: EngineCounters, since before: EngineCounters = EngineCounters()) {
        events += now.events &- before.events
        ignored += now.ignored &- before.ignored
        deadLetters += now.deadLetters &- before.deadLetters
        late += now.late &- before.late
        duplicates += now.duplicates &- before.duplicates
        clamped += now.clamped &- before.clamped
        evicted += now.evicted &- before.evicted
        challenges.add(now.challenges, since: before.challenges)
        breakerOpened += now.breakerOpened &- before.breakerOpened
        relaxed += now.relaxed &- before.relaxed
        challengesRefused += now.challengesRefused &- before.challengesRefused
        feedbackLegitimate += now.feedbackLegitimate &- before.feedbackLegitimate
        feedbackCompromised += now.feedbackCompromised &- before.feedbackCompromised
        feedbackUnknown += now.feedbackUnknown &- before.feedbackUnknown
        feedbackUnheeded += now.feedbackUnheeded &- before.feedbackUnheeded
        feedbackRepeated += now.feedbackRepeated &- before.feedbackRepeated
        erasures += now.erasures &- before.erasures
        droppedMarkers += now.droppedMarkers &- before.droppedMarkers
        shadowDifferences &+= now.shadowDifferences &- before.shadowDifferences
        verdicts &+= now.verdicts &- before.verdicts
    }
}
