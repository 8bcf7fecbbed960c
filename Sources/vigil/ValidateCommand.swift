import ArgumentParser
import Foundation
import Kafka
import Logging
import PipelineSpec
import Runtime

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Every problem of pipeline files at once, with positions and suggestions.")

    @Argument(help: ArgumentHelp("Pipeline files.", valueName: "file"))
    var files: [String]

    @Flag(help: "Also ask the brokers whether the topics are there and fit.")
    var environment = false

    @Option(help: "text: `file:line:col: error[code]: message` on standard error. json: an array on standard output.")
    var format = OutputFormat.text

    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let logger = logging.makeLogger(least: .critical)
        var found: [Diagnostic] = []
        var exit = ExitCode.success
        for file in files {
            do {
                let pipeline = try PipelineFile.load(path: file, environment: ProcessInfo.processInfo.environment)
                found += pipeline.warnings
                if environment { found += surroundings(of: pipeline, file: file, logger, &exit) }
            } catch {
                found += error.all
            }
        }
        if found.contains(where: { $0.severity == .error }), exit == .success { exit = Exit.configuration }
        switch format {
        case .text: for diagnostic in found { Output.error(diagnostic.description) }
        case .json: Output.json(found.map(Line.init))
        }
        if exit != .success { throw exit }
    }

    /// What the cluster lacks.
    private func surroundings(
        of pipeline: Pipeline, file: String, _ logger: Logger, _ exit: inout ExitCode
    ) -> [Diagnostic] {
        func problem(_ code: String, _ message: String) -> Diagnostic {
            Diagnostic(file: file, line: 0, column: 0, code: code, message: message)
        }
        do {
            let admin = try TopicAdmin(properties: pipeline.kafka, logger: logger)
            var pipeline = pipeline
            if try admin.isEmbedded(timeoutMilliseconds: 5_000) { pipeline.settleForEmbeddedBroker() }
            let findings = try admin.check(pipeline.topicNeeds, timeoutMilliseconds: 5_000)
            var notes = findings.notes.map { problem("topics", $0) }
            for index in notes.indices { notes[index].severity = .warning }
            return findings.problems.map { problem("topics", $0) } + notes
        } catch .stop(let why) {
            return [problem("kafka", why)]
        } catch {
            exit = Exit.unavailable
            return [problem("brokers", "\(pipeline.brokers): \(error)")]
        }
    }

    private struct Line: Encodable {
        var file: String
        var line: Int
        var column: Int
        var severity: String
        var code: String
        var message: String
        var suggestion: String?

        init(_ diagnostic: Diagnostic) {
            file = diagnostic.file
            line = diagnostic.line
            column = diagnostic.column
            severity = diagnostic.severity.rawValue
            code = diagnostic.code
            message = diagnostic.message
            suggestion = diagnostic.suggestion
        }
    }
}
