import Events
import Runtime

/// Who a consumer is in a simulated cluster's group.
final class ClusterMembership: GroupMembership {
    let id: String
    let instance: String?
    let generation: Int
    init(id: String, instance: String?, generation: Int) {
        self.id = id
        self.instance = instance
        self.generation = generation
    }
}

/// A consumer of a simulated cluster: the part of the client that the shard calls, and the part that runs by itself
/// (`beat`).
final class ClusterInput: InputLog {
    /// Where an assignment stands between client and shard.
    ///
    ///     none ──joined──▶ offered ──poll──▶ delivered ──start──▶ started ──rebalance──▶ revokeDue ──poll──▶ leaving
    ///      ▲                                    └──────── expelled from the group ─────▶ lossDue ───poll──▶ leaving
    ///      └──────────────────────────────────────── release ──────────────────────────────────────────────────┘
    private enum Standing { case none, offered, delivered, started, revokeDue, lossDue, leaving }

    private let process: SimulatedProcess
    private var cluster: SimulatedCluster { process.cluster }
    private let name: String
    private let instance: String?
    private var memberID: String?
    private var generation = -1
    private var standing = Standing.none
    private var assignment: [Int32] = []
    private var isFenced = false
    private var isClosed = false
    private var positions: [InputPosition] = []
    private var paused: Set<InputPartition> = []
    /// As of the last poll: up to where committed records are known of.
    private var known: [InputPartition: Int64] = [:]
    private var borrowed = BorrowedBytes()

    init(process: SimulatedProcess, name: String, instance: String?) {
        self.process = process
        self.name = name
        self.instance = instance
    }

    // MARK: The client's own thread

    func beat() {
        guard !isClosed, !isFenced else { return }
        guard let memberID else {
            if standing == .none { join() }
            return
        }
        if cluster.group.isJoining(memberID) { return }
        do {
            let current = try cluster.group.beat(memberID, instance: instance, now: cluster.now)
            if let current {
                if standing == .none && generation != current { take(current) }
            } else {
                // A rebalance. An assignment handed over but not yet answered is waited for, as librdkafka does.
                switch standing {
                case .none, .offered:
                    standing = .none
                    rejoin()
                case .started where assignment.isEmpty:
                    standing = .none
                    rejoin()
                case .started: standing = .revokeDue
                case .delivered, .revokeDue, .lossDue, .leaving: break
                }
            }
        } catch .fencedInstance {
            isFenced = true
        } catch {
            self.memberID = nil
            generation = -1
            switch standing {
            case .none: join()
            case .offered: standing = .none
            case .delivered, .started, .revokeDue: standing = assignment.isEmpty ? .none : .lossDue
            case .lossDue, .leaving: break
            }
        }
    }

    private func join() {
        let id = cluster.group.join(name: name, instance: instance, now: cluster.now)
        memberID = id
        generation = -1
        if cluster.group.phase == .stable { take(cluster.group.generation) }
    }

    private func rejoin() {
        guard let memberID else { return }
        cluster.group.rejoin(memberID, now: cluster.now)
        if cluster.group.phase == .stable { take(cluster.group.generation) }
    }

    /// SyncGroup: the generation is complete.
    private func take(_ current: Int) {
        guard let memberID else { return }
        generation = current
        assignment = cluster.group.assignment(of: memberID)
        standing = .offered
    }

    // MARK: What the shard calls

    func identity() throws(LogFailure) -> String {
        try process.call(.identity) { () throws(LogFailure) in
            guard process.isReachable else { throw process.unanswered("asking for the cluster's id") }
            return cluster.options.identity
        }
    }

    func poll(into batch: inout [Record], maxRecords: Int, timeoutMilliseconds: Int) throws(LogFailure) -> LogEvent {
        borrowed.giveBack()
        var polled: [Record] = []
        let event = try process.call(.poll) { () throws(LogFailure) in
            try answer(into: &polled, maxRecords: maxRecords, timeoutMilliseconds: timeoutMilliseconds)
        }
        batch += polled
        return event
    }

    private func answer(
        into batch: inout [Record], maxRecords: Int, timeoutMilliseconds: Int
    ) throws(LogFailure) -> LogEvent {
        if isFenced { throw .stop("another process has joined the group under the instance id \(instance ?? "")") }
        if memberID == nil && standing == .none && process.isReachable { join() }
        switch standing {
        case .lossDue:
            standing = .leaving
            return .lost
        case .revokeDue:
            standing = .leaving
            return .revoked
        case .offered:
            // Nobody needs to answer an empty assignment.
            standing = assignment.isEmpty ? .started : .delivered
            positions = []
            return .assigned(places)
        case .started where process.isReachable: try fetch(into: &batch, maxRecords: maxRecords)
        case .started, .none, .delivered, .leaving: break
        }
        cluster.clock.advance(milliseconds: batch.isEmpty ? max(1, timeoutMilliseconds) : 1)
        return .records
    }

    private var places: [InputPartition] {
        (0..<cluster.options.inputs).flatMap { input in
            assignment.map { InputPartition(input: input, partition: $0) }
        }
    }

