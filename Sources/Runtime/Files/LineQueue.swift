import Engine
import Events
import Foundation

/// Lines of a file on their way to one shard, in one allocation.
///
/// Unchecked: a chunk is filled by the reader's thread, then handed over through the queue's lock and from there on
/// only read, by one shard.
final class LineChunk: @unchecked Sendable {
    struct Line {
        var partition: Int32
        var number: Int64
        var start: Int
        var count: Int
    }
    /// What a line contributes to what users share, whichever shard decides it.
    struct Told {
        var number: Int64
        var event: Contributed
    }
    private(set) var lines: [Line] = []
    private(set) var told: [Told] = []
    /// Behind the last line of the block it was made of.
    var end: Int64 = 0
    private(set) var bytes = OutputBuffer(capacity: 64 * 1024)

    func append(_ text: UnsafeBufferPointer<UInt8>, partition: Int32, number: Int64) {
        lines.append(Line(partition: partition, number: number, start: bytes.count, count: text.count))
        bytes.append(text)
    }

    func tell(_ event: Contributed, number: Int64) { told.append(Told(number: number, event: event)) }

    /// Valid as long as the chunk.
    func record(at index: Int) -> Record {
        let line = lines[index]
        return Record(
            input: 0, partition: line.partition, offset: line.number, timestamp: nil, key: .absent,
            value: bytes.view(line.start..<line.start + line.count))
    }
}

/// A bounded queue from the reader's thread to a shard's.
///
/// Unchecked: everything mutable is guarded by `condition`.
final class LineQueue: @unchecked Sendable {
    enum Item {
        case chunk(LineChunk)
        case nothing
        case ended
        case failed(String)
    }
    private let condition = NSCondition()
    private let capacity: Int
    private var chunks: [LineChunk] = []
    private var end: Item?
    private var isClosed = false
    private var hasStarted = false

    init(capacity: Int) { self.capacity = capacity }

    /// Waits for room. False when the shard has gone and takes no more.
    func push(_ chunk: LineChunk) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while chunks.count >= capacity && !isClosed { condition.wait() }
        guard !isClosed else { return false }
        chunks.append(chunk)
        condition.broadcast()
        return true
    }

    /// No chunk follows: the file is at its end, or can't be read on.
    func finish(_ item: Item) {
        condition.lock()
        end = item
        condition.broadcast()
        condition.unlock()
    }

    func pop(timeoutMilliseconds: Int) -> Item {
        let deadline = Date(timeIntervalSinceNow: Double(timeoutMilliseconds) / 1000)
        condition.lock()
        defer { condition.unlock() }
        while chunks.isEmpty && end == nil {
            guard condition.wait(until: deadline) else { break }
        }
        guard chunks.isEmpty else {
            condition.broadcast()
            return .chunk(chunks.removeFirst())
        }
        return end ?? .nothing
    }

    /// The shard takes no more.
    func close() {
        condition.lock()
        isClosed = true
        chunks = []
        condition.broadcast()
        condition.unlock()
    }

    /// The shard has said from where it reads.
    func markStarted() {
        condition.lock()
        hasStarted = true
        condition.broadcast()
        condition.unlock()
    }

    func waitUntilStarted() {
        condition.lock()
        while !hasStarted && !isClosed { condition.wait() }
        condition.unlock()
    }
}
