import Events
/// One signal's settings.
public struct SignalOptions: Sendable, Equatable {
    public var enabled = true
    /// Multiplies the evidence, 0…10.
    public var weight = 1.0
    /// Most points (log-odds ×10) the signal may add, 0…100.
    public var cap: Double
    public init(cap: Double) { self.cap = cap }
}

/// The risk model: base rate, signals, caps, levels.
public struct ModelOptions: Sendable, Equatable {
    /// Log-odds ×10 that an event is hostile, before any evidence: −47.9 is one in 120.
    public var base = -47.9
    /// Indexed by `Signal.rawValue`.
    public var signals: [SignalOptions] = Signal.allCases.map { SignalOptions(cap: ModelOptions.defaultCap($0)) }
    /// Most points a group may add together, indexed by `SignalGroup.rawValue`.
    public var groupCaps: [Double] = SignalGroup.allCases.map(ModelOptions.defaultGroupCap)
    /// Most points that familiarity may take away in all; hijack, replay and denial can't be outweighed by it.
    public var reassuranceCap = 12.0
    /// Least score (0…100) of each level above low.
    public var mediumScore = 30.0
    public var highScore = 60.0
    public var criticalScore = 90.0
    /// Learned logins or sessions at which confidence becomes partial, and established.
    public var partialSamples = 5
    public var establishedSamples = 20

    public var travelKilometres = 500.0
    public var travelKilometresPerHour = 800.0
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

    public init() {}

    public static func defaultCap(_ signal: Signal) -> Double {
        switch signal {
        case .deviceNew: 31.5
        case .deviceChangedInSession: 45
        case .networkNew: 18
        case .networkChangedInSession: 20
        case .placeNew: 22
        case .travelImpossible: 27
        case .timeUnusual: 10
        case .loginFailures: 24
        case .loginSuccessAfterFailures: 30
        case .sessionTokenReplayed: 50
        case .sessionTwoPlaces: 45
        case .actionRare: 12
        case .actionRate: 24
        case .amountUnusual: 20
        case .inputMalformed: 15
        }
    }

    public static func defaultGroupCap(_ group: SignalGroup) -> Double {
        switch group {
        case .device: 45
        case .origin: 50
        case .login: 40
        case .session: 60
        case .conduct: 40
        case .input: 15
        }
    }
}
