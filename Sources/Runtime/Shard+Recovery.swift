import Engine
import Events
import StateStore

/// From `.assigned` to running: restore each partition from its checkpoint, redo what was committed after it, go live.
extension Shard {
    /// Takes note of an assignment. Co-partitioning is checked here: a partition's records of every input must come to
    /// the same shard, or a user would be split in two.
    func assign(_ partitions: [InputPartition]) throws(LogFailure) {
        release()
        let numbers = Set(partitions.map(\.partition)).sorted()
        let given = Set(partitions)
        for number in numbers {
            for input in plan.inputs.indices where !given.contains(InputPartition(input: input, partition: number)) {
                throw .stop("partition \(number) of \(plan.inputs[input].topic) is not assigned together with the other inputs' partition \(number): all input topics need the same number of partitions and the range assignor")
            }
        }
        state = state.after(.assigned)
        counters.rebalances += 1
        pending = numbers
        logger.info("assigned", metadata: ["shard": "\(options.name)", "partitions": "\(numbers)"])
    }

    /// Restores every assigned partition and begins reading. While the log doesn't answer, `pending` stays and the next
    /// turn tries again, so that polling (and with it membership) goes on.
    func recover() throws(LogFailure) {
        guard let numbers = pending else { return }
        guard try attempt({ () throws(LogFailure) in try restoreAndStart(numbers) }) else { return }
        pending = nil
        lastRecord = world.clock.milliseconds
        checkpointDue = lastRecord + Int64(options.checkpointMilliseconds)
    }

    private func restoreAndStart(_ numbers: [Int32]) throws(LogFailure) {
        let all = numbers.flatMap { number in
            plan.inputs.indices.map { InputPartition(input: $0, partition: number) }
        }
        let committed = try input.committed(all)
        let bounds = try input.bounds(all)
        guard committed.count == all.count, bounds.count == all.count else {
            throw .retry("the log answered for fewer partitions than were asked")
        }
        let identity = try input.identity()
        for (place, number) in numbers.enumerated() where !tasks.contains(where: { $0.partition == number }) {
            let mine = place * plan.inputs.count..<(place + 1) * plan.inputs.count
            tasks.append(
                try restore(number, log: identity, committed: Array(committed[mine]), bounds: Array(bounds[mine])))
        }
        indexTasks()
        try input.start(at: positions)
    }

    /// Where every input of every partition stands.
    var positions: [InputPosition] {
        tasks.flatMap { task in
            task.next.indices.map { input in
                InputPosition(
                    partition: InputPartition(input: input, partition: task.partition), offset: task.next[input])
            }
        }
    }

    private func indexTasks() {
        taskIndex = Array(repeating: -1, count: Int(tasks.last?.partition ?? -1) + 1)
        for (index, task) in tasks.enumerated() { taskIndex[Int(task.partition)] = index }
    }

    private func restore(
        _ partition: Int32, log: String, committed: [Int64?], bounds: [(first: Int64, end: Int64)]
    ) throws(LogFailure) -> PartitionTask {
        let topics = plan.inputs.map(\.topic)
        var engine = Engine(plan: plan)
        var store: StateStore?
        var found: [Int64]?
        let identity = StoreIdentity(
            log: log, topics: topics, partition: partition, state: engine.stateIdentity, pipeline: plan.name)
        if let directory = world.directory {
            guard directory.claim(partition: partition) else {
                throw .retry("another shard still holds the state of partition \(partition)")
            }
            do {
                (store, found) = try open(identity, in: directory, into: &engine)
            } catch {
                directory.release(partition: partition)
                throw .stop("state of partition \(partition): \(error)")
            }
        }
        let start = TaskStart(checkpoint: found, committed: committed, bounds: bounds, topics: topics)
        for remark in start.remarks { warn(partition, remark) }
        if found != nil && !start.usesCheckpoint, let directory = world.directory {
            engine = Engine(plan: plan)
            store = nil
            do {
                try setAside(partition, in: directory, because: "its checkpoint is ahead of the log")
                store = try StateStore(file: directory.file(partition: partition), identity: identity)
            } catch {
                directory.release(partition: partition)
                throw .stop("state of partition \(partition): \(error)")
            }
        }
        let task = PartitionTask(partition: partition, engine: engine, store: store, start: start)
        // A first checkpoint at the start, so that a crash before the next one redoes from here and forgets nothing.
        if !start.usesCheckpoint { checkpoint(task) }
        return task
    }

    /// Opens and reads a partition's file. One that can't be trusted is set aside, and a new one begun.
    private func open(
        _ identity: StoreIdentity, in directory: StateDirectory, into engine: inout Engine
    ) throws(StoreError) -> (StateStore, [Int64]?) {
        let file = directory.file(partition: identity.partition)
        do {
            let store = try StateStore(file: file, identity: identity)
            let positions = try store.positions(inputs: identity.topics.count)
            if positions != nil { try store.restore(into: engine) }
            return (store, positions)
        } catch {
            guard error.kind == .corrupt || error.kind == .foreign else { throw error }
            try setAside(identity.partition, in: directory, because: error.message)
            engine = Engine(plan: plan)
            return (try StateStore(file: file, identity: identity), nil)
        }
    }

    private func setAside(_ partition: Int32, in directory: StateDirectory, because why: String) throws(StoreError) {
        let name = try directory.setAside(partition: partition)
        warn(partition, "the state file can't be used and was set aside as \(name): \(why)")
    }

    private func warn(_ partition: Int32, _ text: String) {
        logger.warning("\(text)", metadata: ["shard": "\(options.name)", "partition": "\(partition)"])
    }

    /// Steps a record of the stretch from the checkpoint to the committed offsets. True for a record beyond that stretch
    /// which is to be decided now; while other inputs of its task are still being redone it is passed over, and read
    /// again when they are done.
    func redo(_ record: Record, in task: PartitionTask) -> Bool {
        let input = Int(record.input)
        if record.offset < task.acknowledged[input] {
            task.engine.step(record, into: &suppressed, recovering: true)
            suppressed.removeAll()
            counters.redone += 1
            task.passRedo(input: input, offset: record.offset + 1)
            return false
        }
        task.passRedo(input: input, offset: record.offset)
        if task.isRedoing { task.hasHeldBack = true }
        return !task.hasHeldBack
    }

    /// Ends redo where it is over, goes back for what was held back, and says when the shard is live.
    func continueRedo() throws(LogFailure) {
        guard pending == nil else { return }
        if tasks.contains(where: \.isRedoing), world.clock.milliseconds - lastRecord >= options.silenceMilliseconds {
            try concludeFromSilence()
        }
        if tasks.contains(where: { $0.hasHeldBack && !$0.isRedoing }) {
            guard try attempt({ () throws(LogFailure) in try input.start(at: positions) }) else { return }
            for task in tasks where !task.isRedoing { task.hasHeldBack = false }
        }
        if !tasks.contains(where: \.isRedoing) {
            state = state.after(.redone)
            logger.info("running", metadata: ["shard": "\(options.name)", "redone": "\(counters.redone)"])
        }
    }

    /// The last records below the committed offset may be gone (compacted, or aborted transactions). A log that answers
    /// and yet brings nothing for so long has no more of them.
    private func concludeFromSilence() throws(LogFailure) {
        lastRecord = world.clock.milliseconds
        let partitions = positions.map(\.partition)
        guard try attempt({ () throws(LogFailure) in _ = try input.bounds(partitions) }) else { return }
        for task in tasks where task.isRedoing {
            warn(task.partition, "the log has no more records below the committed offsets; redo ends")
            task.endRedo()
        }
    }
}
