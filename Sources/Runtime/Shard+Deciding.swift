import Engine
import Events
import StateStore

/// From a batch of records to effects handed to the output log.
extension Shard {
    /// Steps 2 to 8 for a batch: every record through its partition's engine, what comes out to the output log.
    func decide(_ batch: [Record]) throws(LogFailure) {
        let now = world.clock.milliseconds
        let mayDecide = state != .away && commitment == nil && produced == effects.outputs.count && !isDraining
        if mayDecide {
            effects.removeAll()
            produced = 0
        }
        let before = counters.records
        for task in tasks { task.hasAbsorbed = false }
        var (staged, times) = (0, [Timestamp?]())
        for (place, record) in batch.enumerated() {
            guard let task = task(of: record.partition) else { continue }
            let input = Int(record.input)
            guard task.fetched.indices.contains(input), record.offset >= task.fetched[input], !task.mustRewind else { continue }
            task.heard = now
            task.fetched[input] = record.offset + 1
            if mayDecide, inputCount == 1, task.redo == nil, task.queues.isEmpty(0) {
                if place >= staged {
                    task.engine.stage(batch[place...], times: &times)
                    staged = place + times.count
                }
                try step(record, in: task)
            } else {
                task.queues.append(record)
            }
        }
        if mayDecide {
            for task in tasks where !task.queues.isEmpty || task.redo != nil {
                if task.redo != nil { try redo(task) }
                if task.redo == nil { try merge(task) }
            }
            for task in tasks where task.redo == nil && task.next != task.cut.ends {
                task.cut.batches.append(task.next)
                task.engine.takeSealed(into: &task.sealed)
                if internals == nil { task.sealed.removeAll() }
            }
        }
        for task in tasks {
            task.queues.keep()
            tellBreaker(of: task)
        }
        if let feed = world.feed, tasks.allSatisfy({ $0.queues.isEmpty }) { feed.settle() }
        if counters.records != before { scheduleCommit(within: options.commitMilliseconds) }
        if !effects.outputs.isEmpty && mayDecide {
            try pass(.decided)
            if try !produce() { try goAway() }
            try pass(.produced)
        }
        try updatePauses()
    }

    private func step(_ record: Record, in task: PartitionTask) throws(LogFailure) {
        if !task.hasAbsorbed { absorbPanes(of: task) }
        world.feed?.advance(through: record.offset)
        while let page = task.engine.stepStaged(record, into: &effects) { try load(page: page, of: task) }
        task.next[Int(record.input)] = record.offset + 1
        counters.records += 1
    }

    /// An operator's mistake is an operator's to mend.
    private func tellBreaker(of task: PartitionTask) {
        let opened = task.engine.counters.breakerOpened
        guard opened > task.breakersTold else { return }
        task.breakersTold = opened
        let names = plan.breaker.relax.joined(separator: ", ")
        logger.error(
            "the circuit breaker has opened: too many established users are asked; \(names.isEmpty ? "no rule is relaxed" : "relaxed: \(names)")",
            metadata: ["shard": "\(options.name)", "partition": "\(task.partition)"])
    }

    /// Decides what waits in the order of event time, across inputs. An input that has nothing here but more in the log is
    /// waited for, so that one topic read ahead of another doesn't make the other's events late.
    private func merge(_ task: PartitionTask) throws(LogFailure) {
        // 0 unasked, 1 has no more, 2 has more.
        var known = InlineArray<8, UInt8>(repeating: 0)
        var isMissing = false
        while let next = task.queues.next(below: nil, for: task.engine) {
            if inputCount > 1 {
                isMissing = false
                for input in 0..<inputCount where task.queues.isEmpty(input) {
                    if known[input] == 0 {
                        known[input] =
                            self.input.hasMore(InputPartition(input: input, partition: task.partition)) ? 2 : 1
                    }
                    if known[input] == 2 { isMissing = true }
                }
                if isMissing {
                    let now = world.clock.milliseconds
                    let since = task.waiting ?? now
                    task.waiting = since
                    if now - since < Int64(options.idleMilliseconds) { return }
                } else {
                    // Whoever was waited for is here: the next wait is a new one.
                    task.waiting = nil
                }
            }
            try step(task.queues.head(next), in: task)
            task.queues.pop(next)
        }
        if !isMissing { task.waiting = nil }
    }

