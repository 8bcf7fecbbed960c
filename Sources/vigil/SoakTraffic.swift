import Events
import Foundation
import Kafka
import Lab
import Logging
import PipelineSpec
import Runtime

/// Generated traffic on a soak run's topics: some records twice, some broken, now and then somebody to be forgotten.
final class SoakTraffic {
    private var traffic: TrafficGenerator
    private let topics: [EventType: String]
    private var buffer = OutputBuffer(capacity: 4096)
    private var count = 0

    init(_ options: TrafficOptions, topics pipeline: Pipeline) {
        traffic = TrafficGenerator(options)
        topics = Dictionary(
            pipeline.plan.inputs.compactMap { input in input.decode.type.map { ($0, input.topic) } },
            uniquingKeysWith: { $1 })
    }

    /// Sends the next event and what goes with it; returns how many records, nil at the end.
    func send(to feeder: KafkaFeeder) throws -> Int? {
        buffer.removeAll()
        guard let event = traffic.next(into: &buffer) else { return nil }
        guard let topic = topics[event.type] else { return 0 }
        count += 1
        let (key, value) = (buffer.view(event.key), buffer.view(event.value))
        try produce(topic, key, value, feeder)
        var sent = 1
        if count % 97 == 0 {
            try produce(topic, key, value, feeder)
            sent += 1
        }
        if count % 131 == 0 {
            try produce(topic, key, value.prefix(value.count / 2), feeder)
            sent += 1
        }
        if count % 1_009 == 0, let feedback = topics[.feedback] {
            let name = key.string.split(separator: "/", maxSplits: 1)
            let tenant = name.count == 2 ? "\"tenant\":\"\(name[0])\"," : ""
            let text = "{\"id\":\"forget-\(count)\",\"type\":\"erasure\",\"time\":\(event.time.milliseconds),\(tenant)\"user\":\"\(name.last ?? "")\"}"
            try Array(text.utf8).withUnsafeBytes { try produce(feedback, key, ByteView($0), feeder) }
            sent += 1
        }
        return sent
    }

    private func produce(_ topic: String, _ key: ByteView, _ value: ByteView, _ feeder: KafkaFeeder) throws(LogFailure) {
        // A test cluster may be slow: what matters is that nothing is left out.
        while true {
            do {
                return try feeder.produce(topic: topic, key: key, value: value)
            } catch .retry {
                continue
            } catch {
                throw error
            }
        }
    }
}

/// Answers challenges as people would, on a thread of its own, until the traffic ends.
final class SoakAnswers: Sendable {
    private let stop = StopRequest()
    private let done = DispatchGroup()

    init(pipeline: Pipeline, seed: UInt64, logger: Logger) {
        let (stop, done) = (stop, done)
        done.enter()
        Thread {
            defer { done.leave() }
            do {
                guard let tail = try Self.tail(pipeline, stop, logger) else { return }
                defer { tail.close() }
                let feeder = try KafkaFeeder(properties: pipeline.kafka, logger: logger)
                defer { feeder.close() }
                guard let topic = pipeline.plan.inputs.first(where: { $0.decode.type == .challenge })?.topic else { return }
                let people = ChallengeResponder(seed: seed)
                var buffer = OutputBuffer(capacity: 4096)
                while !stop.isRequested {
                    guard let value = try tail.next(timeoutMilliseconds: 100)?.value, let decision = DecisionRecord(json: value),
                        let question = decision.question
                    else { continue }
                    let answer = people.answer(question, attack: nil, onset: nil, into: &buffer)
                    try feeder.produce(topic: topic, key: buffer.view(answer.key), value: buffer.view(answer.value))
                    buffer.removeAll()
                }
                _ = try feeder.flush(timeoutMilliseconds: 10_000)
            } catch {
                logger.warning("challenges are no longer answered: \(error)")
            }
        }.start()
    }

    /// The topic is new: its partitions may have no leader yet. Nil when the traffic ended before they had.
    private static func tail(
        _ pipeline: Pipeline, _ stop: StopRequest, _ logger: Logger
    ) throws(LogFailure) -> KafkaTail? {
        while !stop.isRequested {
            do {
                return try KafkaTail(
                    properties: pipeline.kafka, topic: pipeline.decisionsTopic, fromBeginning: true, logger: logger)
            } catch .retry {
                SystemClock().wait(milliseconds: 200)
            } catch {
                throw error
            }
        }
        return nil
    }

    func end() {
        stop.request()
        done.wait()
    }
}
