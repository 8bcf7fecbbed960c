import Events
import Runtime

/// A topic of a simulated cluster.
public enum ClusterTopic: Hashable, Sendable {
    /// By index into `EnginePlan.inputs`.
    case input(Int)
    case decisions
    case deadLetters
    case state
    case cuts
    case networks

    init(_ topic: InternalTopic) {
        self =
            switch topic {
            case .state: .state
            case .cuts: .cuts
            case .networks: .networks
            }
    }
}

/// A partition of a topic of a simulated cluster.
public struct TopicPartition: Hashable, Sendable, CustomStringConvertible {
    public var topic: ClusterTopic
    public var partition: Int32
    public init(_ topic: ClusterTopic, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }
    public var description: String { "\(topic)/\(partition)" }
}

/// A record as a simulated cluster keeps it.
public struct ClusterRecord: Sendable, Equatable {
    public var key: [UInt8]?
    /// Nil: a tombstone.
    public var value: [UInt8]?
    public var headers: [Header] = []
    /// Milliseconds since 1970.
    public var timestamp: Int64 = 0
    /// The record this one was decided from, for outputs. No reader of the log sees it.
    public var origin: InputPosition?

    public struct Header: Sendable, Equatable {
        public var name: String
        public var value: [UInt8]
        public init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    public init(key: [UInt8]?, value: [UInt8]?, headers: [Header] = [], timestamp: Int64 = 0, origin: InputPosition? = nil) {
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
        self.origin = origin
    }
}

extension ClusterRecord {
    /// A copy of an output.
    init(_ output: Effects.Output, of effects: borrowing Effects) {
        var headers: [Header] = []
        for header in effects.headers[output.headers] {
            headers.append(Header(name: header.name.text.description, value: Array(effects.view(header.value).bytes)))
        }
        let place = InputPartition(input: Int(output.input), partition: output.partition)
        self.init(
            key: output.key.map { Array(effects.view($0).bytes) }, value: output.value.map { Array(effects.view($0).bytes) },
            headers: headers, origin: InputPosition(partition: place, offset: output.offset))
    }
}

/// One partition: entries with ascending offsets, among them markers that end transactions. Compaction leaves gaps.
final class PartitionLog {
    enum Content {
        case record(ClusterRecord)
        case marker(commits: Bool)
    }

    /// What a read_committed reader makes of a record.
    enum Standing { case open, visible, aborted }

    struct Entry {
        var offset: Int64
        var content: Content
        var standing: Standing
        /// Negative outside of transactions.
        var producerID: Int64 = -1
        /// From when on compaction may drop a tombstone or marker; set by the first compaction that sees it.
        var deleteHorizon: Int64?
    }

    private(set) var entries: [Entry] = []
    /// What retention deleted: an auditor remembers it.
    private(set) var deleted: [Entry] = []
    /// The log start offset.
    private(set) var first: Int64 = 0
    /// The offset after the last entry, markers and open records included.
    private(set) var end: Int64 = 0
    /// Offset of the first record of each transaction open here, by producer.
    private var open: [(producerID: Int64, first: Int64)] = []

    /// The last stable offset: the end of what a read_committed reader may see.
    var stable: Int64 { open.lazy.map(\.first).min() ?? end }

    func append(_ record: ClusterRecord, producerID: Int64 = -1) -> Int64 {
        let isOpen = producerID >= 0
        if isOpen, !open.contains(where: { $0.producerID == producerID }) { open.append((producerID, end)) }
        entries.append(Entry(
            offset: end, content: .record(record), standing: isOpen ? .open : .visible, producerID: producerID))
        end += 1
        return end - 1
    }

    /// Ends the producer's transaction here. A marker without a transaction takes an offset all the same.
    func appendMarker(producerID: Int64, commits: Bool) {
        if let index = open.firstIndex(where: { $0.producerID == producerID }) {
            for entry in self.index(of: open[index].first)..<entries.count
            where entries[entry].producerID == producerID && entries[entry].standing == .open {
                entries[entry].standing = commits ? .visible : .aborted
            }
            open.remove(at: index)
        }
        entries.append(Entry(offset: end, content: .marker(commits: commits), standing: .visible, producerID: producerID))
        end += 1
    }

    /// Index of the first entry at or above an offset.
    /// - Complexity: O(log n), O(1) where nothing was compacted away.
    func index(of offset: Int64) -> Int {
        guard let lowest = entries.first?.offset, offset > lowest else { return 0 }
        let guess = Int(offset - lowest)
        if guess < entries.count, entries[guess].offset == offset { return guess }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Hands over at most `most` committed records in [`offset`, `limit`), as a read_committed reader sees them.
    /// Returns where to read on: after the last record handed over, or `limit` when there is none left below it.
    func read(from offset: Int64, below limit: Int64, most: Int, _ body: (Int64, ClusterRecord) -> Void) -> Int64 {
        let limit = min(limit, stable)
        var left = most
        var index = index(of: offset)
        while index < entries.count, entries[index].offset < limit {
            if case .record(let record) = entries[index].content, entries[index].standing == .visible {
                if left == 0 { return entries[index].offset }
                body(entries[index].offset, record)
                left -= 1
            }
            index += 1
        }
        return max(offset, limit)
    }

    /// A committed record lies in [`offset`, `limit`).
    func hasVisible(from offset: Int64, below limit: Int64) -> Bool {
        var found = false
        _ = read(from: offset, below: limit, most: 1) { _, _ in found = true }
        return found
    }

    /// Retention: everything below `offset` goes, the high watermark being the limit.
    func delete(below offset: Int64) {
        first = max(first, min(offset, end))
        let count = index(of: first)
        deleted += entries[..<count]
        entries.removeFirst(count)
    }

    /// Compaction of what lies below `bound` and the last stable offset, as the log cleaner does it: aborted records and
    /// keyless ones go, of each key the last record below the bound stays. Tombstones and the markers of transactions of
    /// which no record is left get a horizon and go with a later compaction beyond it. Offsets stay.
    func compact(below bound: Int64, now: Int64, deleteRetention: Int64) {
        let bound = min(bound, stable)
        let dirty = index(of: bound)
        var last: [[UInt8]: Int64] = [:]
        for entry in entries[..<dirty] where entry.standing == .visible {
            if case .record(let record) = entry.content, let key = record.key { last[key] = entry.offset }
        }
        var kept: [Entry] = []
        var surviving: Set<Int64> = []
        for var entry in entries[..<dirty] {
            let mayGo: Bool
            switch entry.content {
            case .record(let record):
                guard entry.standing == .visible, let key = record.key, last[key] == entry.offset else { continue }
                mayGo = record.value == nil
            case .marker:
                mayGo = surviving.remove(entry.producerID) == nil
            }
            if mayGo {
                if let horizon = entry.deleteHorizon, horizon <= now { continue }
                entry.deleteHorizon = entry.deleteHorizon ?? now + deleteRetention
            }
            if case .record = entry.content, entry.producerID >= 0 { surviving.insert(entry.producerID) }
            kept.append(entry)
        }
        entries.replaceSubrange(..<dirty, with: kept)
    }
}
