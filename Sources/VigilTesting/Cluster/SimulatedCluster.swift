import Events
import Runtime

/// How a simulated cluster is set up. Times are milliseconds of its clock.
public struct ClusterOptions: Sendable {
    /// Number of inputs.
    public var inputs = 1
    /// Partitions of every topic.
    public var partitions: Int32 = 1
    public var identity = "simulated"
    /// What the inputs' topics are called; `input-0` and so on where nothing is said.
    public var inputNames: [String] = []
    public var sessionTimeout: Int64 = 10_000
    public var rebalanceTimeout: Int64 = 60_000
    public var transactionTimeout: Int64 = 8_000
    /// How often the coordinator looks for transactions that have timed out.
    public var timeoutCheck: Int64 = 1_000
    /// A transaction's markers reach each partition at some moment up to this after its end is decided.
    public var markerDelay: Int64 = 5
    /// How long a call waits for a broker that doesn't answer before it says so.
    public var callTimeout: Int64 = 100
    /// How long the answer to the end of a transaction is waited for before its outcome counts as unknown.
    public var endTimeout: Int64 = 2_000
    /// Records that were dropped from a process's queue when it died may reach the broker up to this later.
    public var lateArrival: Int64 = 50
    /// Most records a producer's queue holds.
    public var queueRecords = 10_000
    /// How long compaction keeps a tombstone after it first saw it.
    public var deleteRetention: Int64 = 60_000
    /// A producer asks again for the end of a transaction whose outcome it doesn't know, under the same epoch: what
    /// KIP-890 warns of. Off, as it must be; on, an oracle should notice.
    public var repeatsUnknownEnds = false
    /// Calls across the seam by all processes together; after the last of them every call fails, so that whoever goes round
    /// in circles comes to an end.
    public var mostCalls = Int.max
    public init() {}
}

/// What becomes of a request to end a transaction.
public enum EndFault: Sendable, Equatable {
    case answered
    /// The request is lost: nothing happens, nobody answers.
    case requestLost
    /// The broker acts; its answer is lost.
    case answerLost
    /// The broker acts only so many milliseconds later, if the producer's epoch is still the same; nobody answers.
    case delayed(milliseconds: Int64)
}

/// Kafka in memory for any number of processes: partitions with transactions and isolation, a transaction coordinator,
/// a consumer group, retention, compaction; and faults on demand. Deterministic: the same seed, options and calls give
/// the same run. Single-threaded.
///
/// Time is the manual clock's. Calls advance it by what they wait; whoever drives the run may advance it as well. What
/// is due happens at the next call, in the order of its moments.
public final class SimulatedCluster {
    public let options: ClusterOptions
    public let clock: ManualClock
    /// What becomes of the next requests to end a transaction; after them all are answered.
    public var endFaults: [EndFault] = []
    /// So many of the next requests to add offsets to a transaction are lost.
    public var lostOffsetRequests = 0
    /// Until then nothing that is produced is acknowledged, though it may arrive.
    public var unacknowledgedUntil: Int64 = 0
    /// Calls across the seam so far.
    public internal(set) var calls = 0
    /// Until then no broker answers anybody.
    public private(set) var awayUntil: Int64 = 0

    var random: SeededGenerator
    var logs: [TopicPartition: PartitionLog] = [:]
    var group: GroupCoordinator
    var transactions = TransactionCoordinator()
    var processes: [SimulatedProcess] = []
    private var due: [(at: Int64, number: Int, what: Due)] = []
    private var dueNumber = 0
    private var wasAway = false

    /// What happens by itself at some moment.
    enum Due {
        case marker(TransactionCoordinator.Marker)
        case timeout(id: String, identity: TransactionCoordinator.Identity, begun: Int64)
        case end(id: String, identity: TransactionCoordinator.Identity, commits: Bool)
        case arrival(id: String?, identity: TransactionCoordinator.Identity?, place: TopicPartition, records: [ClusterRecord])
    }

    public init(options: ClusterOptions = ClusterOptions(), clock: ManualClock = ManualClock(), seed: UInt64 = 1) {
        self.options = options
        self.clock = clock
        random = SeededGenerator(seed: seed)
        group = GroupCoordinator(
            partitions: options.partitions, sessionTimeout: options.sessionTimeout,
            rebalanceTimeout: options.rebalanceTimeout)
        for topic in topics {
            for partition in 0..<options.partitions { logs[TopicPartition(topic, partition)] = PartitionLog() }
        }
    }

    /// Every topic, inputs first.
    public var topics: [ClusterTopic] { (0..<options.inputs).map { .input($0) } + [.decisions, .deadLetters, .state, .cuts, .networks] }

