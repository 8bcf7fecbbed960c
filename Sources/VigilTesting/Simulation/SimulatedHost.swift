import Engine
import Events
import Foundation
import Logging
import Runtime
import StateStore

/// A place where a process runs, dies and comes back, with its state directory.
final class SimulatedHost {
    let name: String
    let cluster: SimulatedCluster
    private let root: String
    private(set) var process: SimulatedProcess?
    private(set) var shards: [Shard] = []
    /// One of its shards is being turned.
    private(set) var isBusy = false
    private var stop = StopRequest()
    /// Counts the directories it had, and the names its shards went by.
    private var life = 0
    private var copies: [String] = []

    init(name: String, cluster: SimulatedCluster, root: String) {
        self.name = name
        self.cluster = cluster
        self.root = root
    }

    var isUp: Bool { process != nil }
    /// What shards that are gone had redone under another plan.
    private var crossedBefore: UInt64 = 0
    /// Offsets that it has redone under another plan than they were decided under.
    var crossed: UInt64 { shards.reduce(crossedBefore) { $0 + $1.counters.crossed } }
    /// Versions of the plans in force.
    var policies: Set<String> { Set(shards.map { $0.status().policy }) }

    /// A shard of it is writing what a lost state topic had to it again.
    func isRepublishing(_ partition: Int32) -> Bool {
        shards.contains { $0.status().partitions.contains { $0.partition == partition && $0.isRepublishing } }
    }
    var hasCopy: Bool { !copies.isEmpty }
    /// Where its state files are.
    var directory: String { "\(root)/\(name)-\(life)" }

    /// How it comes back.
    enum Return {
        case sameDirectory
        /// Another machine: nothing is there, and its name is new.
        case emptyDirectory
        /// A backup was put back: its own directory as it was at some earlier end.
        case oldDirectory
    }

    struct Settings {
        var plan: EnginePlan
        var options: ShardOptions
        var shards: Int
        var isExact: Bool
        /// Members have static ids.
        var isStatic = false
        /// The state topic may be lost.
        var losesState = false
        var mutant: Mutant?
        var logger: Logger
    }

    /// Throws what making directory and shards throws.
    func start(_ settings: Settings, _ how: Return) throws {
        switch how {
        case .sameDirectory: break
        case .emptyDirectory: life += 1
        case .oldDirectory:
            if let copy = copies.randomElement(using: &cluster.random) {
                try? FileManager.default.removeItem(atPath: directory)
                try FileManager.default.copyItem(atPath: copy, toPath: directory)
            }
        }
        let process = cluster.process("\(name)-\(life)")
        self.process = process
        stop = StopRequest()
        let states = try StateDirectory(path: directory)
        for number in 0..<settings.shards {
            var options = settings.options
            options.name = "\(name)-\(number)"
            let id = settings.isExact ? "\(name)-\(life)-\(number)" : nil
            let member = options.name
            let instance = settings.isStatic ? member : nil
            let world = ShardWorld(
                input: { () throws(LogFailure) in process.input(member: member, instance: instance) },
                output: { () throws(LogFailure) in process.output(transactionalID: id) },
                internals: { () throws(LogFailure) in process.internalLog() }, directory: states, clock: cluster.clock,
                logger: settings.logger, stop: stop, probe: { step throws(LogFailure) in try process.probe(step) },
                mutant: settings.mutant)
            shards.append(try Shard(plan: settings.plan, options: options, world: world))
        }
    }

    /// Turns one shard. Returns what is wrong with how it ended, where something is.
    func turn(_ index: Int) -> String? {
        guard let process, !isBusy, !process.isFrozen, shards.indices.contains(index) else { return nil }
        isBusy = true
        let outcome = shards[index].turn()
        isBusy = false
        if process.isDead {
            bury()
            return nil
        }
        switch outcome {
        case nil: return nil
        case .stopped, .gaveUp: return "\(name) stopped unasked"
        case .ended: return "\(name) took the log for ended"
        case .failed(let why) where why.hasSuffix(" is not in the log"):
            // Retention has gone past a member that stood still. It ends, and whoever supervises it starts it again.
            kill()
            return nil
        case .failed(let why): return "\(name) failed: \(why)"
        }
    }

    /// Ends as by SIGTERM. Returns what is wrong with how it ended, where something is.
    func terminate() -> String? {
        guard let process, !isBusy, !process.isFrozen else { return nil }
        stop.request()
        isBusy = true
        defer { isBusy = false }
        for shard in shards {
            let outcome = shard.run()
            if process.isDead { break }
            if case .failed(let why) = outcome, !why.hasSuffix(" is not in the log") { return "\(name) failed at its end: \(why)" }
        }
        process.die()
        bury()
        return nil
    }

    /// As by SIGKILL, between two turns.
    func kill() {
        guard let process, !isBusy else { return }
        process.die()
        bury()
    }

    /// Its shards are told of another plan, as by SIGHUP.
    func adopt(_ plan: EnginePlan) {
        for shard in shards { shard.adopt(plan, enrichment: EventEnrichment()) }
    }

    private func bury() {
        crossedBefore = crossed
        for shard in shards { shard.abandon() }
        shards = []
        process = nil
    }

    /// Keeps a copy of the state directory; only while nothing runs.
    func keepCopy() {
        guard !isUp, copies.count < 3, FileManager.default.fileExists(atPath: directory) else { return }
        let copy = "\(root)/copy-\(name)-\(copies.count)"
        try? FileManager.default.removeItem(atPath: copy)
        guard (try? FileManager.default.copyItem(atPath: directory, toPath: copy)) != nil else { return }
        copies.append(copy)
    }
}
