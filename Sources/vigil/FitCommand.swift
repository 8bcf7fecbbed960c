import ArgumentParser
import Engine
import Events
import Foundation
import Lab
import PipelineSpec
import Risk

struct FitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit", abstract: "Weights and calibration for a pipeline, fitted to labelled events.",
        discussion: """
            Writes a file that a pipeline names as `model: { weights: FILE }`, and says what it gains on the users it was \
            not fitted on. Labels are as for `vigil evaluate`. Exits 66 when events can't be read and 65 where a label is \
            missing or nothing is labelled hostile.
            """)

    @Argument(help: ArgumentHelp("Pipeline file.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Labelled events as NDJSON. May be repeated: streams of several seeds.", valueName: "events"))
    var input: [String]

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
        if let prior, !(prior > 0 && prior < 1) { throw ValidationError("--prior is above 0 and below 1") }
    }

    func run() throws {
        var pipeline = try labPipeline(file, source: source)
        let model = pipeline.plan.model
        // A signal without weight is not looked at; here each must speak.
        for index in model.signals.indices where model.signals[index].enabled {
            pipeline.plan.model.signals[index].weight = max(model.signals[index].weight, 1e-6)
        }
        var inputs: [FitInput] = []
        for path in input {
            var table = EvidenceTable()
            let run = try judge(path, pipeline, answers: answers == .simulated) { _, _, _, engine in table.append(from: engine) }
            inputs.append(FitInput(run: run, table: table))
        }
        var options = FitOptions()
        options.ridge = ridge
        options.heldOut = heldOut
        options.prior = prior
        let fit: WeightsFit
        do {
            fit = try WeightsFit(inputs, model: model, options: options)
        } catch {
            throw failure(Exit.badData, "\(error)")
        }
        let descriptor = try openOutput(output)
        guard Output.write(fit.yaml, to: descriptor), descriptor == STDOUT_FILENO || close(descriptor) == 0 else {
            throw failure(Exit.io, "\(output): can't write: \(String(cString: strerror(errno)))")
        }
        switch format {
        case .text: for line in fit.lines { output == "-" ? Output.error(line) : Output.line(line) }
        case .json: if output != "-" { Output.json(fit) }
        }
    }
}
