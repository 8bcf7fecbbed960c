import Engine
import Events
import Logging
import StateStore

/// A shard's intervals and bounds.
public struct ShardOptions: Sendable, Equatable {
    public var name = "shard-0"
    /// Milliseconds between commits while there is something to commit.
    public var commitMilliseconds = 100
    /// Milliseconds from an intervention to its commit.
    public var interventionCommitMilliseconds = 20
    /// Milliseconds for which a changed user may stay unwritten. Recovery redoes about as much.
    public var checkpointMilliseconds = 10_000
    /// Bytes of users' rows that one checkpoint slice may write, for each second since the slice before.
    public var checkpointBytesPerSecond = 16 << 20
    /// Bytes of users' rows kept in memory; colder users stay in the state file.
    public var memoryBytes = Int.max
    /// How long records of one input wait for those of another that are known to be in the log, in milliseconds.
    public var idleMilliseconds = 2_000
    /// How long the state topic keeps tombstones, in milliseconds: an older state file may have missed one.
    public var tombstoneMilliseconds = 86_400_000
    /// Go on from committed offsets that somebody else has changed.
    public var acceptsOffsets = false
    /// Most records in one batch.
    public var batchRecords = 1024
    /// Milliseconds between two looks at what other partitions have sealed.
    public var panesMilliseconds = 500
    /// How long one wait for acknowledgements may hold up the loop, in milliseconds. Beyond it the log counts as away.
    public var flushMilliseconds = 1_000
    /// Hard deadline for leaving, in milliseconds.
    public var stopMilliseconds = 10_000
    /// How long a redo may wait for a record that should be there before it asks whether the log is only silent.
    public var silenceMilliseconds = 30_000
    public init() {}
}

/// The world of one shard. Everything in it is used on the shard's own thread, except mailbox and stop.
public struct ShardWorld {
    /// Make the two ends; called again after the shard was fenced, `output` also when a transaction's end is unknown.
    public var input: () throws(LogFailure) -> any InputLog
    public var output: () throws(LogFailure) -> any OutputLog
    /// Makes a reader of the internal topics; nil where there are none, and state is only in the directory.
    public var internals: (() throws(LogFailure) -> any InternalLog)?
    /// What is added to events before they are decided; this shard's own.
    public var enrichment: EventEnrichment
    /// Nil keeps no state files.
    public var directory: StateDirectory?
    public var clock: any RuntimeClock
    public var logger: Logger
    public var mailbox: Mailbox
    public var stop: StopRequest
    /// Called at every named step; for tests.
    public var probe: ShardProbe?
    /// What all lines of a file contribute; nil where partitions tell each other, or nothing.
    public var feed: PopulationFeed?
    /// A fault of our own for tests of the tests.
    public var mutant: Mutant?

    public init(
        input: @escaping () throws(LogFailure) -> any InputLog, output: @escaping () throws(LogFailure) -> any OutputLog,
        internals: (() throws(LogFailure) -> any InternalLog)? = nil, enrichment: EventEnrichment = EventEnrichment(),
        directory: StateDirectory?, clock: any RuntimeClock = SystemClock(), logger: Logger, mailbox: Mailbox = Mailbox(),
        stop: StopRequest = StopRequest(), probe: ShardProbe? = nil, mutant: Mutant? = nil
    ) {
        self.input = input
        self.output = output
        self.internals = internals
        self.enrichment = enrichment
        self.directory = directory
        self.clock = clock
        self.logger = logger
        self.mailbox = mailbox
        self.stop = stop
        self.probe = probe
        self.mutant = mutant
    }
}

/// A complete pipeline on one thread: read, decide, produce, commit, checkpoint. `round` is the whole of it.
///
/// With a transactional output everything is exactly once: decisions, dead letters, cuts, users' rows and offsets of a
/// commit become visible together or not at all. Otherwise at least once: acknowledged, then committed.
public final class Shard {
    /// In force; name, inputs and bounds never change.
    var plan: EnginePlan
    let inputCount: Int
    let options: ShardOptions
    let world: ShardWorld
    var logger: Logger { world.logger }

    var input: any InputLog
    var output: any OutputLog
    var internals: (any InternalLog)?
    /// As of the assignment: commits are fenced with it.
    var member: any GroupMembership = NoMembership()
    public internal(set) var state = Lifecycle.joining
    public internal(set) var counters = ShardCounters()
    /// Ascending by partition.
    var tasks: [PartitionTask] = []
    /// Index into `tasks` by partition number; −1 where the partition isn't ours.
    var taskIndex: [Int] = []
    /// Assigned, not yet restored.
    var pending: Assignment?
    var decoders: Decoders
    /// The plan that is to be swapped in.
    var change: PlanChange?
    /// The plan that was in force before: what was decided under it is redone under it.
    var former: PlanInUse?

    private var batch: [Record] = []
    var effects = Effects()
    /// What redo emits: it was emitted before.
    var suppressed = Effects()
    /// How many of the effects are produced.
    var produced = 0
    /// The commit under way; nil between commits.
    var commitment: Commitment?
    var outbox = InternalOutbox()
    /// The networks topic, as far as it was read; nil where there is none.
    var panes: PaneFeed?
    var panesDue: Int64 = 0
    /// What the input log was told; it outlives `start(at:)`.
    var paused: Set<InputPartition> = []
    /// The output can't be used any more: it is made anew before the next use.
    var isOutputBad = false
    /// When the output was made anew of late.
    var resolutions: [Int64] = []

    /// When the oldest uncommitted work must be committed; nil while there is none.
    var commitDue: Int64?
    /// When the next checkpoint slice is due, and when the last one was.
    var sliceDue: Int64
    var sliced: Int64
    /// What retired engines counted.
    var retired = EngineCounters()
    private var lastComplaint = ""

