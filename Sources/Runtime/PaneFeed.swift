import Behavior
import Engine
import Events

/// The networks topic as one shard follows it: every partition read once, and kept until all of the shard's tasks have
/// absorbed it.
final class PaneFeed {
    private struct Entry {
        var offset: Int64
        var pane: SealedPane
    }
    /// By partition of the topic, ascending.
    private var entries: [[Entry]]
    /// Where reading goes on.
    private var next: [Int64]
    /// Where the topic ended when following began: what is beyond may still be written, what is before is there or gone.
    private let ends: [Int64]
    private(set) var bytes = 0
    /// Partitions of which something that was absorbed before can't be read again.
    let lost: [Int]

    /// Begins where the task that is furthest behind is. Throws `LogFailure`.
    init(_ log: any InternalLog, for engines: [Engine]) throws(LogFailure) {
        let partitions = try log.partitions(of: .networks)
        entries = Array(repeating: [], count: partitions)
        var (begins, ends, lost): ([Int64], [Int64], [Int]) = ([], [], [])
        for partition in 0..<partitions {
            let bounds = try log.bounds(.networks, partition: Int32(partition))
            // Offsets beyond the end are of a topic that was made anew.
            for engine in engines where engine.panePosition(of: partition) > bounds.end {
                engine.rewindPanes(of: partition)
                lost.append(partition)
            }
            let wanted = engines.map { $0.panePosition(of: partition) }.min() ?? 0
            if wanted > 0 && wanted < bounds.first { lost.append(partition) }
            begins.append(min(max(wanted, bounds.first), bounds.end))
            ends.append(bounds.end)
        }
        (next, self.ends, self.lost) = (begins, ends, lost)
    }

    /// Takes in what has come. Throws `LogFailure`.
    func follow(_ log: any InternalLog) throws(LogFailure) {
        let before = next
        next = try log.follow(from: next, maxRecords: 4096) { partition, offset, value in
            guard entries.indices.contains(Int(partition)), offset >= before[Int(partition)] else { return }
            // What is no pane was not written by this version; it is passed over by everybody alike.
            guard let pane = SealedPane(UnsafeRawBufferPointer(value.bytes)) else { return }
            entries[Int(partition)].append(Entry(offset: offset, pane: pane))
            bytes += pane.byteCount
        }
    }

    /// Everything before that offset has come, or never will.
    func has(_ partition: Int, upTo offset: Int64) -> Bool {
        !next.indices.contains(partition) || next[partition] >= min(offset, ends[partition])
    }

    /// Everything there is of others goes into the engine. Returns up to where, for partitions where something was new.
    func absorb(into engine: Engine, of partition: Int32) -> [(partition: Int, offset: Int64)] {
        var news: [(Int, Int64)] = []
        for other in entries.indices where other != Int(partition) {
            let before = engine.panePosition(of: other)
            absorb(other, upTo: .max, into: engine, recovering: false)
            if engine.panePosition(of: other) != before { news.append((other, engine.panePosition(of: other))) }
        }
        return news
    }

    /// One partition's panes go into the engine, up to that offset.
    func absorb(_ partition: Int, upTo offset: Int64, into engine: Engine, recovering: Bool) {
        guard entries.indices.contains(partition), let last = entries[partition].last else { return }
        let from = engine.panePosition(of: partition)
        guard last.offset >= from else { return }
        for entry in entries[partition][first(from: from, in: partition)...] {
            guard entry.offset < offset else { return }
            engine.absorb(entry.pane, partition: Int32(partition), offset: entry.offset, recovering: recovering)
        }
    }

    /// Index of the first entry at or after that offset.
    private func first(from offset: Int64, in partition: Int) -> Int {
        var (low, high) = (0, entries[partition].count)
        while low < high {
            let middle = (low + high) / 2
            if entries[partition][middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Forgets what all of these tasks have absorbed for good.
    func drop(absorbedBy tasks: [PartitionTask]) {
        for partition in entries.indices where !entries[partition].isEmpty {
            let others = tasks.filter { Int($0.partition) != partition }
            let wanted = others.map { $0.heldPanes.indices.contains(partition) ? $0.heldPanes[partition] : 0 }.min() ?? .max
            let gone = first(from: wanted, in: partition)
            guard gone > 0 else { continue }
            bytes -= entries[partition][..<gone].reduce(0) { $0 + $1.pane.byteCount }
            entries[partition].removeFirst(gone)
        }
    }
}
