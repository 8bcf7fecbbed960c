@testable import Events
import Glibc
import struct Logging.Logger
import Runtime
import Testing

@testable import Kafka

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// A broker with topics, and the properties to reach it.
struct Bench {
    let broker: EmbeddedBroker
    var properties: [String: String] {
        ["bootstrap.servers": broker.address, "session.timeout.ms": "6000", "heartbeat.interval.ms": "500"]
    }

    init(_ topics: [String: Int], port: UInt16 = 0) throws {
        broker = try EmbeddedBroker(port: port, logger: quiet)
        for (name, partitions) in topics { try broker.createTopic(name, partitions: partitions) }
    }

    func feed(_ topic: String, _ keys: some Sequence<String>, extra: [String: String] = [:]) throws {
        try produceKeys(topic, keys, properties.merging(extra) { $1 })
    }
}

/// Produces each key with itself as the value.
func produceKeys(_ topic: String, _ keys: some Sequence<String>, _ properties: [String: String]) throws {
    let feeder = try KafkaFeeder(properties: properties, logger: quiet)
    defer { feeder.close() }
    for key in keys {
        try withView(key) { try feeder.produce(topic: topic, key: $0, value: $0) }
    }
    try #require(try feeder.flush(timeoutMilliseconds: 10_000))
}

func withView<Result>(_ text: String, _ body: (ByteView) throws -> Result) rethrows -> Result {
    var text = text
    return try text.withUTF8 { try body(ByteView(base: $0.baseAddress, count: $0.count)) }
}

/// Turns `body` until it is true; fails the test after `seconds`.
func until(_ what: String, seconds: Int = 25, _ body: () throws -> Bool) throws {
    let limit = monotonicMilliseconds() + seconds * 1000
    while try !body() {
        if monotonicMilliseconds() > limit {
            Issue.record("waited \(seconds) s in vain for \(what)")
            throw LogFailure.stop(what)
        }
    }
}

/// Does again what failed in passing, such as a new topic's leader not yet being known; for 10 s at most.
func retrying<Result>(_ body: () throws(LogFailure) -> Result) throws(LogFailure) -> Result {
    let limit = monotonicMilliseconds() + 10_000
    while true {
        do { return try body() } catch {
            guard case .retry = error, monotonicMilliseconds() < limit else { throw error }
        }
    }
}

/// A shard that does nothing but read: it answers rebalances and remembers what came.
final class Reader {
    let log: KafkaInputLog
    var assigned: [InputPartition] = []
    var events: [String] = []
    var seen: [(input: Int, partition: Int32, offset: Int64, key: String?, value: String?)] = []
    /// True while every record had a timestamp.
    var stamped = true
    private var batch: [Record] = []

    init(_ properties: [String: String], topics: [String], group: String = "g", instance: String? = nil) throws {
        log = try KafkaInputLog(properties: properties, topics: topics, group: group, instance: instance, logger: quiet)
    }

    func turn(milliseconds: Int = 50, maxRecords: Int = 100) throws {
        batch.removeAll()
        switch try log.poll(into: &batch, maxRecords: maxRecords, timeoutMilliseconds: milliseconds) {
        case .records:
            for record in batch {
                stamped = stamped && record.timestamp != nil
                seen.append((
                    Int(record.input), record.partition, record.offset,
                    record.key.isPresent ? record.key.string : nil, record.value.isPresent ? record.value.string : nil))
            }
        case .assigned(let partitions):
            events.append("assigned")
            assigned = partitions
            let committed = try retrying { () throws(LogFailure) in try log.committed(partitions) }
            let bounds = try retrying { () throws(LogFailure) in try log.bounds(partitions) }
            let positions = zip(partitions, zip(committed, bounds)).map {
                InputPosition(partition: $0, offset: $1.0 ?? $1.1.first)
            }
            try retrying { () throws(LogFailure) in try log.start(at: positions) }
        case .revoked:
            events.append("revoked")
            assigned = []
            try log.release()
        case .lost:
            events.append("lost")
            assigned = []
            try log.release()
        case .ended: break
        }
    }

    /// The next offset of every partition read so far.
    var positions: [InputPosition] {
        var next: [InputPartition: Int64] = [:]
        for record in seen { next[InputPartition(input: record.input, partition: record.partition)] = record.offset + 1 }
        return next.map { InputPosition(partition: $0, offset: $1) }
    }
}

/// Produces one output as a step would.
func produce(
    _ log: KafkaOutputLog, _ kind: Effects.Kind, key: String?, value: [UInt8]?, headers: [(HeaderName, String)] = []
) throws(LogFailure) {
    var effects = Effects()
    func add(_ bytes: [UInt8]) -> Range<Int> {
        let start = effects.bytes.count
        for byte in bytes { effects.bytes.append(byte) }
        return start..<effects.bytes.count
    }
    for (name, value) in headers {
        effects.headers.append(Effects.Header(name: name, value: add(Array(value.utf8))))
    }
    let output = Effects.Output(
        kind: kind, verdict: .allow, input: 0, partition: 0, offset: 0, key: key.map { add(Array($0.utf8)) },
        value: value.map { add($0) }, headers: 0..<headers.count)
    try log.produce(output, of: effects)
}

/// Reads a topic from its beginning until `count` records came.
func read(_ topic: String, count: Int, _ properties: [String: String]) throws -> [KafkaTail.Entry] {
    let tail = try KafkaTail(properties: properties, topic: topic, fromBeginning: true, logger: quiet)
    defer { tail.close() }
    var entries: [KafkaTail.Entry] = []
    try until("\(count) records of \(topic)") {
        if let entry = try tail.next(timeoutMilliseconds: 100) { entries.append(entry) }
        return entries.count >= count
    }
    return entries
}
