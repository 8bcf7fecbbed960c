import ArgumentParser
import Events
import PipelineSpec

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "JSON Schemas, draft 2020-12, of records and pipeline files.")

    enum Name: String, ExpressibleByArgument, CaseIterable {
        case event, decision, receipt
        case deadLetter = "dead-letter"
        case pipeline
    }

    @Argument(help: ArgumentHelp("event, decision, receipt, dead-letter or pipeline.", valueName: "name"))
    var name: Name

    func run() {
        Output.write(RecordSchema.json(name.rawValue) ?? PipelineSchema.text, to: 1)
    }
}
