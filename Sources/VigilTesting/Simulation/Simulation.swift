import Engine
import Foundation
import Logging
import Runtime
import StateStore

/// What a simulation is made of.
public struct SimulationOptions: Sendable {
    /// Records that come in.
    public var events = 250
    /// In one transaction, or at least once.
    public var isExact = true
    /// Calls of all processes across the seam after which a run counts as going round in circles.
    public var mostCalls = 400_000
    /// The same in seconds of real time.
    public var mostSeconds = 60.0
    /// What doesn't happen.
    public var spared: Set<Misfortune> = []
    /// Of the chances for misfortune, counted from 1, only these are taken; nil: all.
    public var only: Set<Int>?
    /// Users stay in memory.
    public var sparesPaging = false
    /// Where state directories go.
    public var directory = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    /// Hears what the shards log.
    public var logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
    /// Hears every action of the scheduler.
    public var hear: (@Sendable (String) -> Void)?
    public init() {}
}

/// How one simulation ended.
public struct SimulationReport: Sendable, Codable {
    public var seed: UInt64
    /// What the oracle or the run itself noticed; empty when all is well.
    public var problems: [String] = []
    /// What went wrong, and how often.
    public var faults: [Misfortune: Int] = [:]
    /// How often something could have gone wrong.
    public var chances = 0
    public var turns = 0
    /// Across the seam.
    public var calls = 0
    public var records = 0
    public var redone: UInt64 = 0
    /// Offsets redone under another plan than they were decided under.
    public var crossed: UInt64 = 0
    /// Simulated milliseconds.
    public var milliseconds: Int64 = 0

    public init(seed: UInt64) { self.seed = seed }
}

/// One run of several processes on a simulated cluster, with everything that can go wrong, and then the oracle. The
/// same seed, options and mutant give the same run.
///
///     let report = try Simulation(seed: 17).run()
///     #expect(report.problems.isEmpty, "seed 17")
public final class Simulation {
    let seed: UInt64
    let options: SimulationOptions
    /// All that may be in force; the first is at the start.
    let plans: [EnginePlan]
    let cluster: SimulatedCluster
    var settings: SimulatedHost.Settings
    /// Not all have taken over the present plan, or something that was decided under another may still be redone.
    var isReloading = false
    /// Offsets redone under another plan while that was so.
    var crossedMeanwhile: UInt64 = 0
    var random: SeededGenerator
    var story: Story
    var hosts: [SimulatedHost] = []
    var report: SimulationReport
    /// Nested pauses.
    var depth = 0
    private let root: String
    private var heard: [Int64]

    public init(seed: UInt64, options: SimulationOptions = SimulationOptions(), mutant: Mutant? = nil) {
        self.seed = seed
        self.options = options
        report = SimulationReport(seed: seed)
        // Seeds that differ by one must not give streams that are one step apart.
        var mixed = SeededGenerator(seed: seed)
        random = SeededGenerator(seed: mixed.next())
        var world = ClusterOptions()
        world.inputs = Int.random(in: 1...3, using: &random)
        world.partitions = Int32.random(in: 2...4, using: &random)
        world.sessionTimeout = 1_000
        world.transactionTimeout = 800
        world.rebalanceTimeout = 3_000
        world.timeoutCheck = 100
        world.endTimeout = 300
        world.callTimeout = 20
        world.markerDelay = [0, 5, 100, 2_000].randomElement(using: &random)!
        world.lateArrival = 30
        world.queueRecords = [8, 100, 10_000].randomElement(using: &random)!
        world.deleteRetention = 20_000
        world.mostCalls = options.mostCalls
        plans = Story.plans(inputs: world.inputs)
        world.inputNames = plans[0].inputs.map(\.topic)
        story = Story(seed: random.next(), inputs: world.inputs)
        cluster = SimulatedCluster(options: world, seed: random.next())
        var shard = ShardOptions()
        shard.commitMilliseconds = Int.random(in: 1...30, using: &random)
        shard.interventionCommitMilliseconds = Int.random(in: 1...10, using: &random)
        shard.checkpointMilliseconds = [10, 50, 300].randomElement(using: &random)!
        shard.checkpointBytesPerSecond = [200_000, 16 << 20].randomElement(using: &random)!
        shard.memoryBytes = [6_000, .max].randomElement(using: &random)!
        if options.sparesPaging { shard.memoryBytes = .max }
        shard.tombstoneMilliseconds = 15_000
        shard.batchRecords = [1, 7, 50].randomElement(using: &random)!
        shard.flushMilliseconds = 100
        shard.panesMilliseconds = [1, 20, 200][Int(mixed.next() % 3)]
        shard.stopMilliseconds = 2_000
        shard.idleMilliseconds = 50
        shard.silenceMilliseconds = 2_000
        settings = SimulatedHost.Settings(
            plan: plans[0], options: shard, shards: Int.random(in: 1...2, using: &random), isExact: options.isExact,
            isStatic: Int.random(in: 0..<4, using: &random) == 0, losesState: Bool.random(using: &random), mutant: mutant, logger: options.logger)
        root = "\(options.directory)/vigil-simulation-\(UUID().uuidString)"
        heard = Array(repeating: 0, count: Int(world.partitions))
    }

