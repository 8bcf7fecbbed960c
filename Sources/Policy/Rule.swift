import Events
import Risk

/// Whether a rule's verdict is carried out or only reported.
public enum RuleMode: String, Sendable, CaseIterable { case enforce, report }

/// A closed interval; nil means unbounded.
public struct Interval: Sendable, Equatable {
    public var atLeast: Double?
    public var atMost: Double?
    public init(atLeast: Double? = nil, atMost: Double? = nil) {
        self.atLeast = atLeast
        self.atMost = atMost
    }
}

/// The question a step-up rule asks.
public struct StepUpOptions: Sendable, Equatable {
    /// Ordered by preference; RFC 9470 `acr_values`.
    public var acrValues: [String] = ["phr"]
    public var methods: [ChallengeMethod] = [.webauthn]
    /// Seconds.
    public var maxAge: Int?
    /// How long the question stays open, in milliseconds.
    public var expires: Int64 = 300_000
    /// How long an answer frees the session for this rule, in milliseconds.
    public var validFor: Int64 = 600_000
    public var prompt = "Confirm it is you"
    public init() {}
}

/// How a person can be asked.
public enum ChallengeMethod: String, Sendable, CaseIterable {
    case webauthn, push, totp, biometric, hardware_key
}

/// One rule; the first that matches decides.
public struct Rule: Sendable, Equatable {
    public var name: String
    public var conditions = RuleConditions()
    /// What must hold as well, all of it: for whom a copy that an override made is meant.
    public var also: [RuleConditions] = []
    /// None of these may hold.
    public var unless: [RuleConditions] = []
    public var verdict: Verdict
    public var stepUp = StepUpOptions()
    public var mode = RuleMode.enforce
    public init(name: String, verdict: Verdict) {
        self.name = name
        self.verdict = verdict
    }
}
