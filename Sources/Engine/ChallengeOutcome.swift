/// What the result of a challenge led to, or that none came in time.
public enum ChallengeOutcome: UInt8, Sendable, CaseIterable {
    /// The session has proven who is behind it.
    case passed
    /// The person may try again, unless it was the last time.
    case failed
    /// “That's not me.”
    case denied
    case abandoned
    /// Closed by event time, or so reported.
    case timedOut
    /// The question had given way to another, or its session had ended: counts for nothing.
    case superseded
    /// After the question had expired: counts for nothing.
    case late
    /// Something had come of the question already, or the very event had been seen: counts for nothing.
    case duplicate
    /// No such question, or one too long closed to be remembered: counts for nothing.
    case unknown
    /// Without the nonce of its question: counts for nothing.
    case forged
    /// From another session or device than was asked: counts for nothing.
    case elsewhere
    /// Passed, but by a method that proves less than was asked for: the question stays open.
    case weaker

    /// As it stands behind `challenge-` in the rule of a decision.
    public var name: StaticString {
        switch self {
        case .passed: "passed"
        case .failed: "failed"
        case .denied: "denied"
        case .abandoned: "abandoned"
        case .timedOut: "timed-out"
        case .superseded: "superseded"
        case .late: "late"
        case .duplicate: "duplicate"
        case .unknown: "unknown"
        case .forged: "forged"
        case .elsewhere: "elsewhere"
        case .weaker: "weaker"
        }
    }
}

/// How often each outcome was met.
public struct ChallengeCounters: Sendable, Equatable {
    /// By `ChallengeOutcome.rawValue`.
    private var counts = SIMD16<UInt64>.zero

    public init() {}

    public subscript(outcome: ChallengeOutcome) -> UInt64 {
        get { counts[Int(outcome.rawValue)] }
        set { counts[Int(outcome.rawValue)] = newValue }
    }

    /// Adds what `now` has counted since `before`.
    public mutating func add(_ now: ChallengeCounters, since before: ChallengeCounters = ChallengeCounters()) {
        counts &+= now.counts &- before.counts
    }
}
