import Behavior
import Engine
import StateStore

/// Everything a shard has of one partition: its engine, its state file, what waits to be decided, and how far each input
/// has come. Arrays of offsets are per input.
final class PartitionTask {
    let partition: Int32
    /// Another one when the plan changes.
    var engine: Engine
    var store: StateStore?
    var queues: InputQueues
    /// The offset of the next record to step.
    var next: [Int64]
    /// The offset of the next record to queue.
    var fetched: [Int64]
    /// Everything before is committed.
    var acknowledged: [Int64]
    /// Committed records that are being stepped again; nil when the task is live.
    var redo: Redo?
    /// What was decided since the last commit.
    var cut: Cut
    /// Where in the cuts topic the cuts after the last commit begin; at most too low.
    var cutsOffset: Int64
    /// Where in the state topic the records begin that the state file doesn't have; at most too low.
    var tail: Int64
    /// Which life of the state topic this is: see `TopicCheckpoint`.
    var origin = ""
    /// Users whom the state topic must get again before a checkpoint may be written to it.
    var unpublished = 0
    /// The positions of the redo point written last; nil when there is none yet.
    var checkpointed: [Int64]?
    /// When the state file was last written, in milliseconds since 1970.
    var stored: Int64 = 0
    /// Users whose committed rows the state file didn't take.
    var unstored: Set<UInt32> = []
    /// The state file failed: it is not tried again before.
    var storeRetry: Int64 = 0
    /// What the commit under way writes of this task.
    var slice: StateSlice?
    /// Panes its batches have sealed since the last commit.
    var sealed: [SealedPane] = []
    /// Up to where the networks topic was absorbed at the last commit, to which an abort may return.
    var heldPanes: [Int64] = []
    /// Others' panes were absorbed for the batch under way.
    var hasAbsorbed = false
    /// Openings of its circuit breaker that were told to the operator.
    var breakersTold: UInt64 = 0
    /// When a record of it came last.
    var heard: Int64 = 0
    /// Since when records of one input have waited for another's.
    var waiting: Int64?
    /// The engine's counters when it went live: what redo counted was counted before the restart.
    private(set) var counted = EngineCounters()
    /// Where the operator wants to go on, beside where redo ends; nil once there.
    var moved: [Int64]?
    /// The positions are to be committed and recorded though nothing was decided.
    var mustCommit = false
    /// Reading must go on at `next`, wherever it stands.
    var mustRewind = false
    /// A row of the state file could not be read back.
    var isFileBad = false
    /// The state file failed, and that was said.
    var isStoreFailing = false

    init(partition: Int32, engine: Engine, store: StateStore?, from: [Int64], acknowledged: [Int64], redo: Redo?) {
        self.partition = partition
        self.engine = engine
        self.store = store
        queues = InputQueues(inputs: from.count)
        next = from
        fetched = from
        self.acknowledged = acknowledged
        self.redo = redo
        cut = Cut(from: acknowledged)
        cutsOffset = 0
        tail = 0
    }

    /// Going live: what redo counted was counted before.
    func endRedo() {
        next = acknowledged
        for input in next.indices { fetched[input] = max(fetched[input], next[input]) }
        counted = engine.counters
        redo = nil
        engine.stopFollowing()
        goWhereMoved()
    }

    /// Goes on where the operator wants to.
    func goWhereMoved() {
        if let moved {
            (next, acknowledged) = (moved, moved)
            unfetch()
            mustRewind = true
            mustCommit = true
        }
        moved = nil
        cut = Cut(from: next)
    }

    /// Drops what waits: reading goes back to `next`.
    func unfetch() {
        queues.removeAll()
        fetched = next
        waiting = nil
    }
}

/// The stretch from the redo point to what is committed.
struct Redo {
    /// A batch as it was cut.
    struct Batch {
        /// Per input, the offset after its last record.
        var ends: [Int64]
        /// Where in the cuts topic the batches after it begin.
        var cutsOffset: Int64
        /// Up to where partitions of the networks topic had been absorbed before it, where that was news.
        var panes: [(partition: Int, offset: Int64)]
        /// Under which it was decided; nil where no cut tells.
        var version: String?
    }
    /// The batches to follow, the next one last. Empty where no cuts were kept: then inputs are merged anew.
    var batches: [Batch]
    /// The log has no more records below the end: go on with what came.
    var isSilent = false
}
