/// What an engine has seen since it was made.
public struct EngineCounters: Sendable, Equatable {
    public var events: UInt64 = 0
    public var ignored: UInt64 = 0
    public var deadLetters: UInt64 = 0
    public var late: UInt64 = 0
    public var duplicates: UInt64 = 0
    public var clamped: UInt64 = 0
    /// Users dropped because a bound was reached.
    public var evicted: UInt64 = 0
    /// What came of challenges.
    public var challenges = ChallengeCounters()
    /// How often the circuit breaker has opened, and questions that were not put while it was.
    public var breakerOpened: UInt64 = 0
    public var relaxed: UInt64 = 0
    /// Questions that were not put but denied, because the user's budget was spent, or nothing could answer them.
    public var challengesRefused: UInt64 = 0
    /// Verdicts on earlier decisions, by what they say; those on decisions nobody remembers; a person's own that don't count;
    /// and those that say again what was said.
    public var feedbackLegitimate: UInt64 = 0
    public var feedbackCompromised: UInt64 = 0
    public var feedbackUnknown: UInt64 = 0
    public var feedbackUnheeded: UInt64 = 0
    public var feedbackRepeated: UInt64 = 0
    /// Requests to forget a person.
    public var erasures: UInt64 = 0
    /// Markers of forgotten people dropped at their bound, before redo could no longer meet those people's records.
    public var droppedMarkers: UInt64 = 0
    /// Decisions that a shadow policy would have made otherwise, by the policy's place in the plan.
    public var shadowDifferences: SIMD4<UInt64> = .zero
    /// Indexed by `Verdict.rawValue`.
    public var verdicts: SIMD4<UInt64> = .zero
    public init() {}
}
