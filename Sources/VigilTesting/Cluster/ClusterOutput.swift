import Events
import Runtime

/// A producer of a simulated cluster, idempotent, and transactional where it has an id.
final class ClusterOutput: OutputLog {
    private struct Queued {
        var place: TopicPartition
        var record: ClusterRecord
    }

    /// A request to end the transaction that is under way.
    private struct Ending {
        var commits: Bool
        /// When its answer arrives; nil: never.
        var answered: Int64?
        var answer: Result<Void, BrokerError>
        /// When nobody waits for it any more.
        var givenUp: Int64
    }

    private let process: SimulatedProcess
    private var cluster: SimulatedCluster { process.cluster }
    private let id: String?
    private var identity: TransactionCoordinator.Identity?
    private var queue: [Queued] = []
    /// What the coordinator was told of for the open transaction.
    private var targets: Set<TransactionTarget> = []
    /// The open transaction has the offsets.
    private var hasSentOffsets = false
    private var ending: Ending?
    /// The transaction can only be aborted.
    private var abortable: LogFailure?
    /// This producer is of no more use.
    private var broken: LogFailure?
    /// The offset after the last record that arrived, and after the last one known to have.
    private var arrived: [TopicPartition: Int64] = [:]
    private var acknowledged: [TopicPartition: Int64] = [:]

    init(process: SimulatedProcess, transactionalID: String?) {
        self.process = process
        id = transactionalID
    }

    var isTransactional: Bool { id != nil }

    func prepare() throws(LogFailure) {
        try process.call(.prepare) { () throws(LogFailure) in
            guard let id else { return }
            if broken != nil { remake() }
            let deadline = cluster.now + cluster.options.callTimeout
            while process.isReachable {
                let cluster = cluster
                if let identity = try? cluster.transactions.initialise(
                    id, timeout: cluster.options.transactionTimeout, end: { cluster.write($0) })
                {
                    self.identity = identity
                    return
                }
                guard cluster.now < deadline else { break }
                wait(milliseconds: 1)
            }
            throw process.unanswered("initialising transactions")
        }
    }

    /// A producer of no more use is replaced by a new one under the same id.
    private func remake() {
        scatterQueue()
        forgetTransaction()
        identity = nil
        ending = nil
        broken = nil
    }

    private func wait(milliseconds: Int64) {
        cluster.clock.advance(milliseconds: Int(milliseconds))
        cluster.settle()
    }

    // MARK: Producing

    func produce(_ output: Effects.Output, of effects: borrowing Effects) throws(LogFailure) {
        let record = ClusterRecord(output, of: effects)
        let partition = record.key.map { cluster.partition(forKey: $0) }
            ?? Int32.random(in: 0..<cluster.options.partitions, using: &cluster.random)
        try enqueue(record, to: TopicPartition(output.kind == .deadLetter ? .deadLetters : .decisions, partition))
    }

    func produce(_ record: InternalRecord) throws(LogFailure) {
        let copy = ClusterRecord(
            key: record.key.isPresent ? Array(record.key.bytes) : nil,
            value: record.value.isPresent ? Array(record.value.bytes) : nil)
        try enqueue(copy, to: TopicPartition(ClusterTopic(record.topic), record.partition))
    }

    private func enqueue(_ record: ClusterRecord, to place: TopicPartition) throws(LogFailure) {
        try process.call(.produce) { () throws(LogFailure) in
            try check()
            if hasSentOffsets || ending != nil { throw .stop("a record is produced while a transaction ends") }
            guard queue.count < cluster.options.queueRecords else { throw .retry("the producer's queue is full") }
            queue.append(Queued(place: place, record: record))
            if Int.random(in: 0..<8, using: &cluster.random) == 0 {
                deliver(most: Int.random(in: 1...queue.count, using: &cluster.random))
            }
        }
    }

    private func check() throws(LogFailure) {
        if let broken { throw broken }
        if let abortable { throw abortable }
        if id != nil && identity == nil { throw .stop("produced before the transactional producer was prepared") }
    }

