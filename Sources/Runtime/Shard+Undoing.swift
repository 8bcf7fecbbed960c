import Engine

/// Transactions that don't end well: memory and reading return to the last commit, or what became of the transaction is
/// found out first.
extension Shard {
    /// The open transaction can't be committed.
    func rollBack(because why: String) {
        logger.notice("a transaction is aborted", metadata: ["shard": "\(options.name)", "reason": "\(why)"])
        counters.aborts += 1
        commitment = commitment ?? Commitment()
        commitment?.unsettled = .abort
    }

    /// The transaction's end is not known. Where it was never asked for, it can only end aborted.
    func resolve(because why: String) {
        logger.warning(
            "the producer is made anew to learn what became of its transaction",
            metadata: ["shard": "\(options.name)", "reason": "\(why)"])
        commitment = commitment ?? Commitment()
        commitment?.unsettled = .resolve
        isOutputBad = true
        let now = world.clock.milliseconds
        resolutions = resolutions.filter { now - $0 < 60_000 } + [now]
        if resolutions.count == 4 {
            logger.error(
                "the producer was shut out four times within a minute: does another process run in a copy of this state directory, or under the same `instance`? Each needs its own",
                metadata: ["shard": "\(options.name)"])
        }
    }

    /// Does what must be done before anything else, as far as the log answers; polling goes on meanwhile.
    func settle(_ unsettled: Commitment.Unsettled) throws(LogFailure) {
        switch unsettled {
        case .abort:
            guard try attempt({ () throws(LogFailure) in try output.abort() }) else { return try goAway() }
            try undo()
        case .rewind:
            try rewind()
        case .resolve:
            guard try attempt({ () throws(LogFailure) in try prepareOutput() }) else { return try goAway() }
            guard let commitment, commitment.isEnding else { return try undo() }
            var committed: [Int64?] = []
            let partitions = commitment.positions.map(\.partition)
            guard try attempt({ () throws(LogFailure) in committed = try input.committed(partitions) }) else {
                return try goAway()
            }
            try compare(committed, with: commitment)
        }
        if state == .away, commitment == nil { try comeBack() }
    }

    /// A transaction is committed whole or not at all, so the committed offsets are those it wanted or those before it.
    private func compare(_ committed: [Int64?], with commitment: Commitment) throws(LogFailure) {
        func isReached(_ wanted: (InputPosition) -> Int64?) -> Bool {
            committed.count == commitment.positions.count && zip(committed, commitment.positions).allSatisfy { found, position in
                guard let wanted = wanted(position) else { return false }
                // Nothing was committed yet: reading began at the start of the log.
                return (found ?? acknowledged(position.partition)) == wanted
            }
        }
        // Rows alone move no offset, so nothing tells. They may be written again.
        let tells = commitment.positions.contains { $0.offset != acknowledged($0.partition) }
        if tells && isReached({ $0.offset }) {
            logger.notice("the transaction had been committed", metadata: ["shard": "\(options.name)"])
            self.commitment?.unsettled = nil
            // Another owner may have committed the same offsets after this transaction was aborted, with rows under other
            // numbers: the file waits for the next commit, which is fenced.
            for task in tasks where task.redo == nil {
                task.unstored.formUnion(task.slice?.numbers ?? [])
            }
            return try conclude(stores: false)
        }
        guard isReached({ acknowledged($0.partition) }) else {
            throw .fenced("the committed offsets are neither those before the transaction nor those after it: another owner has the partitions")
        }
        logger.notice("the transaction had not been committed", metadata: ["shard": "\(options.name)"])
        try undo()
    }

    private func acknowledged(_ place: InputPartition) -> Int64? { task(of: place.partition)?.acknowledged[place.input] }

    /// Memory returns to the last commit. What is being redone was committed before and stays.
    private func undo() throws(LogFailure) {
        try pass(.aborted)
        for task in tasks where task.redo == nil {
            if world.mutant != .keepAborted { task.engine.undo() }
            if world.mutant != .skipRewind { task.next = task.acknowledged }
            task.cut = Cut(from: task.next)
            task.sealed.removeAll()
            task.slice = nil
        }
        for task in tasks { task.unfetch() }
        effects.removeAll()
        produced = 0
        outbox.removeAll()
        commitDue = nil
        commitment?.unsettled = .rewind
        try pass(.undone)
        try rewind()
    }

    private func rewind() throws(LogFailure) {
        if world.mutant != .skipRewind && pending == nil {
            guard try attempt({ () throws(LogFailure) in try input.start(at: positions) }) else { return try goAway() }
        }
        commitment = nil
        try updatePauses()
    }

    /// An output that can be used: a new one where the old can't, and nothing left open by an earlier life of it.
    func prepareOutput() throws(LogFailure) {
        if isOutputBad {
            output.close()
            output = try world.output()
            isOutputBad = false
        }
        do {
            try output.prepare()
        } catch .unknown(let why) {
            isOutputBad = true
            throw .retry(why)
        } catch {
            throw error
        }
    }

    /// Lets a transaction go whose partitions are being given up. Whatever becomes of it is the next owner's to see: the
    /// committed offsets it waits for tell.
    func dropTransaction() {
        guard output.isTransactional else { return }
        do {
            try output.abort()
        } catch {
            isOutputBad = true
        }
        commitment = nil
    }
}
