import Events
import Runtime
import Testing
import VigilTesting

@testable import Kafka

/// A real Kafka on the bench of the conformance script, with topics and a group of its own.
final class KafkaBench: ConformanceBench {
    let broker = RealBroker()
    let partitions: Int32 = 2
    private func topic(_ name: String) -> String { "\(broker.run)-\(name)" }

    init() throws {
        let count = Int(partitions)
        try broker.create(
            .input(topic("input"), partitions: count), .output(topic("decisions"), partitions: count),
            .output(topic("letters"), partitions: count), .output(topic("cuts"), partitions: count),
            .output(topic("networks"), partitions: count),
            TopicAdmin.Need(
                name: topic("state"), role: .state, partitions: count,
                configuration: [
                    "cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.001",
                    "delete.retention.ms": "600000",
                ]))
    }

    var milliseconds: Int64 { Int64(monotonicMilliseconds()) }
    /// Every call that is waited for waits by itself.
    func pass(milliseconds: Int) {}
    /// 8/10 of the session timeout, and the coordinator looks every 10 s.
    var transactionLimit: Int64 { 4_800 + 10_000 }

    func feed(partition: Int32, _ values: [String], commits: Bool?) throws {
        let feeder = try KafkaOutputLog(
            properties: broker.properties, decisionsTopic: topic("decisions"), deadLettersTopic: topic("letters"),
            stateTopic: topic("input"), transactionalID: commits == nil ? nil : topic("feeder"), logger: quiet)
        defer { feeder.close() }
        try retrying { () throws(LogFailure) in try feeder.prepare() }
        for value in values { try produce(feeder, .state, partition: partition, key: "k", value: value) }
        try until("delivery") { try feeder.flush(timeoutMilliseconds: 100) }
        switch commits {
        case true: try commit(feeder, [], NoMembership())
        case false: try retrying { () throws(LogFailure) in try feeder.abort() }
        default: break
        }
    }

    func input(member: String) throws -> any InputLog {
        try KafkaInputLog(
            properties: broker.properties, topics: [topic("input")], group: broker.run, instance: nil, logger: quiet)
    }

    func output(transactionalID: String, probe: ShardProbe?) throws -> any OutputLog {
        try KafkaOutputLog(
            properties: broker.properties, decisionsTopic: topic("decisions"), deadLettersTopic: topic("letters"),
            stateTopic: topic("state"), cutsTopic: topic("cuts"), networksTopic: topic("networks"),
            transactionalID: topic(transactionalID), logger: quiet, probe: probe)
    }

    func internalLog() throws -> any InternalLog {
        try KafkaInternalLog(
            properties: broker.properties, stateTopic: topic("state"), cutsTopic: topic("cuts"), networksTopic: topic("networks"),
            logger: quiet)
    }

    /// The cleaner leaves the segment being written alone, so records go in behind until it has begun a new one and
    /// the old ones are clean.
    func compact(_ internalTopic: InternalTopic, partition: Int32) throws -> Bool {
        guard internalTopic == .state else { return false }
        let log = try KafkaInternalLog(
            properties: broker.properties, stateTopic: topic("state"), cutsTopic: topic("cuts"), networksTopic: topic("networks"),
            logger: quiet)
        let filler = try output(transactionalID: "filler", probe: nil)
        defer {
            log.close()
            filler.close()
        }
        try retrying { () throws(LogFailure) in try filler.prepare() }
        let end = try retrying { () throws(LogFailure) in try log.bounds(.state, partition: partition) }.end
        var before: Int?
        try until("compaction", seconds: 120) {
            try produce(filler as! KafkaOutputLog, .state, partition: partition, key: "filler", value: "-")
            try commit(filler as! KafkaOutputLog, [], NoMembership())
            var count = 0
            var next: Int64 = 0
            while next < end {
                next = try log.read(.state, partition: partition, from: next, maxRecords: 100, timeoutMilliseconds: 500) {
                    offset, _ in if offset < end { count += 1 }
                }
            }
            before = before ?? count
            return count < before!
        }
        return true
    }
}

extension RealBrokerTests {
/// A real Kafka passes the script that the simulated cluster passes (Tests/RuntimeTests/ConformanceTests.swift).
@Suite struct Conforming {
    @Test(arguments: Conformance.checks.map(\.number))
    func aRealKafkaPasses(number: Int) throws {
        let check = Conformance.checks[number - 1]
        do {
            #expect(try check.run(on: KafkaBench()), "\(number), \(check.name): not shown")
        } catch {
            Issue.record("\(number), \(check.name): \(error)")
        }
    }
}
}
