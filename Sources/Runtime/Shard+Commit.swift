import Events
import StateStore

/// From effects to checkpoints: produced, acknowledged, committed, checkpointed, always in that order, so that state is
/// never ahead of the log.
extension Shard {
    /// Hands the batch's effects to the output log; false when its queue stays full. What is left is kept for the next
    /// call, and nothing more is read before.
    func produce() throws(LogFailure) -> Bool {
        while produced < effects.outputs.count {
            if try !produceNext() {
                // Full: acknowledgements make room.
                guard try flush(milliseconds: options.flushMilliseconds), try produceNext() else { return false }
            }
        }
        return true
    }

    private func produceNext() throws(LogFailure) -> Bool {
        let next = effects.outputs[produced]
        do {
            try output.produce(next, of: effects)
        } catch .retry {
            // A full queue is no more than load, unless flushing doesn't help.
            return false
        } catch {
            throw error
        }
        produced += 1
        switch next.kind {
        case .decision, .receipt:
            counters.decisions += 1
            if next.verdict != .allow { scheduleCommit(within: options.interventionCommitMilliseconds) }
        case .deadLetter:
            counters.deadLetters += 1
        }
        return true
    }

    private func flush(milliseconds: Int) throws(LogFailure) -> Bool {
        var isAcknowledged = false
        return try attempt { () throws(LogFailure) in
            isAcknowledged = try output.flush(timeoutMilliseconds: milliseconds)
        } && isAcknowledged
    }

    /// Everything decided so far: acknowledged by the output log, then committed to the input log. False while the log
    /// is away, which pauses reading; the next success resumes it.
    func commit() throws(LogFailure) -> Bool {
        guard pending == nil, !tasks.isEmpty else { return true }
        let patience = state == .away ? min(100, options.flushMilliseconds) : options.flushMilliseconds
        guard try produce(), try flush(milliseconds: patience), try commitPositions() else {
            try goAway()
            return false
        }
        commitDue = nil
        if state == .away { try comeBack() }
        return true
    }

    private func commitPositions() throws(LogFailure) -> Bool {
        let changed = tasks.filter { !$0.isRedoing && $0.next != $0.acknowledged }
        guard !changed.isEmpty else { return true }
        let positions = changed.flatMap { task in
            task.next.indices.filter { task.next[$0] != task.acknowledged[$0] }.map { input in
                InputPosition(
                    partition: InputPartition(input: input, partition: task.partition), offset: task.next[input])
            }
        }
        guard try attempt({ () throws(LogFailure) in try input.commit(positions) }) else { return false }
        for task in changed { task.acknowledged = task.next }
        counters.commits += 1
        return true
    }

    /// Runs a call that may fail for the moment; false when it did.
    func attempt(_ call: () throws(LogFailure) -> Void) throws(LogFailure) -> Bool {
        do {
            try call()
            return true
        } catch .retry(let why) {
            complain(why)
            return false
        } catch {
            throw error
        }
    }

    /// The log doesn't acknowledge: stop reading, keep polling.
    func goAway() throws(LogFailure) {
        if state != .away {
            logger.warning(
                "the log doesn't acknowledge; reading is paused until it does", metadata: ["shard": "\(options.name)"])
            counters.outages += 1
            state = state.after(.outage)
        }
        if !isPaused { isPaused = try attempt { () throws(LogFailure) in try input.setPaused(Set(positions.map(\.partition))) } }
    }

    private func comeBack() throws(LogFailure) {
        if isPaused {
            guard try attempt({ () throws(LogFailure) in try input.setPaused([]) }) else { return }
            isPaused = false
        }
        state = state.after(.acknowledged(redoing: tasks.contains(where: \.isRedoing)))
        logger.notice("the log acknowledges again; going on", metadata: ["shard": "\(options.name)"])
    }

    /// Checkpoints every partition at the cut just committed.
    func checkpoint() {
        for task in tasks { checkpoint(task) }
        checkpointDue = world.clock.milliseconds + Int64(options.checkpointMilliseconds)
    }

    /// A checkpoint that fails costs recovery time, not decisions: say so, go on, and try again at the next one.
    func checkpoint(_ task: PartitionTask) {
        guard let store = task.store else {
            // Nothing is kept, so nothing needs to be remembered as unwritten.
            task.engine.markClean()
            return
        }
        guard !task.isRedoing, task.next == task.acknowledged else { return }
        guard task.engine.dirtyCount > 0 || task.checkpointed != task.next else { return }
        do {
            try store.checkpoint(task.engine, positions: task.next)
            task.checkpointed = task.next
            counters.checkpoints += 1
            guard task.isStoreFailing else { return }
            task.isStoreFailing = false
            logger.notice(
                "checkpoints are written again",
                metadata: ["shard": "\(options.name)", "partition": "\(task.partition)"])
        } catch {
            counters.failedCheckpoints += 1
            guard !task.isStoreFailing else { return }
            task.isStoreFailing = true
            logger.error(
                "a checkpoint failed; deciding goes on from memory, a restart will redo from the last good one",
                metadata: ["shard": "\(options.name)", "partition": "\(task.partition)", "reason": "\(error)"])
        }
    }
}
