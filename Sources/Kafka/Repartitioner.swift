import CRdKafka
import Events
import struct Logging.Logger
import Runtime

/// Lays the records of topics whose keys can't be trusted out anew, by who they are about: reads each source, finds
/// tenant and user, and writes the record under that key to an internal topic, which the engine reads instead.
/// Value, headers and timestamp stay as they are. A record that names nobody keeps its own key, or none, and becomes a
/// dead letter downstream.
///
/// With a transactional id what is written and how far was read are committed together; without one, records may be
/// written twice after a failure, which the engine sees as two records. Works in a group of its own. Make it and use
/// it on one thread.
public final class Repartitioner {
    /// Who a record is about; nil when it names nobody. `Record.input` is the source's index. The bytes returned must
    /// stay valid until the next call.
    public typealias Subject = (Record) -> (tenant: ByteView, user: ByteView)?

    /// Milliseconds between commits while there is something to commit.
    public static let commitMilliseconds = 100
    /// Of a record that is too large to be written again this much is kept: enough for the engine to find it too large.
    static let keptValueBytes = 512 * 1024

    private let sources: [String]
    private let targets: [Topic]
    private let makeInput: () throws(LogFailure) -> KafkaInputLog
    private var input: KafkaInputLog
    private let producer: Producer
    private let subject: Subject
    private let logger: Logger

    private var batch: [Record] = []
    private var key: [UInt8] = []
    /// Nil while the group has given none, or wants them back.
    private var assigned: [InputPartition]?
    private var member: (any GroupMembership)?
    /// Read and not yet committed: the next offset of each partition.
    private var next: [InputPartition: Int64] = [:]
    /// What a commit that must be made again commits; nothing is read meanwhile.
    private var committing: [InputPosition]?
    /// Reading does not run: it begins, or begins anew, at the committed offsets.
    private var isHalted = false
    private var commitDue: Int?
    private var complaint = ""
    /// Records written since this was made, aborted ones included.
    public private(set) var forwarded: UInt64 = 0

    /// Something was written that is not committed yet.
    var hasUncommitted: Bool { !next.isEmpty || committing != nil }

    /// It has partitions and reads them.
    public var isReading: Bool { assigned?.isEmpty == false && !isHalted }

    /// The internal topic of a source.
    public static func topic(group: String, source: String) -> String { "\(group)-\(source)-repartition" }

    /// - Parameters:
    ///   - properties: librdkafka's, as in the pipeline file. The key is laid out by property `partitioner`, by default
    ///     as Java does.
    ///   - sources: the topics to read, of any number of partitions.
    ///   - group: the pipeline's; this joins `<group>-repartition`.
    ///   - instance: the static member id, or nil for dynamic membership.
    ///   - transactionalID: nil for at-least-once. No two live ones may share one.
    ///   - queueBytes: most bytes read ahead, and most bytes waiting for acknowledgement.
    /// - Throws: `.stop` for a property that is refused.
    public init(
        properties: [String: String], sources: [String], group: String, instance: String? = nil,
        transactionalID: String?, queueBytes: Int = 16 * 1024 * 1024, logger: Logger, subject: @escaping Subject
    ) throws(LogFailure) {
        self.sources = sources
        self.subject = subject
        self.logger = logger
        targets = sources.map { Topic(Self.topic(group: group, source: $0)) }
        makeInput = { () throws(LogFailure) in
            try KafkaInputLog(
                properties: properties, topics: sources, group: "\(group)-repartition", instance: instance,
                queueBytes: queueBytes, isCoPartitioned: false, logger: logger)
        }
        input = try makeInput()
        producer = try Producer(
            properties: properties, transactionalID: transactionalID, queueBytes: queueBytes, logger: logger)
    }

    /// Works until a stop is requested, then commits what it has and leaves the group.
    /// - Parameter progress: called after every round, on this thread.
    /// - Throws: `.stop` when an operator is needed; that is logged too.
    public func run(
        until stop: StopRequest, progress: (Repartitioner) -> Void = { _ in }
    ) throws(LogFailure) {
        defer { close() }
        do {
            while !stop.isRequested {
                try turn()
                progress(self)
            }
        } catch {
            logger.error("repartitioning stopped", metadata: ["reason": "\(error)"])
            throw error
        }
        settle(withinMilliseconds: 5_000)
        logger.info("repartitioning ended", metadata: ["records": "\(forwarded)"])
    }

    /// One round of the loop. Only what needs an operator is thrown.
    func turn() throws(LogFailure) {
        do {
            try round()
            complain("")
        } catch .retry(let why) {
            complain(why)
        } catch .aborted(let why), .unknown(let why) {
            complain(why)
            halt()
        } catch .fenced(let why) {
            complain(why)
            forget()
            input.close()
            input = try makeInput()
        } catch {
            throw error
        }
    }

    func close() {
        input.close()
        producer.close()
    }

    // MARK: The loop

    private func round() throws(LogFailure) {
        batch.removeAll(keepingCapacity: true)
        let wait = commitDue.map { max(0, min(100, $0 - monotonicMilliseconds())) } ?? 100
        switch try input.poll(into: &batch, maxRecords: 1_000, timeoutMilliseconds: wait) {
        case .records: if !isHalted, committing == nil { try forward() }
        case .assigned(let partitions):
            forget()
            assigned = partitions
            isHalted = true
        case .revoked:
            settle(withinMilliseconds: 2_000)
            forget()
            try input.release()
        case .lost:
            forget()
            try input.release()
        case .ended: break
        }
        if isHalted { try begin() }
        if committing != nil || commitDue.map({ $0 <= monotonicMilliseconds() }) == true { try commit() }
    }

