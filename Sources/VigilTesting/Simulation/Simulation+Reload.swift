import Engine
import Events
import Runtime

/// Pipelines that change while everything else goes on. Redo must not cross a change once everybody has taken it over:
/// whoever was unwritten was written first.
extension Simulation {
    /// Everybody who runs is told of another plan, and whoever starts from now on starts with it.
    func reload() {
        checkCrossings()
        settings.plan = plans.filter { $0.version != settings.plan.version }.randomElement(using: &random)!
        for host in hosts { host.adopt(settings.plan) }
        isReloading = true
    }

    /// Finds out whether the present plan is in force everywhere, with nothing left to redo that another has decided.
    func followReload() {
        crossedMeanwhile = crossed
        let isTakenOver = hosts.allSatisfy { $0.policies.isSubset(of: [settings.plan.version]) }
        // What a transaction holds that has not ended yet may still become a cut.
        guard isTakenOver, cluster.isQuiet, (0..<cluster.options.partitions).allSatisfy({ isBehindChange($0, settings.plan) })
        else { return }
        isReloading = false
    }

    /// Turns one shard, and looks whether one that has just swapped plans may be killed now.
    func turn(_ host: SimulatedHost, _ index: Int) {
        report.turns += 1
        guard host.shards.indices.contains(index) else { return }
        let shard = host.shards[index]
        let before = shard.counters
        note(host.turn(index))
        let isSwapped = shard.counters.reloads != before.reloads && shard.counters.rebalances == before.rebalances
        guard options.isExact, isSwapped, host.isUp else { return }
        let status = shard.status()
        for partition in status.partitions where isUpToDate(partition) {
            guard let plan = plans.first(where: { $0.version == status.policy }) else { continue }
            if !isBehindChange(partition.partition, plan) {
                note("partition \(partition.partition): a plan was swapped while what another had decided may still be redone")
            }
        }
    }

    /// Whatever may be redone of the partition was decided under that plan.
    private func isBehindChange(_ partition: Int32, _ plan: EnginePlan) -> Bool {
        let redo = redoPoint(partition)?.positions ?? plan.inputs.map { _ in 0 }
        return cluster.decided(.cuts, partition: partition).allSatisfy { record in
            let cut = (record.value ?? []).withUnsafeBytes { try? Cut(decoding: $0, inputs: plan.inputs.count) }
            guard let cut else { return false }
            return cut.version == plan.engineVersion || !zip(cut.ends, redo).contains { $0 > $1 }
        }
    }

    var crossed: UInt64 { hosts.reduce(0) { $0 + $1.crossed } }

    /// While a change is under way a death or a rebalance may make redo cross it; and without a checkpoint everything is
    /// redone.
    func checkCrossings() {
        defer { crossedMeanwhile = crossed }
        let isExcused = isReloading || !options.isExact || report.faults[.recreatedState] != nil
        guard !isExcused, crossed > crossedMeanwhile else { return }
        note("\(crossed - crossedMeanwhile) offsets were redone under another plan though all had taken over the present one")
    }
}
