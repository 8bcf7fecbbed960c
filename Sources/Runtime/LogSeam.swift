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
    /// Another owner has taken over: drop the state and start afresh.
    case fenced(String)
    /// Nothing this process does will help; an operator is needed.
    case stop(String)

    public var description: String {
        switch self {
        case .retry(let text), .fenced(let text), .stop(let text): text
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

    /// Stops or resumes handing over records while polling goes on (so that the group keeps this member).
    func setPaused(_ paused: Bool) throws(LogFailure)

    /// Commits: everything before each position is done. Returns when the log has acknowledged it.
    func commit(_ positions: [InputPosition]) throws(LogFailure)

    /// Leaves the group. No call follows.
    func close()
}

/// What a shard needs of the log it writes.
public protocol OutputLog: AnyObject {
    /// Takes over one record; its bytes are copied before the call returns. `.retry` when the bounded queue is full.
    func produce(_ output: Effects.Output, of effects: borrowing Effects) throws(LogFailure)

    /// Waits up to `timeoutMilliseconds` until everything produced was acknowledged; false when the time ran out.
    func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool

    func close()
}
