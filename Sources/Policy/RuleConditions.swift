import Events
import Risk

/// What an event must be for a rule to apply. Every condition given must hold; one that is not given always holds.
///
/// In texts `*` matches any run of characters and `?` one, and `@name` stands for what the list of that name holds. What
/// an event doesn't say fits no text.
public struct RuleConditions: Sendable, Equatable {
    /// Each of these must hold; of each, one of the named conditions (`Vocabulary.conditions`).
    public var named: [[String]] = []
    public var types: [EventType] = []
    /// The user, or `tenant/user`.
    public var users: [String] = []
    /// Names of groups, of which the user belongs to one.
    public var groups: [String] = []
    public var tenants: [String] = []
    public var actions: [String] = []
    public var resources: [String] = []
    /// Names of tags, one of which the resource has.
    public var tags: [String] = []
    /// An event without an amount never matches a rule that names one.
    public var amount: Interval?
    /// Currencies the amount may be in; empty means any.
    public var currencies: [String] = []
    /// Network prefixes, or lists of them.
    public var addresses: [String] = []
    /// Numbers of autonomous systems, in digits.
    public var providers: [String] = []
    /// ISO 3166-1 alpha-2.
    public var countries: [String] = []
    /// `device.id`.
    public var devices: [String] = []
    public var deviceClasses: [DeviceClass] = []
    /// Any of these holds.
    public var times: [TimeOfDay] = []
    public var score: Interval?
    public var levels: [RiskLevel] = []
    public var confidence: [Confidence] = []
    public var anySignals: SignalSet = []
    public var allSignals: SignalSet = []
    /// How often things happened lately.
    public var counts: [CountRange] = []
    public var sessionLevels: [RiskLevel] = []
    public var assurance: AssuranceRange?
    /// The event's `auth.acr` is one of these.
    public var acr: [String] = []
    /// The event's `auth.amr` has any of these.
    public var anyMethods: AuthenticationMethods = []
    /// The event's `auth.amr` has none of these.
    public var noMethods: AuthenticationMethods = []
    /// Milliseconds since `auth.time`; an event that doesn't say has an infinite age.
    public var authAge: Interval?
    /// Only logins that ended so; nil means any.
    public var outcome: LoginOutcome?
    public init() {}
}

/// How often something may have happened.
public struct CountRange: Sendable, Equatable {
    public var count: RecentCount
    public var range: Interval
    public init(_ count: RecentCount, _ range: Interval) {
        self.count = count
        self.range = range
    }
}

/// Bounds on what the session has proven.
public struct AssuranceRange: Sendable, Equatable {
    public var atLeast: AssuranceLevel?
    /// Excluded.
    public var below: AssuranceLevel?
    public init(atLeast: AssuranceLevel? = nil, below: AssuranceLevel? = nil) {
        self.atLeast = atLeast
        self.below = below
    }
}