    /// Steps the stretch from the redo point to what is committed, batch by batch as the cuts say, with the output dropped:
    /// it was emitted before. What lies behind waits in the queues.
    private func redo(_ task: PartitionTask) throws(LogFailure) {
        while let redo = task.redo {
            let ends = redo.batches.last?.ends ?? task.acknowledged
            if !redo.isSilent {
                // Without cuts nothing tells how large a batch was, so it can't be waited for whole.
                let isReady = redo.batches.isEmpty
                    ? (0..<inputCount).allSatisfy { !task.queues.isEmpty($0) || task.fetched[$0] >= ends[$0] }
                    : (0..<inputCount).allSatisfy { task.fetched[$0] >= ends[$0] }
                guard isReady else { return }
            }
            adoptRecorded(redo.batches.last, of: task)
            guard absorbRecorded(redo.batches.last, of: task) else { return }
            while let input = task.queues.next(below: ends, for: task.engine) {
                let record = task.queues.head(input)
                while let page = task.engine.stepStaged(record, into: &suppressed, recovering: true) {
                    try load(page: page, of: task)
                }
                suppressed.removeAll()
                counters.redone += 1
                task.next[input] = record.offset + 1
                task.queues.pop(input)
                if redo.batches.isEmpty && task.queues.isEmpty(input) && task.next[input] < ends[input] && !redo.isSilent {
                    return
                }
            }
            for input in 0..<inputCount {
                task.next[input] = max(task.next[input], ends[input])
                task.fetched[input] = max(task.fetched[input], ends[input])
            }
            if let batch = task.redo?.batches.popLast() { task.cutsOffset = batch.cutsOffset }
            task.engine.mark(mark(of: task))
            try pass(.redoing)
            if task.next == task.acknowledged {
                adopt(PlanInUse(plan: plan, decoders: decoders), for: task)
                task.endRedo()
            }
        }
    }

    /// Brings a user's row back from the state file.
    private func load(page number: UInt32, of task: PartitionTask) throws(LogFailure) {
        var problem: String? = "there is no state file"
        var isBad = true
        if let store = task.store {
            do {
                problem = nil
                let isThere = try store.withRow(number: number) { row throws(StoreError) in
                    do { try task.engine.restore(page: number, row: row) } catch {
                        throw StoreError(.corrupt, file: store.file, "\(error)")
                    }
                }
                if !isThere { problem = "\(store.file): it has no row \(number)" }
            } catch {
                problem = error.description
                isBad = error.kind == .corrupt
            }
        }
        guard let problem else { return }
        // Without the row nothing can be decided on that user: recovery sets the file aside and rebuilds it.
        warn(task.partition, "a user's row can't be read back: \(problem)")
        task.isFileBad = isBad
        throw .fenced("a state file can't be read")
    }

    /// Goes back to where an operator has moved the offsets, once redo is over.
    func rewindMoved() throws(LogFailure) {
        guard try attempt({ () throws(LogFailure) in try input.start(at: positions) }) else { return }
        for task in tasks { task.mustRewind = false }
        scheduleCommit(within: 0)
    }

    /// Ends redo where the log is silent, and says when the shard is live.
    func continueRedo() throws(LogFailure) {
        guard pending == nil else { return }
        let now = world.clock.milliseconds
        let silent = tasks.filter { $0.redo != nil && now - $0.heard >= options.silenceMilliseconds }
        if !silent.isEmpty { try concludeFromSilence(silent) }
        if !tasks.contains(where: { $0.redo != nil }) {
            state = state.after(.redone)
            logger.info("running", metadata: ["shard": "\(options.name)", "redone": "\(counters.redone)"])
        }
    }

    /// The last records below the committed offset may be gone (compacted, or aborted transactions). Silence alone proves
    /// nothing, a broker may have been away all the time: the log must answer, and reading must have come to its end.
    private func concludeFromSilence(_ silent: [PartitionTask]) throws(LogFailure) {
        for task in silent { task.heard = world.clock.milliseconds }
        let partitions = positions.map(\.partition)
        guard try attempt({ () throws(LogFailure) in _ = try input.bounds(partitions) }) else { return }
        for task in silent {
            let isAtEnd = (0..<inputCount).allSatisfy { input in
                task.fetched[input] >= task.acknowledged[input]
                    || !self.input.hasMore(InputPartition(input: input, partition: task.partition))
            }
            guard isAtEnd else { continue }
            warn(task.partition, "the log has no more records below the committed offsets; redo ends")
            task.redo?.isSilent = true
            try redo(task)
        }
    }

    /// Pauses what is far ahead of what can be decided, so that memory stays bounded; everything while the log is away.
    func updatePauses() throws(LogFailure) {
        var wanted: Set<InputPartition> = []
        if state == .away {
            wanted = Set(positions.map(\.partition))
        } else if inputCount > 1 {
            let mostBytes = max(1 << 16, min(8 << 20, Self.mostQueuedBytes / max(1, tasks.count * inputCount)))
            for task in tasks {
                for input in 0..<inputCount {
                    let place = InputPartition(input: input, partition: task.partition)
                    let (records, bytes) = task.queues.load(input)
                    // What is paused goes on at half, or it would be paused and resumed at every batch.
                    let scale = paused.contains(place) ? 2 : 1
                    let isFull = records * scale > 2 * options.batchRecords || bytes * scale > mostBytes
                    let isAwaited = task.redo?.batches.last.map { task.fetched[input] < $0.ends[input] } ?? false
                    if isFull && !isAwaited { wanted.insert(place) }
                }
            }
        }
        guard wanted != paused else { return }
        if try attempt({ () throws(LogFailure) in try input.setPaused(wanted) }) { paused = wanted }
    }

    /// Most bytes of a shard's records that wait for those of another input.
    private static let mostQueuedBytes = 128 << 20
}
