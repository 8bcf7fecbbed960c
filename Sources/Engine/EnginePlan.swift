import Behavior
import Events
import Policy
import Risk

/// Which decisions are produced.
public enum Emission: String, Sendable, CaseIterable {
    /// Everything but uneventful allows: interventions, changes of level, and what a report-only rule objected to.
    case interventions
    /// Interventions, and whatever changed the user's level.
    case changes
    case all
}

/// One input log.
public struct InputPlan: Sendable, Equatable {
    public var topic: String
    public var decode: DecodeOptions
    public init(topic: String, decode: DecodeOptions = DecodeOptions()) {
        self.topic = topic
        self.decode = decode
    }
}

/// All that the pure core needs to know: the same plan and the same records give the same decisions.
public struct EnginePlan: Sendable, Equatable {
    public var name = "vigil"
    /// `sha256:…` over the pipeline's meaning.
    public var version = "sha256:"
    /// Key of nonces and table hashes; never in a message.
    public var secret: [UInt8] = []
    /// At most 8.
    public var inputs: [InputPlan] = []
    public var emit = Emission.interventions
    public var cloudEvents = CloudEventsMode.binary
    public var bounds = StateBounds()
    public var windows = WindowOptions()
    public var model = ModelOptions()
    public var assurance = AssuranceOptions()
    public var rules: [Rule] = []
    /// What is decided when no rule matches.
    public var fallback = Verdict.allow
    /// What rules name.
    public var vocabulary = Vocabulary()
    /// Policies tried beside the one that decides; at most `ShadowPolicy.most`.
    public var shadows: [ShadowPolicy] = []
    public var challenges = ChallengeOptions()
    public var breaker = BreakerOptions()
    public init() {}
}
