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
    /// Milliseconds between checkpoints.
    public var checkpointMilliseconds = 10_000
    /// Most records in one batch.
    public var batchRecords = 1024
    /// How long one wait for acknowledgements may hold up the loop, in milliseconds. Beyond it the log counts as away.
    public var flushMilliseconds = 1_000
    /// Hard deadline for leaving, in milliseconds.
    public var stopMilliseconds = 10_000
    /// How long a redo may wait for a record that should be there before it asks whether the log is only silent.
    public var silenceMilliseconds = 30_000
    public init() {}
}

/// The world of one shard. Everything in it is used on the shard's own thread, except the last two.
public struct ShardWorld {
    /// Make the two ends; called again after the shard was fenced.
    public var input: () throws(LogFailure) -> any InputLog
    public var output: () throws(LogFailure) -> any OutputLog
    /// Nil keeps no state.
    public var directory: StateDirectory?
    public var clock: any RuntimeClock
    public var logger: Logger
    public var mailbox: Mailbox
    public var stop: StopRequest

    public init(
        input: @escaping () throws(LogFailure) -> any InputLog, output: @escaping () throws(LogFailure) -> any OutputLog,
        directory: StateDirectory?, clock: any RuntimeClock = SystemClock(), logger: Logger,
        mailbox: Mailbox = Mailbox(), stop: StopRequest = StopRequest()
    ) {
        self.input = input
        self.output = output
        self.directory = directory
        self.clock = clock
        self.logger = logger
        self.mailbox = mailbox
        self.stop = stop
    }
}

/// A complete pipeline on one thread, at least once: read, decide, produce; acknowledged, then committed, then
/// checkpointed. `round` is the whole of it.
public final class Shard {
    let plan: EnginePlan
    let options: ShardOptions
    let world: ShardWorld
    var logger: Logger { world.logger }

    var input: any InputLog
    var output: any OutputLog
    public internal(set) var state = Lifecycle.joining
    public internal(set) var counters = ShardCounters()
    /// Ascending by partition.
    var tasks: [PartitionTask] = []
    /// Index into `tasks` by partition number; −1 where the partition isn't ours.
    var taskIndex: [Int] = []
    /// Assigned, not yet restored.
    var pending: [Int32]?

    private var batch: [Record] = []
    var effects = Effects()
    /// What redo emits: it was emitted before.
    var suppressed = Effects()
    /// How many of the effects are produced.
    var produced = 0
    var isPaused = false

    /// When the oldest uncommitted work must be committed; nil while there is none.
    var commitDue: Int64?
    var checkpointDue: Int64
    var lastRecord: Int64
    /// What retired engines counted.
    var retired = EngineCounters()
    var lag: (at: Int64, records: Int64?)?
    private var lastComplaint = ""

    /// Throws what making the two ends of the log throws.
    public init(plan: EnginePlan, options: ShardOptions = ShardOptions(), world: ShardWorld) throws(LogFailure) {
        self.plan = plan
        self.options = options
        self.world = world
        input = try world.input()
        output = try world.output()
        lastRecord = world.clock.milliseconds
        checkpointDue = lastRecord + Int64(options.checkpointMilliseconds)
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
        do {
            return try round()
        } catch .fenced(let why) {
            logger.warning("fenced; starting afresh", metadata: ["shard": "\(options.name)", "reason": "\(why)"])
            return startAfresh()
        } catch {
            logger.error("stopped", metadata: ["shard": "\(options.name)", "reason": "\(error)"])
            return .failed(error.description)
        }
    }

    /// The loop: poll, decide, produce; when due, commit; when due, checkpoint.
    private func round() throws(LogFailure) -> ShardOutcome? {
        world.mailbox.answer(self)
        if world.stop.isRequested { return try leave(as: .stopped) }

        batch.removeAll(keepingCapacity: true)
        switch try poll() {
        case .records: try decide()
        case .assigned(let partitions): try assign(partitions)
        case .revoked: try revoke()
        case .lost: try drop()
        case .ended: return try leave(as: .ended)
        }

        if pending != nil { try recover() }
        if state == .recovering { try continueRedo() }
        if state == .away || isCommitDue || isCheckpointDue, try commit(), isCheckpointDue { checkpoint() }
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
        guard state != .away, let due = commitDue else { return 100 }
        return Int(min(100, max(0, due - world.clock.milliseconds)))
    }

    /// Steps 2 to 8 for a batch: every record through its partition's engine, what comes out to the output log.
    private func decide() throws(LogFailure) {
        guard !batch.isEmpty else { return }
        effects.removeAll()
        produced = 0
        let before = counters.records
        for record in batch {
            guard let task = task(of: record.partition) else { continue }
            let input = Int(record.input)
            guard task.next.indices.contains(input), record.offset >= task.next[input] else { continue }
            if task.isRedoing || task.hasHeldBack, !redo(record, in: task) { continue }
            task.engine.step(record, into: &effects)
            task.next[input] = record.offset + 1
            counters.records += 1
        }
        if counters.records != before { scheduleCommit(within: options.commitMilliseconds) }
        lastRecord = world.clock.milliseconds
        if try !produce() { try goAway() }
    }

    private func task(of partition: Int32) -> PartitionTask? {
        guard taskIndex.indices.contains(Int(partition)) else { return nil }
        let index = taskIndex[Int(partition)]
        return index < 0 ? nil : tasks[index]
    }

    private var isCommitDue: Bool { commitDue.map { $0 <= world.clock.milliseconds } ?? false }
    private var isCheckpointDue: Bool { !tasks.isEmpty && checkpointDue <= world.clock.milliseconds }

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
            name: options.name, state: state, counters: counters, engine: engine,
            partitions: tasks.map {
                PartitionStatus(
                    partition: $0.partition, positions: $0.next, users: $0.engine.userCount, isRedoing: $0.isRedoing)
            },
            users: tasks.reduce(0) { $0 + $1.engine.userCount }, lag: measureLag())
    }
}