    /// Throws what making the ends of the log throws.
    public init(plan: EnginePlan, options: ShardOptions = ShardOptions(), world: ShardWorld) throws(LogFailure) {
        self.plan = plan
        inputCount = plan.inputs.count
        self.options = options
        self.world = world
        decoders = Decoders(plan: plan, enrichment: world.enrichment)
        input = try world.input()
        output = try world.output()
        internals = try world.internals?()
        sliced = world.clock.milliseconds
        sliceDue = sliced
    }

    /// Turns until the shard is stopped, the log ends, or it must not go on; then lets go of everything.
    public func run() -> ShardOutcome {
        while true {
            guard let outcome = turn() else { continue }
            close()
            return outcome
        }
    }

    /// One round of the loop, what goes wrong in it included. Returns how the shard ended, nil while it goes on.
    public func turn() -> ShardOutcome? {
        do throws(LogFailure) {
            do throws(LogFailure) {
                return try round()
            } catch .aborted(let why) {
                rollBack(because: why)
                return nil
            } catch .unknown(let why) {
                resolve(because: why)
                return nil
            } catch {
                throw error
            }
        } catch .fenced(let why) {
            logger.warning("fenced; starting afresh", metadata: ["shard": "\(options.name)", "reason": "\(why)"])
            return startAfresh()
        } catch {
            logger.error("stopped", metadata: ["shard": "\(options.name)", "reason": "\(error)"])
            return .failed(error.description)
        }
    }

    /// The loop: poll, decide, produce; when due, commit, and with it a slice of the checkpoint.
    private func round() throws(LogFailure) -> ShardOutcome? {
        world.mailbox.answer(self)
        if world.stop.isRequested { return try leave(as: .stopped) }
        if let unsettled = commitment?.unsettled { try settle(unsettled) }
        swapIfIdle()

        try followPanes()
        batch.removeAll(keepingCapacity: true)
        switch try poll() {
        case .records: try decide(batch)
        case .assigned(let partitions): try assign(partitions)
        case .revoked: try revoke()
        case .lost: try drop()
        case .ended: return try leave(as: .ended)
        }

        if pending != nil { try recover() }
        if tasks.contains(where: \.mustRewind) { try rewindMoved() }
        if state == .recovering { try continueRedo() }
        if isDraining {
            try advanceChange()
        } else if state == .away || isCommitDue || isSliceDue {
            _ = try commit()
        }
        return nil
    }

    /// A log that can't be polled for the moment counts as a silent one.
    private func poll() throws(LogFailure) -> LogEvent {
        do {
            let event = try input.poll(
                into: &batch, maxRecords: options.batchRecords, timeoutMilliseconds: pollMilliseconds)
            // Polling works while nothing is acknowledged or restored, which is not yet an answer.
            if !lastComplaint.isEmpty, state != .away, pending == nil { complain("") }
            return event
        } catch .retry(let why) {
            batch.removeAll(keepingCapacity: true)
            complain(why)
            world.clock.wait(milliseconds: 100)
            return .records
        } catch {
            throw error
        }
    }

    private var pollMilliseconds: Int {
        if pending != nil || isDraining || tasks.contains(where: { $0.redo != nil && !$0.queues.isEmpty }) { return 1 }
        let now = world.clock.milliseconds
        var wait: Int64 = 100
        if state != .away, let due = commitDue { wait = min(wait, due - now) }
        for task in tasks { if let waiting = task.waiting { wait = min(wait, waiting + Int64(options.idleMilliseconds) - now) } }
        return Int(max(0, wait))
    }

    func pass(_ step: ShardStep) throws(LogFailure) { try world.probe?(step) }

    func task(of partition: Int32) -> PartitionTask? {
        guard taskIndex.indices.contains(Int(partition)) else { return nil }
        let index = taskIndex[Int(partition)]
        return index < 0 ? nil : tasks[index]
    }

    private var isCommitDue: Bool { commitDue.map { $0 <= world.clock.milliseconds } ?? false }
    private var isSliceDue: Bool {
        pending == nil && state == .running && !tasks.isEmpty && sliceDue <= world.clock.milliseconds
    }

    func scheduleCommit(within milliseconds: Int) {
        let due = world.clock.milliseconds + Int64(milliseconds)
        commitDue = min(commitDue ?? due, due)
    }

    /// Says what is wrong with the log once, and once that it is over.
    func complain(_ why: String) {
        guard why != lastComplaint else { return }
        lastComplaint = why
        if why.isEmpty {
            logger.notice("the log answers again", metadata: ["shard": "\(options.name)"])
        } else {
            logger.warning("the log doesn't answer; trying on", metadata: ["shard": "\(options.name)", "reason": "\(why)"])
        }
    }

    /// Answers the mailbox's standard question.
    public func status() -> ShardStatus {
        var engine = retired
        for task in tasks { engine.add(task.engine.counters, since: task.counted) }
        return ShardStatus(
            name: options.name, state: state, policy: plan.version, counters: counters, engine: engine,
            partitions: tasks.map {
                PartitionStatus(
                    partition: $0.partition, positions: $0.next, users: $0.engine.userCount, isRedoing: $0.redo != nil,
                    isRepublishing: $0.unpublished > 0)
            },
            users: tasks.reduce(0) { $0 + $1.engine.userCount }, lag: measureLag())
    }

    /// Every partition's engine, for tests that compare what shards know.
    public func forEachEngine(_ body: (_ partition: Int32, _ engine: Engine) -> Void) {
        for task in tasks { body(task.partition, task.engine) }
    }
}