    /// Sends the first records of the queue.
    private func deliver(most: Int) {
        guard process.isReachable else { return }
        var sent = 0
        for queued in queue.prefix(most) {
            do {
                try add(.partition(queued.place))
                let offset = try cluster.append(queued.record, to: queued.place, id: id, as: identity, adds: false)
                arrived[queued.place] = offset + 1
                sent += 1
            } catch .concurrentTransactions {
                break
            } catch {
                fail(error)
                break
            }
        }
        queue.removeFirst(sent)
        if cluster.now >= cluster.unacknowledgedUntil { acknowledged = arrived }
    }

    private func add(_ target: TransactionTarget) throws(BrokerError) {
        guard let id, let identity, !targets.contains(target) else { return }
        try cluster.add(target, id: id, as: identity)
        targets.insert(target)
    }

    private func fail(_ error: BrokerError) {
        switch error {
        case .transactionAbortable, .illegalGeneration, .unknownMember, .rebalanceInProgress, .unstableOffsets,
            .fencedInstance:
            abortable = .aborted("the transaction can't be committed: \(error)")
        case .producerFenced, .concurrentTransactions, .invalidTransactionState:
            // Whether by a successor, by the timeout or by an end that came late: this producer can't tell.
            broken = .unknown("the producer \(id ?? "") is of no more use: \(error)")
        }
    }

    func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool {
        try process.call(.flush) { () throws(LogFailure) in try flush(until: cluster.now + Int64(timeoutMilliseconds)) }
    }

    /// Sends everything and waits for the answers, at most until that moment.
    private func flush(until deadline: Int64) throws(LogFailure) -> Bool {
        while true {
            try check()
            deliver(most: queue.count)
            try check()
            if queue.isEmpty && acknowledged == arrived { return true }
            guard cluster.now < deadline else { return false }
            let moment = process.isReachable ? max(cluster.now + 1, cluster.unacknowledgedUntil) : deadline
            wait(milliseconds: min(moment, deadline) - cluster.now)
            if process.isReachable, cluster.now >= cluster.unacknowledgedUntil { acknowledged = arrived }
        }
    }

    func acknowledged(_ topic: InternalTopic, partition: Int32) -> Int64? {
        acknowledged[TopicPartition(ClusterTopic(topic), partition)]
    }

    // MARK: Ending transactions

    func commit(
        _ positions: [InputPosition], as member: any GroupMembership, timeoutMilliseconds: Int
    ) throws(LogFailure) {
        try process.call(.commitTransaction) { () throws(LogFailure) in
            guard id != nil else { throw .stop("this output has no transactions") }
            let deadline = cluster.now + Int64(timeoutMilliseconds)
            if ending == nil {
                guard try flush(until: deadline) else { throw .retry("committing: not everything is acknowledged yet") }
                if !hasSentOffsets, !positions.isEmpty { try sendOffsets(positions, as: member, until: deadline) }
                guard !targets.isEmpty else { return }
                try process.probe(.ending)
            }
            try end(commits: true, until: deadline)
            try process.probe(.ended)
        }
    }

    private func sendOffsets(
        _ positions: [InputPosition], as member: any GroupMembership, until deadline: Int64
    ) throws(LogFailure) {
        guard let member = member as? ClusterMembership else { throw .stop("the membership is of another log") }
        try process.probe(.sendingOffsets)
        try ask("adding offsets to the transaction", until: deadline) { () throws(BrokerError) in
            try add(.offsets)
            try cluster.transactions.verify(.offsets, of: id!, as: identity!)
            try cluster.group.validate(
                member.id, instance: member.instance, generation: member.generation, isTransactional: true)
            cluster.group.commit(positions, of: identity!.producerID)
        }
        hasSentOffsets = true
        try process.probe(.sentOffsets)
    }

    /// A request that may be made again as it is, until it is answered or time runs out.
    private func ask(_ doing: String, until deadline: Int64, _ request: () throws(BrokerError) -> Void) throws(LogFailure) {
        if cluster.lostOffsetRequests > 0 {
            cluster.lostOffsetRequests -= 1
            wait(milliseconds: max(0, deadline - cluster.now))
            throw .retry("\(doing): the broker doesn't answer")
        }
        while process.isReachable {
            do {
                try request()
                return
            } catch .concurrentTransactions {
                guard cluster.now < deadline else { break }
                wait(milliseconds: 1)
            } catch {
                fail(error)
                try check()
            }
        }
        wait(milliseconds: max(0, deadline - cluster.now))
        throw .retry("\(doing): the broker doesn't answer")
    }

