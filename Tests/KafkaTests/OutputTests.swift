import CRdKafka
import Events
import Runtime
import Testing

@testable import Kafka

extension KafkaTests {
@Suite struct Outputs {
    private func output(_ bench: Bench, _ extra: [String: String] = [:], queueBytes: Int = 1 << 20) throws -> KafkaOutputLog {
        try KafkaOutputLog(
            properties: bench.properties.merging(extra) { $1 }, decisionsTopic: "decisions",
            deadLettersTopic: "dead-letters", queueBytes: queueBytes, logger: quiet)
    }

    /// Panes once went to the cuts topic, where no broker of these tests would have told.
    @Test func everyInternalTopicHasAPlaceOfItsOwn() {
        #expect(InternalTopic.allCases.map(\.index) == Array(InternalTopic.allCases.indices))
    }

    @Test func headersKeysAndNullsArrive() throws {
        let bench = try Bench(["decisions": 1, "dead-letters": 1])
        let log = try output(bench)
        try produce(log, .decision, key: "alice", value: Array("{}".utf8), headers: [(.ceID, "1"), (.ceType, "t"), (.detail, "")])
        try produce(log, .deadLetter, key: nil, value: nil, headers: [(.reason, "null_value")])
        try #require(try log.flush(timeoutMilliseconds: 10_000))
        log.close()

        let decision = try read("decisions", count: 1, bench.properties)[0]
        #expect(decision.key == Array("alice".utf8) && decision.value == Array("{}".utf8))
        #expect(decision.headers.map(\.name) == ["ce_id", "ce_type", "vigil-detail"])
        #expect(decision.header("ce_id") == "1" && decision.header("vigil-detail") == "")
        let letter = try read("dead-letters", count: 1, bench.properties)[0]
        #expect(letter.key == nil && letter.value == nil && letter.header("vigil-reason") == "null_value")
    }

    @Test func oversizeDeadLetterIsShortened() throws {
        let bench = try Bench(["decisions": 1, "dead-letters": 1])
        let log = try output(bench, queueBytes: 16 << 20)
        let value = [UInt8](repeating: 0x61, count: 2_000_000)
        try produce(log, .deadLetter, key: String(repeating: "k", count: 5_000), value: value, headers: [(.reason, "too_large")])
        try #require(try log.flush(timeoutMilliseconds: 10_000))
        let letter = try read("dead-letters", count: 1, bench.properties)[0]
        #expect(letter.value?.count == KafkaOutputLog.keptValueBytes && letter.key?.count == KafkaOutputLog.keptKeyBytes)
        #expect(letter.header("vigil-reason") == "too_large")
        let digest = value.withUnsafeBufferPointer { Digest.hex(Digest.sha256(ByteView(base: $0.baseAddress, count: $0.count))) }
        #expect(letter.header("vigil-truncated") == "2000000 sha256:\(digest)")
        #expect(throws: LogFailure.self) { try produce(log, .decision, key: "a", value: value) }
        log.close()
    }

    @Test func fullQueueAsksToRetryAndLosesNothing() throws {
        let bench = try Bench(["decisions": 1, "dead-letters": 1])
        let log = try output(bench, queueBytes: 64 * 1024)
        bench.broker.setReachable(false)
        let value = [UInt8](repeating: 0x62, count: 10_000)
        var taken = 0
        var full = false
        while !full && taken < 100 {
            do {
                try produce(log, .decision, key: "a", value: value)
                taken += 1
            } catch {
                guard case .retry = error else { throw error }
                full = true
            }
        }
        #expect(full && taken > 0)
        #expect(try log.flush(timeoutMilliseconds: 50) == false)
        bench.broker.setReachable(true)
        try until("the queue to drain") { try log.flush(timeoutMilliseconds: 500) }
        try produce(log, .decision, key: "a", value: value)
        try #require(try log.flush(timeoutMilliseconds: 10_000))
        #expect(try read("decisions", count: taken + 1, bench.properties).count == taken + 1)
        log.close()
    }

    @Test func refusedRecordIsToldOnce() throws {
        let bench = try Bench(["decisions": 1, "dead-letters": 1])
        let log = try output(bench)
        bench.broker.failNext([RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED], apiKey: 0)
        try produce(log, .decision, key: "a", value: [1])
        let failure = #expect(throws: LogFailure.self) {
            try until("the refusal") { _ = try log.flush(timeoutMilliseconds: 200); return false }
        }
        #expect("\(String(describing: failure))".contains("decisions"))
        log.close()
    }

    @Test func unknownPropertyIsNamedAndItsValueIsNot() {
        let failure = #expect(throws: LogFailure.self) {
            try KafkaOutputLog(
                properties: ["sasl.pasword": "hunter2", "linger.ms": "hunter3", "acks": "1", "fetch.min.bytes": "1"],
                decisionsTopic: "d", deadLettersTopic: "l", logger: quiet)
        }
        let text = failure?.description ?? ""
        for name in ["`sasl.pasword`", "`linger.ms`", "`acks`"] { #expect(text.contains(name)) }
        #expect(!text.contains("hunter") && !text.contains("fetch.min.bytes"))
    }
}
}