    /// All partitions of all inputs.
    public var inputPartitions: [InputPartition] {
        (0..<options.inputs).flatMap { input in
            (0..<options.partitions).map { InputPartition(input: input, partition: $0) }
        }
    }

    func log(_ place: TopicPartition) -> PartitionLog {
        guard let log = logs[place] else { preconditionFailure("no partition \(place) in this cluster") }
        return log
    }

    // MARK: Time

    var now: Int64 { clock.milliseconds }
    var isAway: Bool { now < awayUntil }

    /// No broker answers anybody for so long.
    public func goAway(milliseconds: Int64) {
        settle()
        awayUntil = max(awayUntil, now + milliseconds)
        wasAway = true
    }

    /// Every fault that is still to come is forgotten; the brokers are back.
    public func heal() {
        endFaults = []
        lostOffsetRequests = 0
        unacknowledgedUntil = 0
        awayUntil = min(awayUntil, now)
        settle()
    }

    func schedule(_ what: Due, at moment: Int64) {
        dueNumber += 1
        due.append((moment, dueNumber, what))
    }

    /// Makes happen what is due by now.
    public func settle() {
        if isAway { return }
        if wasAway {
            wasAway = false
            group.forgive(now: now)
        }
        while let index = due.indices.min(by: { (due[$0].at, due[$0].number) < (due[$1].at, due[$1].number) }),
            due[index].at <= now
        {
            happen(due.remove(at: index).what)
        }
        for process in processes { process.beat() }
        group.expire(now: now)
    }

    private func happen(_ what: Due) {
        switch what {
        case .marker(let marker):
            switch marker.target {
            case .partition(let place): log(place).appendMarker(producerID: marker.producerID, commits: marker.commits)
            case .offsets: group.end(marker.producerID, commits: marker.commits)
            }
            transactions.wrote(marker)
        case .timeout(let id, let identity, let begun):
            write(transactions.timeOut(id, as: identity, begun: begun))
        case .end(let id, let identity, let commits):
            if let markers = try? transactions.end(id, as: identity, commits: commits) { write(markers) }
        case .arrival(let id, let identity, let place, let records):
            for record in records { _ = try? append(record, to: place, id: id, as: identity, adds: true) }
        }
    }

    /// The markers of one transaction, each at a moment of its own.
    func write(_ markers: [TransactionCoordinator.Marker]) {
        for marker in markers { schedule(.marker(marker), at: now + Int64.random(in: 0...options.markerDelay, using: &random)) }
    }

    /// Adds a target to a transaction, and sees to it that one that begins also times out.
    func add(_ target: TransactionTarget, id: String, as identity: TransactionCoordinator.Identity) throws(BrokerError) {
        guard try transactions.add(target, to: id, as: identity, now: now) else { return }
        // The coordinator looks at fixed intervals.
        let check = max(1, options.timeoutCheck)
        let moment = (now + options.transactionTimeout + check) / check * check
        schedule(.timeout(id: id, identity: identity, begun: now), at: moment)
    }

    /// Appends a record, in a transaction where there is an id. Returns its offset.
    func append(
        _ record: ClusterRecord, to place: TopicPartition, id: String?, as identity: TransactionCoordinator.Identity?,
        adds: Bool
    ) throws(BrokerError) -> Int64 {
        var record = record
        record.timestamp = clock.wallMilliseconds
        guard let id, let identity else { return log(place).append(record) }
        if adds { try add(.partition(place), id: id, as: identity) }
        try transactions.verify(.partition(place), of: id, as: identity)
        return log(place).append(record, producerID: identity.producerID)
    }

    // MARK: Inputs

