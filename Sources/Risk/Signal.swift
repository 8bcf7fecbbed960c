/// Everything Vigil can notice about an event. Raw values index evidence arrays and the bits of `SignalSet`;
/// they are never written anywhere, so cases may be reordered. `Signal.documentation` says what each is.
public enum Signal: UInt8, CaseIterable, Sendable {
    case deviceNew, deviceRare, deviceFamily, deviceChangedInSession, deviceShared, agentDowngrade, agentMismatch
    case networkNew, networkProvider, networkRare, networkAnonymous, networkChangedInSession
    case networkSpray, networkStuffing, networkReputation
    case placeCountry, placeNew, placeMismatch, travelImpossible, travelImprobable
    case timeUnusual, timeDormant
    case loginFailures, loginSuccessAfterFailures, loginFirstFactor, loginWeakerFactor, loginRoundTrip
    case sessionTokenReplayed, sessionTwoPlaces, sessionAge, sessionIdle, sessionAssurance
    case actionRare, actionSensitive, actionSequence, actionRate, actionBreadth, amountUnusual, actionTakeover, actionExport
    case challengeFailed, challengeDenied, challengeAbandoned, challengePushBombing
    case drift
    case inputMalformed

    public var name: StaticString {
        switch self {
        case .deviceNew: "device.new"
        case .deviceRare: "device.rare"
        case .deviceFamily: "device.family"
        case .deviceChangedInSession: "device.changed_in_session"
        case .deviceShared: "device.shared"
        case .agentDowngrade: "device.agent_downgrade"
        case .agentMismatch: "device.agent_mismatch"
        case .networkNew: "network.new"
        case .networkProvider: "network.provider_new"
        case .networkRare: "network.provider_rare"
        case .networkAnonymous: "network.anonymous"
        case .networkChangedInSession: "network.changed_in_session"
        case .networkSpray: "network.spray"
        case .networkStuffing: "network.stuffing"
        case .networkReputation: "network.reputation"
        case .placeCountry: "place.country_new"
        case .placeNew: "place.new"
        case .placeMismatch: "place.account_mismatch"
        case .travelImpossible: "travel.impossible"
        case .travelImprobable: "travel.improbable"
        case .timeUnusual: "time.unusual"
        case .timeDormant: "time.dormant"
        case .loginFailures: "login.failures"
        case .loginSuccessAfterFailures: "login.success_after_failures"
        case .loginFirstFactor: "login.first_factor_only"
        case .loginWeakerFactor: "login.weaker_factor"
        case .loginRoundTrip: "login.round_trip"
        case .sessionTokenReplayed: "session.token_replayed"
        case .sessionTwoPlaces: "session.two_places"
        case .sessionAge: "session.age"
        case .sessionIdle: "session.idle_resumed"
        case .sessionAssurance: "session.assurance_stale"
        case .actionRare: "action.rare"
        case .actionSensitive: "action.sensitive"
        case .actionSequence: "action.sequence"
        case .actionRate: "action.rate"
        case .actionBreadth: "action.breadth"
        case .amountUnusual: "amount.unusual"
        case .actionTakeover: "action.takeover_chain"
        case .actionExport: "action.bulk_export"
        case .challengeFailed: "challenge.failed"
        case .challengeDenied: "challenge.denied"
        case .challengeAbandoned: "challenge.abandoned"
        case .challengePushBombing: "challenge.push_bombing"
        case .drift: "drift.behaviour"
        case .inputMalformed: "input.malformed"
        }
    }

    /// Signals that tend to see the same thing; their joint evidence is capped.
    public var group: SignalGroup {
        switch self {
        case .deviceNew, .deviceRare, .deviceFamily, .deviceChangedInSession, .agentDowngrade, .agentMismatch: .device
        case .networkNew, .networkProvider, .networkRare, .networkAnonymous, .networkChangedInSession, .placeCountry,
            .placeNew, .placeMismatch, .travelImpossible, .travelImprobable: .origin
        case .deviceShared, .networkSpray, .networkStuffing, .networkReputation: .attack
        case .loginFailures, .loginSuccessAfterFailures, .loginFirstFactor, .loginWeakerFactor, .loginRoundTrip: .login
        case .sessionTokenReplayed, .sessionTwoPlaces, .sessionAge, .sessionIdle, .sessionAssurance: .session
        case .timeUnusual, .timeDormant, .actionRare, .actionSensitive, .actionSequence, .actionRate, .actionBreadth,
            .amountUnusual, .actionTakeover, .actionExport, .drift: .conduct
        case .challengeFailed, .challengeDenied, .challengeAbandoned, .challengePushBombing: .challenge
        case .inputMalformed: .input
        }
    }

    public init?(name: String) {
        guard let signal = Self.allCases.first(where: { $0.name.description == name }) else { return nil }
        self = signal
    }

    public static let count = allCases.count
}

/// Groups of correlated signals.
public enum SignalGroup: UInt8, CaseIterable, Sendable {
    case device, origin, attack, login, session, conduct, challenge, input

    static let count = 8
}

/// A set of signals.
public struct SignalSet: OptionSet, Sendable, Hashable {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public init(_ signal: Signal) { rawValue = 1 << UInt64(signal.rawValue) }
}

extension SignalSet {
    /// Somebody else has the session, an attack is under way, or the person said it wasn't them: looking familiar is no
    /// answer to these.
    public static let undeniable: SignalSet = [
        SignalSet(.deviceChangedInSession), SignalSet(.sessionTokenReplayed), SignalSet(.sessionTwoPlaces),
        SignalSet(.networkSpray), SignalSet(.networkStuffing), SignalSet(.networkReputation),
        SignalSet(.challengeDenied), SignalSet(.challengePushBombing),
    ]
}
