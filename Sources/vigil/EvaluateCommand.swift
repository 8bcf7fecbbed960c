import ArgumentParser
import Engine
import Events
import Foundation
import Lab
import PipelineSpec

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "How well a pipeline tells attacks from its users, on labelled events.",
        discussion: """
            Each line is an event with a `label`: its `kind` is `legitimate` or an attack's name, `onset` the id of the \
            attack's first event. The engine never sees it. Intervals are at 95 %, by resampling users. docs/evaluation.md \
            explains every column. Exits 66 when the events can't be read and 65 where a label is missing.
            """)

    enum Answers: String, ExpressibleByArgument, CaseIterable { case simulated, none }

    @Argument(help: ArgumentHelp("Pipeline file.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Labelled events as NDJSON; - for standard input.", valueName: "events"))
    var input: String

    @Option(help: ArgumentHelp("The file's records are as on this topic of the pipeline.", valueName: "topic"))
    var source: String?

    @Option(help: "Who answers step-ups: simulated users pass and simulated strangers walk away; none, where the input has answers of its own.")
    var answers = Answers.simulated

    @Option(help: ArgumentHelp("The first part only trains: a share of the events (0.3) or days (14d).", valueName: "part"))
    var warmup: String?

    @Option(help: "Actions of a session, or of an attack within one, that count for it.")
    var first = 10

    @Option(help: "How their scores become the session's: \(SessionScore.allCases.map(\.rawValue).joined(separator: ", ")).")
    var sessionScore = SessionScore.max

    @Option(help: ArgumentHelp(
        "Somebody else's scores of the same events, {\"id\":…, \"score\":…} a line, measured beside Vigil's. May be repeated.",
        valueName: "scores"))
    var with: [String] = []

    @Option(help: ArgumentHelp("Where ROC curves go as SVG.", valueName: "svg"))
    var roc: String?

    @Option(help: ArgumentHelp("Where each event's score goes as NDJSON; - for standard output.", valueName: "scores"))
    var scores: String?

    @Option(help: "Resamples behind each interval.")
    var rounds = 200

    @Option(help: "Of the resamples.")
    var seed: UInt64 = 1

    @Option(help: "text or json.")
    var format = OutputFormat.text

    func validate() throws {
        if scores == "-", format == .json { throw ValidationError("--scores - and --format json both want standard output") }
        guard (1...100_000).contains(first) else { throw ValidationError("--first is from 1 to 100000") }
        guard (0...10_000).contains(rounds) else { throw ValidationError("--rounds is from 0 to 10000") }
        if let warmup, WarmUp(text: warmup) == nil {
            throw ValidationError("--warmup is a share like 0.3 or days like 14d")
        }
    }

    func run() throws {
        let pipeline = try labPipeline(file, source: source)
        let descriptor = try scores.map { path throws(ExitCode) in try openOutput(path) }
        var writer = ScoreWriter()
        var isWritten = true
        var run = try judge(input, pipeline, answers: answers == .simulated) { judged, kind, event, _ in
            guard let descriptor else { return }
            writer.add(judged, kind: kind, event)
            if writer.count > 60_000 { isWritten = writer.drain { Output.write($0, to: descriptor) } && isWritten }
        }
        if let descriptor {
            isWritten = writer.drain { Output.write($0, to: descriptor) } && isWritten
            guard isWritten, descriptor == STDOUT_FILENO || close(descriptor) == 0 else {
                throw failure(Exit.io, "\(scores ?? ""): can't write: \(String(cString: strerror(errno)))")
            }
        }
        if let part = warmup.flatMap(WarmUp.init(text:)) { run.warmUp(part) }

        var options = EvaluationOptions()
        options.first = first
        options.sessionScore = sessionScore
        options.rounds = rounds
        options.seed = seed
        let evaluation = Evaluation(run, others: try others(of: run), options: options)
        if let roc {
            guard FileManager.default.createFile(atPath: roc, contents: Data(evaluation.plot.utf8)) else {
                throw failure(Exit.io, "\(roc): can't write: \(String(cString: strerror(errno)))")
            }
        }
        switch format {
        case .text: evaluation.lines.forEach(scores == "-" ? Output.error : Output.line)
        case .json: Output.json(evaluation)
        }
    }

    private func others(of run: LabelledRun) throws(ExitCode) -> [OtherScores] {
        var all: [OtherScores] = []
        for path in with {
            do {
                let other = try OtherScores(file: path, of: run)
                if other.unknown > 0 { Output.error("warning: \(path): \(other.unknown) scores of events that are not in the input") }
                all.append(other)
            } catch {
                throw failure(error)
            }
        }
        return all
    }
}

extension SessionScore: ExpressibleByArgument {}

extension WarmUp {
    /// `0.3`, a share; `14d`, days.
    init?(text: String) {
        let isDays = text.hasSuffix("d")
        guard let number = Double(isDays ? text.dropLast() : text[...]), number >= 0, number.isFinite else { return nil }
        guard isDays || number < 1 else { return nil }
        self = isDays ? .days(min(number, 1e6)) : .share(number)
    }
}

/// The pipeline with which labelled files are judged: one input, and room in one engine for the users of all partitions.
func labPipeline(_ file: String, source: String?) throws(ExitCode) -> Pipeline {
    var pipeline = try loadPipeline(file)
    pipeline.settleForDerivedSecret(quietly: true)
    var plan = try pipeline.filePlan(source: source)
    plan.bounds.usersPerPartition = min(50_000_000, plan.bounds.usersPerPartition * pipeline.partitions)
    plan.bounds.unprovenPerPartition = min(50_000_000, plan.bounds.unprovenPerPartition * pipeline.partitions)
    pipeline.plan = plan
    return pipeline
}

/// Runs the engine over a labelled file, and says what is odd about it.
func judge(
    _ input: String, _ pipeline: Pipeline, answers: Bool, recorded: RecordedVerdicts? = nil, each: (JudgedEvent, String, Event, Engine) -> Void
) throws(ExitCode) -> LabelledRun {
    let run: LabelledRun
    do {
        run = try LabelledRun(
            judging: input, plan: pipeline.plan, enrichment: pipeline.makeEnrichment(), answers: answers, recorded: recorded,
            each: each)
    } catch {
        throw failure(error)
    }
    if run.ownChallenges > 0, answers {
        Output.error(
            "warning: \(input): \(run.ownChallenges) challenge events of its own beside the simulated answers: --answers none")
    }
    if run.events.isEmpty, recorded != nil { throw failure(Exit.badData, "\(input): there is no verdict on any login or action in it") }
    if run.events.isEmpty { throw failure(Exit.badData, "\(input): there is no login and no action in it") }
    return run
}

/// A labelled file that can't be read, or a line of it.
func failure(_ error: LedgerFileError) -> ExitCode {
    failure(error.line == 0 ? Exit.noInput : Exit.badData, "\(error)")
}

/// A file to write, emptied; `-` is standard output.
func openOutput(_ path: String) throws(ExitCode) -> Int32 {
    let descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(Exit.io, "\(path): \(String(cString: strerror(errno)))") }
    return descriptor
}
