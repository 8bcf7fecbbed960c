import ArgumentParser
import Events
import Foundation
import Kafka
import Logging
import PipelineSpec
import Runtime

struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Erase a person from Vigil's state, in a way that survives recovery.",
        discussion: """
            Produces an erasure event on the topic that may carry one (a source of type `feedback`, or one whose records \
            say their type) and waits for the receipt on the decisions topic. Exits 69 when none came in time; the \
            erasure is then still in the log and will be carried out. What the person's records say in the input and \
            decision topics is not Vigil's to delete: docs/recovery.md says how.
            """)

    @Argument(help: ArgumentHelp("The person, as events name them.", valueName: "user"))
    var user: String

    @Argument(help: ArgumentHelp("Pipeline file.", valueName: "file"))
    var file: String

    @Option(help: "The tenant they belong to, where events name one.")
    var tenant: String = ""

    @Option(help: ArgumentHelp("Brokers; they override the pipeline's.", valueName: "host:port"))
    var bootstrapServer: String?

    @Option(help: ArgumentHelp(
        "The key of the person's records: `user`, or `tenant/user` where there is a tenant, unless given.",
        discussion: "It decides the partition, and so which shard is asked. Where producers use CRC32, the pipeline's Kafka property `partitioner` must say so too."))
    var key: String?

    @Option(help: "Seconds to wait for the receipt; 0 doesn't wait.")
    var wait = 30

    @Option(help: "text or json.")
    var format = OutputFormat.text

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if user.isEmpty || user.utf8.contains(where: { $0 < 32 }) { throw ValidationError("that is no user") }
        if wait < 0 { throw ValidationError("--wait is not negative") }
    }

    private struct Erasure: Encodable {
        var id: String
        var type = "erasure"
        var time: Int64
        var tenant: String?
        var user: String
    }

    func run() throws {
        var pipeline = try loadPipeline(file)
        if let bootstrapServer { pipeline.kafka["bootstrap.servers"] = bootstrapServer }
        guard let topic = topic(of: pipeline) else {
            throw failure(
                Exit.configuration,
                "\(file): no source can carry an erasure: add one of type `feedback`, without a mapping")
        }
        let erasure = Erasure(
            id: "forget-" + UUID().uuidString.lowercased(), time: SystemClock().wallMilliseconds,
            tenant: tenant.isEmpty ? nil : tenant, user: user)
        do {
            let logger = logging.makeLogger(least: .warning)
            // Before the erasure is sent, or the receipt could be missed.
            let tail = wait == 0 ? nil : try KafkaTail(
                properties: pipeline.kafka, topic: pipeline.decisionsTopic, fromBeginning: false, logger: logger)
            defer { tail?.close() }
            try send(erasure, to: topic, pipeline, logger)
            guard let tail else { return say(erasure, nil) }
            let clock = SystemClock()
            let until = clock.milliseconds + Int64(wait) * 1000
            while clock.milliseconds < until {
                guard let value = try tail.next(timeoutMilliseconds: 200)?.value,
                    let receipt = ReceiptRecord(json: value), receipt.event == erasure.id
                else { continue }
                return say(erasure, receipt)
            }
        } catch let error as LogFailure {
            throw failure(error)
        }
        throw failure(
            Exit.unavailable,
            "the erasure \(erasure.id) is in topic \(topic), and no receipt came within \(wait) s: is the pipeline running?")
    }

    /// A source that is read in Vigil's own form and may say `"type":"erasure"`.
    private func topic(of pipeline: Pipeline) -> String? {
        let inputs = pipeline.plan.inputs.enumerated().filter { $0.element.decode.mapping.isEmpty }
        let found = inputs.first { $0.element.decode.type == .feedback } ?? inputs.first { $0.element.decode.type == nil }
        return found.map { index, input in
            pipeline.repartitions.first { $0.input == index }?.source ?? input.topic
        }
    }

    private func send(_ erasure: Erasure, to topic: String, _ pipeline: Pipeline, _ logger: Logger) throws {
        let feeder = try KafkaFeeder(properties: pipeline.kafka, logger: logger)
        defer { feeder.close() }
        let key = Array((key ?? (tenant.isEmpty ? user : "\(tenant)/\(user)")).utf8)
        let value = try JSONEncoder().encode(erasure)
        try key.withUnsafeBytes { key in
            try value.withUnsafeBytes { value in
                try feeder.produce(topic: topic, key: ByteView(key), value: ByteView(value))
            }
        }
        guard try feeder.flush(timeoutMilliseconds: 10_000) else {
            throw LogFailure.retry("\(pipeline.brokers): the erasure was not acknowledged within 10 s")
        }
    }

    private func say(_ erasure: Erasure, _ receipt: ReceiptRecord?) {
        switch format {
        case .json:
            struct Answer: Encodable {
                var event: String
                var erased: Bool?
            }
            Output.json(Answer(event: erasure.id, erased: receipt?.erased))
        case .text:
            switch receipt?.erased {
            case true: Output.line("erased; the receipt names event \(erasure.id)")
            case false: Output.line("nothing was known of that user, if their records are keyed and partitioned as this one (--key); the receipt names event \(erasure.id)")
            case nil: Output.line("sent as event \(erasure.id)")
            }
        }
    }
}
