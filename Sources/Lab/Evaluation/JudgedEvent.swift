import Events

/// One login or action of a labelled stream with its label and what the engine made of it. Names are numbers of
/// `LabelledRun`.
public struct JudgedEvent: Sendable {
    /// Hash of the event's id.
    public var id: UInt64
    public var user: UInt32
    /// -1 where the event names neither session nor token.
    public var session: Int32
    /// Index into `LabelledRun.kinds`; 0 is legitimate.
    public var kind: UInt16
    /// Index into `LabelledRun.twins`; 0 for none.
    public var twin: UInt16
    /// One occurrence of a twin; -1 for none.
    public var occurrence: Int32
    /// Index into `LabelledRun.scenarios`; -1 for legitimate events.
    public var scenario: Int32
    public var time: Timestamp
    /// Log-odds that it is hostile.
    public var logit: Float
    /// Successful legitimate logins of the user before it.
    public var logins: UInt32
    /// Events of the user before it.
    public var events: UInt32
    public var verdict: Verdict
    public var level: RiskLevel
    public var confidence: Confidence
    public var isLogin: Bool
    /// A login that succeeded.
    public var isSuccess: Bool
    /// A step-up that repeats an open question.
    public var repeatsQuestion: Bool

    public var isHostile: Bool { kind != 0 }
}

/// Hostile events that share an onset.
public struct JudgedScenario: Sendable {
    public var kind: UInt16
    /// Whose event was the first.
    public var user: UInt32
    public var start: Timestamp
    /// In `LabelledRun.events`.
    public var firstEvent: Int
}

/// A labelled stream as the engine judged it, in the order of the stream.
public struct LabelledRun: Sendable {
    public var events: [JudgedEvent] = []
    public var scenarios: [JudgedScenario] = []
    /// The first is `legitimate`.
    public var kinds = ["legitimate"]
    /// The first stands for none.
    public var twins = [""]
    /// By user's number: a hash of the name.
    public var userNames: [UInt64] = []
    public var users: Int { userNames.count }
    public var sessions = 0
    /// Records that were no events.
    public var rejected = 0
    /// Challenge events in the input itself.
    public var ownChallenges = 0
    /// Questions answered in the name of those who were asked.
    public var answered = 0
    /// Where labels are a history's own: who gave them.
    public var verdicts = VerdictCounts()
    /// What comes before it only trains.
    public var firstMeasured = 0

    public init() {}

    /// Whether anybody logs in; streams of actions alone count history in events.
    public var hasLogins: Bool { events.contains { $0.isSuccess } }
}

/// What part of a stream only trains.
public enum WarmUp: Sendable, Equatable {
    /// Of the judged events, 0…1.
    case share(Double)
    /// Of event time.
    case days(Double)
}

extension LabelledRun {
    /// Sets `firstMeasured`.
    public mutating func warmUp(_ warmUp: WarmUp) {
        switch warmUp {
        case .share(let share):
            firstMeasured = Int((min(max(share, 0), 1) * Double(events.count)).rounded(.down))
        case .days(let days):
            guard let first = events.first else { return }
            let end = first.time + Int64(days * 86_400_000)
            firstMeasured = events.firstIndex { $0.time >= end } ?? events.count
        }
    }
}
