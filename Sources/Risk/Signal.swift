/// Everything Vigil can notice about an event. Raw values index evidence arrays and the bits of `SignalSet`;
/// they are never written anywhere, so cases may be reordered.
public enum Signal: UInt8, CaseIterable, Sendable {
    case deviceNew, deviceChangedInSession
    case networkNew, networkChangedInSession
    case placeNew, travelImpossible
    case timeUnusual
    case loginFailures, loginSuccessAfterFailures
    case sessionTokenReplayed, sessionTwoPlaces
    case actionRare, actionRate, amountUnusual
    case inputMalformed

    public var name: StaticString {
        switch self {
        case .deviceNew: "device.new"
        case .deviceChangedInSession: "device.changed_in_session"
        case .networkNew: "network.new"
        case .networkChangedInSession: "network.changed_in_session"
        case .placeNew: "place.new"
        case .travelImpossible: "travel.impossible"
        case .timeUnusual: "time.unusual"
        case .loginFailures: "login.failures"
        case .loginSuccessAfterFailures: "login.success_after_failures"
        case .sessionTokenReplayed: "session.token_replayed"
        case .sessionTwoPlaces: "session.two_places"
        case .actionRare: "action.rare"
        case .actionRate: "action.rate"
        case .amountUnusual: "amount.unusual"
        case .inputMalformed: "input.malformed"
        }
    }

    /// Signals that tend to see the same thing; their joint evidence is capped.
    public var group: SignalGroup {
        switch self {
        case .deviceNew, .deviceChangedInSession: .device
        case .networkNew, .networkChangedInSession, .placeNew, .travelImpossible: .origin
        case .loginFailures, .loginSuccessAfterFailures: .login
        case .sessionTokenReplayed, .sessionTwoPlaces: .session
        case .timeUnusual, .actionRare, .actionRate, .amountUnusual: .conduct
        case .inputMalformed: .input
        }
    }

    public init?(name: String) {
        guard let signal = Self.allCases.first(where: { $0.name.description == name }) else { return nil }
        self = signal
    }
}

/// Groups of correlated signals.
public enum SignalGroup: UInt8, CaseIterable, Sendable {
    case device, origin, login, session, conduct, input
}

/// A set of signals.
public struct SignalSet: OptionSet, Sendable, Hashable {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public init(_ signal: Signal) { rawValue = 1 << UInt64(signal.rawValue) }
}
