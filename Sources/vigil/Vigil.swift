import ArgumentParser
import Glibc
import Logging

@main
struct Vigil: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vigil",
        abstract: "Continuous authorization and step-up authentication on Kafka.",
        discussion: """
            Exit codes follow sysexits: 0 done, 1 findings, 64 usage, 65 bad data, 66 no input, 69 a service is \
            unavailable, 70 a fault of Vigil's own, 74 input or output failed, 78 bad configuration.
            """,
        subcommands: [
            DemoCommand.self, RunCommand.self, BrokerCommand.self, ReplayCommand.self, ValidateCommand.self,
            SchemaCommand.self, TopicsCommand.self, TapCommand.self, InspectCommand.self, ExplainCommand.self,
            ForgetCommand.self, TestCommand.self, BacktestCommand.self, GenerateCommand.self, EvaluateCommand.self, FitCommand.self,
            SoakCommand.self,
        ])
}

/// What every command that logs takes.
struct LoggingOptions: ParsableArguments {
    @Option(help: "Least level logged to standard error: \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")).")
    var logLevel: Logger.Level?

    /// Call once, before anything is logged.
    func makeLogger(least level: Logger.Level = .info) -> Logger {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "vigil")
        logger.logLevel = logLevel ?? level
        return logger
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// How output is written.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}