    /// Runs it. Throws what the file system throws.
    public func run() throws -> SimulationReport {
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        for number in 0..<Int.random(in: 2...4, using: &random) {
            hosts.append(SimulatedHost(name: "host\(number)", cluster: cluster, root: root))
        }
        for host in hosts.prefix(2) { try host.start(settings, .sameDirectory) }
        let begun = ContinuousClock.now
        while report.records < options.events, report.problems.isEmpty {
            try act()
            if isReloading && report.records % 8 == 0 { followReload() }
            if ContinuousClock.now - begun > .seconds(options.mostSeconds) {
                note("it takes more than \(options.mostSeconds) s")
            }
        }
        if report.problems.isEmpty { try heal() }
        if report.problems.isEmpty { try finish() }
        for host in hosts { host.kill() }
        report.milliseconds = cluster.clock.milliseconds
        report.calls = cluster.calls
        report.crossed = crossed
        return report
    }

    func note(_ problem: String?) {
        if let problem { report.problems.append(problem) }
    }

    func say(_ what: @autoclosure () -> String) { options.hear?("\(cluster.clock.milliseconds) \(what())") }

    func count(_ misfortune: Misfortune, _ host: SimulatedHost) {
        report.faults[misfortune, default: 0] += 1
        say("\(report.chances): \(misfortune.rawValue), \(host.name)")
    }

    // MARK: What happens without faults

    func appendInput() {
        let line = story.next()
        let partition = line.key.map { cluster.partition(forKey: $0.utf8) }
            ?? Int32.random(in: 0..<cluster.options.partitions, using: &random)
        if chance(1, in: 20) {
            let commits = chance(1, in: 2)
            cluster.appendTransaction(
                input: line.input, partition: partition, [(line.key, line.value)], commits: commits, timestamp: line.timestamp)
        } else {
            cluster.append(
                input: line.input, partition: partition, key: line.key, value: line.value, timestamp: line.timestamp)
        }
        report.records += 1
    }

    /// Turns a shard, of any host but those that are in the midst of something.
    func turnSomebody() {
        var own = SeededGenerator(seed: random.next())
        let ready = hosts.filter { $0.isUp && !$0.isBusy && $0.process?.isFrozen == false }
        guard let host = ready.randomElement(using: &own) else {
            cluster.clock.advance(milliseconds: 10)
            return
        }
        turn(host, Int.random(in: 0..<host.shards.count, using: &own))
    }

    /// The story's people learn what was decided.
    func listen() {
        for partition in heard.indices {
            for (offset, record) in cluster.records(.decisions, partition: Int32(partition), from: heard[partition]) {
                heard[partition] = offset + 1
                if let value = record.value { story.hear(decision: value) }
            }
        }
    }

    func chance(_ part: Int, in whole: Int) -> Bool { Int.random(in: 0..<whole, using: &random) < part }

    // MARK: The end

    /// Nothing goes wrong any more: everything must be decided before long.
    private func heal() throws {
        say("healing")
        cluster.heal()
        for host in hosts {
            host.process?.mishap = nil
            host.process?.thaw()
            host.process?.setCutOff(false)
            for shard in host.shards { try shard.limitStores(pages: 0) }
            if !host.isUp { try host.start(settings, .sameDirectory) }
        }
        try settle("everything is decided")
    }

