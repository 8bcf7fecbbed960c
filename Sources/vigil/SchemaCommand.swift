import ArgumentParser
import Events
import PipelineSpec

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "JSON Schemas, draft 2020-12, of records and pipeline files; the signals.",
        discussion: "`signals` lists what Vigil notices, with weights, formulas and options; it alone has a text form, too.")

    enum Name: String, ExpressibleByArgument, CaseIterable {
        case event, decision, receipt
        case deadLetter = "dead-letter"
        case pipeline, signals
    }

    @Argument(help: ArgumentHelp("event, decision, receipt, dead-letter, pipeline or signals.", valueName: "name"))
    var name: Name

    @Option(help: "json, or text: signals for a person to read.")
    var format = OutputFormat.json

    func validate() throws {
        if format == .text, name != .signals { throw ValidationError("only signals have a text form") }
    }

    func run() {
        if name == .signals {
            Output.write(format == .json ? SignalReference.json : SignalReference.text, to: 1)
            return
        }
        Output.write(RecordSchema.json(name.rawValue) ?? PipelineSchema.text, to: 1)
    }
}
