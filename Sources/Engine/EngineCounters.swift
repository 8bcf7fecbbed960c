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
    /// Requests to forget a person.
    public var erasures: UInt64 = 0
    /// Markers of forgotten people dropped at their bound, before redo could no longer meet those people's records.
    public var droppedMarkers: UInt64 = 0
    /// Indexed by `Verdict.rawValue`.
    public var verdicts: SIMD4<UInt64> = .zero
    public init() {}
}
