import Engine
import Events
import StateStore

/// A commit under way. No record is stepped until it is settled, so what the tasks hold is what it commits.
struct Commitment {
    enum Phase {
        /// Cuts, and with a transactional output rows, are being handed to the producer.
        case producing
        /// At least once: the offsets are committed, rows follow.
        case slicing
    }
    /// What must be done before anything else.
    enum Unsettled {
        /// Abort the transaction and return to the last commit.
        case abort
        /// The transaction is aborted and memory undone; reading must go back.
        case rewind
        /// Find out whether the transaction was committed.
        case resolve
    }
    var phase = Phase.producing
    var unsettled: Unsettled?
    var positions: [InputPosition] = []
    /// Of all tasks, or of those that are due.
    var takesAll = false
    var takesSlices = false
    /// The transaction's end was asked for.
    var isEnding = false
}

/// From effects to committed state, always in that order, so that state is never ahead of the log.
extension Shard {
    /// Hands the batch's effects to the output log; false when its queue stays full. What is left is kept for the next
    /// call, and nothing more is read before.
    func produce() throws(LogFailure) -> Bool {
        while produced < effects.outputs.count {
            let next = effects.outputs[produced]
            guard try take({ () throws(LogFailure) in try output.produce(next, of: effects) }) else { return false }
            produced += 1
            switch next.kind {
            case .decision, .receipt:
                counters.decisions += 1
                if next.verdict != .allow { scheduleCommit(within: options.interventionCommitMilliseconds) }
            case .deadLetter:
                counters.deadLetters += 1
            }
        }
        return true
    }

    /// Hands one record to the output log. A full queue is no more than load, unless flushing doesn't help.
    private func take(_ call: () throws(LogFailure) -> Void) throws(LogFailure) -> Bool {
        do {
            try call()
            return true
        } catch .retry {
            guard try flush(milliseconds: options.flushMilliseconds) else { return false }
        } catch {
            throw error
        }
        do {
            try call()
            return true
        } catch .retry {
            return false
        } catch {
            throw error
        }
    }

    private func flush(milliseconds: Int) throws(LogFailure) -> Bool {
        var isAcknowledged = false
        return try attempt { () throws(LogFailure) in
            isAcknowledged = try output.flush(timeoutMilliseconds: milliseconds)
        } && isAcknowledged
    }

    /// Commits everything decided so far, with the checkpoint slice that is due; with `all`, the slice holds whatever is
    /// not yet written, up to a bound. False while the log is away, which pauses reading; the next success resumes it.
    func commit(all: Bool = false) throws(LogFailure) -> Bool {
        guard pending == nil, !tasks.isEmpty else { return true }
        if commitment?.unsettled != nil { return false }
        guard try produce(), try advance(all: all) else {
            try goAway()
            return false
        }
        commitDue = nil
        if state == .away { try comeBack() }
        return true
    }

    /// Begins a commit where there is something to commit, and takes it as far as it goes; true when it is done.
    private func advance(all: Bool) throws(LogFailure) -> Bool {
        if commitment == nil {
            guard let begun = begin(all: all) else { return true }
            commitment = begun
        }
        let patience = state == .away ? min(100, options.flushMilliseconds) : options.flushMilliseconds
        guard try drain() else { return false }
        if output.isTransactional { return try commitTransaction(patience) }
        return try commitPlainly(patience)
    }

    /// Live tasks; one in redo has nothing to commit.
    private var live: [PartitionTask] { tasks.filter { $0.redo == nil } }

    private func begin(all: Bool) -> Commitment? {
        var commitment = Commitment()
        commitment.takesAll = all
        commitment.takesSlices = all || (state != .away && sliceDue <= world.clock.milliseconds)
        outbox.removeAll()
        let isTransactional = output.isTransactional
        if commitment.takesSlices && isTransactional { takeSlices(all: all) }
        // Without transactions rows are chosen after the offsets are committed.
        let isFenced = commitment.takesSlices && internals != nil
        for task in live
        where task.slice != nil || task.next != task.acknowledged || task.mustCommit || (isFenced && needsFencing(task)) {
            if task.mustCommit && task.cut.batches.isEmpty { task.cut.batches = [task.next] }
            for input in task.next.indices {
                let isMoved = task.next[input] != task.acknowledged[input]
                // With rows all positions go along, so that the group tells whether they may be written.
                guard isMoved || isTransactional || task.mustCommit || isFenced else { continue }
                commitment.positions.append(InputPosition(
                    partition: InputPartition(input: input, partition: task.partition), offset: task.next[input]))
            }
            if !task.cut.batches.isEmpty && internals != nil {
                task.cut.version = task.engine.version
                task.cut.watermark = task.engine.watermark.milliseconds
                task.cut.sequence = task.engine.sequence
                task.cut.evictions = task.engine.evictions
                outbox.add(task.cut, partition: task.partition)
                for pane in task.sealed { outbox.add(pane, partition: task.partition) }
            }
            if internals != nil { addSlice(of: task) }
        }
        return commitment.positions.isEmpty && !commitment.takesSlices ? nil : commitment
    }

