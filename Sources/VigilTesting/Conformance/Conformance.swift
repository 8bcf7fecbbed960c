import Events
import Runtime

/// What the conformance script needs of a log, be it simulated or a real Kafka: fresh topics with one input, and a
/// fresh group.
public protocol ConformanceBench: AnyObject {
    /// Of every topic; at least 2.
    var partitions: Int32 { get }
    /// The clock that deadlines are measured by.
    var milliseconds: Int64 { get }
    /// Lets a little time pass where time doesn't pass by itself.
    func pass(milliseconds: Int)
    /// Longest a transaction may stay open here, in milliseconds, the coordinator's own slowness included.
    var transactionLimit: Int64 { get }

    /// Appends records to the input, in a transaction that is committed or aborted, or in none (nil).
    func feed(partition: Int32, _ values: [String], commits: Bool?) throws
    /// A consumer of the input.
    func input(member: String) throws -> any InputLog
    /// A transactional output that isn't prepared yet.
    func output(transactionalID: String, probe: ShardProbe?) throws -> any OutputLog
    func internalLog() throws -> any InternalLog
    /// Compacts an internal topic's partition up to its present end, for which records with the key `filler` may be
    /// added behind it; false where that can't be had.
    func compact(_ topic: InternalTopic, partition: Int32) throws -> Bool
}

/// A check that failed: what was expected, and what was found.
public struct ConformanceFailure: Error, CustomStringConvertible {
    public var description: String
}

/// One script of what exactly-once asks of a log. The simulated cluster and a real Kafka pass it alike; that is why what
/// is proven on the one can be believed of the other.
///
///     for check in Conformance.checks { try check.run(on: bench()) }
public struct Conformance: Sendable {
    public var number: Int
    public var name: String
    private let body: @Sendable (Trial) throws -> Bool

    /// Tries one thing on a bench nothing was tried on before. False when the bench can't show it. Throws
    /// `ConformanceFailure`, or what the log threw.
    public func run(on bench: any ConformanceBench) throws -> Bool {
        let trial = Trial(bench)
        defer { trial.close() }
        return try body(trial)
    }

    public static let checks: [Conformance] = (transactionChecks + groupChecks + logChecks).enumerated().map {
        Conformance(number: $0 + 1, name: $1.0, body: $1.1)
    }

    typealias Check = (String, @Sendable (Trial) throws -> Bool)
}

/// A bench with what a check made on it.
final class Trial {
    let bench: any ConformanceBench
    private var outputs: [any OutputLog] = []
    private var readers: [GroupReader] = []
    lazy var restore: Result<any InternalLog, any Error> = Result { try bench.internalLog() }

    init(_ bench: any ConformanceBench) { self.bench = bench }

    func close() {
        for reader in readers { reader.input.close() }
        for output in outputs { output.close() }
        if case .success(let log) = restore { log.close() }
    }

    // MARK: Making ends

    func output(_ id: String, probe: ShardProbe? = nil) throws -> any OutputLog {
        let output = try bench.output(transactionalID: id, probe: probe)
        outputs.append(output)
        try retrying("prepare") { () throws(LogFailure) in try output.prepare() }
        return output
    }

    func reader(_ member: String) throws -> GroupReader {
        let reader = GroupReader(try bench.input(member: member))
        readers.append(reader)
        return reader
    }

    /// A reader that has all partitions.
    func soleReader(_ member: String) throws -> GroupReader {
        let reader = try reader(member)
        try turn(reader, until: "all partitions") { reader.assigned.count == Int(bench.partitions) }
        return reader
    }

    func close(_ reader: GroupReader) {
        readers.removeAll { $0 === reader }
        reader.input.close()
    }

    // MARK: Waiting

    /// Until a condition holds, for a minute at most.
    func wait(for what: String, _ condition: () throws -> Bool) throws {
        let deadline = bench.milliseconds + 60_000
        while try !condition() {
            guard bench.milliseconds < deadline else { throw ConformanceFailure(description: "waited in vain for \(what)") }
            bench.pass(milliseconds: 5)
        }
    }

    func turn(_ readers: GroupReader..., until what: String, _ condition: () -> Bool) throws {
        try wait(for: what) {
            for reader in readers { try reader.turn() }
            return condition()
        }
    }

