import Events

/// What rules may ask of the user and the session, besides the event and its assessment; as it was before the event.
public struct PolicyContext {
    /// The level of the session's risk, which fades with time: that of its riskiest event so far, or the event's own.
    public var sessionLevel = RiskLevel.low
    /// What the session has proven and still holds in the context of the event.
    public var assurance = AssuranceLevel.none
    public init() {}
}
