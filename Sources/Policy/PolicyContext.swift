import Events

/// What rules may ask of the user and the session, besides the event and its assessment; as it was before the event.
public struct PolicyContext {
    /// The level of the session's risk, which fades with time: that of its riskiest event so far, or the event's own.
    public var sessionLevel = RiskLevel.low
    /// What the session has proven and still holds in the context of the event.
    public var assurance = AssuranceLevel.none
    /// How often things happened lately; filled only as far as `CompiledPolicy.needs` says.
    private var counts = InlineArray<9, Float>(repeating: 0)
    public init() {}

    public subscript(count: RecentCount) -> Float {
        get { counts[Int(count.rawValue)] }
        set { counts[Int(count.rawValue)] = newValue }
    }
}

/// What is counted in windows that the model keeps anyway. The event itself counts where it is one of them, but not for
/// its network.
public enum RecentCount: UInt8, Sendable, CaseIterable {
    /// Of the user: logins and actions in `windows.rate`.
    case actions
    /// Failed logins since the last that succeeded, in `windows.failures`; at most 16 are known.
    case failures
    /// Challenges failed, denied or left unanswered within an hour; at most 12 are known.
    case challenges
    /// Exports in the open window of `action.bulk_export`.
    case exports
    /// Different resources in the open window of `action.breadth`; sketched above a few.
    case resources
    /// Of the event's network, by all users, in one to two windows of `windows.networks`, some seconds behind.
    case networkTries, networkFailures
    /// Different users who tried, and of whom a login failed; sketched.
    case networkUsers, networkUsersFailing
}

/// What a policy asks of its context: what it doesn't name need not be found out.
public struct ContextNeeds: OptionSet, Sendable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Bits 0 to 8.
    public init(_ count: RecentCount) { self.init(rawValue: 1 << UInt16(count.rawValue)) }
    public static let sessionLevel = ContextNeeds(rawValue: 1 << 9)
    public static let assurance = ContextNeeds(rawValue: 1 << 10)

    /// Any of a network's.
    public static let network: ContextNeeds = [
        ContextNeeds(.networkTries), ContextNeeds(.networkFailures), ContextNeeds(.networkUsers), ContextNeeds(.networkUsersFailing),
    ]
}
