/// What is to be done about an event. Ordered by severity.
public enum Verdict: UInt8, Sendable, CaseIterable, Comparable {
    case allow, stepUp, deny, terminateSession

    public var name: StaticString {
        switch self {
        case .allow: "allow"
        case .stepUp: "step_up"
        case .deny: "deny"
        case .terminateSession: "terminate_session"
        }
    }
    @inlinable public static func < (a: Verdict, b: Verdict) -> Bool { a.rawValue < b.rawValue }
}

/// How risky an event looks. Ordered.
public enum RiskLevel: UInt8, Sendable, CaseIterable, Comparable {
    case low, medium, high, critical
    public var name: StaticString {
        switch self {
        case .low: "low"
        case .medium: "medium"
        case .high: "high"
        case .critical: "critical"
        }
    }
    @inlinable public static func < (a: RiskLevel, b: RiskLevel) -> Bool { a.rawValue < b.rawValue }
}

/// How well the baseline behind a score is known.
public enum Confidence: UInt8, Sendable, CaseIterable {
    case learning, partial, established
    public var name: StaticString {
        switch self {
        case .learning: "learning"
        case .partial: "partial"
        case .established: "established"
        }
    }
}

/// A decision's identity: a UUID of version 8 (RFC 9562 section 5.8) whose first 48 bits are the event's time
/// and whose rest is a keyed hash of (pipeline name, topic, partition, offset), so a repeated decision has the same id.
public struct DecisionID: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64
    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
    public static let none = DecisionID(high: 0, low: 0)
}

/// The question put to a person.
public struct StepUp {
    /// JSON array texts made when the policy was compiled, e.g. `["phr","phrh"]`.
    public var acrValuesJSON: ByteView
    public var methodsJSON: ByteView
    /// Seconds; RFC 9470 `max_age`. Nil where the rule sets none.
    public var maxAgeSeconds: Int?
    /// The decision that first asked.
    public var challenge: DecisionID
    /// 32 lower-case hex digits: HMAC-SHA-256 of the challenge id under the pipeline's secret, first 16 bytes.
    public var nonce: (UInt64, UInt64)
    public var expires: Timestamp
    /// Absent when the question is already open: it is asked once.
    public var prompt: ByteView
    public init(
        acrValuesJSON: ByteView, methodsJSON: ByteView, maxAgeSeconds: Int?, challenge: DecisionID,
        nonce: (UInt64, UInt64), expires: Timestamp, prompt: ByteView
    ) {
        self.acrValuesJSON = acrValuesJSON
        self.methodsJSON = methodsJSON
        self.maxAgeSeconds = maxAgeSeconds
        self.challenge = challenge
        self.nonce = nonce
        self.expires = expires
        self.prompt = prompt
    }
}

/// What a report-only rule, or a whole policy that is only tried, would have decided.
public struct ShadowVerdict {
    /// The policy that is tried; absent where the rule is one of the policy that decides.
    public var policy = ByteView.absent
    public var rule: ByteView
    public var verdict: Verdict
    public init(policy: ByteView = .absent, rule: ByteView, verdict: Verdict) {
        self.policy = policy
        self.rule = rule
        self.verdict = verdict
    }
}

/// Everything the `decisions` topic says about one event. Views are borrowed from the event, the plan and the engine.
public struct Decision {
    public var id = DecisionID.none
    public var verdict = Verdict.allow
    /// Probability ×100, 0…100.
    public var score = 0.0
    public var logit = 0.0
    /// Log-odds ×10, before any signal.
    public var base = 0.0
    public var level = RiskLevel.low
    public var previousLevel = RiskLevel.low
    public var confidence = Confidence.learning
    /// The members of a JSON array: what each signal has to say about the score, most points first.
    public var reasons = ByteView.absent
    /// The rule that decided.
    public var rule = ByteView.absent
    /// `sha256:…` of the pipeline.
    public var policyVersion = ByteView.absent
    public var stepUp: StepUp?
    /// The earlier decision that a verdict was about, and whose session is meant; `none` for every other event.
    public var about = DecisionID.none
    public var shadow: [ShadowVerdict] = []
    public var topic = ByteView.absent
    public var partition: Int32 = 0
    public var offset: Int64 = 0
    /// CloudEvents `source`, e.g. `/vigil/continuous-authorization`.
    public var source = ByteView.absent
    public init() {}
}
