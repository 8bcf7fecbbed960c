import ArgumentParser
import Engine
import Events
import Foundation
import Lab
import PipelineSpec
import Risk

struct FitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit", abstract: "Weights and calibration for a pipeline, fitted to labelled events or to the verdicts of a recorded history.",
        discussion: """
            Writes a file that a pipeline names as `model: { weights: FILE }`, and says what it gains on the users it was \
            not fitted on. Labels are as for `vigil evaluate`; with `--labels recorded` they are what analysts and users said \
            of decisions in the history, and what came of challenges. Exits 66 when events can't be read and 65 where a \
            label is missing or nothing is labelled hostile.
            """)

    @Argument(help: ArgumentHelp("Pipeline file.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Labelled events as NDJSON. May be repeated: streams of several seeds.", valueName: "events"))
    var input: [String]

    enum Labels: String, ExpressibleByArgument, CaseIterable { case events, recorded }

    @Option(help: "Where labels come from: each event's own; recorded, verdicts and challenge results among the events.")
    var labels = Labels.events

    @Option(help: ArgumentHelp(
        "With recorded labels: what was decided of these events, as NDJSON. It joins verdicts to events.", valueName: "decisions"))
    var decisions: String?

    @Option(help: "With recorded labels: events without a verdict; skip also leaves the base what it is, legitimate has it fitted to how many are hostile.")
    var unjudged = RecordedVerdicts.Unjudged.skip

    @Option(help: ArgumentHelp("With recorded labels: only the last so many days of event time, like 30d; what is before only trains.", valueName: "days"))
    var window: String?

    @Flag(help: "Leaves base and weights what they are.")
    var calibrationOnly = false

    @Option(help: ArgumentHelp("Where the weights go, as YAML; - for standard output.", valueName: "weights"))
    var output: String

    @Option(help: ArgumentHelp("The files' records are as on this topic of the pipeline.", valueName: "topic"))
    var source: String?

    @Option(help: "As for `vigil evaluate`: simulated or none.")
    var answers = EvaluateCommand.Answers.simulated

    @Option(help: "Strength of the pull towards the pipeline's own weights.")
    var ridge = FitOptions().ridge

    @Option(help: "Share of users that is measured on and not fitted on.")
    var heldOut = FitOptions().heldOut

    @Option(help: "Share of events taken to be hostile; by default what the pipeline's base says.")
    var prior: Double?

    @Option(help: "text or json, on standard output, or on standard error where the weights go there.")
    var format = OutputFormat.text

    func validate() throws {
        guard !input.isEmpty else { throw ValidationError("--input is needed") }
        guard ridge >= 0, ridge <= 1e6 else { throw ValidationError("--ridge is from 0 to 1000000") }
        guard heldOut > 0, heldOut < 1 else { throw ValidationError("--held-out is above 0 and below 1") }
        guard labels == .recorded || (decisions == nil && window == nil && unjudged == .skip) else {
            throw ValidationError("--decisions, --unjudged and --window are for --labels recorded")
        }
        if labels == .recorded {
            guard decisions != nil else { throw ValidationError("--labels recorded needs --decisions") }
            guard input.count == 1, input != ["-"], decisions != "-" else {
                throw ValidationError("--labels recorded reads one file of events and one of decisions, more than once")
            }
        }
        if let window, days(window) == nil { throw ValidationError("--window is in days, like 30d") }
        if calibrationOnly, input.count > 1 { throw ValidationError("--calibration-only reads one file of events") }
        if let prior, !(prior > 0 && prior < 1) { throw ValidationError("--prior is above 0 and below 1") }
    }

    func run() throws {
        var pipeline = try labPipeline(file, source: source)
        let model = pipeline.plan.model
        // A signal without weight is not looked at; here each must speak.
        for index in model.signals.indices where model.signals[index].enabled {
            pipeline.plan.model.signals[index].weight = max(model.signals[index].weight, 1e-6)
        }
        let recorded = try decisions.map { path throws(ExitCode) in try verdicts(path, pipeline.plan) }
        var inputs: [FitInput] = []
        for path in input {
            var table = EvidenceTable()
            let run = try judge(path, pipeline, answers: labels == .events && answers == .simulated, recorded: recorded) {
                table.append(from: $3)
            }
            inputs.append(FitInput(run: run, table: table))
        }
        let counts = inputs[0].run.verdicts
        let keepsBase = unjudged == .skip && (labels == .recorded || calibrationOnly)
        do {
            if calibrationOnly {
                let fit = try CalibrationFit(inputs[0].run, base: model.base, keepsBase: keepsBase, heldOut: heldOut)
                let former = (slope: pipeline.calibration.slope, offset: pipeline.calibration.offset)
                try write(fit.yaml(model: model, former: former))
                report(fit, fit.lines, counts, recorded?.leftOut)
            } else {
                var options = FitOptions()
                options.ridge = ridge
                options.heldOut = heldOut
                options.prior = prior ?? (unjudged == .legitimate ? counts.hostileShare : nil)
                options.keepsBase = keepsBase
                let fit = try WeightsFit(inputs, model: model, options: options)
                try write(fit.yaml)
                report(fit, fit.lines, counts, recorded?.leftOut)
            }
        } catch let problem as FitProblem {
            throw failure(Exit.badData, "\(problem)")
        }
    }

    private func verdicts(_ decisions: String, _ plan: EnginePlan) throws(ExitCode) -> RecordedVerdicts {
        let milliseconds = window.flatMap(days).map { Int64($0 * 86_400_000) }
        do {
            return try RecordedVerdicts(
                history: input[0], decisions: decisions, plan: plan, unjudged: unjudged, window: milliseconds)
        } catch {
            throw failure(error)
        }
    }

    private func days(_ text: String) -> Double? {
        guard case .days(let days) = WarmUp(text: text), days > 0 else { return nil }
        return days
    }

    private func write(_ yaml: String) throws(ExitCode) {
        let descriptor = try openOutput(output)
        guard Output.write(yaml, to: descriptor), descriptor == STDOUT_FILENO || close(descriptor) == 0 else {
            throw failure(Exit.io, "\(output): can't write: \(String(cString: strerror(errno)))")
        }
    }

    private func report(
        _ fit: some Encodable, _ lines: [String], _ verdicts: VerdictCounts, _ leftOut: RecordedVerdicts.LeftOut?
    ) {
        switch format {
        case .text:
            let all = (leftOut.map { verdicts.lines($0) + [""] } ?? []) + lines
            all.forEach(output == "-" ? Output.error : Output.line)
        case .json where output == "-": break
        case .json:
            guard let leftOut else { return Output.json(fit) }
            Output.json(RecordedReport(verdicts: verdicts, leftOut: leftOut, fit: fit))
        }
    }
}

private struct RecordedReport<Fit: Encodable>: Encodable {
    var verdicts: VerdictCounts
    var leftOut: RecordedVerdicts.LeftOut
    var fit: Fit
}

extension RecordedVerdicts.Unjudged: ExpressibleByArgument {}
