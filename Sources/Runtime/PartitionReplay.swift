import Engine
import Events

/// Decides one partition's records again from the topics: the inputs' records in the order of the recorded cuts.
public final class PartitionReplay {
    private let log: any TopicLog
    private let topics: [String]
    private let partition: Int32
    private let clock: any RuntimeClock
    private let replay: CutReplay
    private let panes: PaneHistory
    private var inputs: [Stretch]

    /// One input's records, read ahead piece by piece.
    private struct Stretch {
        var records: [StoredRecord] = []
        var head = 0
        /// Where the log is read on.
        var next: Int64 = 0
        var isStarted = false
    }

    /// - Parameters:
    ///   - plans: all that the partition was decided under, as far as they are needed. Not empty.
    ///   - networks: the topic of sealed panes; nil where there is none.
    public init(
        log: any TopicLog, plans: [LoadedPlan], partition: Int32, networks: String?,
        clock: any RuntimeClock = SystemClock()
    ) {
        self.log = log
        topics = plans[0].plan.inputs.map(\.topic)
        self.partition = partition
        self.clock = clock
        let panes = PaneHistory(log: log, topic: networks, clock: clock)
        self.panes = panes
        replay = CutReplay(plans: plans) { try panes.take($0, $1) }
        inputs = topics.map { _ in Stretch() }
    }

    /// As of the last cut; another where the next one was decided under another plan.
    public var engine: Engine { replay.engine }
    /// Per input, the offset of the next record; nil before the first cut.
    public var positions: [Int64]? { replay.positions }

    /// The partition's cuts, oldest first. Throws `StateError` for a record that is no cut, and `LogFailure`.
    public static func cuts(of topic: String, partition: Int32, inputs: Int, in log: any TopicLog, clock: any RuntimeClock = SystemClock()) throws -> [Cut] {
        var cuts: [Cut] = []
        var fault: (any Error)?
        try log.readAll(topic, partition: partition, clock: clock) { record in
            do {
                cuts.append(try (record.value ?? []).withUnsafeBytes { try Cut(decoding: $0, inputs: inputs) })
            } catch {
                fault = StateError("\(topic)/\(partition)/\(record.offset): \(error)")
            }
        }
        if let fault { throw fault }
        return cuts
    }

    /// Replays one cut; see `CutReplay.replay`. Throws `LogFailure` too, `.stop` when a record of the cut is gone.
    public func replay(_ cut: Cut, into effects: inout Effects, willStep: (Record) throws -> Void = { _ in }) throws {
        try replay.replay(
            cut, records: { input, offsets in try take(input, offsets) }, into: &effects, willStep: willStep)
        giveBack()
    }

    /// The bytes were lent for the length of the cut.
    private func giveBack() {
        for input in inputs.indices {
            inputs[input].records.removeFirst(inputs[input].head)
            inputs[input].head = 0
        }
        for buffer in lent { buffer.deallocate() }
        lent.removeAll(keepingCapacity: true)
    }

    /// Steps again what the cuts hold beyond `positions`; users skip what they have absorbed. Throws as `replay` does.
    func redo(_ cuts: [Cut], from positions: [Int64]) throws {
        var effects = Effects()
        try replay.absorbWhatIsOwed()
        for cut in cuts where zip(cut.ends, positions).contains(where: { $0 > $1 }) || (cut.ends == positions && cut.panes != nil) {
            try replay.redo(
                cut, from: positions, records: { input, offsets in try take(input, offsets) }, into: &effects)
            effects.removeAll()
            giveBack()
        }
    }

    /// Buffers whose addresses were handed out.
    private var lent: [UnsafeMutableRawBufferPointer] = []

    private func take(_ input: Int, _ offsets: Range<Int64>) throws -> [Record] {
        try fill(input, offsets)
        var found: [Record] = []
        while inputs[input].head < inputs[input].records.count {
            let record = inputs[input].records[inputs[input].head]
            guard record.offset < offsets.upperBound else { break }
            inputs[input].head += 1
            guard record.offset >= offsets.lowerBound else { continue }
            found.append(Record(
                input: UInt16(input), partition: partition, offset: record.offset, timestamp: record.timestamp,
                key: lend(record.key), value: lend(record.value)))
        }
        return found
    }

    private func lend(_ bytes: [UInt8]?) -> ByteView {
        guard let bytes else { return .absent }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 8)
        copy.copyBytes(from: bytes)
        lent.append(copy)
        return ByteView(UnsafeRawBufferPointer(start: copy.baseAddress, count: bytes.count))
    }

    private func fill(_ input: Int, _ offsets: Range<Int64>) throws {
        let topic = topics[input]
        if !inputs[input].isStarted {
            inputs[input].isStarted = true
            let first = try log.bounds(topic, partition: partition).first
            guard first <= offsets.lowerBound else {
                throw LogFailure.stop("\(topic)/\(partition): offsets \(offsets.lowerBound) to \(first - 1) are gone from the log")
            }
            inputs[input].next = offsets.lowerBound
        }
        let until = clock.milliseconds + 30_000
        while inputs[input].next < offsets.upperBound {
            var read: [StoredRecord] = []
            inputs[input].next = try log.read(
                topic, partition: partition, from: inputs[input].next, maxRecords: 4096, timeoutMilliseconds: 200
            ) { read.append($0) }
            inputs[input].records += read
            guard clock.milliseconds < until else {
                throw LogFailure.retry("\(topic)/\(partition): offset \(inputs[input].next) did not come")
            }
        }
    }

    deinit { for buffer in lent { buffer.deallocate() } }
}
