import Engine
import Events

/// A plan that is to be swapped in.
struct PlanChange {
    var plan: EnginePlan
    var enrichment: EventEnrichment
    /// Not tried again before: a state file that takes nothing would otherwise hold up deciding for good.
    var retry: Int64 = 0
    /// That it has to wait was said.
    var isTold = false
}

/// Another plan while the shard is at work, so that redo never crosses a change: what is decided is committed, users are
/// written until nobody is unwritten, and only then, at that very commit, the plan is another. Meanwhile what is polled
/// waits.
///
///     deciding ──adopt──▶ draining: commit, slice, slice… ──nobody is unwritten──▶ swapped, deciding
///                            │ aborted, away, revoked: goes on from the last commit, or at whoever has the partition
extension Shard {
    /// Asks for another plan, which must be one that `canFollow` the present one's. It is in force as soon as everything
    /// decided under the present one is committed and written; `status().policy` tells. A second call replaces a plan that
    /// is not in force yet. For the shard's own thread: other threads ask through the mailbox.
    public func adopt(_ plan: EnginePlan, enrichment: EventEnrichment) {
        precondition(plan.canFollow(self.plan), "the plan can't follow the present one")
        guard plan.version != self.plan.version else {
            change = nil
            return
        }
        change = PlanChange(plan: plan, enrichment: enrichment)
    }

    /// Nothing is stepped: users are being written so that the plan can change.
    var isDraining: Bool {
        guard let change, state == .running, pending == nil else { return false }
        return change.retry <= world.clock.milliseconds
    }

    /// Commits and writes what is left under the present plan, a piece in every turn, and swaps when nothing is.
    func advanceChange() throws(LogFailure) {
        guard try commit(all: world.mutant != .swapUnwritten) else { return }
        guard isWritten else { return postponeIfStuck() }
        swapPlan()
    }

    /// Everything stepped is committed, and everybody who changed is written.
    private var isWritten: Bool {
        tasks.allSatisfy { task in
            task.redo == nil && task.next == task.acknowledged && !task.mustCommit && !task.mustRewind
                && task.cut.batches.isEmpty
                && (world.mutant == .swapUnwritten
                    || (task.checkpointed == task.acknowledged && task.engine.dirtyCount == 0 && task.unpublished == 0))
                // Without a topic that travels the file is the only copy.
                && (internals != nil || task.store == nil || (task.unstored.isEmpty && !task.isStoreFailing))
        }
    }

    /// A state file that takes nothing and is the only copy: deciding goes on under the present plan.
    private func postponeIfStuck() {
        guard internals == nil, tasks.contains(where: { $0.isStoreFailing }) else { return }
        change?.retry = world.clock.milliseconds + Int64(options.checkpointMilliseconds)
        guard change?.isTold == false else { return }
        change?.isTold = true
        logger.error(
            "the changed pipeline waits: the state file can't be written, and a restart would redo across the change",
            metadata: ["shard": "\(options.name)"])
    }

    /// Where nothing is owned or under way there is nothing to write first.
    func swapIfIdle() {
        if change != nil, tasks.isEmpty, pending == nil, commitment == nil { swapPlan() }
    }

    private func swapPlan() {
        guard let change else { return }
        self.change = nil
        former = PlanInUse(plan: plan, decoders: decoders)
        plan = change.plan
        decoders = Decoders(plan: plan, enrichment: change.enrichment)
        for task in tasks {
            adopt(PlanInUse(plan: plan, decoders: decoders), for: task)
            // The checkpoint says under which plan what follows is decided, where no cuts do.
            if internals == nil { storeEverything(of: task) }
        }
        counters.reloads += 1
        logger.notice("the changed pipeline is in force", metadata: ["shard": "\(options.name)", "policy": "\(plan.version)"])
    }

    /// What is redone was decided under the present plan or, where a partition comes from a process that had not swapped
    /// yet, the one before.
    func adoptRecorded(_ batch: Redo.Batch?, of task: PartitionTask) {
        guard let version = batch?.version, version != task.engine.version, let former else { return }
        if world.mutant == .redoUnderPresent { return }
        if version == former.plan.engineVersion { adopt(former, for: task) }
        if version == plan.engineVersion { adopt(PlanInUse(plan: plan, decoders: decoders), for: task) }
    }

    func adopt(_ use: PlanInUse, for task: PartitionTask) {
        guard task.engine.version != use.plan.engineVersion else { return }
        task.engine = task.engine.adopting(use.plan, decoders: use.decoders)
    }
}
