import Events
import Runtime
import Testing

@testable import Kafka

/// Finds who a record of the form `tenant/user:rest` or `user:rest` is about.
private func subject(_ record: Record) -> (tenant: ByteView, user: ByteView)? {
    guard let colon = record.value.bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let name = record.value.prefix(colon)
    guard let slash = name.bytes.firstIndex(of: UInt8(ascii: "/")) else { return (.absent, name) }
    return (name.prefix(slash), ByteView(base: name.base.map { $0 + slash + 1 }, count: colon - slash - 1))
}

/// What lies in a topic, committed, by partition.
private func contents(
    _ topic: String, partitions: Int32, _ properties: [String: String]
) throws -> [KafkaTail.Entry] {
    let range = try KafkaRange(properties: properties, logger: quiet)
    defer { range.close() }
    var entries: [KafkaTail.Entry] = []
    for partition in 0..<partitions {
        let end = try retrying { () throws(LogFailure) in try range.bounds(topic, partition: partition).end }
        var next: Int64 = 0
        try until("the end of \(topic)/\(partition)") {
            next = try range.read(topic, partition: partition, from: next, timeoutMilliseconds: 200) { entries.append($0) }
            return next >= end
        }
    }
    return entries
}

extension KafkaTests {
@Suite struct Repartitioning {
    @Test func recordsMoveToTheirUsersPartition() throws {
        let target = Repartitioner.topic(group: "g", source: "raw")
        #expect(target == "g-raw-repartition")
        let bench = try Bench(["raw": 3, target: 4, "letters": 1])
        let writer = try KafkaOutputLog(
            properties: bench.properties, decisionsTopic: "raw", deadLettersTopic: "letters", queueBytes: 16 << 20,
            logger: quiet)
        for i in 0..<200 {
            let name = i % 3 == 0 ? "acme/u\(i % 40)" : "u\(i % 40)"
            try produce(writer, .decision, key: i % 2 == 0 ? nil : "wrong\(i)", value: Array("\(name):\(i)".utf8), headers: [(.ceID, "\(i)")])
        }
        try produce(writer, .decision, key: "own", value: Array("nobody".utf8))
        try produce(writer, .decision, key: nil, value: nil)
        try #require(try writer.flush(timeoutMilliseconds: 10_000))
        writer.close()

        let worker = try Repartitioner(
            properties: bench.properties, sources: ["raw"], group: "g", transactionalID: nil, logger: quiet,
            subject: subject)
        try until("all records") { try worker.turn(); return worker.forwarded == 202 && !worker.hasUncommitted }
        worker.close()

        // Whoever comes next finds nothing left to do.
        let successor = try Repartitioner(
            properties: bench.properties, sources: ["raw"], group: "g", transactionalID: nil, logger: quiet,
            subject: subject)
        try until("its assignment") { try successor.turn(); return successor.isReading }
        for _ in 0..<5 { try successor.turn() }
        #expect(successor.forwarded == 0)
        successor.close()

        let found = try contents(target, partitions: 4, bench.properties)
        let sources = try contents("raw", partitions: 3, bench.properties)
        #expect(found.count == 202)
        let origin = Dictionary(sources.map { ($0.value ?? [], $0) }, uniquingKeysWith: { $1 })
        for entry in found {
            let before = try #require(origin[entry.value ?? []])
            #expect(entry.timestamp == before.timestamp && entry.headers == before.headers)
            guard let value = entry.value.map({ String(decoding: $0, as: UTF8.self) }), value.contains(":") else {
                #expect(entry.key == before.key)
                continue
            }
            let name = Array(value.prefix { $0 != ":" }.utf8)
            #expect(entry.key == name)
            let place = name.withUnsafeBufferPointer {
                Partitioner.murmur2.partition(of: ByteView(base: $0.baseAddress, count: $0.count), count: 4)
            }
            #expect(entry.partition == place)
        }
    }

    @Test func stopEndsItAndMissingTopicIsLoud() throws {
        let bench = try Bench(["raw": 1])
        let worker = try Repartitioner(
            properties: bench.properties, sources: ["raw"], group: "g", transactionalID: nil, logger: quiet,
            subject: subject)
        let stop = StopRequest()
        stop.request()
        try worker.run(until: stop)

        let refused = failure { () throws(LogFailure) in
            _ = try Repartitioner(
                properties: ["acks": "0"], sources: ["raw"], group: "g", transactionalID: nil, logger: quiet,
                subject: subject)
        }
        #expect(refused?.isStop == true)
    }
}
}

extension RealBrokerTests {
@Suite struct Repartitioning {
    @Test(arguments: [UInt64(1), 2])
    func everyRecordMovesOnceWhateverDies(seed: UInt64) throws {
        var random = seed
        func roll(_ below: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % below
        }
        let broker = RealBroker()
        let sources = ["\(broker.run)-a", "\(broker.run)-b"]
        let targets = sources.map { Repartitioner.topic(group: broker.run, source: $0) }
        try broker.create(
            .source(sources[0], partitions: 3), .source(sources[1], partitions: 2),
            .repartition(targets[0], partitions: 4), .repartition(targets[1], partitions: 4))
        let feeder = try KafkaFeeder(properties: broker.properties, logger: quiet)
        var sent = 0
        func feed(_ count: Int) throws {
            for _ in 0..<count {
                sent += 1
                try withView("u\(sent % 50):\(sent)") { try feeder.produce(topic: sources[sent % 2], key: .absent, value: $0) }
            }
        }
        func make() throws -> Repartitioner {
            try Repartitioner(
                properties: broker.properties, sources: sources, group: broker.run,
                transactionalID: "\(broker.run)-worker", logger: quiet, subject: subject)
        }
        for _ in 0..<5 {
            try feed(500)
            // Dies somewhere between reading and committing, without a word.
            let worker = try make()
            let enough = 1 + roll(700)
            try until("some records (seed \(seed))") { try worker.turn(); return worker.forwarded >= enough || worker.forwarded > 0 && roll(20) == 0 }
            for _ in 0..<roll(4) { try worker.turn() }
            worker.close()
        }
        try feed(100)
        try #require(try feeder.flush(timeoutMilliseconds: 10_000))
        feeder.close()
        let last = try make()
        var found: [KafkaTail.Entry] = []
        try until("everything committed (seed \(seed))", seconds: 60) {
            for _ in 0..<20 { try last.turn() }
            guard last.isReading, !last.hasUncommitted else { return false }
            found = try targets.flatMap { try contents($0, partitions: 4, broker.properties) }
            return found.count >= sent
        }
        last.close()
        let values = found.compactMap { $0.value.map { String(decoding: $0, as: UTF8.self) } }
        #expect(values.count == sent && Set(values).count == sent, "seed \(seed): \(values.count) of \(sent)")
        let homes = Dictionary(grouping: found, by: { String(decoding: $0.key ?? [], as: UTF8.self) })
        #expect(homes.count == 50 && homes.values.allSatisfy { Set($0.map(\.partition)).count == 1 })
    }
}
}
