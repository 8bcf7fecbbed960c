import ArgumentParser
import Foundation
import Kafka
import Lab
import Logging
import PipelineSpec
import Runtime

struct SoakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak", abstract: "The fault suite against a test cluster: is every decision made exactly once, whatever happens?",
        discussion: """
            Makes topics of its own on the cluster, starts processes of this program, feeds them generated traffic, and \
            kills, freezes, stops and moves them about. Then everything is decided again by one thread along the recorded \
            cuts, and compared byte for byte with what a read-committed subscriber sees; the state topic is rebuilt and \
            compared user by user. Exits 1 when anything differs. Not for a production cluster: it makes load.
            """)

    @Argument(help: ArgumentHelp("Pipeline file, for its rules and Kafka properties; by default Vigil's own.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("Brokers of the test cluster; they override the pipeline's.", valueName: "host:port"))
    var bootstrapServer: String?

    @Option(help: "Processes.")
    var processes = 3

    @Option(help: "Threads in each.")
    var shards = 1

    @Option(help: "Partitions of every topic.")
    var partitions = 6

    @Option(help: "Accounts.")
    var users = 20_000

    @Option(help: "About how many events.")
    var events = 200_000

    @Option(help: "Most events a second.")
    var rate = 3_000

    @Option(help: "Seconds between faults; 0 for none.")
    var faultEvery = 5.0

    @Option(help: "Which faults and when follows from it, and the traffic.")
    var seed: UInt64 = 1

    @Flag(help: "Promise only at least once, and check that.")
    var atLeastOnce = false

    @Option(help: ArgumentHelp("Where state, logs and the pipeline file go; a temporary directory that is removed after success by default.", valueName: "dir"))
    var directory: String?

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if !(1...32).contains(processes) { throw ValidationError("--processes is from 1 to 32") }
        if !(1...1024).contains(partitions) { throw ValidationError("--partitions is from 1 to 1024") }
        if events < 1 || rate < 1 || faultEvery < 0 { throw ValidationError("--events and --rate are above 0") }
    }

    func run() throws {
        let stop = StopRequest()
        let signals = SignalWatch(stop)
        defer { withExtendedLifetime(signals) {} }
        let logger = logging.makeLogger(least: .warning)
        let place = directory ?? NSTemporaryDirectory() + "/vigil-soak-\(UUID().uuidString)"
        do {
            try FileManager.default.createDirectory(
                atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw failure(Exit.io, "\(place): \(error.localizedDescription)")
        }
        let path = place + "/pipeline.yaml"
        try write(to: path)
        let pipeline = try loadPipeline(path)
        let clock = SystemClock()
        let begin = clock.milliseconds
        do {
            try makeTopics(pipeline, stop, logger)
            let fleet = SoakFleet(directory: place, pipeline: path, shards: shards, processes: processes, seed: seed)
            defer { fleet.killAll() }
            try feed(pipeline, fleet, stop, logger)
            guard !stop.isRequested else { return }
            fleet.healAll()
            Output.line("\(elapsed(clock, begin)): fed; every process runs; waiting until all is decided")
            try waitUntilDrained(pipeline, fleet, stop, logger)
            try fleet.stopAll()
            Output.line("\(elapsed(clock, begin)): stopped; checking")
            let report = try check(pipeline, logger)
            tell(report, fleet, seconds: Double(clock.milliseconds - begin) / 1000)
            guard report.problemCount == 0 else {
                Output.error("logs and state are in \(place)")
                throw Exit.findings
            }
            if directory == nil { try? FileManager.default.removeItem(atPath: place) }
        } catch let error as LogFailure {
            throw failure(error)
        } catch let error as SoakFleet.Trouble {
            throw failure(Exit.findings, "\(error.description); logs and state are in \(place)")
        }
    }

    private func elapsed(_ clock: SystemClock, _ begin: Int64) -> String { "\((clock.milliseconds - begin) / 1000) s" }

    /// The pipeline under test: the given one's rules, everything emitted, topics of its own, short timeouts.
    private func write(to path: String) throws(ExitCode) {
        var base: Pipeline?
        if let file {
            var files: [String] = []
            base = try loadPipeline(file, files: &files)
            try Self.link(files, beside: file, to: path)
        }
        var kafka = base?.kafka ?? [:]
        kafka["bootstrap.servers"] = bootstrapServer ?? kafka["bootstrap.servers"]
            ?? ProcessInfo.processInfo.environment["VIGIL_BROKERS"] ?? "127.0.0.1:9092"
        kafka["session.timeout.ms"] = kafka["session.timeout.ms"] ?? "6000"
        kafka["heartbeat.interval.ms"] = kafka["heartbeat.interval.ms"] ?? "1500"
        let name = "soak-\(seed)-\(UUID().uuidString.prefix(6).lowercased())"
        var text = """
            name: \(name)
            secret: a secret for tests only, \(name)
            emit: all
            sources:
              logins: { topic: \(name)-logins }
              actions: { topic: \(name)-actions }
              challenges: { topic: \(name)-challenges }
              feedback: { topic: \(name)-feedback }
            sinks:
              decisions: { topic: \(name)-decisions }
              dead_letters: { topic: \(name)-dead-letters }
            bounds: { users_per_partition: \(max(50, users / partitions * 3 / 4)), unproven_per_partition: 500 }
            state: { topic: \(name)-state, cuts_topic: \(name)-cuts, networks_topic: \(name)-networks, checkpoint_interval: 2s, memory: \(max(1, users / 2048))MiB }
            delivery: \(atLeastOnce ? "at_least_once" : "exactly_once")
            topics: { partitions: \(partitions) }
            kafka:

            """
        for (property, value) in kafka.sorted(by: { $0.key < $1.key }) {
            text += "  \(property): \"\(value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("${", with: "$${"))\"\n"
        }
        text += file.flatMap { try? String(contentsOfFile: $0, encoding: .utf8) }.map(Self.rules) ?? """
            policies:
              - name: stolen-session
                when: { level: [high, critical], signals: [session.token_replayed, session.two_places] }
                then: terminate_session
              - name: risky
                when: { level: [high, critical] }
                then: step_up

            """
        do {
            // The properties may hold a password.
            guard FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            throw failure(Exit.io, "\(path): \(error.localizedDescription)")
        }
    }

    /// The parts of a pipeline file that are rules, or what rules name, as they are written.
    private static func rules(of text: String) -> String {
        let keys: Set<Substring> = [
            "lists", "groups", "tags", "conditions", "assurance", "policies", "overrides", "otherwise", "shadow", "challenges",
            "breaker",
        ]
        var lines: [Substring] = []
        var isInside = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.first?.isLetter == true { isInside = keys.contains(line.prefix { $0 != ":" }) }
            if isInside { lines.append(line) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Makes those of the files that stand beside one file, or below, stand beside another as well.
    private static func link(_ files: [String], beside file: String, to path: String) throws(ExitCode) {
        let from = URL(fileURLWithPath: file).deletingLastPathComponent().path + "/"
        let place = URL(fileURLWithPath: path).deletingLastPathComponent()
        for named in files.map({ URL(fileURLWithPath: $0).path }) where named.hasPrefix(from) {
            let link = place.appendingPathComponent(String(named.dropFirst(from.count)))
            if named == URL(fileURLWithPath: file).path || FileManager.default.fileExists(atPath: link.path) { continue }
            do {
                try FileManager.default.createDirectory(at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
                try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: named)
            } catch {
                throw failure(Exit.io, "\(link.path): \(error.localizedDescription)")
            }
        }
    }

    private func makeTopics(_ pipeline: Pipeline, _ stop: StopRequest, _ logger: Logger) throws {
        let admin = try TopicAdmin(properties: pipeline.kafka, logger: logger)
        if try admin.isEmbedded() {
            throw LogFailure.stop("\(pipeline.brokers): \(EmbeddedBroker.delivery): there is nothing to soak")
        }
        _ = try admin.create(pipeline.topicNeeds)
        while try !admin.problems(pipeline.topicNeeds).isEmpty, wait(milliseconds: 200, unless: stop) {}
    }

    /// Produces the traffic while faults happen, with some of it twice and some of it broken.
    private func feed(_ pipeline: Pipeline, _ fleet: SoakFleet, _ stop: StopRequest, _ logger: Logger) throws {
        try fleet.startAll()
        let answering = SoakAnswers(pipeline: pipeline, seed: seed, logger: logger)
        defer { answering.end() }
        var options = TrafficOptions.sized(events: events, seed: seed)
        options.users = users
        let traffic = SoakTraffic(options, topics: pipeline)
        let feeder = try KafkaFeeder(properties: pipeline.kafka, logger: logger)
        defer { feeder.close() }
        let clock = SystemClock()
        let begin = clock.milliseconds
        var fault = begin + 8_000
        var told = begin
        var sent = 0
        while !stop.isRequested, let count = try traffic.send(to: feeder) {
            sent += count
            let now = clock.milliseconds
            if faultEvery > 0 && now >= fault {
                fault = now + Int64(faultEvery * 1000)
                if let what = try fleet.doHarm() { Output.line("\(elapsed(clock, begin)): \(what)") }
            }
            try fleet.look()
            if now - told >= 30_000 {
                told = now
                Output.line("\(elapsed(clock, begin)): \(sent) records sent")
            }
            let due = Int64(sent) * 1000 / Int64(rate)
            if now - begin < due { clock.wait(milliseconds: Int(min(200, due - (now - begin)))) }
        }
        while try !feeder.flush(timeoutMilliseconds: 1_000), !stop.isRequested {}
        answering.end()
    }

    /// Waits until the cuts reach the ends of all inputs.
    private func waitUntilDrained(_ pipeline: Pipeline, _ fleet: SoakFleet, _ stop: StopRequest, _ logger: Logger) throws {
        let log = try KafkaRange(properties: pipeline.kafka, logger: logger)
        defer { log.close() }
        let clock = SystemClock()
        let until = clock.milliseconds + 180_000
        var reached = Array(repeating: pipeline.plan.inputs.map { _ in Int64(0) }, count: partitions)
        var read = Array(repeating: Int64(0), count: partitions)
        while !stop.isRequested {
            var missing = Int64(0)
            for partition in 0..<partitions {
                let end = try log.bounds(pipeline.state.cutsTopic, partition: Int32(partition)).end
                if read[partition] < end {
                    read[partition] = try log.read(
                        pipeline.state.cutsTopic, partition: Int32(partition), from: read[partition], maxRecords: 10_000,
                        timeoutMilliseconds: 500
                    ) { (record: StoredRecord) in
                        let cut = try? (record.value ?? []).withUnsafeBytes { try Cut(decoding: $0, inputs: pipeline.plan.inputs.count) }
                        if let cut { reached[partition] = cut.ends }
                    }
                }
                for (input, plan) in pipeline.plan.inputs.enumerated() {
                    missing += try log.bounds(plan.topic, partition: Int32(partition)).end - reached[partition][input]
                }
            }
            if missing == 0 { return }
            try fleet.look()
            guard clock.milliseconds < until else {
                throw SoakFleet.Trouble(description: "\(missing) records are still undecided after 180 s")
            }
            _ = wait(milliseconds: 500, unless: stop)
        }
    }

    private func check(_ pipeline: Pipeline, _ logger: Logger) throws -> Audit.Report {
        let log = try KafkaRange(properties: pipeline.kafka, logger: logger)
        defer { log.close() }
        let audit = Audit(
            log: log, plan: pipeline.plan, enrichment: pipeline.makeEnrichment(),
            topics: Audit.Topics(
                decisions: pipeline.decisionsTopic, deadLetters: pipeline.deadLettersTopic, cuts: pipeline.state.cutsTopic,
                state: pipeline.state.topic, networks: pipeline.state.networksTopic))
        return try audit.run(isExact: !atLeastOnce)
    }

    private func tell(_ report: Audit.Report, _ fleet: SoakFleet, seconds: Double) {
        Output.line("faults: " + fleet.harm.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
        Output.line("\(report.records) records in \(report.cuts) cuts, \(report.decisions) decisions, \(report.deadLetters) dead letters, \(report.repeated) repeated, \(report.users) users' rows compared")
        for problem in report.problems { Output.error("problem: \(problem)") }
        Output.line("\(report.problemCount) problems, seed \(seed), \(fixed(seconds, 0)) s")
    }
}