    private func log(_ place: InputPartition) -> PartitionLog {
        cluster.log(TopicPartition(.input(place.input), place.partition))
    }

    private func fetch(into batch: inout [Record], maxRecords: Int) throws(LogFailure) {
        var found: [(place: InputPartition, offset: Int64, record: ClusterRecord)] = []
        for index in positions.indices.shuffled(using: &cluster.random) {
            let place = positions[index].partition
            let log = log(place)
            let offset = positions[index].offset
            guard offset >= log.first, offset <= log.end else {
                throw .stop("input \(place.input), partition \(place.partition): offset \(offset) is not in the log")
            }
            known[place] = log.stable
            let room = maxRecords - found.count
            guard room > 0, !paused.contains(place) else { continue }
            let most = Int.random(in: 1...room, using: &cluster.random)
            positions[index].offset = log.read(from: offset, below: log.end, most: most) { found.append((place, $0, $1)) }
        }
        borrowed.reserve(found.reduce(0) { $0 + ($1.record.key?.count ?? 0) + ($1.record.value?.count ?? 0) + 2 })
        for (place, offset, record) in found {
            batch.append(Record(
                input: UInt16(place.input), partition: place.partition, offset: offset,
                timestamp: Timestamp(milliseconds: record.timestamp), key: borrowed.lend(record.key),
                value: borrowed.lend(record.value)))
        }
    }

    func committed(_ partitions: [InputPartition]) throws(LogFailure) -> [Int64?] {
        try process.call(.committed) { () throws(LogFailure) in
            guard process.isReachable else { throw process.unanswered("reading committed offsets") }
            do {
                return try cluster.group.fetch(partitions)
            } catch {
                cluster.clock.advance(milliseconds: Int(cluster.options.callTimeout))
                throw .retry("reading committed offsets: a transaction is still open on them")
            }
        }
    }

    func bounds(_ partitions: [InputPartition]) throws(LogFailure) -> [(first: Int64, end: Int64)] {
        try process.call(.bounds) { () throws(LogFailure) in
            guard process.isReachable else { throw process.unanswered("reading the bounds of inputs") }
            return partitions.map { (log($0).first, log($0).stable) }
        }
    }

    func start(at positions: [InputPosition]) throws(LogFailure) {
        try process.call(.start) { () throws(LogFailure) in
            self.positions = positions
            known = [:]
            if standing == .delivered { standing = .started }
        }
    }

    func release() throws(LogFailure) {
        try process.call(.release) { () throws(LogFailure) in
            positions = []
            known = [:]
            guard standing == .leaving else { return }
            standing = .none
            assignment = []
            generation = memberID == nil ? -1 : generation
            if process.isReachable { rejoin() }
        }
    }

    func setPaused(_ partitions: Set<InputPartition>) throws(LogFailure) {
        try process.call(.setPaused) { () throws(LogFailure) in paused = partitions }
    }

    func hasMore(_ partition: InputPartition) -> Bool {
        guard let position = positions.first(where: { $0.partition == partition }) else { return false }
        // Nothing was heard of the partition yet.
        guard let known = known[partition] else { return true }
        return log(partition).hasVisible(from: position.offset, below: known)
    }

    func membership() throws(LogFailure) -> any GroupMembership {
        ClusterMembership(id: memberID ?? "", instance: instance, generation: generation)
    }

    func commit(_ positions: [InputPosition]) throws(LogFailure) {
        try process.call(.commit) { () throws(LogFailure) in
            guard process.isReachable else { throw process.unanswered("committing") }
            if standing == .lossDue { throw .fenced("committing: the assignment was lost") }
            do throws(BrokerError) {
                try cluster.group.validate(memberID ?? "", instance: instance, generation: generation, isTransactional: false)
            } catch .fencedInstance {
                throw .stop("committing: another process has joined the group under the instance id \(instance ?? "")")
            } catch {
                throw .fenced("committing: \(error)")
            }
            cluster.group.commit(positions)
        }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        process.forget(self)
        if let memberID, instance == nil, !process.isDead, process.isReachable {
            cluster.settle()
            cluster.group.leave(memberID, now: cluster.now)
        }
    }
}

/// Bytes lent until the next poll, and overwritten then: whoever keeps a view reads garbage and is noticed.
struct BorrowedBytes: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity = 4096
    private var count = 0

    init() { base = .allocate(capacity: capacity) }
    deinit { base.deallocate() }

    /// Ends every loan.
    mutating func giveBack() {
        base.update(repeating: 0xA5, count: count)
        count = 0
    }

    /// Makes room for so many bytes; only while nothing is lent.
    mutating func reserve(_ bytes: Int) {
        guard bytes > capacity else { return }
        base.deallocate()
        capacity = bytes * 2
        base = .allocate(capacity: capacity)
    }

    mutating func lend(_ bytes: [UInt8]?) -> ByteView {
        guard let bytes else { return .absent }
        let start = base + count
        start.update(from: bytes, count: bytes.count)
        count += bytes.count
        return ByteView(base: UnsafePointer(start), count: bytes.count)
    }
}
