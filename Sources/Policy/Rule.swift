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
    /// What a session has to prove; nil: as much as the weakest of the methods does.
    public var assurance: AssuranceLevel?
    /// Ordered by preference; RFC 9470 `acr_values`. None: the values that stand for the assurance.
    public var acrValues: [String] = []
    public var methods: [ChallengeMethod] = [.webauthn]
    /// Seconds since the person authenticated. An answer to a question of ours is fresh.
    public var maxAge: Int?
    /// How long the question stays open, in milliseconds.
    public var expires: Int64 = 300_000
    /// How long a proof frees the session of this rule, in milliseconds.
    public var validFor: Int64 = 600_000
    public var prompt = "Confirm it is you"
    public init() {}

    /// What a session has to prove.
    public func need(_ table: AssuranceOptions) -> AssuranceLevel {
        assurance ?? methods.map { table.level(of: $0) }.min() ?? .phishingResistant
    }

    /// How the person may be asked: what is weaker than the need is no answer.
    public func sufficient(_ table: AssuranceOptions) -> [ChallengeMethod] {
        let need = need(table)
        return methods.filter { table.level(of: $0) >= need }
    }
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
