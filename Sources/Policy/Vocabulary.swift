import Events

/// What the rules of a policy name instead of spelling it out.
public struct Vocabulary: Sendable, Equatable {
    /// By name, without the `@`.
    public var lists: [String: EntryList] = [:]
    /// Members as in `RuleConditions.users`.
    public var groups: [String: [String]] = [:]
    /// Patterns of resources, or lists of them.
    public var tags: [String: [String]] = [:]
    /// Named conditions: one of the alternatives must hold. None refers to itself, not even by way of others.
    public var conditions: [String: [RuleConditions]] = [:]
    public init() {}
}

/// A whole policy that is tried beside the one that decides: what it would have decided is told where it differs.
public struct ShadowPolicy: Sendable, Equatable {
    /// Shadow policies of a plan.
    public static let most = 4

    public var name: String
    public var rules: [Rule]
    public var fallback: Verdict
    public var vocabulary: Vocabulary
    public init(name: String, rules: [Rule], fallback: Verdict = .allow, vocabulary: Vocabulary = Vocabulary()) {
        self.name = name
        self.rules = rules
        self.fallback = fallback
        self.vocabulary = vocabulary
    }
}
