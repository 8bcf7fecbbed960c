import Engine
import Events
import Runtime
import StateStore

/// What somebody holds of a partition's state, in a form that can be compared.
struct HeldState {
    /// Who holds it, for messages.
    var holder: String
    /// By tenant and user, canonical bytes.
    var rows: [[String]: [UInt8]]
    /// Users known, with those whose rows are elsewhere.
    var users: Int
    /// Nil where it isn't held.
    var shared: [UInt8]?

    init(_ holder: String, _ engine: Engine) {
        self.holder = holder
        rows = Audit.rows(engine)
        users = engine.userCount
        shared = engine.sharedImage()
    }

    /// The rows of a state file. Throws `StoreError`.
    init(_ holder: String, file: String, plan: EnginePlan) throws(StoreError) {
        self.holder = holder
        let engine = Engine(plan: plan)
        engine.newerRowWins = true
        var unusable = 0
        try StateStore.forEachRow(file: file) { number, row throws(StoreError) in
            do { try engine.restore(user: number, row: row) } catch { unusable += 1 }
        }
        rows = Audit.rows(engine)
        users = rows.count + unusable
    }
}

extension Oracle {
    /// What the state topic alone comes to, with redo along the cuts; nil, and a problem, where it can't be used.
    static func rebuild(
        _ cluster: SimulatedCluster, _ plans: [EnginePlan], _ partition: Int32, redoes: Bool, _ holder: String
    ) throws -> HeldState {
        let cuts = redoes
            ? try PartitionReplay.cuts(
                of: cluster.name(of: .cuts), partition: partition, inputs: plans[0].inputs.count, in: cluster,
                clock: cluster.clock) : []
        return HeldState(
            holder,
            try RebuiltState.engine(
                log: cluster, plans: plans.map { LoadedPlan($0) }, partition: partition, topic: cluster.name(of: .state),
                networks: cluster.name(of: .networks), cuts: cuts,
                clock: cluster.clock))
    }

    /// Whoever holds a partition's state must hold the same. Of whom a live shard knows without having the row in memory,
    /// only the number is compared.
    func compare(_ held: HeldState, with wanted: HeldState, partition: Int32) -> [String] {
        var problems: [String] = []
        let place = "partition \(partition), \(held.holder) against \(wanted.holder)"
        for (name, row) in held.rows.sorted(by: { $0.key.joined() < $1.key.joined() }) where wanted.rows[name] != row {
            problems.append("\(place): \(name[1]) is \(wanted.rows[name] == nil ? "not known there" : "another")")
        }
        if held.users != wanted.users { problems.append("\(place): \(held.users) users and not \(wanted.users)") }
        if let shared = held.shared, let other = wanted.shared, shared != other {
            problems.append("\(place): what users share is another")
        }
        return problems
    }
}
