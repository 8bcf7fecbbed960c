import Behavior
import Engine
import Events

/// Records for internal topics, made whole at the begin of a commit and handed to the output log from there, so that a
/// full queue can be waited out between any two of them.
struct InternalOutbox: ~Copyable {
    private struct Entry {
        var topic: InternalTopic
        var partition: Int32
        var key: Range<Int>
        var value: Range<Int>?
    }
    private var entries: [Entry] = []
    private var bytes = OutputBuffer(capacity: 4096)
    private var sent = 0

    var isEmpty: Bool { sent == entries.count }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll()
        sent = 0
    }

    mutating func add(_ cut: Cut, partition: Int32) {
        add(.cuts, partition, key: Array(String(partition).utf8), value: cut.encoded())
    }

    mutating func add(_ pane: SealedPane, partition: Int32) {
        add(.networks, partition, key: Array("\(partition)/\(pane.index)/\(pane.part)".utf8), value: pane.encoded())
    }

    /// A slice's rows and, unless it is nil, the checkpoint they lead to. It comes last: whoever has it has the rows.
    mutating func add(_ slice: StateSlice, of engine: Engine, checkpoint: TopicCheckpoint?, partition: Int32) {
        engine.forEach(in: slice) { number, row in
            let start = bytes.count
            StateKey.append(number, to: &bytes)
            let key = start..<bytes.count
            guard let row else {
                entries.append(Entry(topic: .state, partition: partition, key: key, value: nil))
                return
            }
            bytes.append(ByteView(row))
            entries.append(Entry(topic: .state, partition: partition, key: key, value: key.upperBound..<bytes.count))
        }
        if let checkpoint { add(.state, partition, key: StateKey.checkpoint, value: checkpoint.encoded()) }
    }

    private mutating func add(_ topic: InternalTopic, _ partition: Int32, key: [UInt8], value: [UInt8]?) {
        let start = bytes.count
        key.withUnsafeBufferPointer { bytes.append($0) }
        let middle = bytes.count
        value?.withUnsafeBufferPointer { bytes.append($0) }
        entries.append(Entry(
            topic: topic, partition: partition, key: start..<middle, value: value == nil ? nil : middle..<bytes.count))
    }

    /// Hands the next record over; throws as `OutputLog.produce` does, and then it is still the next.
    mutating func sendNext(to output: any OutputLog) throws(LogFailure) {
        let entry = entries[sent]
        try output.produce(InternalRecord(
            topic: entry.topic, partition: entry.partition, key: bytes.view(entry.key),
            value: entry.value.map { bytes.view($0) } ?? .absent))
        sent += 1
    }
}

/// Keys of the state topic: a user's number in four bytes, most significant first, or the checkpoint.
enum StateKey {
    static let checkpoint = Array("checkpoint".utf8)

    static func append(_ number: UInt32, to bytes: inout OutputBuffer) {
        for shift in stride(from: UInt32(24), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    static func number(_ key: ByteView) -> UInt32? {
        guard key.count == 4 else { return nil }
        return (0..<4).reduce(0) { $0 << 8 | UInt32(key[$1]) }
    }

    static func isCheckpoint(_ key: ByteView) -> Bool { key.bytes.elementsEqual(checkpoint) }
}

/// The state topic's record under the key `checkpoint`: whose state this is, and where redo begins.
struct TopicCheckpoint: Equatable {
    /// `Engine.stateIdentity` with the pipeline's name.
    var identity: String
    /// Names this life of the topic: made up by whoever wrote its first checkpoint. Users' numbers mean something only
    /// within it, so a state file that followed another life can't be mixed with the topic's rows.
    var origin: String
    /// `RedoPoint.encoded()`
    var redo: [UInt8]

    func encoded() -> [UInt8] {
        [identity, origin].flatMap { text in
            withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { Array($0) } + Array(text.utf8)
        } + redo
    }

    init(identity: String, origin: String, redo: [UInt8]) {
        self.identity = identity
        self.origin = origin
        self.redo = redo
    }

    init(decoding value: ByteView) throws(StateError) {
        let bytes = UnsafeRawBufferPointer(value.bytes)
        var at = 0
        func text() throws(StateError) -> String {
            guard bytes.count - at >= 4 else { throw StateError("a checkpoint in the state topic is too short") }
            let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            at += 4
            guard bytes.count - at >= count else { throw StateError("a checkpoint in the state topic is too short") }
            defer { at += count }
            return String(decoding: bytes[at..<at + count], as: UTF8.self)
        }
        identity = try text()
        origin = try text()
        redo = Array(bytes[at...])
    }
}
