import Engine
import Events
import StateStore

/// The last step of a restoration: from what was found to a task that redoes or is live.
extension Shard {
    func load(
        _ restoration: Restoration, committed: [Int64?], bounds: [(first: Int64, end: Int64)], _ log: String
    ) throws(LogFailure) {
        if restoration.redo == nil, let first = restoration.cuts.first { try begin(restoration, with: first, bounds) }
        let recorded = internals == nil ? nil : furthest(restoration) ?? restoration.redo?.positions
        func judged(by bounds: [(first: Int64, end: Int64)]) -> TaskStart {
            TaskStart(
                checkpoint: restoration.redo?.positions, recorded: recorded.map { newest(of: $0, restoration) },
                isExact: output.isTransactional, acceptsOffsets: options.acceptsOffsets, committed: committed, bounds: bounds,
                topics: plan.inputs.map(\.topic))
        }
        let start = judged(by: bounds)
        if let refusal = start.refusal {
            // While this took its time others may have gone on, and this shard only hasn't heard yet. A member that was shut out
            // may have left a cut of records that came meanwhile, without a word to the group.
            let places = plan.inputs.indices.map { InputPartition(input: $0, partition: restoration.partition) }
            guard try input.committed(places) == committed, judged(by: try input.bounds(places)).refusal != nil else {
                pending?.begin(directory: world.directory)
                throw .retry("partition \(restoration.partition): offsets have moved meanwhile")
            }
            throw .stop("partition \(restoration.partition): \(refusal)")
        }
        for remark in start.remarks { warn(restoration.partition, remark) }
        if restoration.redo != nil {
            if start.usesCheckpoint { try fill(restoration) } else { try beginAnew(restoration, log) }
        }
        let task = makeTask(restoration, start)
        // Offsets that expired are put back at once, for whoever watches the group's lag.
        task.mustCommit = output.isTransactional && recorded != nil && committed.contains { $0 == nil }
        restoration.task = task
        restoration.phase = .done
        (restoration.rows, restoration.cuts) = ([:], [])
        // A first checkpoint at the start, so that a crash before the next one redoes from here and forgets nothing.
        if !start.usesCheckpoint && internals == nil { storeEverything(of: task) }
        try pass(.loaded)
    }

    /// How far the cuts go. Without transactions a member shut out of the group may have written an old one last.
    private func furthest(_ restoration: Restoration) -> [Int64]? {
        restoration.cuts.reduce(nil as [Int64]?) { furthest, next in
            furthest.map { zip($0, next.cut.ends).map { max($0, $1) } } ?? next.cut.ends
        }
    }

    /// Without a checkpoint the cuts tell where everything began, and the log may still hold it. Rows that are there are
    /// of later cuts, and each says what it has absorbed. They are kept only where not all can be redone: no image says what
    /// the circuit breaker had counted of them.
    private func begin(
        _ restoration: Restoration, with first: (offset: Int64, cut: Cut), _ bounds: [(first: Int64, end: Int64)]
    ) throws(LogFailure) {
        // A first commit that brought no checkpoint yet is no loss worth telling.
        if first.offset > 0 || restoration.cuts.count > 1 {
            warn(restoration.partition, "the state topic has no checkpoint; baselines are rebuilt from the inputs' records that are still there")
        }
        let redo = RedoPoint(
            positions: first.cut.from, cutsOffset: first.offset, shared: restoration.engine.sharedImage(), erased: [],
            version: restoration.engine.version)
        restoration.redo = redo
        let isHeld = zip(zip(first.cut.from, furthest(restoration) ?? []), bounds).allSatisfy { $0.0 >= $1.first && $0.1 <= $1.end }
        restoration.startsOver = first.offset == 0 && isHeld
        guard let store = restoration.store, !restoration.startsOver else { return }
        do {
            try store.write(StoredCheckpoint(
                redo: redo.encoded(), tail: restoration.tail, origin: restoration.origin, written: restoration.asked)
            ) { _ in }
        } catch {
            warn(restoration.partition, "the state file can't be written, so state is kept in memory alone: \(error)")
            try abandonFile(restoration, [])
        }
    }

