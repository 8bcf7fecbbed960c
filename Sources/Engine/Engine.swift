import Behavior
import Events

/// The pure core of one partition: everything Vigil knows of its users, and the step that turns a record into effects.
/// No IO, no clock, no randomness: the same records in the same order give the same bytes.
///
/// Not thread safe: it belongs to the shard that owns the partition.
public final class Engine {
    public let plan: EnginePlan

    /// Per input: the offset after the last record stepped; -1 before the first.
    public private(set) var positions: [Int64]
    public private(set) var counters = EngineCounters()

    public init(plan: EnginePlan) {
        self.plan = plan
        positions = Array(repeating: -1, count: plan.inputs.count)
    }

    /// Decides one record: decode, look up, score, decide, learn, encode into `effects`.
    ///
    /// While `recovering`, a record its user has already absorbed changes nothing; what lands in `effects` was emitted
    /// before the crash and is the caller's to drop.
    public func step(_ record: Record, into effects: inout Effects, recovering: Bool = false) {
        positions[Int(record.input)] = record.offset + 1
    }

    /// The task's watermark.
    public var watermark: Timestamp { .distantPast }
}

/// What an engine has seen since it was made.
public struct EngineCounters: Sendable, Equatable {
    public var events: UInt64 = 0
    public var ignored: UInt64 = 0
    public var deadLetters: UInt64 = 0
    public var late: UInt64 = 0
    public var duplicates: UInt64 = 0
    public var clamped: UInt64 = 0
    public var evicted: UInt64 = 0
    public var challengesPassed: UInt64 = 0
    /// Challenge results with a wrong nonce, an unknown challenge, or after expiry.
    public var challengesRejected: UInt64 = 0
    /// Indexed by `Verdict.rawValue`.
    public var verdicts: [UInt64] = [0, 0, 0, 0]
    public init() {}
}
