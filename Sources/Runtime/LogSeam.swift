import Events

/// A partition of one input.
public struct InputPartition: Hashable, Sendable {
    /// Index into `EnginePlan.inputs`.
    public var input: Int
    public var partition: Int32
    public init(input: Int, partition: Int32) {
        self.input = input
        self.partition = partition
    }
}

/// A position in one partition of one input: the offset of the next record.
public struct InputPosition: Hashable, Sendable {
    public var partition: InputPartition
    public var offset: Int64
    public init(partition: InputPartition, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }
}

/// What polling brought.
public enum LogEvent: Sendable, Equatable {
    /// Records are in the batch (maybe none: the timeout passed).
    case records
    /// The group gave this shard these partitions (all it now has). Answer with `start(at:)`.
    case assigned([InputPartition])
    /// The group wants all partitions back. Finish and commit, then answer with `release()`.
    case revoked
    /// The partitions are already somebody else's: nothing may be committed. Answer with `release()`.
    case lost
    /// There will be no more records (files).
    case ended
}

/// A failure of the log by what is to be done about it. Descriptions name topic, partition and offset, never payloads.
public enum LogFailure: Error, Sendable, CustomStringConvertible {
    /// Passing: the same call may be made again.
    case retry(String)
    /// The open transaction can't be committed: `abort` it, return to the last commit, read on from there.
    case aborted(String)
    /// Whether the transaction was committed can't be known from here: make a new output, `prepare` it, and compare the
    /// committed offsets with those wanted.
    case unknown(String)
    /// Another owner has taken over: drop the state and start afresh.
    case fenced(String)
    /// Nothing this process does will help; an operator is needed.
    case stop(String)

    public var description: String {
        switch self {
        case .retry(let text), .aborted(let text), .unknown(let text), .fenced(let text), .stop(let text): text
        }
    }
}

/// What a shard needs of the log it reads: a Kafka consumer, a file, or a simulation.
/// Everything is called from the shard's own thread.
public protocol InputLog: AnyObject {
    /// Names the log for good (cluster id; file). Persisted state of another log is never used.
    func identity() throws(LogFailure) -> String

    /// Waits up to `timeoutMilliseconds` for records or a change of assignment. Appends at most `maxRecords` to
    /// `batch`, in order within each partition; they stay valid until the next call of `poll`.
    /// A change of assignment is returned alone, after every record polled before it was handed over.
    func poll(into batch: inout [Record], maxRecords: Int, timeoutMilliseconds: Int) throws(LogFailure) -> LogEvent

    /// The offset of the next record to process for each partition, as committed; nil where none is.
    func committed(_ partitions: [InputPartition]) throws(LogFailure) -> [Int64?]

    /// The first available offset and the one after the last, for each partition.
    func bounds(_ partitions: [InputPartition]) throws(LogFailure) -> [(first: Int64, end: Int64)]

    /// Begins reading at these positions: the answer to `.assigned`.
    func start(at positions: [InputPosition]) throws(LogFailure)

    /// Gives the partitions back: the answer to `.revoked` and `.lost`.
    func release() throws(LogFailure)

    /// Exactly these partitions hand over no records until the next call, `start(at:)` or not, while polling goes on (so
    /// that the group keeps this member).
    func setPaused(_ partitions: Set<InputPartition>) throws(LogFailure)

    /// Records beyond those handed over are in the log, as far as is known; true as long as nothing is known.
    func hasMore(_ partition: InputPartition) -> Bool

    /// The offset after a partition's last record as far as reading has told, without asking; nil while it has not.
    func knownEnd(_ partition: InputPartition) -> Int64?

    /// Who this member is in the group now, to fence commits with. Taken when an assignment arrives and kept: taken
    /// later, it would vouch for work that belongs to an earlier assignment.
    func membership() throws(LogFailure) -> any GroupMembership

    /// Commits: everything before each position is done. Returns when the log has acknowledged it.
    func commit(_ positions: [InputPosition]) throws(LogFailure)

    /// Leaves the group. No call follows.
    func close()
}

/// A member of the group at one generation. Opaque: it goes from an input log to the output log that commits with it.
public protocol GroupMembership: AnyObject {}

/// For logs without groups.
public final class NoMembership: GroupMembership {
    public init() {}
}

