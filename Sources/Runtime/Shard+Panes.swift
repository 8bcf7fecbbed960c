import Engine

/// What crosses users, between partitions: others' panes are absorbed right before a batch, and the cut says up to where;
/// own panes go out with the cut.
extension Shard {
    /// Bytes of panes that wait for a task without records. Beyond it they are absorbed in a batch of their own.
    private static let mostWaitingBytes = 16 << 20

    /// Reads what has come of the networks topic, when that is due.
    func followPanes() throws(LogFailure) {
        guard let panes, let internals, pending == nil else { return }
        let now = world.clock.milliseconds
        guard now >= panesDue || state == .recovering else { return }
        panesDue = now + Int64(options.panesMilliseconds)
        guard try attempt({ () throws(LogFailure) in try panes.follow(internals) }) else { return }
        panes.drop(absorbedBy: tasks)
        guard panes.bytes > Self.mostWaitingBytes, commitment == nil, state == .running else { return }
        for task in tasks where task.redo == nil && task.cut.batches.isEmpty {
            absorbPanes(of: task)
            guard task.cut.panes != nil else { continue }
            task.cut.batches.append(task.next)
            task.mustCommit = true
            scheduleCommit(within: options.commitMilliseconds)
        }
    }

    /// Before the first record of a batch.
    func absorbPanes(of task: PartitionTask) {
        task.hasAbsorbed = true
        guard let panes else { return }
        for news in panes.absorb(into: task.engine, of: task.partition) where world.mutant != .unrecordedPanes {
            task.cut.panes = (task.cut.panes ?? []) + [[Int64(task.cut.batches.count), Int64(news.partition), news.offset]]
        }
    }

    /// In redo: what had been absorbed at the redo point, then what had been before that batch; false while it has not
    /// come yet.
    func absorbRecorded(_ batch: Redo.Batch?, of task: PartitionTask) -> Bool {
        guard let panes else { return true }
        let owed = task.engine.toAbsorb
        let recorded = batch?.panes ?? []
        guard owed.indices.allSatisfy({ panes.has($0, upTo: owed[$0]) }),
            recorded.allSatisfy({ panes.has($0.partition, upTo: $0.offset) })
        else { return false }
        if world.mutant != .forgetPending {
            for (partition, offset) in owed.enumerated() {
                panes.absorb(partition, upTo: offset, into: task.engine, recovering: true)
            }
        }
        task.engine.absorbedWhatWasOwed()
        for place in recorded { panes.absorb(place.partition, upTo: place.offset, into: task.engine, recovering: true) }
        return true
    }

    /// Follows the networks topic for these tasks from where they are.
    func beginPanes(for tasks: [PartitionTask]) throws(LogFailure) {
        guard let internals else { return }
        let feed = try PaneFeed(internals, for: tasks.map(\.engine))
        if !feed.lost.isEmpty {
            logger.warning(
                "the networks topic no longer has all that was absorbed from it; what other partitions saw meanwhile is missing from windows and rarity until it has passed. Lengthen its retention beyond the longest stop",
                metadata: ["shard": "\(options.name)", "partitions": "\(feed.lost)"])
        }
        panes = feed
        panesDue = world.clock.milliseconds
    }
}
