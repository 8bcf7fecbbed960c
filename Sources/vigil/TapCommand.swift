import ArgumentParser
import Foundation
import Glibc
import Kafka
import Logging
import PipelineSpec
import Runtime

struct TapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tap", abstract: "Watch decisions, one readable line each.",
        discussion: """
            Receipts of erasures are shown too. Reads without a consumer group, so watching changes nothing. With the \
            pipeline file each line that is no allow ends with what would have avoided it: the fewest reasons without \
            which the rules would have allowed the event.
            """)

    @Argument(help: ArgumentHelp("Pipeline file, for its brokers, Kafka properties and topic.", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("Brokers; they override the pipeline's.", valueName: "host:port"))
    var bootstrapServer: String?

    @Option(help: "Topic to read; the pipeline's decisions by default.")
    var topic: String?

    @Flag(help: "Start with the oldest decision kept instead of the next one.")
    var fromBeginning = false

    @Option(name: .customShort("n"), help: ArgumentHelp("End after so many.", valueName: "count"))
    var count: Int?

    @Option(help: "text, or json: each record as it is.")
    var format = OutputFormat.text

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if let count, count < 0 { throw ValidationError("-n is not negative") }
    }

    func run() throws {
        let stop = StopRequest()
        let signals = SignalWatch(stop)
        defer { withExtendedLifetime(signals) {} }
        let environment = ProcessInfo.processInfo.environment
        var properties = ["bootstrap.servers": environment["VIGIL_BROKERS"] ?? "127.0.0.1:9092"]
        var name = "decisions"
        let pipeline = try file.map { try loadPipeline($0) }
        if let pipeline {
            (properties, name) = (pipeline.kafka, pipeline.decisionsTopic)
        }
        if let bootstrapServer {
            properties["metadata.broker.list"] = nil
            properties["bootstrap.servers"] = bootstrapServer
        }
        let terminal = Terminal.output
        do {
            let tail = try KafkaTail(
                properties: properties, topic: topic ?? name, fromBeginning: fromBeginning,
                logger: logging.makeLogger(least: .warning))
            defer { tail.close() }
            var seen = 0
            while !stop.isRequested, seen < count ?? .max {
                guard let entry = try tail.next(timeoutMilliseconds: 200) else { continue }
                seen += 1
                guard show(entry, terminal, pipeline) else { return }
            }
        } catch {
            throw failure(error)
        }
    }

    /// False when nobody reads any more.
    private func show(_ entry: KafkaTail.Entry, _ terminal: Terminal, _ pipeline: Pipeline?) -> Bool {
        let value = entry.value ?? []
        switch format {
        case .json:
            return (value + [10]).withUnsafeBytes { Output.write($0, to: STDOUT_FILENO) }
        case .text:
            let line = DecisionRecord(json: value)?.line(terminal, pipeline: pipeline) ?? ReceiptRecord(json: value)?.line(terminal)
                ?? "\(entry.partition)/\(entry.offset): neither a decision nor a receipt, \(value.count) bytes"
            return Output.write(line + "\n", to: STDOUT_FILENO)
        }
    }
}
