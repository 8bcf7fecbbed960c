import Engine
import StateStore

/// Everything a shard has of one partition: its engine, its state file, and how far each input has come.
final class PartitionTask {
    let partition: Int32
    let engine: Engine
    var store: StateStore?
    /// Per input: the offset of the next record to step.
    var next: [Int64]
    /// Per input: the offset up to which the log has acknowledged everything; while redoing, where redo ends.
    var acknowledged: [Int64]
    /// Per input: the cut of the last checkpoint.
    var checkpointed: [Int64]
    /// What was acknowledged after the checkpoint is being stepped again, output suppressed.
    private(set) var isRedoing: Bool
    /// A record beyond the end of redo was passed over because another input was still being redone.
    var hasHeldBack = false
    /// The engine's counters when it went live: what redo counted was counted before the restart.
    private(set) var counted = EngineCounters()
    /// The last checkpoint failed, and that was said.
    var isStoreFailing = false

    init(partition: Int32, engine: Engine, store: StateStore?, start: TaskStart) {
        self.partition = partition
        self.engine = engine
        self.store = store
        next = start.from
        acknowledged = start.acknowledged
        checkpointed = start.usesCheckpoint ? start.from : Array(repeating: -1, count: start.from.count)
        isRedoing = start.from != start.acknowledged
    }

    /// Nothing before `offset` is left to redo on one input; redo ends with the last input.
    func passRedo(input: Int, offset: Int64) {
        next[input] = max(next[input], min(offset, acknowledged[input]))
        if next == acknowledged { endRedo() }
    }

    /// The log holds nothing more below the end of redo.
    func endRedo() {
        next = acknowledged
        counted = engine.counters
        isRedoing = false
    }
}