    /// Makes a call again while it says to.
    func retrying<Answer>(_ what: String, _ call: () throws(LogFailure) -> Answer) throws -> Answer {
        var answer: Answer?
        try wait(for: what) {
            do throws(LogFailure) {
                answer = try call()
            } catch .retry {
                return false
            } catch {
                throw error
            }
            return true
        }
        return answer!
    }

    /// How a call fails when what passes is waited out; nil when it doesn't.
    func failure(_ call: () throws(LogFailure) -> Void) throws -> LogFailure? {
        do {
            try retrying("an answer", call)
            return nil
        } catch let failure as LogFailure {
            return failure
        }
    }

    func expect(_ holds: Bool, _ what: @autoclosure () -> String) throws {
        if !holds { throw ConformanceFailure(description: what()) }
    }

    func expect<Value: Equatable>(_ found: Value, _ wanted: Value, _ what: String) throws {
        try expect(found == wanted, "\(what): found \(found), wanted \(wanted)")
    }

    // MARK: Doing

    func put(
        _ output: any OutputLog, _ key: String, _ value: String?, _ topic: InternalTopic = .state, partition: Int32 = 0
    ) throws {
        var key = key
        var text = value ?? ""
        let failure = key.withUTF8 { key in
            text.withUTF8 { text -> LogFailure? in
                let value = value == nil ? .absent : ByteView(base: text.baseAddress, count: text.count)
                do throws(LogFailure) {
                    try output.produce(InternalRecord(
                        topic: topic, partition: partition, key: ByteView(UnsafeRawBufferPointer(key)), value: value))
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }

    func flush(_ output: any OutputLog) throws {
        try wait(for: "acknowledgement") { try output.flush(timeoutMilliseconds: 100) }
    }

    func commit(_ output: any OutputLog, _ positions: [InputPosition], as member: any GroupMembership) throws {
        try retrying("the commit") { () throws(LogFailure) in
            try output.commit(positions, as: member, timeoutMilliseconds: 1_000)
        }
    }

    func commit(_ output: any OutputLog) throws { try commit(output, [], as: NoMembership()) }

    func abort(_ output: any OutputLog) throws { try retrying("the abort") { () throws(LogFailure) in try output.abort() } }

    func position(_ partition: Int32, _ offset: Int64) -> InputPosition {
        InputPosition(partition: InputPartition(input: 0, partition: partition), offset: offset)
    }

    func committed(_ reader: GroupReader, _ partition: Int32) throws -> Int64? {
        try retrying("committed offsets") { () throws(LogFailure) in
            try reader.input.committed([InputPartition(input: 0, partition: partition)])
        }[0]
    }

    // MARK: Reading back

    func end(_ topic: InternalTopic = .state, partition: Int32 = 0) throws -> Int64 {
        let log = try restore.get()
        return try retrying("the end") { () throws(LogFailure) in try log.bounds(topic, partition: partition) }.end
    }

    /// One read: `offset:key=value` of what came, and where to read on.
    func read(
        _ topic: InternalTopic = .state, partition: Int32 = 0, from offset: Int64 = 0, most: Int = 100
    ) throws -> (records: [String], next: Int64) {
        let log = try restore.get()
        var records: [String] = []
        let next = try retrying("records") { () throws(LogFailure) in
            try log.read(topic, partition: partition, from: offset, maxRecords: most, timeoutMilliseconds: 100) {
                records.append("\($0):\($1.key.string)=\($1.value.isPresent ? $1.value.string : "∅")")
            }
        }
        return (records, next)
    }

    /// `key=value` of everything up to the end as it is now.
    func readAll(_ topic: InternalTopic = .state, partition: Int32 = 0, most: Int = 100) throws -> [String] {
        try entries(topic, partition: partition, most: most).map { String($0.drop { $0 != ":" }.dropFirst()) }
    }

    /// `offset:key=value` of everything up to the end as it is now.
    func entries(_ topic: InternalTopic = .state, partition: Int32 = 0, most: Int = 100) throws -> [String] {
        let end = try end(topic, partition: partition)
        var records: [String] = []
        var next: Int64 = 0
        try wait(for: "offset \(end) of \(topic)/\(partition)") {
            if next >= end { return true }
            let found = try read(topic, partition: partition, from: next, most: most)
            records += found.records
            next = found.next
            return next >= end
        }
        return records
    }
}
