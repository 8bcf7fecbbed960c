import Events
import Runtime
import VigilTesting

/// One partition of an input and of the internal topics in memory: what outlives the shard that works on it. Records
/// come in at the stream's rate by the manual clock, which polling moves.
final class MemoryLog {
    struct Entry {
        var offset: Int64
        var key: [UInt8]
        var value: [UInt8]?
    }

    let stream: Stream
    let clock = ManualClock()
    /// Whether internal records are kept, to be read back.
    let keepsState: Bool
    var committed: Int64?
    /// No record from there on comes in.
    var limit = Int64.max
    /// Seconds that making records took, of the wall and of the processor: the benchmark's work, not Vigil's.
    var making = Times()

    private(set) var state: [Entry] = []
    private(set) var cuts: [Entry] = []
    private var stateEnd: Int64 = 0
    private var cutsEnd: Int64 = 0
    private var newest: [[UInt8]: Int64] = [:]
    /// Records and bytes of the state topic so far.
    private(set) var stateRecords = 0
    private(set) var stateBytes = 0
    private(set) var cutBytes = 0
    private(set) var outputs = 0

    init(stream: Stream, keepsState: Bool) {
        self.stream = stream
        self.keepsState = keepsState
    }

    /// The offset after the last record that has come in.
    var end: Int64 { min(limit, clock.milliseconds * Int64(stream.rate) / 1000) }

    func end(of topic: InternalTopic) -> Int64 { topic == .state ? stateEnd : cutsEnd }

    func append(_ topic: InternalTopic, _ key: ByteView, _ value: ByteView) {
        switch topic {
        case .state:
            stateRecords += 1
            stateBytes += key.count + value.count
            if keepsState {
                let key = Array(key.bytes)
                state.append(Entry(offset: stateEnd, key: key, value: value.isPresent ? Array(value.bytes) : nil))
                newest[key] = stateEnd
                // The log cleaner's default: as soon as half of it is out of date.
                if state.count > 2 * newest.count + 1_000 { state.removeAll { newest[$0.key] != $0.offset } }
            }
            stateEnd += 1
        case .cuts:
            cutBytes += value.count
            if keepsState { cuts.append(Entry(offset: cutsEnd, key: Array(key.bytes), value: Array(value.bytes))) }
            cutsEnd += 1
        }
    }

    func count(_ output: Effects.Output) { outputs += 1 }

    func entries(_ topic: InternalTopic) -> [Entry] { topic == .state ? state : cuts }
}

final class MemoryInput: InputLog {
    private let log: MemoryLog
    private var isAssigned = false
    private var position: Int64?
    private var bytes = OutputBuffer(capacity: 1 << 20)
    static let place = InputPartition(input: 0, partition: 0)

    init(_ log: MemoryLog) { self.log = log }

    func identity() throws(LogFailure) -> String { "benchmark" }

    func poll(into batch: inout [Record], maxRecords: Int, timeoutMilliseconds: Int) throws(LogFailure) -> LogEvent {
        guard isAssigned else {
            isAssigned = true
            return .assigned([Self.place])
        }
        guard let from = position else { return .records }
        // A poll that finds nothing waits; with this little, batches are of some hundred records.
        if from >= log.end { log.clock.advance(milliseconds: min(max(1, timeoutMilliseconds), 10)) }
        let before = Times.now()
        bytes.removeAll()
        let to = min(log.end, from + Int64(maxRecords))
        var ranges: [(key: Range<Int>, value: Range<Int>)] = []
        ranges.reserveCapacity(Int(max(0, to - from)))
        for offset in from..<max(from, to) { ranges.append(log.stream.append(offset, to: &bytes)) }
        for (index, range) in ranges.enumerated() {
            batch.append(Record(
                input: 0, partition: 0, offset: from + Int64(index), timestamp: nil, key: bytes.view(range.key),
                value: bytes.view(range.value)))
        }
        position = max(from, to)
        log.making += Times.now() - before
        return .records
    }

    func committed(_ partitions: [InputPartition]) throws(LogFailure) -> [Int64?] { partitions.map { _ in log.committed } }
    func bounds(_ partitions: [InputPartition]) throws(LogFailure) -> [(first: Int64, end: Int64)] {
        partitions.map { _ in (0, log.end) }
    }
    func start(at positions: [InputPosition]) throws(LogFailure) { position = positions.first?.offset }
    func release() throws(LogFailure) { position = nil }
    func setPaused(_ partitions: Set<InputPartition>) throws(LogFailure) {}
    func commit(_ positions: [InputPosition]) throws(LogFailure) { log.committed = positions.first?.offset ?? log.committed }
    func close() {}
}

/// Copies what is produced, as a client's queue does, and appends it at the end of the transaction or at once.
final class MemoryOutput: OutputLog {
    private struct Staged {
        var topic: InternalTopic
        var key: Range<Int>
        var value: Range<Int>?
    }
    private let log: MemoryLog
    let isTransactional: Bool
    private var staged: [Staged] = []
    private var bytes = OutputBuffer(capacity: 1 << 20)

    init(_ log: MemoryLog, isTransactional: Bool) {
        self.log = log
        self.isTransactional = isTransactional
    }

    func produce(_ output: Effects.Output, of effects: borrowing Effects) throws(LogFailure) {
        if let value = output.value { bytes.append(effects.view(value)) }
        log.count(output)
    }

    func produce(_ record: InternalRecord) throws(LogFailure) {
        let start = bytes.count
        bytes.append(record.key)
        let middle = bytes.count
        bytes.append(record.value)
        staged.append(Staged(
            topic: record.topic, key: start..<middle, value: record.value.isPresent ? middle..<bytes.count : nil))
    }

    func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool {
        if !isTransactional { deliver() }
        return true
    }

    func commit(
        _ positions: [InputPosition], as member: any GroupMembership, timeoutMilliseconds: Int
    ) throws(LogFailure) {
        deliver()
        log.committed = positions.first?.offset ?? log.committed
    }

    private func deliver() {
        for record in staged { log.append(record.topic, bytes.view(record.key), record.value.map { bytes.view($0) } ?? .absent) }
        staged.removeAll(keepingCapacity: true)
        bytes.removeAll()
    }

    func abort() throws(LogFailure) {
        staged.removeAll()
        bytes.removeAll()
    }

    func acknowledged(_ topic: InternalTopic, partition: Int32) -> Int64? { log.end(of: topic) }
    func close() {}
}

final class MemoryInternals: InternalLog {
    private let log: MemoryLog
    init(_ log: MemoryLog) { self.log = log }

    func bounds(_ topic: InternalTopic, partition: Int32) throws(LogFailure) -> (first: Int64, end: Int64) {
        (0, log.end(of: topic))
    }

    func read(
        _ topic: InternalTopic, partition: Int32, from offset: Int64, maxRecords: Int, timeoutMilliseconds: Int,
        _ body: (_ offset: Int64, _ record: InternalRecord) -> Void
    ) throws(LogFailure) -> Int64 {
        let entries = log.entries(topic)
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        let piece = entries[low..<min(entries.count, low + maxRecords)]
        for entry in piece {
            entry.key.withUnsafeBytes { key in
                (entry.value ?? []).withUnsafeBytes { value in
                    body(entry.offset, InternalRecord(
                        topic: topic, partition: partition, key: ByteView(key),
                        value: entry.value == nil ? .absent : ByteView(value)))
                }
            }
        }
        return piece.endIndex == entries.count ? log.end(of: topic) : (piece.last?.offset ?? offset) + 1
    }

    func close() {}
}
