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
        guard isTakenOver, (0..<cluster.options.partitions).allSatisfy(isBehindChange) else { return }
        isReloading = false
    }

    /// Whatever may be redone of the partition was decided under the present plan.
    private func isBehindChange(_ partition: Int32) -> Bool {
        for topic in [ClusterTopic.cuts, .state] {
            let bounds = cluster.bounds(topic, partition: partition)
            guard bounds.stable == bounds.end else { return false }
        }
        guard let redo = redoPoint(partition) else { return false }
        return cluster.records(.cuts, partition: partition, from: redo.cutsOffset).allSatisfy { _, record in
            let cut = (record.value ?? []).withUnsafeBytes { try? Cut(decoding: $0, inputs: plans[0].inputs.count) }
            return cut?.version == settings.plan.engineVersion
        }
    }

    private var crossed: UInt64 { hosts.reduce(0) { $0 + $1.crossed } }

    /// Something was redone under another plan than it was decided under.
    var hasCrossed: Bool { crossed > 0 }

    /// While a change is under way a death or a rebalance may make redo cross it; and without a checkpoint everything is
    /// redone.
    func checkCrossings() {
        defer { crossedMeanwhile = crossed }
        let isExcused = isReloading || !options.isExact || report.faults[.recreatedState] != nil
        guard !isExcused, crossed > crossedMeanwhile else { return }
        note("\(crossed - crossedMeanwhile) offsets were redone under another plan though all had taken over the present one")
    }
}
