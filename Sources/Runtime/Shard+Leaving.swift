import Engine
import Events
import StateStore

/// How partitions, and the shard itself, come to an end.
extension Shard {
    /// The group wants the partitions back: finish first.
    func revoke() throws(LogFailure) {
        counters.rebalances += 1
        try pass(.revoking)
        var isDone = false
        do {
            // Whoever comes next may be under another plan already.
            isDone = try commit(all: change != nil)
        } catch .aborted, .unknown {
            isDone = false
        } catch {
            throw error
        }
        if isDone {
            // With a state topic the file must not get ahead of it: what the file has and the topic has not would count as
            // written when the partition comes back here, and never reach the topic.
            if internals == nil { for task in tasks { storeEverything(of: task) } }
        } else {
            dropTransaction()
            logger.warning(
                "revoked before the log acknowledged; the next owner decides the uncommitted records",
                metadata: ["shard": "\(options.name)"])
        }
        try pass(.releasing)
        try giveBack()
    }

    /// The partitions are somebody else's already: nothing may be committed or written.
    func drop() throws(LogFailure) {
        counters.rebalances += 1
        logger.warning("partitions lost; their uncommitted work is dropped", metadata: ["shard": "\(options.name)"])
        dropTransaction()
        try giveBack()
    }

    private func giveBack() throws(LogFailure) {
        release()
        _ = try attempt { () throws(LogFailure) in try input.release() }
    }

    /// Forgets every partition: engines, files, effects not yet produced.
    func release() {
        if !paused.isEmpty {
            try? input.setPaused([])
            paused = []
        }
        for task in tasks {
            retired.add(task.engine.counters, since: task.counted)
            task.store = nil
            if task.isFileBad { setAsideUnreadable(task.partition) }
            world.directory?.release(partition: task.partition)
        }
        pending?.release(world.directory)
        tasks = []
        taskIndex = []
        pending = nil
        panes = nil
        effects.removeAll()
        outbox.removeAll()
        commitment = nil
        produced = 0
        commitDue = nil
        state = state.after(.released)
    }

    private func setAsideUnreadable(_ partition: Int32) {
        guard let directory = world.directory else { return }
        do {
            try setAside(partition, in: directory, because: "a row in it can't be read back")
        } catch {
            warn(partition, "\(error)")
        }
    }

    /// Ends with everything committed and written, or gives up at the hard deadline.
    func leave(as outcome: ShardOutcome) throws(LogFailure) -> ShardOutcome {
        let deadline = world.clock.milliseconds + Int64(options.stopMilliseconds)
        do throws(LogFailure) {
            if commitment?.unsettled != nil { throw .aborted("its end was not settled") }
            while true {
                if try commit(all: true), !isUnwritten { break }
                guard world.clock.milliseconds < deadline else {
                    if state != .away { break }
                    return .gaveUp("the log didn't acknowledge within \(options.stopMilliseconds) ms; \(afterwards)")
                }
                if state == .away { world.clock.wait(milliseconds: 10) }
            }
        } catch .aborted(let why), .unknown(let why) {
            // Leaving, nothing needs to be tried again: whoever comes next decides what is not committed.
            logger.warning("left with an aborted transaction; \(afterwards)", metadata: ["shard": "\(options.name)", "reason": "\(why)"])
            dropTransaction()
        } catch {
            throw error
        }
        return outcome
    }

    private var afterwards: String {
        output.isTransactional
            ? "a restart decides the uncommitted records" : "a restart repeats the uncommitted decisions"
    }

    /// Committed, but not all of it is written: the next slice holds more.
    private var isUnwritten: Bool { tasks.contains { $0.redo == nil && $0.engine.dirtyCount > 0 && !$0.isStoreFailing } }

    /// Another owner has taken over: drop everything and begin again with new ends. Returns how the shard ended when
    /// that can't be.
    func startAfresh() -> ShardOutcome? {
        dropTransaction()
        release()
        input.close()
        output.close()
        internals?.close()
        while !world.stop.isRequested {
            do {
                input = try world.input()
                output = try world.output()
                internals = try world.internals?()
                isOutputBad = false
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
        paused = []
        release()
    }

    /// Caps every partition's file as a full disk would, 0 for no cap; for tests. Throws `StoreError`.
    public func limitStores(pages: Int) throws(StoreError) {
        for task in tasks { try task.store?.limitPages(pages) }
    }

    /// Lets go of everything, whatever state it is in.
    func close() {
        dropTransaction()
        release()
        input.close()
        output.close()
        internals?.close()
        state = state.after(.stopped)
        world.mailbox.close()
    }

    /// Records still to read, as far as reading has told: asking the brokers would hold up deciding.
    func measureLag() -> Int64? {
        guard state != .away, pending == nil, !tasks.isEmpty else { return nil }
        var records: Int64 = 0
        for task in tasks {
            for input in plan.inputs.indices {
                guard let end = self.input.knownEnd(InputPartition(input: input, partition: task.partition)) else { return nil }
                records += max(0, end - task.next[input])
            }
        }
        return records
    }
}