    /// Turns everybody until everything is committed and every partition is at somebody's.
    private func settle(_ what: String) throws {
        for _ in 0..<3_000 {
            for host in hosts {
                if !host.isUp { try host.start(settings, .sameDirectory) }
                for index in host.shards.indices {
                    turn(host, index)
                }
            }
            guard report.problems.isEmpty else { return }
            if cluster.isQuiet && isSettled && cluster.isDrained({ self.position($0) }) { return }
        }
        let states = hosts.flatMap(\.shards).map { shard in
            "\(shard.state.rawValue) \(shard.status().partitions.map { "\($0.partition) at \($0.positions)" })"
        }
        let committed = cluster.inputPartitions.map { place in
            let left = cluster.records(.input(place.input), partition: place.partition, from: cluster.committed(place) ?? 0).count
            return "\(place.input)/\(place.partition) at \(cluster.committed(place) ?? -1), \(left) left"
        }
        note("not settled so that \(what): \(states), members \(cluster.memberCount), committed \(committed), open transactions in \(cluster.unquiet), offsets pending: \(!cluster.isStable)")
    }

    /// How far the last cut says a partition was committed, where the group has forgotten.
    private func position(_ place: InputPartition) -> Int64? {
        cluster.records(.cuts, partition: place.partition).last?.record.value?.withUnsafeBytes {
            try? Cut(decoding: $0, inputs: cluster.options.inputs).ends[place.input]
        }
    }

    private var isSettled: Bool {
        var owned: [Int32] = []
        for shard in hosts.flatMap(\.shards) {
            guard shard.state == .running || shard.state == .joining || shard.status().partitions.isEmpty else { return false }
            for partition in shard.status().partitions {
                guard isUpToDate(partition), !partition.isRedoing else { return false }
                owned.append(partition.partition)
            }
        }
        return owned.sorted() == Array(0..<cluster.options.partitions)
    }

    /// Nothing was committed of it that the shard has not come to: who stood still may not have heard yet that the partition
    /// is somebody else's.
    func isUpToDate(_ partition: PartitionStatus) -> Bool {
        partition.positions.indices.allSatisfy { input in
            let place = InputPartition(input: input, partition: partition.partition)
            return partition.positions[input] >= cluster.committed(place) ?? 0
        }
    }

    private func finish() throws {
        var held: [Int32: [HeldState]] = [:]
        let files = hold(&held)
        for host in hosts { note(host.terminate()) }
        guard report.problems.isEmpty else { return }
        cluster.clock.advance(milliseconds: 2_000)
        cluster.settle()
        for (partition, file) in files {
            held[partition, default: []].append(try HeldState("the file after the stop", file: file, plan: settings.plan))
        }
        rebuild(&held, "the state topic after the stop")
        guard report.problems.isEmpty else { return }
        checkCrossings()
        var oracle = Oracle(cluster: cluster, plans: plans)
        if options.isExact && crossed > 0 {
            // What was redone under another plan gives other baselines, and that was said. Decisions are still made once.
            oracle.checkAtLeastOnce(once: true)
        } else if options.isExact {
            oracle.checkExactlyOnce()
            oracle.check(held)
        } else {
            oracle.checkAtLeastOnce()
            if !hasHadZombies { oracle.checkEqual(held) }
        }
        report.problems += oracle.problems
    }

    /// What live shards and the state topic hold now. Returns the file of every partition's owner.
    private func hold(_ held: inout [Int32: [HeldState]]) -> [(partition: Int32, file: String)] {
        var files: [(partition: Int32, file: String)] = []
        for host in hosts {
            for shard in host.shards {
                shard.forEachEngine { partition, engine in
                    held[partition, default: []].append(HeldState("the shard", engine))
                    files.append((partition, StateDirectory.file(in: host.directory, partition: partition)))
                }
            }
        }
        if options.isExact { rebuild(&held, "the state topic before the stop", isEnd: false) }
        return files.sorted { $0.partition < $1.partition }
    }

    /// Without transactions nothing keeps a member that was shut out unawares from writing rows that are older than those of
    /// the new owner.
    private var hasHadZombies: Bool {
        let shutOut: [Misfortune] = [.freeze, .pauseAtCall, .pauseAtStep, .cutOff, .brokerAway]
        return shutOut.contains { report.faults[$0] != nil }
    }

    private func rebuild(_ held: inout [Int32: [HeldState]], _ holder: String, isEnd: Bool = true) {
        guard options.isExact || !hasHadZombies else { return }
        for partition in 0..<cluster.options.partitions {
            // A topic that was lost has no checkpoint before it has everything again.
            if hosts.contains(where: { $0.isRepublishing(partition) }) { continue }
            // Nor has one that was lost and whose first slice is not due yet.
            if !isEnd && redoPoint(partition) == nil { continue }
            do {
                held[partition, default: []].append(
                    try Oracle.rebuild(cluster, plans, partition, redoes: options.isExact, holder))
            } catch {
                note("partition \(partition), \(holder): \(error)")
            }
        }
    }
}
