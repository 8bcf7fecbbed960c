import Events
import Runtime

/// The consumer's end of a simulated log.
final class SimulatedInput: InputLog {
    let log: SimulatedLog
    private var isAssigned = false
    private var paused: Set<InputPartition> = []
    private var next: [InputPosition] = []

    init(log: SimulatedLog) { self.log = log }

    func identity() throws(LogFailure) -> String {
        try log.call(.identity) { () throws(LogFailure) in log.clusterID }
    }

    func poll(into batch: inout [Record], maxRecords: Int, timeoutMilliseconds: Int) throws(LogFailure) -> LogEvent {
        var polled: [Record] = []
        let event = try log.call(.poll) { () throws(LogFailure) in
            answer(into: &polled, maxRecords: maxRecords, timeoutMilliseconds: timeoutMilliseconds)
        }
        batch += polled
        return event
    }

    private func answer(into batch: inout [Record], maxRecords: Int, timeoutMilliseconds: Int) -> LogEvent {
        log.polls += 1
        if let event = log.faults.groupEvents[log.polls] {
            isAssigned = if case .assigned = event { true } else { false }
            next = []
            return event
        }
        if log.isAway {
            log.clock.advance(milliseconds: max(1, timeoutMilliseconds))
            return .records
        }
        if !isAssigned {
            isAssigned = true
            return .assigned(log.all)
        }
        let ready = next.indices.filter { !paused.contains(next[$0].partition) && next[$0].offset < log.readable(next[$0].partition) }
        guard !ready.isEmpty else {
            log.clock.advance(milliseconds: max(1, timeoutMilliseconds))
            return .records
        }
        log.clock.advance(milliseconds: 1)
        for index in ready.shuffled(using: &log.random) {
            let place = next[index].partition
            let most = min(Int(log.readable(place) - next[index].offset), maxRecords - batch.count)
            guard most > 0 else { break }
            for _ in 0..<Int.random(in: 1...most, using: &log.random) {
                batch.append(log.records[place]![Int(next[index].offset)].record(place, next[index].offset))
                next[index].offset += 1
            }
        }
        return .records
    }

    func hasMore(_ partition: InputPartition) -> Bool {
        next.contains { $0.partition == partition && $0.offset < log.readable(partition) }
    }

    func knownEnd(_ partition: InputPartition) -> Int64? { log.end(partition) }

    func committed(_ partitions: [InputPartition]) throws(LogFailure) -> [Int64?] {
        try log.call(.committed) { () throws(LogFailure) in
            if log.isAway { throw .retry("the broker is away") }
            return partitions.map { log.committed[$0] }
        }
    }

    func bounds(_ partitions: [InputPartition]) throws(LogFailure) -> [(first: Int64, end: Int64)] {
        try log.call(.bounds) { () throws(LogFailure) in
            if log.isAway { throw .retry("the broker is away") }
            return partitions.map { (log.firstOffsets[$0] ?? 0, log.end($0)) }
        }
    }

    func start(at positions: [InputPosition]) throws(LogFailure) {
        try log.call(.start) { () throws(LogFailure) in next = positions }
    }

    func release() throws(LogFailure) {
        try log.call(.release) { () throws(LogFailure) in next = [] }
    }

    func setPaused(_ partitions: Set<InputPartition>) throws(LogFailure) {
        try log.call(.setPaused) { () throws(LogFailure) in paused = partitions }
    }

    func commit(_ positions: [InputPosition]) throws(LogFailure) {
        try log.call(.commit) { () throws(LogFailure) in
            if log.isAway { throw .retry("the broker is away") }
            log.commits += 1
            if log.faults.fencedAtCommit == log.commits { throw .fenced("another member has the partitions") }
            for position in positions { log.committed[position.partition] = position.offset }
        }
    }

    func close() {}
}

/// The producer's end of a simulated log.
final class SimulatedProducer: OutputLog {
    let log: SimulatedLog
    init(log: SimulatedLog) { self.log = log }

    func produce(_ output: Effects.Output, of effects: borrowing Effects) throws(LogFailure) {
        var headers: [String: String] = [:]
        for header in effects.headers[output.headers] {
            headers[header.name.text.description] = effects.view(header.value).string
        }
        let record = SimulatedOutput(
            kind: output.kind, verdict: output.verdict, input: Int(output.input), partition: output.partition,
            offset: output.offset, key: output.key.map { Array(effects.view($0).bytes) },
            value: output.value.map { Array(effects.view($0).bytes) }, headers: headers)
        try log.call(.produce) { () throws(LogFailure) in
            guard log.inFlight.count < log.faults.queueRecords else { throw .retry("the queue is full") }
            log.inFlight.append(record)
        }
    }

    func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool {
        try log.call(.flush) { () throws(LogFailure) in
            guard !log.isAway else {
                log.clock.advance(milliseconds: max(1, timeoutMilliseconds))
                return false
            }
            log.outputs += log.inFlight
            log.inFlight = []
            return true
        }
    }

    func close() {}
}
