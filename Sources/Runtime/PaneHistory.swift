import Behavior
import Events

/// The networks topic read back for a replay, piece by piece as it asks for more.
final class PaneHistory {
    private struct Stretch {
        var entries: [(offset: Int64, pane: SealedPane)] = []
        var head = 0
        /// Where the topic is read on; nil before the first piece.
        var next: Int64?
    }
    private let log: any TopicLog
    private let topic: String?
    private let clock: any RuntimeClock
    private var partitions: [Int: Stretch] = [:]

    /// `topic` is nil where there is none.
    init(log: any TopicLog, topic: String?, clock: any RuntimeClock) {
        self.log = log
        self.topic = topic
        self.clock = clock
    }

    /// A partition's panes within a range of offsets, as far as they are still there. Ranges of one partition must ascend.
    /// Throws `LogFailure`.
    func take(_ partition: Int, _ offsets: Range<Int64>) throws -> [(offset: Int64, pane: SealedPane)] {
        guard let topic else { return [] }
        var stretch = partitions[partition] ?? Stretch()
        defer { partitions[partition] = stretch }
        let bounds = try log.bounds(topic, partition: Int32(partition))
        var next = max(stretch.next ?? offsets.lowerBound, bounds.first)
        let until = clock.milliseconds + 30_000
        while next < min(offsets.upperBound, bounds.end) {
            next = try log.read(
                topic, partition: Int32(partition), from: next, maxRecords: 4096, timeoutMilliseconds: 200
            ) { record in
                let pane = record.value.flatMap { $0.withUnsafeBytes { SealedPane($0) } }
                if let pane { stretch.entries.append((record.offset, pane)) }
            }
            guard clock.milliseconds < until else { throw LogFailure.retry("\(topic)/\(partition): offset \(next) did not come") }
        }
        stretch.next = next
        let found = stretch.entries[stretch.head...].prefix { $0.offset < offsets.upperBound }
        stretch.head += found.count
        if stretch.head > 8192 {
            stretch.entries.removeFirst(stretch.head)
            stretch.head = 0
        }
        return found.filter { $0.offset >= offsets.lowerBound }
    }
}