    /// Appends a record to an input. Returns its offset.
    @discardableResult
    public func append(
        input: Int = 0, partition: Int32 = 0, key: String?, value: String?, timestamp: Timestamp? = nil
    ) -> Int64 {
        let record = ClusterRecord(
            key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) },
            timestamp: timestamp?.milliseconds ?? clock.wallMilliseconds)
        return log(TopicPartition(.input(input), partition)).append(record)
    }

    /// Appends records to an input in a transaction of some producer, and its end: a marker, which takes an offset too.
    public func appendTransaction(
        input: Int = 0, partition: Int32 = 0, _ records: [(key: String?, value: String?)], commits: Bool,
        timestamp: Timestamp? = nil
    ) {
        let log = log(TopicPartition(.input(input), partition))
        for record in records {
            _ = log.append(
                ClusterRecord(
                    key: record.key.map { Array($0.utf8) }, value: record.value.map { Array($0.utf8) },
                    timestamp: timestamp?.milliseconds ?? clock.wallMilliseconds),
                producerID: 0)
        }
        log.appendMarker(producerID: 0, commits: commits)
    }

    /// The partition a keyed record belongs to (FNV-1a). Inputs fed by it and outputs agree, as they do in a deployment
    /// whose producers share one partitioner.
    public func partition(forKey key: some Sequence<UInt8>) -> Int32 {
        var hash: UInt32 = 2_166_136_261
        for byte in key { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return Int32(hash % UInt32(options.partitions))
    }

    // MARK: What an operator does and sees

    /// Everything a read_committed reader can see from an offset on, in order.
    public func records(
        _ topic: ClusterTopic, partition: Int32, from offset: Int64 = 0
    ) -> [(offset: Int64, record: ClusterRecord)] {
        var found: [(offset: Int64, record: ClusterRecord)] = []
        let log = log(TopicPartition(topic, partition))
        _ = log.read(from: max(offset, log.first), below: log.end, most: .max) { found.append(($0, $1)) }
        return found
    }

    /// The same with what retention has deleted since.
    public func history(_ topic: ClusterTopic, partition: Int32) -> [(offset: Int64, record: ClusterRecord)] {
        let deleted = log(TopicPartition(topic, partition)).deleted.compactMap { entry -> (offset: Int64, record: ClusterRecord)? in
            guard entry.standing == .visible, case .record(let record) = entry.content else { return nil }
            return (entry.offset, record)
        }
        return deleted + records(topic, partition: partition)
    }

    /// The committed records, and those of transactions that are going to be: their end is decided, and only the marker has
    /// not been written here yet.
    public func decided(_ topic: ClusterTopic, partition: Int32) -> [ClusterRecord] {
        let committing = Set(transactions.transactions.values.lazy.filter { $0.state == .preparing(commits: true) }
            .map(\.identity.producerID))
        return log(TopicPartition(topic, partition)).entries.compactMap { entry in
            guard case .record(let record) = entry.content else { return nil }
            let isDecided = entry.standing == .visible || entry.standing == .open && committing.contains(entry.producerID)
            return isDecided ? record : nil
        }
    }

    /// Deletes a partition and makes it anew, empty.
    public func recreate(_ topic: ClusterTopic, partition: Int32) { logs[TopicPartition(topic, partition)] = PartitionLog() }

    /// The log start offset, the last stable offset and the end of a partition.
    public func bounds(_ topic: ClusterTopic, partition: Int32) -> (first: Int64, stable: Int64, end: Int64) {
        let log = log(TopicPartition(topic, partition))
        return (log.first, log.stable, log.end)
    }

    /// What the group has committed; open transactions don't count.
    public func committed(_ partition: InputPartition) -> Int64? { group.committed(partition) }

    /// Whether every committed input record lies below the committed offsets, with no transaction of the group's open.
    public var isDrained: Bool { isDrained { _ in nil } }

    /// The same where offsets may have expired: `position` tells what was committed nevertheless.
    func isDrained(_ position: (InputPartition) -> Int64?) -> Bool {
        guard (try? group.fetch(inputPartitions)) != nil else { return false }
        return inputPartitions.allSatisfy { place in
            let log = log(TopicPartition(.input(place.input), place.partition))
            return log.stable == log.end && !log.hasVisible(from: group.committed(place) ?? position(place) ?? log.first, below: log.end)
        }
    }

    /// No transaction is open anywhere.
    public var isQuiet: Bool { logs.values.allSatisfy { $0.stable == $0.end } }

    /// No open transaction has committed offsets of the group.
    var isStable: Bool { (try? group.fetch(inputPartitions)) != nil }

    /// Where transactions are open, for messages.
    var unquiet: [String] { logs.filter { $0.value.stable < $0.value.end }.map { "\($0.key)" }.sorted() }

    /// Members of the group now.
    public var memberCount: Int { group.members.count }

    /// Sets a committed offset, or deletes it, as an operator does or expiry.
    public func setCommitted(_ partition: InputPartition, to offset: Int64?) { group.set(partition, to: offset) }

    /// Retention deletes the records below an offset.
    public func delete(_ topic: ClusterTopic, partition: Int32, below offset: Int64) {
        log(TopicPartition(topic, partition)).delete(below: offset)
    }

    /// Compacts a partition up to `bound` (nil: as far as may be).
    public func compact(_ topic: ClusterTopic, partition: Int32, below bound: Int64? = nil) {
        log(TopicPartition(topic, partition)).compact(
            below: bound ?? .max, now: now, deleteRetention: options.deleteRetention)
    }

    /// A process that lives in this cluster's world.
    public func process(_ name: String) -> SimulatedProcess {
        let process = SimulatedProcess(name: name, cluster: self)
        processes.append(process)
        return process
    }

    func forget(_ process: SimulatedProcess) { processes.removeAll { $0 === process } }
}
