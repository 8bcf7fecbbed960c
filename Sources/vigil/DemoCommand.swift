import ArgumentParser
import Foundation
import Kafka
import Lab
import Logging
import PipelineSpec
import Runtime

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "The whole pipeline at work on an embedded broker and generated traffic.",
        discussion: """
            Two weeks of traffic with attacks in it go through Kafka as fast as they are decided; people answer the \
            challenges they are put. Ends with a table of what was caught and what it cost the legitimate.
            """)

    /// Events undecided at any time: few, so that an answer comes soon after its question in event time, and the
    /// embedded broker never has to drop any.
    static let mostInFlight = 400

    @Option(help: "About how many events.")
    var events = 150_000

    @Option(help: "Whatever is random follows from it.")
    var seed: UInt64 = 1

    @Option(help: "Threads that decide.")
    var shards = 2

    @Option(help: ArgumentHelp("Pipeline file.", valueName: "file"))
    var pipeline: String?

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (1...100_000_000).contains(events) else { throw ValidationError("--events is from 1 to 100000000") }
        guard (1...64).contains(shards) else { throw ValidationError("--shards is from 1 to 64") }
    }

    func run() throws {
        let stop = StopRequest()
        let signals = SignalWatch(stop)
        defer { withExtendedLifetime(signals) {} }
        let logger = logging.makeLogger(least: .error)
        let name = "pipelines/continuous-authorization.yaml"
        guard let file = self.pipeline ?? findInCheckout(name) else {
            throw failure(Exit.noInput, "\(name) is neither here nor near the program: name a pipeline file with --pipeline")
        }
        var pipeline = try loadPipeline(file)
        pipeline.settleForDerivedSecret(quietly: true)
        pipeline.shards = shards
        pipeline.instance = nil
        // All of them, so that every event's latency is measured and nothing is produced faster than it is decided.
        pipeline.plan.emit = .all

        let state = NSTemporaryDirectory() + "/vigil-demo-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: state) }
        let directory = try openState(state)
        let broker: EmbeddedBroker
        let tail: KafkaTail
        do {
            broker = try pipeline.startEmbeddedBroker(logger: logger)
            tail = try KafkaTail(
                properties: pipeline.kafka, topic: pipeline.decisionsTopic, fromBeginning: true, logger: logger)
        } catch {
            throw failure(error, stop: Exit.unavailable)
        }

        let board = DemoBoard(stop: StopRequest())
        let group = pipeline.kafkaShards(directory: directory, stop: StopRequest(), logger: logger)
        let repartitioning = pipeline.startRepartitioning(directory: directory, stop: group.stop, logger: logger)
        group.start()
        var screen = DemoScreen(
            heading: "vigil demo: \(pipeline.plan.name), \(pipeline.shards) shards, embedded Kafka at \(broker.address)")
        screen.show(board.view, seconds: 0)
        waitForShards(group, stop)
        let threads = startThreads(board, tail, pipeline, logger)
        let outcomes = watch(board, group, stop, &screen)
        board.stop.request()
        threads.wait()
        if let why = repartitioning?.wait() { board.fail("repartitioning: \(why)") }
        tail.close()
        broker.close()
        screen.close(board.ledger)

        let exit = vigil.exit(after: outcomes)
        if let why = board.view.failure { throw failure(Exit.fault, why) }
        if exit != .success { throw exit }
    }

    /// The first member of a group waits 3 s for others, which is no latency of the pipeline's.
    private func waitForShards(_ group: ShardGroup, _ stop: StopRequest) {
        let clock = SystemClock()
        let until = clock.milliseconds + 15_000
        while clock.milliseconds < until, wait(milliseconds: 50, unless: stop) {
            let shards = group.status()
            if shards.count == self.shards, shards.allSatisfy({ $0.state != .joining && $0.state != .recovering }) { return }
        }
    }

    private func startThreads(
        _ board: DemoBoard, _ tail: KafkaTail, _ pipeline: Pipeline, _ logger: Logger
    ) -> DispatchGroup {
        let ended = DispatchGroup()
        let options = TrafficOptions.sized(events: events, seed: seed)
        let seed = seed
        // The tail is used by its thread alone until that has ended.
        nonisolated(unsafe) let tail = tail
        for work in [
            { @Sendable in feedDemo(board, pipeline, options, logger: logger) },
            { @Sendable in watchDemo(board, tail, pipeline, seed: seed, logger: logger) },
        ] {
            ended.enter()
            Thread {
                work()
                ended.leave()
            }.start()
        }
        return ended
    }

    /// Shows how it goes until all traffic is decided, somebody stops it or something fails; then ends the shards.
    private func watch(
        _ board: DemoBoard, _ group: ShardGroup, _ stop: StopRequest, _ screen: inout DemoScreen
    ) -> [ShardOutcome?] {
        let clock = SystemClock()
        let begin = clock.milliseconds
        while !stop.isRequested {
            let outcomes = group.wait(milliseconds: 200)
            let view = board.view
            screen.show(view, seconds: Double(clock.milliseconds - begin) / 1000)
            if view.isFed || view.failure != nil || !outcomes.contains(where: { $0 == nil }) { break }
        }
        group.stop.request()
        return group.wait(milliseconds: 20_000)
    }
}
