import CRdKafka
import Runtime

/// Transactions. Every call is bounded and may be made again after `.retry`.
///
/// One bound is loose in librdkafka 2.0.2: offsets are sent with a request that waits for an unreachable coordinator
/// as long as the transaction may last.
extension Producer {
    /// Aborts what an earlier producer of this transactional id left open, and shuts it out. Once for each client; one
    /// that is dead is replaced.
    /// - Throws: `.retry` while no coordinator answers, `.stop` when access or the timeout is refused.
    func prepare(timeoutMilliseconds: Int = 2_000) throws(LogFailure) {
        guard isTransactional else { return }
        if case .dead = transaction { try remake() }
        guard transaction == .unprepared else { return }
        if let problem = Problem(rd_kafka_init_transactions(client.handle, Int32(timeoutMilliseconds))) {
            let words = "preparing transactions: \(client.events.redacted(problem.text))"
            if isFinal(problem.code) { throw .stop(words) }
            if problem.code == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT {
                throw .stop("\(words): lower Kafka property `transaction.timeout.ms` below the broker's transaction.max.timeout.ms")
            }
            if !problem.isRetriable { try remake() }
            throw .retry(words)
        }
        client.events.failure = nil
        transaction = .idle
    }

    /// Begins a transaction where none is open.
    func begin() throws(LogFailure) {
        switch transaction {
        case .open: return
        case .idle: break
        case .dead(let why): throw .unknown(why)
        case .unprepared: throw .stop("a transactional producer is used before prepare()")
        case .sealed, .ending, .aborting: throw .stop("a record is produced while a transaction ends")
        }
        // After a fatal error the call below would not return.
        if let why = fatalReason { throw dies(why) }
        if let problem = Problem(rd_kafka_begin_transaction(client.handle)) {
            throw failure(problem, "beginning a transaction")
        }
        transaction = .open
    }

    /// Commits the open transaction together with the positions, fenced by the membership. With neither records nor
    /// positions there is nothing to do.
    /// - Throws: `.retry`, after which only the same call, or `abort` unless the end was under way, may follow;
    ///   `.aborted` when the transaction must be aborted; `.unknown` when its outcome can't be learned from this client.
    func commit(
        _ positions: [InputPosition], as member: any GroupMembership, timeoutMilliseconds: Int, probe: ShardProbe?
    ) throws(LogFailure) {
        let until = monotonicMilliseconds() + timeoutMilliseconds
        func remaining() -> Int32 { Int32(clamping: max(1, until - monotonicMilliseconds())) }
        if transaction == .idle || transaction == .unprepared, positions.isEmpty { return }
        if transaction == .idle || transaction == .unprepared { try begin() }
        if transaction == .open {
            // librdkafka would flush at the end, after the offsets have gone.
            guard try flush(timeoutMilliseconds: timeoutMilliseconds) else {
                throw .retry("\(rd_kafka_outq_len(client.handle)) records are not acknowledged yet")
            }
            if !positions.isEmpty {
                try probe?(.sendingOffsets)
                try sendOffsets(positions, as: member, timeoutMilliseconds: remaining())
            }
            transaction = .sealed
            if !positions.isEmpty { try probe?(.sentOffsets) }
        }
        if transaction == .sealed {
            try probe?(.ending)
            transaction = .ending(since: monotonicMilliseconds())
        }
        try end(timeoutMilliseconds: remaining())
        try probe?(.ended)
    }

    private func sendOffsets(
        _ positions: [InputPosition], as member: any GroupMembership, timeoutMilliseconds: Int32
    ) throws(LogFailure) {
        guard let member = member as? KafkaMembership else {
            throw .stop("offsets can't go into a Kafka transaction without a Kafka group's membership")
        }
        let list = TopicPartitions(positions, topics: member.topics)
        let error = rd_kafka_send_offsets_to_transaction(
            client.handle, list.list, member.metadata.pointer, timeoutMilliseconds)
        if let problem = Problem(error) { throw failure(problem, "sending offsets to the transaction") }
    }

