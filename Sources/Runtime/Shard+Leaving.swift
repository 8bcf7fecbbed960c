import Engine
import Events
import StateStore

/// How partitions, and the shard itself, come to an end.
extension Shard {
    /// The group wants the partitions back: finish, and leave a checkpoint for whoever gets them here.
    func revoke() throws(LogFailure) {
        counters.rebalances += 1
        if try commit() {
            checkpoint()
        } else {
            logger.warning(
                "revoked before the log acknowledged; the next owner repeats the uncommitted decisions",
                metadata: ["shard": "\(options.name)"])
        }
        try giveBack()
    }

    /// The partitions are somebody else's already: nothing may be committed or checkpointed.
    func drop() throws(LogFailure) {
        counters.rebalances += 1
        logger.warning("partitions lost; their uncommitted work is dropped", metadata: ["shard": "\(options.name)"])
        try giveBack()
    }

    private func giveBack() throws(LogFailure) {
        release()
        _ = try attempt { () throws(LogFailure) in try input.release() }
    }

    /// Forgets every partition: engines, files, effects not yet produced.
    func release() {
        if isPaused {
            try? input.setPaused([])
            isPaused = false
        }
        for task in tasks {
            retired.add(task.engine.counters, since: task.counted)
            task.store = nil
            world.directory?.release(partition: task.partition)
        }
        tasks = []
        taskIndex = []
        pending = nil
        effects.removeAll()
        produced = 0
        commitDue = nil
        lag = nil
        state = state.after(.released)
    }

    /// Ends with everything committed and checkpointed, or gives up at the hard deadline.
    func leave(as outcome: ShardOutcome) throws(LogFailure) -> ShardOutcome {
        let deadline = world.clock.milliseconds + Int64(options.stopMilliseconds)
        while try !commit() {
            guard world.clock.milliseconds < deadline else {
                return .gaveUp("the log didn't acknowledge within \(options.stopMilliseconds) ms; a restart repeats the uncommitted decisions")
            }
            world.clock.wait(milliseconds: 10)
        }
        checkpoint()
        return outcome
    }

    /// Another owner has taken over: drop everything and begin again with new ends. Returns how the shard ended when
    /// that can't be.
    func startAfresh() -> ShardOutcome? {
        release()
        input.close()
        output.close()
        while !world.stop.isRequested {
            do {
                input = try world.input()
                output = try world.output()
                return nil
            } catch .retry(let why) {
                complain(why)
                world.clock.wait(milliseconds: 1_000)
            } catch {
                return .failed(error.description)
            }
        }
        return .stopped
    }

    /// Lets go of memory and files without a word to the log, as a crash does; for tests.
    public func abandon() {
        isPaused = false
        release()
    }

    /// Caps every partition's file as a full disk would, 0 for no cap; for tests. Throws `StoreError`.
    public func limitStores(pages: Int) throws(StoreError) {
        for task in tasks { try task.store?.limitPages(pages) }
    }

    /// Lets go of everything, whatever state it is in.
    func close() {
        release()
        input.close()
        output.close()
        state = state.after(.stopped)
        world.mailbox.close()
    }

    /// Records still to read. The ends of the logs are asked for at most once a second.
    func measureLag() -> Int64? {
        guard state != .away, pending == nil, !tasks.isEmpty else { return nil }
        let now = world.clock.milliseconds
        if let lag, now - lag.at < 1_000 { return lag.records }
        let positions = positions
        let ends = try? input.bounds(positions.map(\.partition))
        let records = ends.flatMap { ends -> Int64? in
            guard ends.count == positions.count, !ends.contains(where: { $0.end == .max }) else { return nil }
            return zip(ends, positions).reduce(0) { $0 + max(0, $1.0.end - $1.1.offset) }
        }
        lag = (now, records)
        return records
    }
}
