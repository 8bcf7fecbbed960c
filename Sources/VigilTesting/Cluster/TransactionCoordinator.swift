/// What a broker refuses a request with, by Kafka's names.
enum BrokerError: Error {
    case concurrentTransactions, producerFenced, invalidTransactionState, transactionAbortable
    case illegalGeneration, unknownMember, fencedInstance, rebalanceInProgress, unstableOffsets
}

/// What a transaction writes to: partitions, and the group's offsets.
enum TransactionTarget: Hashable {
    case partition(TopicPartition)
    case offsets
}

/// The transactional ids of a cluster and where their transactions stand. Follows Kafka's TransactionCoordinator for
/// clients without KIP-890 (librdkafka): the epoch stays the same from one transaction to the next.
///
///     empty ──add──▶ ongoing ──end──▶ preparing ──last marker──▶ complete ──add──▶ ongoing …
///                       └─ timeout, or another init: epoch + 1, then end with abort
struct TransactionCoordinator {
    enum State: Equatable {
        case empty, ongoing
        case preparing(commits: Bool)
        case complete(commits: Bool)
    }

    struct Identity: Equatable {
        var producerID: Int64
        var epoch: Int
    }

    struct Transaction {
        var identity: Identity
        var state = State.empty
        var timeout: Int64
        var begun: Int64 = 0
        /// In the order they were added, so that the same seed gives the same run.
        var targets: [TransactionTarget] = []
        /// Markers still to be written.
        var markersLeft = 0
    }

    /// A marker to be written.
    struct Marker {
        var transactionalID: String
        var producerID: Int64
        var target: TransactionTarget
        var commits: Bool
    }

    private(set) var transactions: [String: Transaction] = [:]
    private var nextProducerID: Int64 = 1000

    /// InitProducerId. A transaction still open is aborted first, which the answer `concurrentTransactions` tells: ask
    /// again. `end` writes the markers it is given.
    mutating func initialise(
        _ id: String, timeout: Int64, end: ([Marker]) -> Void
    ) throws(BrokerError) -> Identity {
        guard var transaction = transactions[id] else {
            let identity = Identity(producerID: nextProducerID, epoch: 0)
            nextProducerID += 1
            transactions[id] = Transaction(identity: identity, timeout: timeout)
            return identity
        }
        switch transaction.state {
        case .preparing: throw .concurrentTransactions
        case .ongoing:
            end(fence(id))
            throw .concurrentTransactions
        case .empty, .complete:
            transaction.identity.epoch += 1
            transaction.state = .empty
            transaction.timeout = timeout
            transactions[id] = transaction
            return transaction.identity
        }
    }

    /// AddPartitionsToTxn and AddOffsetsToTxn. True when this begins the transaction.
    mutating func add(_ target: TransactionTarget, to id: String, as identity: Identity, now: Int64) throws(BrokerError) -> Bool {
        guard var transaction = transactions[id], transaction.identity == identity else { throw .producerFenced }
        var begins = false
        switch transaction.state {
        case .preparing: throw .concurrentTransactions
        case .ongoing: break
        case .empty, .complete:
            begins = true
            transaction.state = .ongoing
            transaction.begun = now
            transaction.targets = []
        }
        if !transaction.targets.contains(target) { transaction.targets.append(target) }
        transactions[id] = transaction
        return begins
    }

    /// What a partition's leader asks before it takes a transactional record.
    func verify(_ target: TransactionTarget, of id: String, as identity: Identity) throws(BrokerError) {
        guard let transaction = transactions[id], transaction.identity == identity else { throw .producerFenced }
        guard transaction.state == .ongoing, transaction.targets.contains(target) else { throw .transactionAbortable }
    }

    /// EndTxn. Returns the markers to write; none when this is a repetition.
    mutating func end(_ id: String, as identity: Identity, commits: Bool) throws(BrokerError) -> [Marker] {
        guard let transaction = transactions[id], transaction.identity == identity else { throw .producerFenced }
        switch transaction.state {
        case .ongoing: return prepare(id, commits: commits)
        case .complete(let committed) where committed == commits: return []
        case .preparing(let committed) where committed == commits: throw .concurrentTransactions
        case .complete, .preparing, .empty: throw .invalidTransactionState
        }
    }

    /// The epoch moves on, which shuts the producer out, and the open transaction is aborted.
    private mutating func fence(_ id: String) -> [Marker] {
        transactions[id]!.identity.epoch += 1
        return prepare(id, commits: false)
    }

    private mutating func prepare(_ id: String, commits: Bool) -> [Marker] {
        let transaction = transactions[id]!
        transactions[id]!.state = .preparing(commits: commits)
        transactions[id]!.markersLeft = transaction.targets.count
        return transaction.targets.map {
            Marker(transactionalID: id, producerID: transaction.identity.producerID, target: $0, commits: commits)
        }
    }

    /// Aborts the transaction that began at that moment under that identity, if it still goes on.
    mutating func timeOut(_ id: String, as identity: Identity, begun: Int64) -> [Marker] {
        guard let transaction = transactions[id], transaction.identity == identity, transaction.begun == begun,
            transaction.state == .ongoing
        else { return [] }
        return fence(id)
    }

    /// A marker of this id was written.
    mutating func wrote(_ marker: Marker) {
        guard var transaction = transactions[marker.transactionalID] else { return }
        transaction.markersLeft -= 1
        if transaction.markersLeft == 0 {
            transaction.state = .complete(commits: marker.commits)
            transaction.targets = []
        }
        transactions[marker.transactionalID] = transaction
    }
}
