import Engine
import Events

/// Records of one task that wait to be decided, input by input. They are merged by event time, never reordered within
/// an input.
struct InputQueues: ~Copyable {
    private struct Queue {
        var records: [Record] = []
        /// Where the bytes of a record that outlived its batch are; parallel to `records`.
        var copies: [UnsafeMutableRawPointer?] = []
        var head = 0
        var bytes = 0
        /// Of the records that the engine has decoded ahead, and which of them the head is.
        var times: [Timestamp?] = []
        var staged = 0
        var isEmpty: Bool { head == records.count }
    }
    private var queues: [Queue]

    init(inputs: Int) { queues = Array(repeating: Queue(), count: inputs) }

    deinit {
        for queue in queues {
            for copy in queue.copies { copy?.deallocate() }
        }
    }

    func isEmpty(_ input: Int) -> Bool { queues[input].isEmpty }
    var isEmpty: Bool { queues.allSatisfy(\.isEmpty) }
    /// Records and bytes that wait.
    func load(_ input: Int) -> (records: Int, bytes: Int) {
        (queues[input].records.count - queues[input].head, queues[input].bytes)
    }
    func head(_ input: Int) -> Record { queues[input].records[queues[input].head] }

    mutating func append(_ record: Record) {
        let input = Int(record.input)
        queues[input].records.append(record)
        queues[input].copies.append(nil)
        queues[input].bytes += record.value.count + record.key.count
    }

    /// The input whose record comes next: the earliest head, the lower input at a tie, below `limits`. A head without a
    /// time of its own goes first. The engine decodes heads, and what comes behind them, to find their times.
    mutating func next(below limits: [Int64]?, for engine: Engine) -> Int? {
        var found: Int?
        for input in queues.indices where !queues[input].isEmpty {
            let head = queues[input].head
            if let limits, queues[input].records[head].offset >= limits[input] { continue }
            if queues[input].staged == queues[input].times.count { stage(input, below: limits?[input] ?? .max, for: engine) }
            guard let other = found else {
                found = input
                continue
            }
            if time(input) < time(other) { found = input }
        }
        return found
    }

    private func time(_ input: Int) -> Timestamp { queues[input].times[queues[input].staged] ?? .distantPast }

    private mutating func stage(_ input: Int, below limit: Int64, for engine: Engine) {
        let (head, count) = (queues[input].head, queues[input].records.count)
        let waiting = queues.reduce(0) { $0 + $1.records.count - $1.head }
        let run = Decoders.run(of: count - head, among: waiting)
        var end = head + 1
        while end < min(head + run, count) && queues[input].records[end].offset < limit { end += 1 }
        engine.stage(queues[input].records[head..<end], times: &queues[input].times)
        queues[input].staged = 0
    }

    /// Drops an input's head.
    mutating func pop(_ input: Int) {
        let head = queues[input].head
        queues[input].bytes -= queues[input].records[head].value.count + queues[input].records[head].key.count
        queues[input].copies[head]?.deallocate()
        queues[input].copies[head] = nil
        queues[input].head = head + 1
        queues[input].staged += 1
        if queues[input].isEmpty {
            queues[input].records.removeAll(keepingCapacity: true)
            queues[input].copies.removeAll(keepingCapacity: true)
            queues[input].head = 0
        }
    }

    /// Copies the bytes of what is left, which the log takes back with its next batch.
    mutating func keep() {
        for input in queues.indices where !queues[input].isEmpty {
            if queues[input].head > 256 {
                queues[input].records.removeFirst(queues[input].head)
                queues[input].copies.removeFirst(queues[input].head)
                queues[input].head = 0
            }
            for index in queues[input].head..<queues[input].records.count where queues[input].copies[index] == nil {
                (queues[input].records[index], queues[input].copies[index]) = Self.copy(queues[input].records[index])
            }
            queues[input].times.removeAll(keepingCapacity: true)
            queues[input].staged = 0
        }
    }

    private static func copy(_ record: Record) -> (Record, UnsafeMutableRawPointer) {
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, record.key.count + record.value.count), alignment: 8)
        var kept = record
        if let base = record.key.base {
            copy.copyMemory(from: base, byteCount: record.key.count)
            kept.key = ByteView(UnsafeRawBufferPointer(start: copy, count: record.key.count))
        }
        if let base = record.value.base {
            let place = copy + record.key.count
            place.copyMemory(from: base, byteCount: record.value.count)
            kept.value = ByteView(UnsafeRawBufferPointer(start: place, count: record.value.count))
        }
        return (kept, copy)
    }

    mutating func removeAll() {
        for input in queues.indices {
            for copy in queues[input].copies { copy?.deallocate() }
            queues[input] = Queue()
        }
    }
}
