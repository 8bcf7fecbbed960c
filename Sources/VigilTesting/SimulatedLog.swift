import Events
import Runtime

/// Calls a shard makes across the log seam, as a simulated log sees them.
public enum SeamCall: String, Sendable {
    case identity, poll, committed, bounds, start, release, setPaused, commit, produce, flush
}

/// A record that came out.
public struct SimulatedOutput: Sendable, Equatable {
    public var kind: Effects.Kind
    public var verdict: Verdict
    public var input: Int
    public var partition: Int32
    public var offset: Int64
    public var key: [UInt8]?
    public var value: [UInt8]?
    public var headers: [String: String]

    /// The value as text.
    public var text: String { String(decoding: value ?? [], as: UTF8.self) }
}

/// What goes wrong, and when. Calls across the seam count from 1.
public struct SimulatedFaults: Sendable {
    /// The process dies at this call…
    public var crashAtCall: Int?
    /// …after the log has done what was asked, instead of before.
    public var crashAfterEffect = false
    /// The broker doesn't answer between these moments of the manual clock.
    public var away: Range<Int64>?
    /// Answers of the group instead of records, by number of the poll (from 1).
    public var groupEvents: [Int: LogEvent] = [:]
    /// The commit of that number (from 1) finds that another owner has taken over.
    public var fencedAtCommit: Int?
    /// Records the producer's queue holds.
    public var queueRecords = 10_000
    public init() {}
}

/// Kafka in memory, for one member at a time: partitions of several topics, committed offsets, outputs, and faults on
/// demand. Single-threaded and deterministic: the same seed and calls give the same run.
public final class SimulatedLog {
    final class Stored {
        let key: [UInt8]?
        let value: UnsafeMutableBufferPointer<UInt8>
        let keyBytes: UnsafeMutableBufferPointer<UInt8>
        let timestamp: Timestamp?

        init(key: [UInt8]?, value: [UInt8], timestamp: Timestamp?) {
            self.key = key
            self.timestamp = timestamp
            self.value = .allocate(capacity: max(1, value.count))
            _ = self.value.update(fromContentsOf: value)
            keyBytes = .allocate(capacity: max(1, key?.count ?? 0))
            _ = keyBytes.update(fromContentsOf: key ?? [])
            valueCount = value.count
        }
        let valueCount: Int
        deinit {
            value.deallocate()
            keyBytes.deallocate()
        }
        func record(_ place: InputPartition, _ offset: Int64) -> Record {
            Record(
                input: UInt16(place.input), partition: place.partition, offset: offset, timestamp: timestamp,
                key: key.map { ByteView(base: UnsafePointer(keyBytes.baseAddress), count: $0.count) } ?? .absent,
                value: ByteView(base: UnsafePointer(value.baseAddress), count: valueCount))
        }
    }

    public let inputs: Int
    public let partitions: Int32
    public let clock: ManualClock
    public var clusterID = "simulated"
    public var faults = SimulatedFaults()
    public internal(set) var outputs: [SimulatedOutput] = []
    public var committed: [InputPartition: Int64] = [:]
    /// The first offset still held; what is below reads as gone.
    public var firstOffsets: [InputPartition: Int64] = [:]
    /// From this offset on a partition's records are not handed over, though its end stays: aborted or compacted away.
    public var hidden: [InputPartition: Int64] = [:]
    /// Every call since the log was made, or since `reset`.
    public internal(set) var trace: [SeamCall] = []
    public internal(set) var hasCrashed = false
    var records: [InputPartition: [Stored]] = [:]
    var inFlight: [SimulatedOutput] = []
    var polls = 0
    var commits = 0
    var random: SeededGenerator

    public init(inputs: Int = 1, partitions: Int32 = 1, clock: ManualClock = ManualClock(), seed: UInt64 = 1) {
        self.inputs = inputs
        self.partitions = partitions
        self.clock = clock
        random = SeededGenerator(seed: seed)
    }

    /// All partitions of all inputs.
    public var all: [InputPartition] {
        (0..<inputs).flatMap { input in (0..<partitions).map { InputPartition(input: input, partition: $0) } }
    }

    /// Appends a record and returns its offset.
    @discardableResult
    public func append(
        input: Int = 0, partition: Int32 = 0, key: String?, value: String, timestamp: Timestamp? = nil
    ) -> Int64 {
        let place = InputPartition(input: input, partition: partition)
        records[place, default: []].append(Stored(key: key.map { Array($0.utf8) }, value: Array(value.utf8), timestamp: timestamp))
        return Int64(records[place]!.count - 1)
    }

    /// The offset after the last record.
    public func end(_ place: InputPartition) -> Int64 { Int64(records[place]?.count ?? 0) }

    func readable(_ place: InputPartition) -> Int64 { min(end(place), hidden[place] ?? .max) }

    /// Everything that was appended is committed.
    public var isDrained: Bool { all.allSatisfy { committed[$0] ?? 0 >= end($0) } }

    /// A process starts anew: faults and counts are forgotten, the log is kept. What a dead one had in flight arrived
    /// up to some point.
    public func restart() {
        outputs += inFlight.prefix(Int.random(in: 0...inFlight.count, using: &random))
        inFlight = []
        faults = SimulatedFaults()
        hasCrashed = false
        trace = []
        polls = 0
        commits = 0
    }

    /// Does what a call asks for, unless the process dies at it.
    func call<Answer>(_ name: SeamCall, _ effect: () throws(LogFailure) -> Answer) throws(LogFailure) -> Answer {
        if hasCrashed { throw .stop("crashed before") }
        trace.append(name)
        guard faults.crashAtCall == trace.count else { return try effect() }
        hasCrashed = true
        if faults.crashAfterEffect { _ = try effect() }
        throw .stop("crash at call \(trace.count), \(name.rawValue)")
    }

    var isAway: Bool { faults.away?.contains(clock.milliseconds) ?? false }

    public func input() -> any InputLog { SimulatedInput(log: self) }
    public func output() -> any OutputLog { SimulatedProducer(log: self) }
}