extension InputLog {
    public func hasMore(_ partition: InputPartition) -> Bool { false }
    public func knownEnd(_ partition: InputPartition) -> Int64? { nil }
    public func membership() throws(LogFailure) -> any GroupMembership { NoMembership() }
}

/// The topics a pipeline keeps for itself. They have as many partitions as the inputs, and a task writes to its own.
public enum InternalTopic: Sendable, CaseIterable {
    /// Users' rows by number, and the redo point; compacted.
    case state
    /// What each batch held, in order.
    case cuts
    /// Sealed panes of what crosses users; every task reads all partitions.
    case networks
}

/// A record of an internal topic, borrowed.
public struct InternalRecord {
    public var topic: InternalTopic
    public var partition: Int32
    public var key: ByteView
    /// Absent: a tombstone.
    public var value: ByteView
    public init(topic: InternalTopic, partition: Int32, key: ByteView, value: ByteView) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
    }
}

/// What a shard needs of the log it writes.
public protocol OutputLog: AnyObject {
    /// Outputs, internal records and offsets become visible together, at `commit`, or never. A transaction begins by
    /// itself with the first record after a commit.
    var isTransactional: Bool { get }

    /// Called before committed offsets are read: aborts what an earlier life under the same name left open, and shuts
    /// that life out.
    func prepare() throws(LogFailure)

    /// Takes over one record; its bytes are copied before the call returns. `.retry` when the bounded queue is full.
    func produce(_ output: Effects.Output, of effects: borrowing Effects) throws(LogFailure)

    /// The same for an internal record.
    func produce(_ record: InternalRecord) throws(LogFailure)

    /// Waits up to `timeoutMilliseconds` until everything produced was acknowledged; false when the time ran out.
    func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool

    /// Transactional logs only: commits everything produced since the last commit together with the positions, fenced
    /// by the membership. On `.retry` nothing is known yet: the same call must be made again.
    func commit(
        _ positions: [InputPosition], as member: any GroupMembership, timeoutMilliseconds: Int
    ) throws(LogFailure)

    /// Transactional logs only: aborts what was produced since the last commit; nothing to do where nothing was.
    func abort() throws(LogFailure)

    /// The offset after the last acknowledged record this output wrote to a partition of an internal topic; nil while
    /// there is none.
    func acknowledged(_ topic: InternalTopic, partition: Int32) -> Int64?

    func close()
}

/// Outputs without transactions or internal topics.
extension OutputLog {
    public var isTransactional: Bool { false }
    public func prepare() throws(LogFailure) {}
    public func produce(_ record: InternalRecord) throws(LogFailure) {}
    public func commit(
        _ positions: [InputPosition], as member: any GroupMembership, timeoutMilliseconds: Int
    ) throws(LogFailure) { throw .stop("this output has no transactions") }
    public func abort() throws(LogFailure) {}
    public func acknowledged(_ topic: InternalTopic, partition: Int32) -> Int64? { nil }
}

/// What a shard needs to read internal topics back. Only committed records are seen.
public protocol InternalLog: AnyObject {
    /// The first available offset, and the one after the last record, committed or not.
    func bounds(_ topic: InternalTopic, partition: Int32) throws(LogFailure) -> (first: Int64, end: Int64)

    /// Hands over committed records from `offset` on, in order, at most `maxRecords`, waiting up to
    /// `timeoutMilliseconds` for the first. Returns where to read on, which passes what is no record (transaction
    /// markers, aborted records) as far as that is known. A record behind a transaction still open is not handed over.
    func read(
        _ topic: InternalTopic, partition: Int32, from offset: Int64, maxRecords: Int, timeoutMilliseconds: Int,
        _ body: (_ offset: Int64, _ record: InternalRecord) -> Void
    ) throws(LogFailure) -> Int64

    /// How many partitions the topic has.
    func partitions(of topic: InternalTopic) throws(LogFailure) -> Int

    /// Hands over committed records of all partitions of the networks topic from these offsets on, in order within each, at
    /// most `maxRecords`, as far as they have come: it waits for none. An offset that is no longer there stands for the first
    /// that is. Returns where to read on, as `read` does.
    func follow(
        from offsets: [Int64], maxRecords: Int, _ body: (_ partition: Int32, _ offset: Int64, _ value: ByteView) -> Void
    ) throws(LogFailure) -> [Int64]

    func close()
}