    /// Sends the request to end the transaction once, and waits for its answer for as long as calls allow.
    private func end(commits: Bool, until deadline: Int64) throws(LogFailure) {
        if ending == nil { ending = request(commits: commits) }
        while let current = ending {
            if let moment = current.answered, moment <= cluster.now, process.isReachable {
                ending = nil
                switch current.answer {
                case .success: forgetTransaction()
                case .failure(let error):
                    fail(error)
                    try check()
                }
                return
            }
            if current.givenUp <= cluster.now {
                if cluster.options.repeatsUnknownEnds, process.isReachable {
                    ending = request(commits: current.commits)
                    continue
                }
                let failure = LogFailure.unknown("the end of the transaction of \(id ?? "") was not answered")
                broken = failure
                throw failure
            }
            guard cluster.now < deadline else { throw .retry("ending the transaction: the broker has not answered yet") }
            let next = process.isReachable ? min(current.answered ?? .max, current.givenUp) : current.givenUp
            wait(milliseconds: max(1, min(next, deadline) - cluster.now))
        }
    }

    private func request(commits: Bool) -> Ending {
        let fault = !process.isReachable ? .requestLost : cluster.endFaults.isEmpty ? .answered : cluster.endFaults.removeFirst()
        var ending = Ending(
            commits: commits, answered: nil, answer: .success(()), givenUp: cluster.now + cluster.options.endTimeout)
        guard let id, let identity else { return ending }
        switch fault {
        case .answered:
            ending.answered = cluster.now + Int64.random(in: 0...2, using: &cluster.random)
            ending.answer = perform(id, identity, commits)
        case .requestLost: break
        case .answerLost: _ = perform(id, identity, commits)
        case .delayed(let milliseconds):
            cluster.schedule(.end(id: id, identity: identity, commits: commits), at: cluster.now + milliseconds)
        }
        return ending
    }

    private func perform(
        _ id: String, _ identity: TransactionCoordinator.Identity, _ commits: Bool
    ) -> Result<Void, BrokerError> {
        do {
            cluster.write(try cluster.transactions.end(id, as: identity, commits: commits))
            return .success(())
        } catch .concurrentTransactions {
            // It is being ended as asked.
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    private func forgetTransaction() {
        queue = []
        targets = []
        hasSentOffsets = false
        abortable = nil
    }

    func abort() throws(LogFailure) {
        try process.call(.abort) { () throws(LogFailure) in
            if let broken { throw broken }
            guard id != nil else { return }
            if ending == nil {
                if abortable == nil { deliver(most: Int.random(in: 0...queue.count, using: &cluster.random)) }
                queue = []
                if let broken { throw broken }
                guard !targets.isEmpty else { return forgetTransaction() }
            } else if ending?.commits == true {
                // What was asked can't be taken back.
                let failure = LogFailure.unknown("aborting while the commit of \(id ?? "") is not answered")
                broken = failure
                throw failure
            }
            abortable = nil
            try end(commits: false, until: cluster.now + cluster.options.callTimeout)
        }
    }

    func close() {
        process.forget(self)
        if !process.isDead { perish() }
    }

    /// The producer ends without waiting for anything; a transaction stays open.
    func perish() {
        if process.isReachable { scatterQueue() }
        queue = []
        broken = .stop("the producer is closed")
    }

    /// What is queued may still arrive, of each partition's records the first so many, now or somewhat later.
    private func scatterQueue() {
        var byPlace: [(place: TopicPartition, records: [ClusterRecord])] = []
        for queued in queue {
            if let index = byPlace.firstIndex(where: { $0.place == queued.place }) {
                byPlace[index].records.append(queued.record)
            } else {
                byPlace.append((queued.place, [queued.record]))
            }
        }
        queue = []
        for (place, records) in byPlace {
            let count = Int.random(in: 0...records.count, using: &cluster.random)
            guard count > 0 else { continue }
            let later = Int64.random(in: 0...cluster.options.lateArrival, using: &cluster.random)
            cluster.schedule(
                .arrival(id: id, identity: identity, place: place, records: Array(records.prefix(count))),
                at: cluster.now + later)
        }
    }
}