    private func forward() throws(LogFailure) {
        if batch.isEmpty { return }
        try producer.check()
        if producer.isTransactional { try producer.begin() }
        for (index, record) in batch.enumerated() {
            try forward(record, input.held[index])
            next[InputPartition(input: Int(record.input), partition: record.partition)] = record.offset + 1
        }
        rd_kafka_poll(producer.client.handle, 0)
        commitDue = commitDue ?? monotonicMilliseconds() + Self.commitMilliseconds
    }

    private func forward(
        _ record: Record, _ message: UnsafePointer<rd_kafka_message_t>
    ) throws(LogFailure) {
        let target = targets[Int(record.input)]
        let isNamed = writeKey(of: record)
        let until = monotonicMilliseconds() + 5_000
        while true {
            let error = target.bytes.withUnsafeBufferPointer { name in
                key.withUnsafeBufferPointer { bytes in
                    vk_forward(
                        producer.client.handle, name.baseAddress, isNamed ? bytes.baseAddress : record.key.base,
                        isNamed ? bytes.count : record.key.count, message, Self.keptValueBytes)
                }
            }
            if error == RD_KAFKA_RESP_ERR_NO_ERROR { break }
            let words = "topic \(target.name): the record of \(sources[Int(record.input)])/\(record.partition) at offset \(record.offset) was not taken: \(text(error))"
            switch try producer.refusal(error, words) {
            case .retry(let why):
                // Acknowledgements make room; without them everything since the last commit is read again later.
                guard monotonicMilliseconds() < until else { throw .aborted(why) }
                _ = try producer.flush(timeoutMilliseconds: 100)
            case let other: throw other
            }
        }
        forwarded += 1
    }

    /// Sets `key`; false for a record that names nobody.
    private func writeKey(of record: Record) -> Bool {
        guard let found = subject(record), !found.user.isEmpty else { return false }
        key.removeAll(keepingCapacity: true)
        if !found.tenant.isEmpty {
            key += found.tenant.bytes
            key.append(UInt8(ascii: "/"))
        }
        key += found.user.bytes
        return true
    }

    // MARK: Committing

    private func commit() throws(LogFailure) {
        let positions = committing ?? next.map { InputPosition(partition: $0.key, offset: $0.value) }
        guard !positions.isEmpty, let member else {
            commitDue = nil
            return
        }
        let isRetry = committing != nil
        committing = positions
        do {
            try commit(positions, as: member)
        } catch {
            if !isRetry, case .retry = error { try input.setPaused(Set(assigned ?? [])) }
            throw error
        }
        committing = nil
        next = [:]
        commitDue = nil
        if isRetry { try input.setPaused([]) }
    }

    private func commit(_ positions: [InputPosition], as member: any GroupMembership) throws(LogFailure) {
        if producer.isTransactional {
            try producer.commit(positions, as: member, timeoutMilliseconds: 1_000, probe: nil)
        } else if try producer.flush(timeoutMilliseconds: 1_000) {
            try input.commit(positions)
        } else {
            throw .retry("records are not acknowledged yet")
        }
    }

    /// Commits what was forwarded, as far as that can be done in time. What was not is read again by whoever is next.
    private func settle(withinMilliseconds limit: Int) {
        let until = monotonicMilliseconds() + limit
        while !isHalted, hasUncommitted {
            do {
                try commit()
            } catch {
                guard case .retry = error, monotonicMilliseconds() < until else {
                    complain(error.description)
                    return
                }
            }
        }
    }

    // MARK: Beginning, and beginning anew

    /// Stops reading until `begin` has gone back to what was committed.
    private func halt() {
        isHalted = true
        dropWork()
        // A pause that fails costs no more than records that are dropped.
        try? input.setPaused(Set(assigned ?? []))
    }

    /// Forgets the assignment and everything that belongs to it.
    private func forget() {
        isHalted = false
        dropWork()
        assigned = nil
        member = nil
    }

    private func dropWork() {
        next = [:]
        committing = nil
        commitDue = nil
    }

    /// Ends what an earlier life or a failed transaction left open, and reads on from what was committed.
    private func begin() throws(LogFailure) {
        guard let assigned else { return }
        if member == nil { member = try input.membership() }
        if producer.isTransactional {
            if case .dead = producer.transaction {} else { try producer.abort() }
            try producer.prepare()
        }
        let committed = try input.committed(assigned)
        let bounds = try input.bounds(assigned)
        var positions: [InputPosition] = []
        for (partition, (found, bound)) in zip(assigned, zip(committed, bounds)) {
            var offset = found ?? bound.first
            if offset < bound.first || offset > bound.end {
                let place = "\(sources[partition.input])/\(partition.partition)"
                logger.error(
                    "\(place): committed offset \(offset) is not in the log, which holds \(bound.first) to \(bound.end): records were deleted before they were read, or the topic was made anew. Reading begins at \(bound.first)")
                offset = bound.first
            }
            positions.append(InputPosition(partition: partition, offset: offset))
        }
        try input.start(at: positions)
        try input.setPaused([])
        isHalted = false
    }

    private func complain(_ why: String) {
        guard why != complaint else { return }
        if why.isEmpty {
            logger.notice("repartitioning goes on")
        } else {
            logger.warning("repartitioning waits; trying on", metadata: ["reason": "\(why)"])
        }
        complaint = why
    }
}
