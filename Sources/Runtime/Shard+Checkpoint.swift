import Engine
import StateStore

/// Slices of the checkpoint: which users are written with a commit, and how they get into the state file.
extension Shard {
    /// Most bytes of rows in one slice when everything is to be written: a transaction must not grow without bound.
    private static let mostSliceBytes = 8 << 20

    /// Milliseconds between slices. Without a topic that travels, a checkpoint is everything at one cut, and redo begins
    /// right there.
    var sliceMilliseconds: Int64 {
        Int64(internals == nil ? options.checkpointMilliseconds : max(1, options.checkpointMilliseconds / 10))
    }

    /// Where the task is now, as a cut.
    func mark(of task: PartitionTask) -> CutMark {
        CutMark(positions: task.next, cutsOffset: task.cutsOffset, milliseconds: world.clock.milliseconds)
    }

    /// Chooses what every live task writes now: the users that have been unwritten longest, as many as the budget allows.
    func takeSlices(all: Bool) {
        let now = world.clock.milliseconds
        let elapsed = max(1, now - sliced)
        var budget = all ? Self.mostSliceBytes : Int(Int64(options.checkpointBytesPerSecond) * elapsed / 1000)
        // Without a topic that travels all rows must be of one cut: nothing else says in which order to redo.
        let takesAll = all || internals == nil
        for task in tasks where task.redo == nil {
            var slice = task.engine.slice(
                at: mark(of: task), dirtyBefore: takesAll ? .max : now - Int64(options.checkpointMilliseconds),
                maxBytes: internals == nil ? .max : max(1, budget))
            if world.mutant == .forgetShared { slice.redo.shared = Engine(plan: plan).sharedImage() }
            budget -= slice.bytes
            guard !slice.isEmpty || task.checkpointed != slice.redo.positions || (all && !task.unstored.isEmpty) else { continue }
            task.slice = slice
        }
    }

    /// Writes a committed slice into the state file. Failing costs recovery time, not decisions: say so, go on, and catch up
    /// with a later slice.
    ///
    /// What the file has of a user is always what the state topic has: a row that is ahead would count as written when it
    /// is loaded, and never reach the topic. So of the users the file missed only those come along who have not changed
    /// since, and until it has all of them, it reads the topic again from before the first it missed. Its own redo begins
    /// there too: the topic may be lost before the file has caught up.
    func storeSlice(of task: PartitionTask) {
        guard let slice = task.slice else { return keepFresh(task) }
        task.checkpointed = slice.redo.positions
        guard task.store != nil else { return }
        let now = world.clock.milliseconds
        let mine = Set(slice.numbers)
        let missed = task.unstored.subtracting(mine)
        let waiting = missed.isEmpty ? [] : missed.intersection(task.engine.dirtyNumbers)
        let tail = task.tail
        if waiting.isEmpty { task.tail = output.acknowledged(.state, partition: task.partition) ?? tail }
        // A failing disk is left alone for a while: what it doesn't take grows, and trying costs.
        let isDue = now >= task.storeRetry || commitment?.takesAll == true
        let redo = waiting.isEmpty ? slice.redo : task.engine.firstRedo ?? slice.redo
        if isDue, write(mine.union(missed).subtracting(waiting).sorted(), redo, of: task) {
            task.unstored = waiting
            if waiting.isEmpty { task.engine.dropPassed() }
        } else {
            task.tail = tail
            task.unstored.formUnion(mine)
            if isDue { task.storeRetry = now + Int64(options.checkpointMilliseconds) }
        }
    }

    /// A file that nothing was written to for hours is still in step, and says so, or it would look outdated.
    private func keepFresh(_ task: PartitionTask) {
        guard isAging(task), commitment?.takesSlices == true else { return }
        _ = write([], task.engine.slice(at: mark(of: task), dirtyBefore: .min, maxBytes: 0).redo, of: task)
    }

    /// The file has not been written to for long, and could be.
    func isAging(_ task: PartitionTask) -> Bool {
        task.store != nil && internals != nil && task.unstored.isEmpty && !task.isStoreFailing
            && world.clock.wallMilliseconds - task.stored > Int64(options.tombstoneMilliseconds / 4)
    }

    /// Writes all that is unwritten into the state file, where that is the only copy, or a new one.
    func storeEverything(of task: PartitionTask) {
        guard task.store != nil, task.redo == nil, task.next == task.acknowledged else { return }
        let slice = task.engine.slice(at: mark(of: task), dirtyBefore: .max, maxBytes: .max)
        _ = write(task.unstored.union(slice.numbers).sorted(), slice.redo, of: task)
    }

    /// Writes rows as they are and the redo point; false when the file doesn't take them.
    func write(_ numbers: [UInt32], _ redo: RedoPoint, of task: PartitionTask) -> Bool {
        guard let store = task.store else { return false }
        let now = world.clock.wallMilliseconds
        do {
            let checkpoint = StoredCheckpoint(
                redo: redo.encoded(), tail: task.tail, origin: task.origin, isRepublishing: task.unpublished > 0, written: now)
            try store.write(checkpoint) { put throws(StoreError) in
                for number in numbers {
                    let failure: StoreError? = task.engine.withRow(number: number) { row in
                        do throws(StoreError) { try put(number, row) } catch { return error }
                        return nil
                    }
                    if let failure { throw failure }
                }
            }
            task.stored = now
            counters.checkpoints += 1
            if task.isStoreFailing {
                task.isStoreFailing = false
                logger.notice(
                    "checkpoints are written again",
                    metadata: ["shard": "\(options.name)", "partition": "\(task.partition)"])
            }
            return true
        } catch {
            counters.failedCheckpoints += 1
            if !task.isStoreFailing {
                task.isStoreFailing = true
                logger.error(
                    "a checkpoint failed; deciding goes on from memory, a restart will redo from the last good one",
                    metadata: ["shard": "\(options.name)", "partition": "\(task.partition)", "reason": "\(error)"])
            }
            return false
        }
    }

    /// Leaves the coldest users to the state file while rows take more memory than they may.
    func page() {
        let resident = tasks.reduce(0) { $0 + $1.engine.residentBytes }
        guard resident > options.memoryBytes else { return }
        for task in tasks where task.store != nil && !task.isStoreFailing && task.unstored.isEmpty && task.redo == nil {
            let share = Double(task.engine.residentBytes) / Double(resident)
            _ = task.engine.pageOut(toFit: Int(Double(options.memoryBytes) * share))
        }
    }
}