    /// Its file is to be marked as fresh, or rows of it may follow the offsets.
    private func needsFencing(_ task: PartitionTask) -> Bool {
        isAging(task) || (!output.isTransactional && task.engine.dirtyCount > 0)
    }

    private func addSlice(of task: PartitionTask) {
        guard let slice = task.slice else { return }
        // While what a lost topic had is written to it again, a checkpoint would promise rows that are not there yet.
        let isWhole = task.unpublished <= slice.numbers.count
        let checkpoint = isWhole
            ? TopicCheckpoint(identity: topicIdentity(task.engine), origin: task.origin, redo: slice.redo.encoded()) : nil
        outbox.add(slice, of: task.engine, checkpoint: checkpoint, partition: task.partition)
    }

    /// What the state topic's checkpoint says it is the state of.
    func topicIdentity(_ engine: Engine) -> String { "pipeline \(plan.name), " + engine.stateIdentity }

    private func drain() throws(LogFailure) -> Bool {
        while !outbox.isEmpty {
            guard try take({ () throws(LogFailure) in try outbox.sendNext(to: output) }) else { return false }
        }
        try pass(.sliced)
        return true
    }

    // MARK: Exactly once

    private func commitTransaction(_ milliseconds: Int) throws(LogFailure) -> Bool {
        guard let positions = commitment?.positions, !positions.isEmpty else {
            finish()
            return true
        }
        if world.mutant == .storeBeforeCommit { for task in live { storeSlice(of: task) } }
        if world.mutant == .freshMembership { member = try input.membership() }
        commitment?.isEnding = true
        let isCommitted = try attempt { () throws(LogFailure) in
            try output.commit(positions, as: member, timeoutMilliseconds: milliseconds)
        }
        if isCommitted { try conclude() }
        return isCommitted
    }

    /// The transaction is committed: take note, then write the slice to the state file.
    func conclude(stores: Bool = true) throws(LogFailure) {
        try pass(.ended)
        for task in live where task.slice != nil || task.next != task.acknowledged || task.mustCommit {
            note(task)
            complete(task)
        }
        counters.commits += 1
        try pass(.committed)
        if stores { for task in live { storeSlice(of: task) } }
        finish()
        try pass(.stored)
    }

    // MARK: At least once

    private func commitPlainly(_ milliseconds: Int) throws(LogFailure) -> Bool {
        if commitment?.phase == .producing {
            guard try flush(milliseconds: milliseconds) else { return false }
            let positions = commitment?.positions ?? []
            if !positions.isEmpty {
                guard try attempt({ () throws(LogFailure) in try input.commit(positions) }) else { return false }
                for task in live where task.next != task.acknowledged || task.mustCommit { note(task) }
                counters.commits += 1
                try pass(.committed)
            }
            commitment?.phase = .slicing
            if commitment?.takesSlices == true {
                takeSlices(all: commitment?.takesAll == true)
                outbox.removeAll()
                if internals != nil { for task in live { addSlice(of: task) } }
                guard try drain() else { return false }
            }
        }
        // Rows leave the queue of what is unwritten only when both copies have them.
        guard commitment?.takesSlices != true || internals == nil ? true : try flush(milliseconds: milliseconds) else {
            return false
        }
        for task in live {
            complete(task)
            storeSlice(of: task)
        }
        finish()
        try pass(.stored)
        return true
    }

    // MARK: Both

    /// Everything the task has stepped is committed.
    private func note(_ task: PartitionTask) {
        task.acknowledged = task.next
        task.mustCommit = false
        task.cutsOffset = output.acknowledged(.cuts, partition: task.partition) ?? task.cutsOffset
        task.engine.mark(mark(of: task))
        task.cut = Cut(from: task.next)
        task.sealed.removeAll()
        if panes != nil { task.heldPanes = task.engine.panePositions.map(\.next) }
    }

    /// The slice is where it belongs.
    private func complete(_ task: PartitionTask) {
        guard let slice = task.slice else { return }
        task.engine.complete(slice, keepsRedo: internals != nil && task.store != nil)
        task.unpublished = max(0, task.unpublished - slice.numbers.count)
    }

    private func finish() {
        if commitment?.takesSlices == true {
            sliced = world.clock.milliseconds
            sliceDue = sliced + sliceMilliseconds
            page()
        }
        for task in tasks { task.slice = nil }
        outbox.removeAll()
        commitment = nil
    }

    // MARK: Failures

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
        try updatePauses()
    }

    func comeBack() throws(LogFailure) {
        state = state.after(.acknowledged(redoing: tasks.contains { $0.redo != nil }))
        try updatePauses()
        logger.notice("the log acknowledges again; going on", metadata: ["shard": "\(options.name)"])
    }
}
