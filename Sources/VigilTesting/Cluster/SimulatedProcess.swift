import Runtime

/// Calls a shard makes across the log seam.
public enum ClusterCall: String, Sendable, CaseIterable {
    case identity, poll, committed, bounds, start, release, setPaused, commit
    case prepare, produce, flush, commitTransaction, abort
    case internalBounds, internalRead
}

/// What happens to a process at one moment of its life.
public struct Mishap {
    public enum Moment: Sendable, Equatable {
        /// The n-th call across the seam, from 1: before the log does what is asked, or after.
        case call(Int, afterEffect: Bool)
        /// The n-th time a step is reached, from 1.
        case step(ShardStep, occurrence: Int)
    }
    public enum Kind {
        /// It dies, as by SIGKILL.
        case death
        /// It stands still, as by SIGSTOP, while the world goes on: `meanwhile` advances the clock and turns the others.
        case pause(meanwhile: () -> Void)
    }
    public var moment: Moment
    public var kind: Kind
    public init(_ moment: Moment, _ kind: Kind) {
        self.moment = moment
        self.kind = kind
    }
}

/// A process with the ends of the log it holds. It dies, stands still or is cut off as a whole.
public final class SimulatedProcess {
    public let name: String
    let cluster: SimulatedCluster
    /// Nil once it has happened.
    public var mishap: Mishap?
    /// Called at every step that is not the process's last.
    public var onStep: ShardProbe?
    /// Calls across the seam so far.
    public private(set) var calls: Int = 0
    /// How often each step was reached.
    public private(set) var steps: [ShardStep: Int] = [:]
    public private(set) var isDead = false
    /// Stands still: sends no heartbeats.
    public private(set) var isFrozen = false
    /// The network between this process and the cluster is down.
    public private(set) var isCutOff = false
    private var inputs: [ClusterInput] = []
    private var outputs: [ClusterOutput] = []
    /// A client's own thread needs a moment after a standstill.
    private var beatsFrom: Int64 = 0

    init(name: String, cluster: SimulatedCluster) {
        self.name = name
        self.cluster = cluster
    }

    // MARK: The ends of the log

    /// A consumer. `member` names it in the group; `instance` is its static id.
    public func input(member: String, instance: String? = nil) -> any InputLog {
        let input = ClusterInput(process: self, name: member, instance: instance)
        inputs.append(input)
        return input
    }

    /// A producer, transactional where there is an id.
    public func output(transactionalID: String?) -> any OutputLog {
        let output = ClusterOutput(process: self, transactionalID: transactionalID)
        outputs.append(output)
        return output
    }

    public func internalLog() -> any InternalLog { ClusterInternalLog(process: self) }

    func forget(_ input: ClusterInput) { inputs.removeAll { $0 === input } }
    func forget(_ output: ClusterOutput) { outputs.removeAll { $0 === output } }

    // MARK: Life and death

    /// What `ShardWorld.probe` calls.
    public func probe(_ step: ShardStep) throws(LogFailure) {
        if isDead { throw Self.dead }
        steps[step, default: 0] += 1
        if let mishap, mishap.moment == .step(step, occurrence: steps[step]!) { try suffer(mishap.kind) }
        try onStep?(step)
    }

    /// Does what a call asks for, unless something happens to the process at it.
    func call<Answer>(_ name: ClusterCall, _ effect: () throws(LogFailure) -> Answer) throws(LogFailure) -> Answer {
        if isDead { throw Self.dead }
        calls += 1
        cluster.calls += 1
        guard cluster.calls <= cluster.options.mostCalls else {
            throw .stop("the simulation's bound of \(cluster.options.mostCalls) calls is reached")
        }
        let number = calls
        if let mishap, mishap.moment == .call(number, afterEffect: false) { try suffer(mishap.kind) }
        cluster.settle()
        let answer = try effect()
        if let mishap, mishap.moment == .call(number, afterEffect: true) { try suffer(mishap.kind) }
        return answer
    }

    private func suffer(_ kind: Mishap.Kind) throws(LogFailure) {
        mishap = nil
        switch kind {
        case .death:
            die()
            throw Self.dead
        case .pause(let meanwhile):
            freeze()
            meanwhile()
            thaw()
            // It may have been killed meanwhile.
            if isDead { throw Self.dead }
        }
    }

    private static let dead = LogFailure.stop("the simulated process is dead")

    /// Ends without a word to anybody. Some of what the producers had queued still arrives; a transaction stays open.
    public func die() {
        guard !isDead else { return }
        cluster.settle()
        isDead = true
        for output in outputs { output.perish() }
        outputs = []
        inputs = []
        cluster.forget(self)
    }

    /// Stands still from here on. Nobody may turn its shards until it is thawed.
    public func freeze() {
        cluster.settle()
        isFrozen = true
    }

    /// Goes on after a standstill, at the first moment not knowing what the group has done about it.
    public func thaw() {
        guard isFrozen else { return }
        cluster.settle()
        isFrozen = false
        beatsFrom = cluster.now + Int64.random(in: 0...3, using: &cluster.random)
    }

    /// The network between this process and the cluster goes down or comes back.
    public func setCutOff(_ cutOff: Bool) {
        cluster.settle()
        isCutOff = cutOff
    }

    var isReachable: Bool { !isCutOff && !cluster.isAway }

    /// What the clients' own threads do.
    func beat() {
        guard !isDead, !isFrozen, !isCutOff, cluster.now >= beatsFrom else { return }
        for input in inputs { input.beat() }
    }

    /// Waits in vain for an answer.
    func unanswered(_ doing: String) -> LogFailure {
        cluster.clock.advance(milliseconds: Int(cluster.options.callTimeout))
        return .retry("\(doing): the broker doesn't answer")
    }
}