    private func end(timeoutMilliseconds: Int32) throws(LogFailure) {
        switch transaction {
        case .ending(let since):
            guard let problem = Problem(rd_kafka_commit_transaction(client.handle, timeoutMilliseconds)) else {
                // A request to end that was sent again may still be under way, and would end the next transaction of the
                // same epoch (KIP-890): a new producer has another epoch.
                transaction = wasEndRetried ? .dead("the end of a transaction was asked for again") : .idle
                wasEndRetried = false
                client.events.sawBroker()
                return
            }
            switch failure(problem, "committing") {
            case .retry(let words):
                wasEndRetried = true
                // After that long the coordinator has ended it, one way or the other.
                if monotonicMilliseconds() - since <= transactionMilliseconds { throw .retry(words) }
                throw dies("\(words); the coordinator has been silent for \(transactionMilliseconds) ms")
            case .aborted(let words):
                // Only for records that were not delivered is it sure that the end was not asked for: a transaction
                // may have failed here and yet been committed there.
                if problem.code != RD_KAFKA_RESP_ERR__INCONSISTENT { throw dies(words) }
                transaction = .open
                throw .aborted(words)
            case .unknown(let words), .fenced(let words): throw dies(words)
            case .stop(let words): throw .stop(words)
            }
        case .dead(let why): throw .unknown(why)
        case .aborting: throw .stop("a transaction that is being aborted can't be committed")
        case .unprepared, .idle, .open, .sealed: throw .stop("no transaction is ending")
        }
    }

    /// Aborts the open transaction, with everything still queued for it; nothing to do where none is open.
    /// - Throws: `.retry`, after which only the same call may follow; `.unknown` when this client can't tell the end.
    func abort(timeoutMilliseconds: Int = 2_000) throws(LogFailure) {
        switch transaction {
        case .unprepared, .idle:
            forgetDeliveries()
            return
        case .dead(let why): throw .unknown(why)
        case .ending: throw dies("a transaction whose end was under way can't be aborted")
        case .open, .sealed, .aborting: transaction = .aborting
        }
        if let problem = Problem(rd_kafka_abort_transaction(client.handle, Int32(timeoutMilliseconds))),
            problem.code != RD_KAFKA_RESP_ERR__STATE || problem.isFatal {
            switch failure(problem, "aborting") {
            case .retry(let words): throw .retry(words)
            case .stop(let words): throw .stop(words)
            case .aborted(let words), .unknown(let words), .fenced(let words): throw dies(words)
            }
        }
        forgetDeliveries()
        transaction = .idle
    }

    /// What is to be done about an error of a transactional call.
    private func failure(_ problem: Problem, _ doing: String) -> LogFailure {
        rd_kafka_poll(client.handle, 0)
        let words = "\(doing): \(client.events.redacted(problem.text))"
        if isFinal(problem.code) { return .stop(words) }
        if problem.isFatal { return dies(words) }
        if problem.requiresAbort { return .aborted(words) }
        if problem.isRetriable { return .retry(words) }
        return dies(words)
    }

    private var fatalReason: String? {
        var reason = [CChar](repeating: 0, count: 512)
        guard rd_kafka_fatal_error(client.handle, &reason, reason.count) != RD_KAFKA_RESP_ERR_NO_ERROR else {
            return nil
        }
        return client.events.redacted(text(reason))
    }
}

/// What a transactional call answers when it did not succeed.
private struct Problem {
    let code: rd_kafka_resp_err_t
    let text: String
    let isFatal: Bool
    let isRetriable: Bool
    let requiresAbort: Bool

    /// Nil for success. Takes the error over.
    init?(_ error: OpaquePointer?) {
        guard let error else { return nil }
        defer { rd_kafka_error_destroy(error) }
        code = rd_kafka_error_code(error)
        text = rd_kafka_error_string(error).map { String(cString: $0) } ?? ""
        isFatal = rd_kafka_error_is_fatal(error) != 0
        isRetriable = rd_kafka_error_is_retriable(error) != 0
        requiresAbort = rd_kafka_error_txn_requires_abort(error) != 0
    }
}