    /// The cuts may be behind the redo point where the newest of them were deleted.
    private func newest(of recorded: [Int64], _ restoration: Restoration) -> [Int64] {
        guard let positions = restoration.redo?.positions else { return recorded }
        return zip(recorded, positions).map { max($0, $1) }
    }

    private func fill(_ restoration: Restoration) throws(LogFailure) {
        let engine = restoration.engine
        do {
            if restoration.startsOver { return try startOver(restoration) }
            guard let store = restoration.store else {
                if let redo = restoration.redo { try engine.restore(redo: redo) }
                for (number, row) in restoration.rows.sorted(by: { $0.key < $1.key }) {
                    try row.withUnsafeBufferPointer { row throws(StateError) in
                        try engine.restore(user: number, row: UnsafeRawBufferPointer(row))
                    }
                }
                return
            }
            let resident = tasks.reduce(0) { $0 + $1.engine.residentBytes }
                + (pending?.restorations.reduce(0) { $0 + ($1.task?.engine.residentBytes ?? 0) } ?? 0)
            // Whose offsets are to be changed, and who is to be written again, must be in memory.
            let budget = options.acceptsOffsets || restoration.mustRepublish || options.memoryBytes == .max ? Int.max : max(0, options.memoryBytes - resident)
            // A file that was catching up with a topic that is lost may have somebody under two numbers.
            let newerRowWins = engine.newerRowWins
            engine.newerRowWins = newerRowWins || restoration.mustRepublish
            try disownPassed(restoration, store)
            try store.restore(into: engine, budgetBytes: budget)
            engine.newerRowWins = newerRowWins
        } catch let error as StoreError {
            try rebuild(restoration, because: error.message)
        } catch {
            try rebuild(restoration, because: "\(error)")
        }
    }

    /// Rows of the topic that were passed over are removed with the first slice where the file has none to put over them.
    private func disownPassed(_ restoration: Restoration, _ store: StateStore) throws {
        guard !restoration.passed.isEmpty else { return }
        var numbers = restoration.passed
        try StateStore.forEachRow(file: store.file) { number, _ in numbers.remove(number) }
        for number in numbers.sorted() { try restoration.engine.disown(user: number) }
    }

    /// Rows without a checkpoint are of somebody who was writing to a topic that was lost what it had. The first slice removes
    /// them, and with it comes a checkpoint.
    private func startOver(_ restoration: Restoration) throws {
        var numbers = Set(restoration.rows.keys)
        if let file = restoration.store?.file { try StateStore.forEachRow(file: file) { number, _ in numbers.insert(number) } }
        for number in numbers.sorted() { try restoration.engine.disown(user: number) }
        if let redo = restoration.redo { try restoration.engine.restore(redo: redo) }
    }

    /// What was found can't be used. With a topic to rebuild it from, that is done; without, users start anew.
    func rebuild(_ restoration: Restoration, because why: String) throws(LogFailure) {
        guard let directory = world.directory, restoration.store != nil, !restoration.isRebuilt else {
            throw .stop("partition \(restoration.partition): the state topic can't be used: \(why). Has something else written to it? Name another (`state.topic`), and baselines are rebuilt from the inputs")
        }
        restoration.isRebuilt = true
        restoration.store = nil
        do {
            try setAside(restoration.partition, in: directory, because: why)
        } catch {
            throw .stop("state of partition \(restoration.partition): \(error)")
        }
        restoration.engine = makeEngine()
        restoration.forgetFile()
        (restoration.cuts, restoration.rows, restoration.newest, restoration.newestBytes) = ([], [:], [:], 0)
        restoration.phase = .opening
        restoration.isFileJudged = false
        throw .retry("partition \(restoration.partition): the state file is being rebuilt")
    }

    /// The checkpoint contradicts the log.
    private func beginAnew(_ restoration: Restoration, _ log: String) throws(LogFailure) {
        restoration.engine = makeEngine()
        restoration.redo = nil
        guard let directory = world.directory, restoration.store != nil else { return }
        restoration.store = nil
        do {
            try setAside(restoration.partition, in: directory, because: "its checkpoint is ahead of the log")
            restoration.store = try StateStore(
                file: directory.file(partition: restoration.partition), identity: identity(restoration, log))
        } catch {
            throw .stop("state of partition \(restoration.partition): \(error)")
        }
    }

