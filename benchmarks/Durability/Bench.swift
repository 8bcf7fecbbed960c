import Engine
import Foundation
import Logging
import PipelineSpec
import Runtime
import StateStore

/// The real shard on a log in memory, with real SQLite files in a temporary directory.
final class Bench {
    enum Mode: String {
        case exactlyOnce = "exactly-once"
        case atLeastOnce = "at-least-once"
        /// At least once, state in the directory alone.
        case local
    }

    let log: MemoryLog
    let mode: Mode
    var options: ShardOptions
    private let plan: EnginePlan
    private var directory: StateDirectory
    private(set) var shard: Shard
    private let pages = Pages()

    /// Shared with the probe.
    private final class Pages {
        weak var shard: Shard?
        /// Users paged out after the last commit.
        var before = 0
        var ins = 0
        /// A commit was made in this turn, and rows may have been paged out at its end.
        var isCounted = false
        var count: Int {
            var count = 0
            shard?.forEachEngine { count += $1.pagedCount }
            return count
        }
    }

    init(log: MemoryLog, mode: Mode, options: ShardOptions, emission: Emission = .interventions) throws {
        self.log = log
        self.mode = mode
        self.options = options
        plan = try Self.plan(emission)
        directory = try Self.emptyDirectory()
        shard = try Self.shard(plan, options, log, mode, directory, pages)
        pages.shard = shard
    }

    deinit { try? FileManager.default.removeItem(atPath: directory.path) }

    private static func emptyDirectory() throws(StoreError) -> StateDirectory {
        let name = "vigil-durability-\(UUID().uuidString)"
        return try StateDirectory(path: FileManager.default.temporaryDirectory.appending(path: name).path)
    }

    /// The default pipeline's rules on one topic.
    private static func plan(_ emission: Emission) throws -> EnginePlan {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../pipelines/continuous-authorization.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        var plan = try PipelineFile.parse(text: text, file: file.path, environment: [:]).plan
        plan.secret = Array("a secret of the benchmark, 32 b.".utf8)
        plan.inputs = [InputPlan(topic: "events")]
        plan.emit = emission
        return plan
    }

    private static func shard(
        _ plan: EnginePlan, _ options: ShardOptions, _ log: MemoryLog, _ mode: Mode, _ directory: StateDirectory, _ pages: Pages
    ) throws -> Shard {
        var logger = Logger(label: "benchmark")
        logger.logLevel = .warning
        var world = ShardWorld(
            input: { () throws(LogFailure) in MemoryInput(log) },
            output: { () throws(LogFailure) in MemoryOutput(log, isTransactional: mode == .exactlyOnce) },
            directory: directory, clock: log.clock, logger: logger,
            probe: { step throws(LogFailure) in
                // Between two commits pages only come in, and new users are never paged.
                guard step == .sliced else { return }
                pages.ins += pages.before - pages.count
                pages.isCounted = true
            })
        if mode != .local { world.internals = { () throws(LogFailure) in MemoryInternals(log) } }
        return try Shard(plan: plan, options: options, world: world)
    }

    /// One round of the shard's loop.
    func turn() throws {
        if let outcome = shard.turn() { throw LogFailure.stop("the shard ended: \(outcome)") }
        if pages.isCounted { pages.before = pages.count }
        pages.isCounted = false
    }

    /// Turns until the shard has decided everything before `offset`.
    func run(to offset: Int64) throws {
        while (shard.status().partitions.first?.positions.first ?? 0) < offset { try turn() }
    }

    /// Turns until so many seconds of traffic have passed.
    func run(seconds: Double) throws {
        let end = log.clock.milliseconds + Int64(seconds * 1000)
        while log.clock.milliseconds < end { try turn() }
    }

    /// Page-ins since the last call.
    func takePageIns() -> Int {
        defer { pages.ins = 0 }
        return pages.ins
    }

    var residentBytes: Int {
        var bytes = 0
        shard.forEachEngine { bytes += $1.residentBytes }
        return bytes
    }

    /// Ends as by SIGKILL.
    func die() { shard.abandon() }

    /// Comes back, in the directory it had or in an empty one. Returns the seconds until rows are in memory, and from
    /// then until the redo is done.
    func comeBack(inEmptyDirectory isEmpty: Bool) throws -> (restore: Times, redo: Times) {
        if isEmpty {
            try? FileManager.default.removeItem(atPath: directory.path)
            directory = try Self.emptyDirectory()
        }
        shard = try Self.shard(plan, options, log, mode, directory, pages)
        pages.shard = shard
        log.making = Times()
        let begin = Times.now()
        while shard.status().partitions.isEmpty { try turn() }
        let restored = Times.now()
        let making = log.making
        while shard.state != .running { try turn() }
        return (restored - begin - making, Times.now() - restored - (log.making - making))
    }

    /// Bytes this process has handed to the system to write. On this bench only SQLite does.
    static var writtenBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("wchar: ") }
        return line.flatMap { Int($0.dropFirst("wchar: ".count)) } ?? 0
    }

    /// Resident memory of this process, in bytes.
    static var memoryBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }
}
