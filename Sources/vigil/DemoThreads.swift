import Events
import Foundation
import Kafka
import Lab
import Logging
import PipelineSpec
import Runtime

/// Produces traffic as fast as it is decided: the embedded broker drops what nobody read in time.
func feedDemo(_ board: DemoBoard, _ pipeline: Pipeline, _ options: TrafficOptions, logger: Logger) {
    do {
        let feeder = try KafkaFeeder(properties: pipeline.kafka, logger: logger)
        defer { feeder.close() }
        var traffic = TrafficGenerator(options)
        var buffer = OutputBuffer(capacity: 4096)
        while board.waitForRoom(DemoCommand.mostInFlight), let event = traffic.next(into: &buffer) {
            board.note(event, id: buffer.view(event.id).string)
            try feeder.produce(topic: event.topic, key: buffer.view(event.key), value: buffer.view(event.value))
            buffer.removeAll()
        }
        // Answers given meanwhile are awaited too.
        _ = board.waitForRoom(0)
        board.endFeeding()
    } catch {
        board.fail("producing: \(error)")
    }
}

/// Watches decisions, and answers challenges as the people asked would.
func watchDemo(_ board: DemoBoard, _ tail: KafkaTail, _ pipeline: Pipeline, seed: UInt64, logger: Logger) {
    do {
        let feeder = try KafkaFeeder(properties: pipeline.kafka, logger: logger)
        defer { feeder.close() }
        let people = ChallengeResponder(seed: seed)
        var buffer = OutputBuffer(capacity: 4096)
        while !board.stop.isRequested {
            guard let entry = try tail.next(timeoutMilliseconds: 50), let value = entry.value else { continue }
            guard let decision = DecisionRecord(json: value) else {
                if ReceiptRecord(json: value) != nil { continue }
                board.fail("a record on \(pipeline.decisionsTopic) is neither a decision nor a receipt")
                return
            }
            guard let sent = board.note(decision), let question = decision.question else { continue }
            let answer = people.answer(question, attack: sent.attack, onset: sent.onset, into: &buffer)
            board.note(answer: buffer.view(answer.id).string)
            try feeder.produce(topic: answer.topic, key: buffer.view(answer.key), value: buffer.view(answer.value))
            buffer.removeAll()
        }
    } catch {
        board.fail("watching decisions: \(error)")
    }
}

extension DecisionRecord {
    /// What it asks a person, when it asks something new.
    var question: ChallengeResponder.Question? {
        guard let asked = step_up, asked.prompt != nil, let date = try? Self.precise.parse(time) else { return nil }
        return ChallengeResponder.Question(
            challenge: asked.challenge, nonce: asked.nonce, method: asked.methods?.first ?? "webauthn", tenant: tenant,
            user: user, session: session ?? "",
            time: Timestamp(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded())))
    }

    private static let precise = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
