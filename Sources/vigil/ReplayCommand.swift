import ArgumentParser
import Engine
import Events
import Foundation
import Logging
import PipelineSpec
import Runtime
import StateStore

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "The same engine over files of events: deterministic, without Kafka.",
        discussion: """
            The decisions don't depend on the number of shards or the size of batches; sort them by id to compare. \
            Lines that can't be decided become dead letters, and the exit code is 0 all the same. Exits 66 when the \
            events can't be read and 74 when a file can't be written.
            """)

    @Argument(help: ArgumentHelp("Pipeline file.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Events as NDJSON; - for standard input.", valueName: "events"))
    var input: String

    @Option(help: ArgumentHelp("Where decisions go as NDJSON; - for standard output.", valueName: "decisions"))
    var output: String

    @Option(help: ArgumentHelp("Where dead letters go as NDJSON. Without it they are only counted.", valueName: "file"))
    var deadLetters: String?

    @Option(help: ArgumentHelp(
        "Keep checkpoints here. If it holds some, the replay goes on where they end and outputs are appended to.",
        valueName: "dir"))
    var state: String?

    @Option(help: "Threads; the pipeline file says how many by default.")
    var shards: Int?

    @Option(help: "Most events in one batch.")
    var batch: Int?

    @Option(help: "Virtual partitions. Part of a decision's id, so keep the number where decisions are compared.")
    var partitions: Int32 = 8

    @Option(help: ArgumentHelp("The file's records are as on this topic of the pipeline.", valueName: "topic"))
    var source: String?

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if let shards, !(1...256).contains(shards) { throw ValidationError("--shards is from 1 to 256") }
        if let batch, !(1...65_536).contains(batch) { throw ValidationError("--batch is from 1 to 65536") }
        guard (1...1024).contains(partitions) else { throw ValidationError("--partitions is from 1 to 1024") }
    }

    func run() throws {
        let logger = logging.makeLogger(least: .warning)
        var pipeline = try loadPipeline(file)
        pipeline.settleForDerivedSecret()
        let plan = try pipeline.filePlan(source: source)
        let count = min(shards ?? pipeline.shards, Int(partitions))

        let stop = StopRequest()
        let signals = SignalWatch(stop)
        defer { withExtendedLifetime(signals) {} }

        let reader = try openReader(pipeline, plan, shards: count)
        let goesOn = state.map { !StateDirectory.partitions(in: $0).isEmpty } ?? false
        let directory = try state.map { path throws(ExitCode) in try openState(path) }
        let decisions = try openLines(output, keeping: goesOn)
        let rejected = try deadLetters.map { path throws(ExitCode) in try openLines(path, keeping: goesOn) }

        var options = ShardOptions(pipeline.delivery, pipeline.state)
        if let batch { options.batchRecords = batch }
        let topics = plan.inputs.map(\.topic)
        let group = ShardGroup(shards: count, stop: stop) { [options, pipeline] number, mailbox, stop throws(LogFailure) in
            var options = options
            options.name = "shard-\(number)"
            let feed = PopulationFeed(plan: plan)
            var world = ShardWorld(
                input: { () throws(LogFailure) in reader.input(shard: number, feed: feed) },
                output: { () throws(LogFailure) in
                    FileOutputLog(decisions: decisions, deadLetters: rejected, topics: topics)
                },
                enrichment: pipeline.makeEnrichment(), directory: directory, logger: logger, mailbox: mailbox, stop: stop)
            world.feed = feed
            return try Shard(plan: plan, options: options, world: world)
        }

        let clock = SystemClock()
        let begin = clock.milliseconds
        group.start()
        let outcomes = watch(group, reader)
        let exit = vigil.exit(after: outcomes, failed: Exit.io)
        report(group.status(), seconds: Double(clock.milliseconds - begin) / 1000, stopped: stop.isRequested)
        if exit != .success { throw exit }
    }

    private func openReader(_ pipeline: Pipeline, _ plan: EnginePlan, shards: Int) throws(ExitCode) -> FileReader {
        var options = FileReaderOptions()
        options.shards = shards
        options.partitions = partitions
        do {
            return try FileReader(path: input, options: options) { lineRouter(plan, enrichment: pipeline.makeEnrichment()) }
        } catch {
            throw failure(error, stop: Exit.noInput)
        }
    }

    private func openLines(_ path: String, keeping: Bool) throws(ExitCode) -> LineFile {
        do {
            return try LineFile(path: path, keeping: keeping)
        } catch {
            throw failure(error, stop: Exit.io)
        }
    }

    /// Draws progress until all shards have ended.
    private func watch(_ group: ShardGroup, _ reader: FileReader) -> [ShardOutcome?] {
        let progress = ProgressLine()
        guard progress.isShown else { return group.wait() }
        while true {
            let outcomes = group.wait(milliseconds: 200)
            if !outcomes.contains(where: { $0 == nil }) {
                progress.clear()
                return outcomes
            }
            let total = reader.totalBytes.flatMap { $0 > 0 ? $0 : nil }
            progress.draw(lines: Int(reader.readLines), share: total.map { min(Double(reader.readBytes) / Double($0), 1) })
        }
    }

    private func report(_ shards: [ShardStatus], seconds: Double, stopped: Bool) {
        let records = shards.reduce(0) { $0 + $1.counters.records }
        let decisions = shards.reduce(0) { $0 + $1.counters.decisions }
        let deadLetters = shards.reduce(0) { $0 + $1.counters.deadLetters }
        let perMillion = records == 0 ? "-" : "\(fixed(seconds / Double(records) * 1_000_000, 2)) s per million events"
        Output.error(
            (stopped ? "stopped after " : "") + "\(records) events, \(decisions) decisions, \(deadLetters) dead letters, "
                + "\(fixed(seconds, 2)) s, \(perMillion)")
    }
}

extension ShardOptions {
    /// As a pipeline file has them.
    init(_ delivery: DeliveryOptions, _ state: StateOptions) {
        self.init()
        commitMilliseconds = delivery.commitMilliseconds
        interventionCommitMilliseconds = delivery.interventionCommitMilliseconds
        batchRecords = delivery.batchRecords
        idleMilliseconds = delivery.idleMilliseconds
        checkpointMilliseconds = state.checkpointMilliseconds
        checkpointBytesPerSecond = state.checkpointBytesPerSecond
        memoryBytes = state.memoryBytes
        tombstoneMilliseconds = state.tombstoneMilliseconds
    }
}
