import ArgumentParser
import Engine
import Foundation
import Kafka
import Logging
import PipelineSpec
import Runtime
import StateStore

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "The service: events in from Kafka, decisions out to Kafka.",
        discussion: """
            Runs until SIGTERM or Ctrl-C, then commits, saves its state and exits 0. Without a broker it waits. When the \
            pipeline file changes, or a file it names, and on SIGHUP, it is validated and swapped in without losing an \
            event; one that can't be used is refused, and the one before stays. Exits 78 when the pipeline file, a Kafka property or the topics are wrong, 69 when Kafka can't be used.
            """)

    @Argument(help: ArgumentHelp("Pipeline file.", valueName: "file"))
    var file: String

    @Flag(help: "Start a broker inside this process and use it in place of the pipeline's.")
    var embeddedBroker = false

    @Option(help: "Port of 127.0.0.1 for the embedded broker; 0 for any free one.")
    var port: UInt16 = 0

    @Option(help: "Threads; the pipeline file says how many by default.")
    var shards: Int?

    @Flag(help: ArgumentHelp(
        "Go on from the committed offsets even where they are not those Vigil committed itself.",
        discussion: "For once, after offsets were moved on purpose: records between are skipped, or decided again."))
    var acceptOffsets = false

    @Flag(help: "Exit 69 when no broker answers at start, instead of waiting.")
    var failFast = false

    @Option(help: ArgumentHelp(
        "Where checkpoints are kept. By default as the pipeline file says; with an embedded broker, nowhere for long.",
        valueName: "dir"))
    var state: String?

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if let shards, !(1...256).contains(shards) { throw ValidationError("--shards is from 1 to 256") }
        if port != 0, !embeddedBroker { throw ValidationError("--port is for --embedded-broker") }
    }

    func run() throws {
        let stop = StopRequest()
        let reload = ReloadRequest()
        let signals = SignalWatch(stop, reload: reload)
        defer { withExtendedLifetime(signals) {} }
        let logger = logging.makeLogger()
        var files: [String] = []
        var pipeline = try loadPipeline(file, files: &files)
        let stamps = Reloading.stamps(of: files)
        if let shards { pipeline.shards = shards }
        if let state { pipeline.state.directory = state }

        var broker: EmbeddedBroker?
        var fleeting: String?
        defer {
            broker?.close()
            if let fleeting { try? FileManager.default.removeItem(atPath: fleeting) }
        }
        if embeddedBroker {
            pipeline.settleForDerivedSecret()
            if state == nil {
                // An embedded broker starts empty: state kept from another run would be set aside.
                let path = NSTemporaryDirectory() + "/vigil-\(UUID().uuidString)"
                (pipeline.state.directory, fleeting) = (path, path)
            }
            do {
                broker = try pipeline.startEmbeddedBroker(port: port, logger: logger)
            } catch {
                throw failure(error, stop: Exit.unavailable)
            }
        } else if pipeline.plan.secret.isEmpty {
            throw failure(
                Exit.configuration,
                "\(file): no secret is set, so anybody could answer challenges in a person's place. "
                    + "Set VIGIL_SECRET, e.g. to the output of `openssl rand -hex 32`, and keep it: saved state needs it")
        }

        guard try topicsAreThere(&pipeline, stop, logger) else { return }
        let directory = try openState(pipeline.state.directory)
        let group = pipeline.kafkaShards(
            directory: directory, acceptsOffsets: acceptOffsets, stop: stop, logger: logger)
        let repartitioning = pipeline.startRepartitioning(directory: directory, stop: stop, logger: logger)
        group.start()
        let reloading = Reloading(
            file, stamps, running: pipeline, group: group, request: reload, logger: logger)
        if let broker { introduce(broker, pipeline) }
        var exit = vigil.exit(after: watch(group, repartitioning, reloading, logger))
        if let why = repartitioning?.wait() { exit = failure(Exit.unavailable, "repartitioning: \(why)") }
        if exit != .success { throw exit }
    }

    /// Waits for a broker and asks it about the topics; false when a stop was requested before one answered.
    private func topicsAreThere(_ pipeline: inout Pipeline, _ stop: StopRequest, _ logger: Logger) throws(ExitCode) -> Bool {
        var isWaiting = false
        do {
            let admin = try TopicAdmin(properties: pipeline.kafka, logger: logger)
            while !stop.isRequested {
                do {
                    if try admin.isEmbedded(timeoutMilliseconds: failFast ? 5_000 : 2_000) {
                        if pipeline.delivery.mode == .exactlyOnce {
                            logger.notice("\(EmbeddedBroker.delivery)")
                        }
                        pipeline.settleForEmbeddedBroker()
                    }
                    let findings = try admin.check(
                        pipeline.topicNeeds, timeoutMilliseconds: failFast ? 5_000 : 2_000)
                    let problems = findings.problems
                    for note in findings.notes { logger.warning("\(note)") }
                    for problem in problems { Output.error("\(file): error[topics]: \(problem)") }
                    if problems.isEmpty { return true }
                    Output.error("`vigil topics \(file) --create` makes the topics that are missing")
                    throw Exit.configuration
                } catch LogFailure.retry(let why) {
                    if failFast { throw failure(Exit.unavailable, "\(pipeline.brokers): \(why)") }
                    if !isWaiting { logger.warning("no broker answers at \(pipeline.brokers); waiting for one") }
                    isWaiting = true
                    _ = wait(milliseconds: 500, unless: stop)
                }
            }
            return false
        } catch let exit as ExitCode {
            throw exit
        } catch let error as LogFailure {
            throw failure(error)
        } catch {
            throw failure(Exit.fault, "\(error)")
        }
    }

    private func introduce(_ broker: EmbeddedBroker, _ pipeline: Pipeline) {
        let input = pipeline.topicNeeds.first?.name ?? "logins"
        Output.line("broker: \(broker.address)")
        Output.line("topics: \(pipeline.topicNeeds.map(\.name).joined(separator: ", "))")
        Output.line("produce, one `user<TAB>{event}` a line:")
        Output.line("  kcat -P -b \(broker.address) -X partitioner=murmur2_random -t \(input) -K '\\t' -l FILE")
        Output.line("subscribe:")
        Output.line("  kcat -C -b \(broker.address) -t \(pipeline.decisionsTopic) -f '%h\\n%s\\n'")
        Output.line("  vigil tap --bootstrap-server \(broker.address) --topic \(pipeline.decisionsTopic)")
        Output.error(EmbeddedBroker.limits)
    }

    /// What the line has of the engines once there is any.
    private static var told: [(name: String, count: KeyPath<EngineCounters, UInt64>)] {
        [
            ("challenges_refused", \.challengesRefused), ("breaker_opened", \.breakerOpened), ("relaxed", \.relaxed),
            ("feedback_legitimate", \.feedbackLegitimate), ("feedback_compromised", \.feedbackCompromised),
            ("feedback_unknown", \.feedbackUnknown), ("feedback_unheeded", \.feedbackUnheeded),
            ("feedback_repeated", \.feedbackRepeated), ("erasures", \.erasures),
        ]
    }

    /// A line on how it goes every now and then, until all shards have ended.
    private func watch(
        _ group: ShardGroup, _ repartitioning: Repartitioning?, _ reloading: Reloading, _ logger: Logger
    ) -> [ShardOutcome?] {
        var before: UInt64 = 0
        var looks = 0
        while true {
            let outcomes = group.wait(milliseconds: Reloading.lookMilliseconds)
            let isOver = !outcomes.contains { $0 == nil }
            if !isOver { reloading.look() }
            looks += 1
            guard isOver || looks % (10_000 / Reloading.lookMilliseconds) == 0 else { continue }
            let shards = group.status()
            let records = shards.reduce(0) { $0 + $1.counters.records }
            let lags = shards.compactMap(\.lag)
            var line: Logger.Metadata = [
                "shards": "\(shards.map { $0.state.rawValue }.joined(separator: ","))",
                "records": "\(records)",
                "per_second": "\((records &- min(before, records)) / 10)",
                "decisions": "\(shards.reduce(0) { $0 + $1.counters.decisions })",
                "dead_letters": "\(shards.reduce(0) { $0 + $1.counters.deadLetters })",
                "users": "\(shards.reduce(0) { $0 + $1.users })",
                "lag": lags.isEmpty ? "unknown" : "\(lags.reduce(0, +))",
            ]
            reloading.describe(shards, in: &line)
            let challenges = ChallengeOutcome.allCases.map { outcome in
                ("challenges_\(outcome.name)", shards.reduce(0) { $0 + $1.engine.challenges[outcome] })
            }
            let others = Self.told.map { told in (told.name, shards.reduce(0) { $0 + $1.engine[keyPath: told.count] }) }
            for (name, count) in [
                ("aborts", shards.reduce(0) { $0 + $1.counters.aborts }),
                ("shadow_differences", shards.reduce(0) { $0 + $1.engine.shadowDifferences.wrappedSum() }),
            ] + challenges + others where count > 0 {
                line[name] = "\(count)"
            }
            if let status = repartitioning?.status {
                line["repartitioned"] = "\(status.records)"
                line["repartitioning"] = status.isReading ? "reading" : "waiting"
            }
            logger.info("status", metadata: line)
            before = records
            if isOver { return outcomes }
        }
    }
}
