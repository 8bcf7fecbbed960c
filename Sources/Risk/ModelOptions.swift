import Events

/// One signal's settings.
public struct SignalOptions: Sendable, Equatable {
    public var enabled = true
    /// Multiplies the evidence, 0…10.
    public var weight = 1.0
    /// Most points (log-odds ×10) the signal may add, 0…100.
    public var cap: Double
    public init(cap: Double, weight: Double = 1) {
        self.cap = cap
        self.weight = weight
    }
}

/// The risk model: base rate, signals, caps, levels.
public struct ModelOptions: Sendable, Equatable {
    /// Log-odds ×10 that an event is hostile, before any evidence: −47.9 is one in 120.
    public var base = -47.9
    /// Indexed by `Signal.rawValue`.
    public var signals: [SignalOptions] = Signal.allCases.map { SignalOptions(cap: $0.defaultCap, weight: $0.defaultWeight) }
    /// Most points a group may add together, indexed by `SignalGroup.rawValue`.
    public var groupCaps: [Double] = SignalGroup.allCases.map(\.defaultCap)
    /// Most points that familiarity may take away in all; hijack, replay, denial and an attacked network can't be
    /// outweighed by it (`SignalSet.undeniable`).
    public var reassuranceCap = 25.0
    /// Least score (0…100) of each level above low.
    public var mediumScore = 30.0
    public var highScore = 60.0
    public var criticalScore = 90.0
    /// Learned logins or sessions at which confidence becomes partial, and established.
    public var partialSamples = 5
    public var establishedSamples = 20

    // MARK: - Options of single signals

    /// Pseudo-observations of novelty a baseline begins with, by level: they make a short history say little.
    public var devicePrior = 1.5
    public var networkPrior = 2.0
    public var placePrior = 1.0
    /// Share of learned logins below which a known device is `device.rare`, 0…1.
    public var deviceRareShare = 0.05
    /// Users of one device within the window of networks from which `device.shared` speaks.
    public var deviceSharedUsers = 4
    /// Share of all users below which a provider new to the user is `network.provider_rare`, 0…1.
    public var providerRareShare = 0.01
    /// Users who failed from one network within the window from which `network.spray` speaks.
    public var sprayUsers = 8
    /// Accounts tried from one network within the window from which `network.stuffing` speaks.
    public var stuffingUsers = 25
    /// Least share of failures among them, 0…1: an office of many has few.
    public var stuffingFailures = 0.5
    public var travelKilometres = 500.0
    public var travelKilometresPerHour = 800.0
    /// Speed from which travel is improbable, in km/h.
    public var improbableKilometresPerHour = 250.0
    /// How long an account must have slept to be `time.dormant`, in milliseconds.
    public var dormantAfter: Int64 = 60 * 86_400_000
    /// Failed logins in the window from which `login.failures` speaks.
    public var failuresAtLeast = 5
    /// Failed logins in the window from which a success is `login.success_after_failures`.
    public var successAfterFailures = 5
    /// Actions in the rate window below which `action.rate` is silent.
    public var rateAtLeast = 20
    /// Amounts seen before `amount.unusual` speaks.
    public var amountSamples = 5
    /// How long a malformed record is held against its user, in milliseconds.
    public var malformedWindow: Int64 = 3_600_000
    /// Round-trip times seen before `login.round_trip` speaks.
    public var roundTripSamples = 5
    /// Age of a session and silence within it from which they count, in milliseconds.
    public var sessionAgeLimit: Int64 = 86_400_000
    public var sessionIdleLimit: Int64 = 2 * 3_600_000
    /// Ages of an authentication, in milliseconds, each of which makes `session.assurance_stale` say more; at most 4.
    public var assuranceLimits: [Int64] = [3_600_000, 12 * 3_600_000]
    /// Actions over which `action.sequence` looks back.
    public var sequenceWindow = 80.0
    /// Actions seen before `action.rare` and `action.sequence` speak.
    public var actionSamples = 20
    /// Patterns of actions, by what they are: see `ActionKinds`.
    public var sensitiveActions = [
        "transfer.*", "payment.*", "beneficiary.add", "payee.*", "card.limit", "contact.*", "email.*", "phone.*", "password.*",
        "factor.*", "mfa.*", "*.export", "*.delete", "*.destroy", "role.*", "permission.*", "secret.*", "key.*", "token.create",
        "user.impersonate",
    ]
    public var contactActions = ["contact.*", "email.*", "phone.*", "address.change"]
    public var passwordActions = ["password.*"]
    public var factorActions = ["factor.remove", "factor.disable", "mfa.remove", "mfa.disable", "mfa.reset"]
    public var exportActions = ["*.export", "export.*", "*.download", "*.bulk_download"]
    /// How close together the changes of a takeover are, in milliseconds.
    public var takeoverWindow: Int64 = 6 * 3_600_000
    /// Window of `action.bulk_export`, in milliseconds, and the exports in it below which it is silent.
    public var exportsWindow: Int64 = 3_600_000
    public var exportsAtLeast = 5
    /// Window of `action.breadth`, in milliseconds, and the resources in it below which it is silent.
    public var breadthWindow: Int64 = 900_000
    public var breadthAtLeast = 20
    /// How long failed and unanswered challenges, and a denial, are remembered, in milliseconds.
    public var challengeWindow: Int64 = 3_600_000
    public var denialWindow: Int64 = 86_400_000
    /// Pushes unanswered or denied within a time, in milliseconds, from which it is bombing.
    public var pushesAtLeast = 5
    public var pushWindow: Int64 = 600_000
    /// Share by which what the user does of late must differ for `drift.behaviour` to speak, 0…1.
    public var driftShare = 0.25

