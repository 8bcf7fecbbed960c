import Events

/// What counts as proof of who somebody is, and for how much.
public struct AssuranceOptions: Sendable, Equatable {
    /// What an answer by one method proves.
    public struct Method: Sendable, Equatable {
        public var level: AssuranceLevel
        /// Names of RFC 8176 it goes by: an answer that gives its method by one of them is understood.
        public var amr: AuthenticationMethods

        public init(_ level: AssuranceLevel, _ names: [String] = []) {
            self.level = level
            amr = names.reduce(into: []) { $0.formUnion(AuthenticationMethods(name: $1) ?? []) }
        }
    }

    /// An authentication context class and the level it stands for.
    public struct Context: Sendable, Equatable {
        /// A value of `acr`, as it is written in events.
        public var name: String
        public var level: AssuranceLevel

        public init(_ name: String, _ level: AssuranceLevel) {
            self.name = name
            self.level = level
        }
    }

    /// In the order of `ChallengeMethod.allCases`. The levels are those of NIST SP 800-63B-4, section 2, for an answer given
    /// in a session that has its first factor:
    /// - `webauthn`: a passkey can't be phished (3.2.5), but may be copied from device to device: AAL2, phishing-resistant.
    ///   Whether its key is in hardware is not known, which is what `pop` says; `user` that somebody was there.
    /// - `push`: an out-of-band device (3.1.3): AAL2. RFC 8176 has no name for it.
    /// - `totp`: a one-time password (3.1.4): AAL2, and can be talked out of a person.
    /// - `biometric`: checked on a device the person has (3.2.3): AAL2. Nothing says that its answer is bound to whom it goes.
    /// - `hardware_key`: a key that can't leave its hardware: AAL3.
    public var methods: [Method] = [
        Method(.phishingResistant, ["pop", "user"]), Method(.multiple), Method(.multiple, ["otp"]), Method(.multiple, ["face", "fpt"]),
        Method(.hardware, ["hwk", "sc"]),
    ]
    /// Levels of NIST SP 800-63B-4 and the two values of OpenID Connect EAP ACR Values 1.0, the weaker first where rules
    /// name no values of their own.
    public var contexts: [Context] = [
        Context("aal1", .single), Context("aal2", .multiple), Context("phr", .phishingResistant), Context("phrh", .hardware),
        Context("aal3", .hardware),
    ]
    /// Answers to one question that may fail before it is closed.
    public var attempts = 5
    /// How long, in milliseconds, a “that's not me” makes every session of the account prove itself anew; 0 for never.
    public var alarm: Int64 = 86_400_000
    /// What a session has to prove then.
    public var alarmNeed = AssuranceLevel.phishingResistant
    /// How long, in milliseconds, requests under the old name of a session are still judged after it went on under another.
    public var rotationGrace: Int64 = 10_000

    public init() {}

    public func level(of method: ChallengeMethod) -> AssuranceLevel {
        methods.indices.contains(method.index) ? methods[method.index].level : .none
    }

    /// Values of `acr` that satisfy a need, in the order in which to ask for them (RFC 9470 `acr_values`): what suffices first,
    /// then what is more than that.
    public func values(satisfying need: AssuranceLevel) -> [String] {
        AssuranceLevel.allCases.filter { $0 >= max(need, .single) }.flatMap { level in
            contexts.filter { $0.level == level }.map(\.name)
        }
    }
}
