import Events

/// One shard's part of a file: its virtual partitions, all of input 0. There are no committed offsets; a checkpoint's
/// positions say where to go on.
public final class FileInputLog: InputLog {
    private let reader: FileReader
    private let shard: Int
    private let queue: LineQueue
    private let feed: PopulationFeed?
    private var isAssigned = false
    private var isPaused = false
    private var chunk: LineChunk?
    private var cursor = 0
    /// Wanted from here on, by virtual partition.
    private var starts: [Int64]

    init(reader: FileReader, shard: Int, queue: LineQueue, feed: PopulationFeed?) {
        self.reader = reader
        self.shard = shard
        self.queue = queue
        self.feed = feed
        starts = Array(repeating: .max, count: Int(reader.options.partitions))
    }

    public func identity() -> String { "\(reader.identity):\(reader.options.partitions)" }

    public func poll(
        into batch: inout [Record], maxRecords: Int, timeoutMilliseconds: Int
    ) throws(LogFailure) -> LogEvent {
        guard isAssigned else {
            isAssigned = true
            return .assigned(reader.partitions(ofShard: shard).map { InputPartition(input: 0, partition: $0) })
        }
        if isPaused { return wait(milliseconds: timeoutMilliseconds) }
        if chunk.map({ cursor == $0.lines.count }) ?? true {
            cursor = 0
            chunk = nil
            switch queue.pop(timeoutMilliseconds: timeoutMilliseconds) {
            case .chunk(let next):
                chunk = next
                feed?.append(next)
            case .nothing: return .records
            case .ended: return .ended
            case .failed(let why): throw .stop(why)
            }
        }
        guard let chunk else { return .records }
        let end = min(chunk.lines.count, cursor + max(1, maxRecords))
        for index in cursor..<end where chunk.lines[index].number >= starts[Int(chunk.lines[index].partition)] {
            batch.append(chunk.record(at: index))
        }
        cursor = end
        feed?.hand(over: end < chunk.lines.count ? chunk.lines[end].number : chunk.end)
        return .records
    }

    private func wait(milliseconds: Int) -> LogEvent {
        SystemClock().wait(milliseconds: milliseconds)
        return .records
    }

    public func committed(_ partitions: [InputPartition]) -> [Int64?] { partitions.map { _ in nil } }

    public func bounds(_ partitions: [InputPartition]) -> [(first: Int64, end: Int64)] {
        partitions.map { _ in (0, .max) }
    }

    public func start(at positions: [InputPosition]) {
        for position in positions { starts[Int(position.partition.partition)] = position.offset }
        reader.start(shard: shard, first: positions.map(\.offset).min() ?? .max)
    }

    public func release() {}
    public func setPaused(_ partitions: Set<InputPartition>) { isPaused = !partitions.isEmpty }
    public func commit(_ positions: [InputPosition]) {}

    public func close() {
        queue.close()
        chunk = nil
    }
}