    public init() {}
}

extension Signal {
    /// Most points it may add where the pipeline doesn't say.
    public var defaultCap: Double {
        switch self {
        case .deviceNew: 32
        case .deviceRare: 6
        case .deviceFamily: 15
        case .deviceChangedInSession: 45
        case .deviceShared: 20
        case .agentDowngrade: 12
        case .agentMismatch: 15
        case .networkNew: 18
        case .networkProvider: 22
        case .networkRare: 10
        case .networkAnonymous: 12
        case .networkChangedInSession: 20
        case .networkSpray: 25
        case .networkStuffing: 25
        case .networkReputation: 25
        case .placeCountry: 30
        case .placeNew: 18
        case .placeMismatch: 8
        case .travelImpossible: 27
        case .travelImprobable: 12
        case .timeUnusual: 12
        case .timeDormant: 12
        case .loginFailures: 24
        case .loginSuccessAfterFailures: 30
        case .loginFirstFactor: 4
        case .loginWeakerFactor: 12
        case .loginRoundTrip: 10
        case .sessionTokenReplayed: 50
        case .sessionTwoPlaces: 45
        case .sessionAge: 8
        case .sessionIdle: 8
        case .sessionAssurance: 10
        case .actionRare: 2
        case .actionSensitive: 5
        case .actionSequence: 40
        case .actionRate: 24
        case .actionBreadth: 20
        case .amountUnusual: 20
        case .actionTakeover: 30
        case .actionExport: 40
        case .challengeFailed: 15
        case .challengeDenied: 50
        case .challengeAbandoned: 8
        case .challengePushBombing: 35
        case .drift: 12
        case .inputMalformed: 15
        }
    }

    /// Its weight where the pipeline doesn't say.
    public var defaultWeight: Double {
        switch self {
        case .deviceNew: 1.25
        case .deviceFamily: 0.35
        case .agentDowngrade: 1.5
        case .networkNew: 0.45
        case .networkProvider: 1.25
        case .networkRare: 0.5
        case .placeNew: 0.42
        case .timeDormant, .drift, .loginFailures, .actionSequence: 0.5
        case .actionSensitive: 2
        case .actionBreadth: 1.4
        case .actionExport: 3
        case .networkSpray: 1.5
        default: 1
        }
    }
}

extension SignalGroup {
    /// Most points it may add together where the pipeline doesn't say.
    public var defaultCap: Double {
        switch self {
        case .device: 45
        case .origin: 50
        case .attack: 40
        case .login: 40
        case .session: 60
        case .conduct: 45
        case .challenge: 60
        case .input: 15
        }
    }
}
