import Engine
import Events
import Foundation
import Runtime
import StateStore
import Testing
@testable import VigilTesting

/// One process on a simulated cluster, exactly once, that is stopped, killed and started again with what a test leaves
/// of its directory and topics.
final class Deployment {
    let cluster: SimulatedCluster
    let heard = Heard()
    let root = TemporaryDirectory()
    var settings: SimulatedHost.Settings
    /// All that were in force.
    var plans: [EnginePlan] = []
    private let host: SimulatedHost
    private var story: Story
    private let seed: UInt64
    /// Directories it has had: a new one on every other machine.
    private var machines = 0

    init(seed: UInt64, partitions: Int32 = 2, identity: String = "simulated", plan: EnginePlan = Story.plan(inputs: 1)) {
        self.seed = seed
        var options = ClusterOptions()
        options.partitions = partitions
        options.identity = identity
        cluster = SimulatedCluster(options: options, seed: seed)
        story = Story(seed: seed, inputs: 1)
        var shard = ShardOptions()
        shard.batchRecords = 6
        shard.commitMilliseconds = 3
        shard.interventionCommitMilliseconds = 2
        shard.checkpointMilliseconds = 20
        settings = SimulatedHost.Settings(
            plan: plan, options: shard, shards: 1, isExact: true, mutant: nil, logger: heard.logger)
        host = SimulatedHost(name: "host", cluster: cluster, root: root.path)
    }

    var directory: String { root.file("host-\(machines)") }
    var shard: Shard? { host.shards.first }
    var process: SimulatedProcess? { host.process }

    /// What was complained of. A rule of the story's plan is an operator's mistake on purpose: that it opens the circuit
    /// breaker is no complaint.
    var complaints: [String] {
        let relaxed = settings.plan.breaker.relax
        guard relaxed.contains("mistake") else { return heard.all }
        let opening = "the circuit breaker has opened: too many established users are asked; relaxed: " + relaxed.joined(separator: ", ")
        return heard.all.filter { !$0.hasPrefix(opening) }
    }

    func file(partition: Int32 = 0) -> String { StateDirectory.file(in: directory, partition: partition) }

    /// Names in the state directory.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted() }

    /// Appends so many records of the story.
    func feed(_ count: Int) {
        for _ in 0..<count {
            let line = story.next()
            let partition = line.key.map { cluster.partition(forKey: $0.utf8) } ?? 0
            cluster.append(partition: partition, key: line.key, value: line.value, timestamp: line.timestamp)
        }
    }

    func start(onAnotherMachine: Bool = false) throws {
        if onAnotherMachine { machines += 1 }
        try host.start(settings, onAnotherMachine ? .emptyDirectory : .sameDirectory)
    }

    /// One turn; what is wrong with how the shard ended, if it did.
    func turn() -> String? { host.turn(0) }

    /// Turns until everything is decided and committed.
    func run(turns: Int = 5_000) throws {
        if !host.isUp { try start() }
        for _ in 0..<turns {
            if let problem = turn() { throw LogFailure.stop("seed \(seed): \(problem)") }
            if cluster.isDrained, shard?.state == .running { return }
        }
        throw LogFailure.stop("seed \(seed): not drained after \(turns) turns, in state \(shard.map { "\($0.state)" } ?? "dead")")
    }

    /// Turns until the shard refuses to go on, and returns why.
    func refusal(turns: Int = 1_000) throws -> String {
        try start()
        for _ in 0..<turns {
            if let problem = turn() {
                host.kill()
                return problem
            }
        }
        throw LogFailure.stop("seed \(seed): nothing was refused")
    }

    func kill() { host.kill() }

    /// The topic's partition is deleted and made anew.
    func makeAnew(_ topic: ClusterTopic) {
        for partition in 0..<cluster.options.partitions { cluster.logs[TopicPartition(topic, partition)] = PartitionLog() }
    }

    /// Users in memory, by partition.
    var users: [Int32: Int] {
        var users: [Int32: Int] = [:]
        shard?.forEachEngine { users[$0] = $1.userCount }
        return users
    }

    /// Stops it, and holds everything it ever decided against one thread that decided it all without a fault.
    func checkDecisions(_ location: SourceLocation = #_sourceLocation) { _ = checked(location) }

    /// The same, and what its shard and then its state files know as well.
    func checkState(_ location: SourceLocation = #_sourceLocation) throws {
        var held: [Int32: [HeldState]] = [:]
        shard?.forEachEngine { held[$0] = [HeldState("the shard", $1)] }
        var oracle = checked(location)
        for partition in 0..<cluster.options.partitions {
            held[partition]?.append(try HeldState("the file", file: file(partition: partition), plan: settings.plan))
        }
        oracle.check(held)
        #expect(oracle.problems == [], "seed \(seed)", sourceLocation: location)
    }

    private func checked(_ location: SourceLocation) -> Oracle {
        #expect(host.terminate() == nil, "seed \(seed)", sourceLocation: location)
        cluster.clock.advance(milliseconds: 2_000)
        cluster.settle()
        var oracle = Oracle(cluster: cluster, plans: plans.isEmpty ? [settings.plan] : plans)
        oracle.checkExactlyOnce()
        #expect(oracle.problems == [], "seed \(seed)", sourceLocation: location)
        #expect(cluster.isDrained, "seed \(seed)", sourceLocation: location)
        return oracle
    }
}
