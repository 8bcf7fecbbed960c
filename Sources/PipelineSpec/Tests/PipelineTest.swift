import Events
import Policy
import Risk

/// One test of a pipeline file: what a person has always done, what happens then, and what is to be decided of it.
public struct PipelineTest: Sendable, Equatable {
    public var name = ""
    /// When its first event happens. The default is a Monday morning.
    public var start = Timestamp(milliseconds: 1_772_438_400_000)
    /// What all its events have unless they say otherwise.
    var circumstances: [JSON.Member] = []
    /// Happens first, in this order, and is never looked at.
    public var given: [TestHistory] = []
    public var steps: [TestStep] = []
    /// Where it is written.
    public var place = Position(line: 1, column: 1)

    init() {}
}

/// Something that happens again and again.
public struct TestHistory: Sendable, Equatable {
    /// Which days of the week have it.
    public enum Days: String, Sendable, CaseIterable { case all, weekdays, weekends }

    /// How often it happens.
    public var times = 1
    /// From the start of one to the start of the next, in milliseconds.
    public var every: Int64 = 86_400_000
    public var days = Days.all
    /// When the first one starts; nil: at once.
    public var at: TestTime?
    public var steps: [TestStep] = []
}

/// A moment as a test gives it.
public enum TestTime: Sendable, Equatable {
    /// The next time that a clock in UTC shows so many milliseconds since midnight.
    case clock(Int64)
    case moment(Timestamp)

    /// When that is, seen from `time`.
    public func next(from time: Timestamp) -> Timestamp {
        switch self {
        case .moment(let moment): return moment
        case .clock(let clock):
            let day: Int64 = 86_400_000
            let late = (time.milliseconds - clock) % day
            return late == 0 ? time : time + (late > 0 ? day - late : -late)
        }
    }
}

/// One thing that happens in a test.
public struct TestStep: Sendable, Equatable {
    /// What it is.
    public enum Kind: String, Sendable, CaseIterable {
        case login, action, event, record, answer, feedback
    }

    /// By which other steps name it.
    public var id: String?
    public var kind = Kind.event
    /// How many of `Kind` it says it is.
    var kinds = 0
    /// Something in it was reported already.
    var isBroken = false
    /// What it says of its event beyond the circumstances; of a record, all there is.
    var members: [JSON.Member] = []
    var with: [JSON.Member] = []
    /// Whose form a record has.
    var source: String?
    /// The same as an index into the plan's inputs; meaningful for records.
    public internal(set) var input = 0
    public var answer = TestAnswer()
    public var feedback = TestFeedback()
    /// Since the step before, in milliseconds; nil where it doesn't say.
    public var after: Int64?
    public var at: TestTime?
    public var times = 1
    /// From one of several to the next, in milliseconds.
    public var every: Int64 = 1_000
    /// Nil: it only happens.
    public var expect: TestExpectation?
    public var place = Position(line: 1, column: 1)
}

/// An answer to a question that an earlier step was asked.
public struct TestAnswer: Sendable, Equatable {
    /// The step asked; nil: whichever was asked last.
    public var to: String?
    public var result = ChallengeResult.passed
    /// Nil: the first that was offered.
    public var method: String?
    /// Nil: the question's own.
    public var nonce: String?
    public var newSession: String?
    /// Where it comes from, where that is not where the question was put.
    var from: [JSON.Member] = []
}

/// A verdict on the decision about an earlier step.
public struct TestFeedback: Sendable, Equatable {
    /// Nil: whichever came last.
    public var to: String?
    public var label = FeedbackLabel.legitimate
    public var by = FeedbackSource.analyst
    /// Where it comes from, where that is not where the event came from.
    var from: [JSON.Member] = []
}

/// What is to be decided of a step. What it doesn't name may be anything.
public struct TestExpectation: Sendable, Equatable {
    /// A report-only rule that matches, or a shadow policy that would have decided otherwise.
    public struct Objection: Sendable, Equatable {
        /// The shadow policy; nil for a rule of the policy that decides.
        public var policy: String?
        /// `otherwise` where none of a shadow policy's rules matched.
        public var rule: String
        /// What would have been decided; nil for anything.
        public var verdict: Verdict?

        /// - Parameter name: `rule`, or `policy/rule`.
        init(_ name: String, verdict: Verdict? = nil) {
            let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
            policy = parts.count > 1 ? parts[0] : nil
            rule = parts.last ?? ""
            self.verdict = verdict
        }

        /// As a file names it.
        public var name: String { policy.map { "\($0)/\(rule)" } ?? rule }
    }

    /// Whether a question is put to the person now, or stands open from before.
    public enum Question: String, Sendable, CaseIterable { case new, open }

    public var verdicts: [Verdict] = []
    public var rule: String?
    public var levels: [RiskLevel] = []
    public var confidence: [Confidence] = []
    public var score: Interval?
    /// All of these speak against the person: they are among the reasons, with points above zero.
    public var reasons: [Signal] = []
    /// None of these does.
    public var notReasons: [Signal] = []
    /// Exactly these report-only rules and shadow policies object; nil where that isn't looked at.
    public var shadow: [Objection]?
    /// Exactly these are offered, in this order; nil where that isn't looked at.
    public var methods: [ChallengeMethod]?
    public var acrValues: [String]?
    public var question: Question?
    /// It can't be decided, for this reason.
    public var deadLetter: RejectionReason?
    public var place = Position(line: 1, column: 1)
}
