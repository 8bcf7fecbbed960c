import ArgumentParser
import Engine
import Events
import Foundation
import Kafka
import Logging
import PipelineSpec
import Policy
import Runtime

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Rebuild one decision from the log, and show all that went into it.",
        discussion: """
            Reads the inputs from their beginning in the order the cuts topic recorded, decides everything again, and \
            stops at the decision: the event, the user's baseline as it was then, the reasons, and whether what comes out \
            now is byte for byte what was emitted. `avoidable` are the fewest reasons without which the rules would have \
            allowed the event. Where the pipeline was another before, each version is needed that records up to the \
            decision were decided under: see --earlier. Exits 1 when it is not, 66 when the decision can't be found, a \
            version is missing, or the log no longer reaches back to it.
            """)

    @Argument(help: ArgumentHelp("A decision's id, or the record it is about as topic/partition/offset.", valueName: "decision"))
    var decision: String

    @Argument(help: ArgumentHelp("Pipeline file, as it was when the decision was made.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp(
        "The pipeline file as it was before; may be given several times.",
        discussion: "What it names, lists and databases, must be what they were as well.", valueName: "file"))
    var earlier: [String] = []

    @Option(help: ArgumentHelp("Brokers; they override the pipeline's.", valueName: "host:port"))
    var bootstrapServer: String?

    @Option(help: "text or json.")
    var format = OutputFormat.text

    @OptionGroup var logging: LoggingOptions

    /// What was found of the decision.
    private struct Rebuilt {
        var event: [UInt8] = []
        var profile: Profile?
        var decision: [UInt8] = []
        var cut: Cut
        /// Under which it was decided.
        var pipeline: Pipeline
    }

    func run() throws {
        var pipeline = try loadPipeline(file)
        pipeline.settleForDerivedSecret(quietly: true)
        if let bootstrapServer { pipeline.kafka["bootstrap.servers"] = bootstrapServer }
        let versions = [pipeline] + (try loadEarlier(than: pipeline))
        do {
            let logger = logging.makeLogger(least: .warning)
            if try TopicAdmin(properties: pipeline.kafka, logger: logger).isEmbedded() {
                throw failure(
                    Exit.configuration,
                    "\(pipeline.brokers) is an embedded broker, where no cuts are kept: in what order records were decided isn't known, so no decision can be rebuilt")
            }
            let log = try KafkaRange(properties: pipeline.kafka, logger: logger)
            defer { log.close() }
            let (source, emitted) = try find(in: log, pipeline)
            let rebuilt = try rebuild(source, in: log, versions)
            show(rebuilt, source, emitted: emitted)
            if let emitted, emitted != rebuilt.decision { throw Exit.findings }
        } catch let error as LogFailure {
            throw failure(error, stop: Exit.noInput)
        } catch let error as StateError {
            throw failure(Exit.noInput, "\(error)")
        }
    }

    /// The earlier versions. One that could not have become the present one while it ran is no version of it.
    private func loadEarlier(than pipeline: Pipeline) throws(ExitCode) -> [Pipeline] {
        var versions: [Pipeline] = []
        for path in earlier {
            var version = try loadPipeline(path)
            version.settleForDerivedSecret(quietly: true)
            guard version.plan.canFollow(pipeline.plan) else {
                for obstacle in pipeline.obstacles(after: version) { Output.error(obstacle.description) }
                throw failure(Exit.configuration, "\(path) is no earlier version of \(file): what can't change without a restart differs")
            }
            versions.append(version)
        }
        return versions
    }

    /// Refuses where something up to the decision was decided under a version that is not there.
    private func checkVersions(_ cuts: ArraySlice<Cut>, _ versions: [Pipeline]) throws(ExitCode) {
        let known = versions.map(\.plan.engineVersion)
        guard let last = cuts.last, let missing = cuts.last(where: { !known.contains($0.version) }) else { return }
        let what = missing.version == last.version ? "the decision was made" : "what the user's baseline rests on was decided"
        let files = zip([file] + earlier, known).map { "\($0) is \($1)" }.joined(separator: ", ")
        throw failure(
            Exit.noInput,
            "\(what) under version \(missing.version), and \(files) (the pipeline's version and the engine's): with these it can't be rebuilt. Give the file as it was then with --earlier, and use the Vigil of that time where the engine's version differs")
    }

    /// Where the record lies, and the bytes of the decision that was emitted; nil when none was.
    private func find(in log: KafkaRange, _ pipeline: Pipeline) throws -> (DecisionSource, [UInt8]?) {
        let wanted = decision.lowercased()
        let given = source(named: decision)
        var found: (DecisionSource, [UInt8])?
        for partition in 0..<Int32(try log.partitions(of: pipeline.decisionsTopic) ?? 0) where found == nil {
            try log.readAll(pipeline.decisionsTopic, partition: partition) { record in
                guard found == nil, let value = record.value else { return }
                if given == nil && record.header("ce_id") != wanted && !Self.holds(value, wanted) { return }
                guard let source = DecisionSource(in: value), given == nil || source == given else { return }
                found = (source, value)
            }
        }
        if let found { return (found.0, found.1) }
        if let given { return (given, nil) }
        throw failure(Exit.noInput, "no decision \(decision) is kept in topic \(pipeline.decisionsTopic)")
    }

    private static func holds(_ value: [UInt8], _ id: String) -> Bool {
        String(decoding: value.prefix(512), as: UTF8.self).contains("\"id\":\"\(id)\"")
    }

    private func source(named text: String) -> DecisionSource? {
        let parts = text.split(separator: "/")
        guard parts.count == 3, let partition = Int32(parts[1]), let offset = Int64(parts[2]) else { return nil }
        return DecisionSource(topic: String(parts[0]), partition: partition, offset: offset)
    }

    private func rebuild(_ source: DecisionSource, in log: KafkaRange, _ versions: [Pipeline]) throws -> Rebuilt {
        let pipeline = versions[0]
        guard let input = pipeline.plan.inputs.firstIndex(where: { $0.topic == source.topic }) else {
            throw failure(Exit.configuration, "\(file): the pipeline doesn't read \(source.topic)")
        }
        let cuts = try PartitionReplay.cuts(
            of: pipeline.state.cutsTopic, partition: source.partition, inputs: pipeline.plan.inputs.count, in: log)
        guard let last = cuts.firstIndex(where: { $0.from[input] <= source.offset && source.offset < $0.ends[input] }) else {
            throw failure(
                Exit.noInput,
                "no cut in topic \(pipeline.state.cutsTopic) holds \(source.topic)/\(source.partition)/\(source.offset): it was not decided yet, or its cut is gone")
        }
        try checkVersions(cuts[...last], versions)
        let plans = versions.map { version in
            var plan = version.plan
            // Which decisions are produced doesn't change what is decided.
            plan.emit = .all
            return LoadedPlan(plan, enrichment: version.makeEnrichment())
        }
        let replay = PartitionReplay(
            log: log, plans: plans, partition: source.partition, networks: pipeline.state.networksTopic)
        var effects = Effects()
        var rebuilt = Rebuilt(
            cut: cuts[last], pipeline: versions.first { $0.plan.engineVersion == cuts[last].version } ?? pipeline)
        for cut in cuts[...last] {
            effects.removeAll()
            try replay.replay(cut, into: &effects) { record in
                guard record.offset == source.offset, Int(record.input) == input else { return }
                rebuilt.event = Array(record.value.bytes)
                rebuilt.profile = profile(before: record, in: replay.engine, pipeline.plan)
            }
        }
        for output in effects.outputs where Int(output.input) == input && output.offset == source.offset {
            rebuilt.decision = output.value.map { Array(effects.view($0).bytes) } ?? []
        }
        return rebuilt
    }

    private func profile(before record: Record, in engine: Engine, _ plan: EnginePlan) -> Profile? {
        let decode = plan.inputs[Int(record.input)].decode
        let decoder = EventDecoder(bounds: decode.bounds)
        var event = Event()
        switch decoder.decode(record, options: DecodePlan(decode), into: &event) {
        case .ignored: return nil
        case .event, .rejected:
            guard event.user.isPresent else { return nil }
            return engine.profile(tenant: event.tenant.string, user: event.user.string)
        }
    }

    private func show(_ rebuilt: Rebuilt, _ source: DecisionSource, emitted: [UInt8]?) {
        let decided = DecisionRecord(json: rebuilt.decision)
        let avoidable = decided?.avoidable(under: rebuilt.pipeline) ?? []
        switch format {
        case .json: Output.json(Answer(rebuilt.event, rebuilt.profile, rebuilt.decision, source, rebuilt.cut, emitted, avoidable))
        case .text:
            Output.line("record       \(source.topic)/\(source.partition)/\(source.offset), in the cut \(rebuilt.cut.from) to \(rebuilt.cut.ends)")
            Output.line("event        " + printable(String(decoding: rebuilt.event, as: UTF8.self), atMost: 4096))
            if let decision = decided {
                Output.line("decision     \(decision.decision), score \(fixed(decision.score, 1)), level \(decision.level), confidence \(decision.confidence ?? "-"), rule \(printable(decision.policy?.rule ?? "-", atMost: 80))")
                let rows = (decision.reasons ?? []).map { reason in
                    [
                        "             " + printable(reason.signal, atMost: 40), fixed(reason.points, 1),
                        printable(reason.observed ?? "", atMost: 80), printable(reason.expected ?? "", atMost: 80),
                    ]
                }
                for line in aligned(rows) { Output.line(line) }
                if let text = avoidanceText(avoidable) { Output.line("avoidable    " + text) }
            } else {
                Output.line("decision     none: the record became a dead letter or a receipt, or is no event")
            }
            switch emitted {
            case nil: Output.line("emitted      no: an uneventful decision, or one no longer kept")
            case rebuilt.decision?: Output.line("emitted      yes, byte for byte this")
            default: Output.line("emitted      NOT this: the pipeline file, its secret or Vigil's version is another, or the log was changed. Emitted was: " + printable(String(decoding: emitted ?? [], as: UTF8.self), atMost: 4096))
            }
            Output.line("")
            Output.line("the user's baseline before it")
            for line in rebuilt.profile.map(profileLines) ?? ["  none: a first event"] { Output.line(line) }
        }
    }

    private struct Answer: Encodable {
        struct Source: Encodable {
            var topic: String
            var partition: Int32
            var offset: Int64
        }
        var source: Source
        var cut: Cut
        var event: String
        var decision: String
        var emitted: String?
        var isEqual: Bool?
        /// Sets of reasons, each of which would have had to be missing as a whole.
        var avoidable: [[String]]
        var baseline: ProfileRecord?

        init(
            _ event: [UInt8], _ profile: Profile?, _ decision: [UInt8], _ source: DecisionSource, _ cut: Cut,
            _ emitted: [UInt8]?, _ avoidable: [[Avoidance.Reason]]
        ) {
            self.source = Source(topic: source.topic, partition: source.partition, offset: source.offset)
            self.cut = cut
            self.event = String(decoding: event, as: UTF8.self)
            self.decision = String(decoding: decision, as: UTF8.self)
            self.emitted = emitted.map { String(decoding: $0, as: UTF8.self) }
            self.avoidable = avoidable.map { $0.map(\.signal.name.description) }
            isEqual = emitted.map { $0 == decision }
            baseline = profile.map { ProfileRecord($0, partition: source.partition) }
        }
    }
}