    private func makeTask(_ restoration: Restoration, _ start: TaskStart) -> PartitionTask {
        let engine = restoration.engine
        var redo: Redo?
        let owesPanes = engine.toAbsorb.indices.contains { engine.panePosition(of: $0) < engine.toAbsorb[$0] }
        if start.from != start.acknowledged || owesPanes {
            let batches = batches(restoration, start)
            redo = Redo(batches: batches)
            // A batch of panes alone holds no step that would say so.
            engine.beginRedo()
            if !batches.isEmpty { engine.follow(restoration.cuts.flatMap(\.cut.evictions)) }
            noteCrossing(restoration, start)
        }
        let task = PartitionTask(
            partition: restoration.partition, engine: engine, store: restoration.store, from: start.from,
            acknowledged: start.acknowledged, redo: redo)
        task.cutsOffset = redo == nil ? restoration.cutsEnd : restoration.redo?.cutsOffset ?? 0
        task.tail = restoration.tail
        // Files that followed the life before must not take this one for theirs.
        task.origin = restoration.origin.isEmpty || restoration.mustRepublish ? makeOrigin() : restoration.origin
        task.stored = restoration.found == nil ? 0 : restoration.asked
        task.checkpointed = restoration.mustRepublish ? nil : restoration.redo?.positions
        if restoration.redo == nil || redo == nil {
            engine.mark(mark(of: task))
        }
        if restoration.mustRepublish {
            engine.markAllDirty()
            task.unpublished = engine.dirtyCount
        }
        if let moved = start.moved {
            engine.capAbsorbed(at: moved)
            task.moved = moved
            if redo == nil { task.goWhereMoved() }
        }
        return task
    }

    /// What was decided under a version that is not known here is redone under this one all the same, and said.
    private func noteCrossing(_ restoration: Restoration, _ start: TaskStart) {
        var offsets: [String: Int64] = [:]
        var reached = start.from
        for (_, cut) in restoration.cuts {
            let ends = zip(cut.ends, start.acknowledged).map { min($0, $1) }
            offsets[cut.version, default: 0] += zip(ends, reached).reduce(0) { $0 + max(0, $1.0 - $1.1) }
            reached = zip(ends, reached).map { max($0, $1) }
        }
        // Where no cuts are kept, the checkpoint tells.
        if restoration.cuts.isEmpty, let version = restoration.redo?.version {
            offsets[version] = zip(start.acknowledged, start.from).reduce(0) { $0 + $1.0 - $1.1 }
        }
        let version = restoration.engine.version
        for (other, count) in offsets.sorted(by: { $0.key < $1.key }) where other != version && count > 0 {
            if !restoration.cuts.isEmpty && other == former?.plan.engineVersion { continue }
            counters.crossed += UInt64(count)
            warn(restoration.partition, "up to \(count) records committed after the last checkpoint were decided by another version of the pipeline or of Vigil (\(other)); they are redone by this one (\(version)), so baselines may differ slightly. What was decided stays as it was")
        }
    }

    /// A name for a new life of the state topic: no two hosts begin one in the same millisecond.
    private func makeOrigin() -> String {
        "\(world.directory?.identity ?? options.name)-\(world.clock.wallMilliseconds)"
    }

    /// The batches to redo, the next one last.
    private func batches(_ restoration: Restoration, _ start: TaskStart) -> [Redo.Batch] {
        var batches: [Redo.Batch] = []
        var reached = start.from
        for (offset, cut) in restoration.cuts {
            for (index, ends) in cut.batches.enumerated() {
                let ends = zip(ends, start.acknowledged).map { min($0, $1) }
                let panes = cut.panes(before: index)
                // A batch may be of panes alone.
                guard zip(ends, reached).contains(where: { $0 > $1 }) || (ends == reached && !panes.isEmpty) else { continue }
                reached = zip(ends, reached).map { max($0, $1) }
                batches.append(Redo.Batch(
                    ends: reached, cutsOffset: index == cut.batches.count - 1 ? offset + 1 : offset, panes: panes,
                    version: cut.version))
            }
        }
        guard !batches.isEmpty else { return [] }
        if reached != start.acknowledged {
            batches.append(Redo.Batch(ends: start.acknowledged, cutsOffset: restoration.cutsEnd, panes: []))
        }
        return batches.reversed()
    }
}
