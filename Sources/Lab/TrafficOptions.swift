import Events

/// A kind of attack in generated traffic. Raw values are the label's `kind`.
public enum AttackKind: String, Sendable, CaseIterable {
    /// Somebody else goes on in a running session.
    case hijack
    /// A session's token is used again, from a second address, 1 to 60 minutes later.
    case replay
    /// One operator tries many names from a few addresses; a few logins succeed.
    case stuffing
    /// The password is known: a login from the attacker's place, then the account is taken over step by step.
    case takeover
    /// A login from far away while the user is active at home.
    case impossibleTravel = "impossible_travel"
}

/// Legitimate behaviour that looks like an attack. Raw values are the label's `twin`.
public enum BenignTwin: String, Sendable, CaseIterable {
    /// Days in another city.
    case trip
    /// The first days with a new device.
    case newPhone = "new_phone"
    /// A VPN switched on in the middle of a session.
    case vpn
    /// Wi-Fi left for the mobile network in the middle of a session.
    case networkSwitch = "network_switch"
    /// IPv4 and IPv6 by turns from one home.
    case dualStack = "dual_stack"
    /// Many users behind one office address.
    case officeNAT = "office_nat"
    /// A password mistyped once or twice before the login succeeds.
    case mistyped
    /// A job that runs every night.
    case bulkJob = "bulk_job"
}

/// Scenarios per 1,000 users and day of the part of the stream that has attacks. A kind with a rate above 0
/// occurs at least once.
public struct AttackRates: Sendable, Equatable {
    /// `AttackKind.hijack`.
    public var hijack = 5.0
    /// `AttackKind.replay`.
    public var replay = 5.0
    /// `AttackKind.stuffing`, in campaigns.
    public var stuffing = 0.5
    /// `AttackKind.takeover`.
    public var takeover = 5.0
    /// `AttackKind.impossibleTravel`.
    public var impossibleTravel = 5.0
    /// The defaults.
    public init() {}

    /// No attacks at all.
    public static let none: AttackRates = {
        var rates = AttackRates()
        for kind in AttackKind.allCases { rates[kind] = 0 }
        return rates
    }()

    /// The rate of one kind.
    public subscript(kind: AttackKind) -> Double {
        get {
            switch kind {
            case .hijack: hijack
            case .replay: replay
            case .stuffing: stuffing
            case .takeover: takeover
            case .impossibleTravel: impossibleTravel
            }
        }
        set {
            switch kind {
            case .hijack: hijack = newValue
            case .replay: replay = newValue
            case .stuffing: stuffing = newValue
            case .takeover: takeover = newValue
            case .impossibleTravel: impossibleTravel = newValue
            }
        }
    }
}

/// How often benign twins occur; shares and probabilities are 0…1.
public struct TwinRates: Sendable, Equatable {
    /// Probability that a user makes a trip of 2 to 6 days in any 28 days.
    public var trip = 0.25
    /// Mean days until a device is replaced.
    public var deviceDays = 300.0
    /// Share of users with a VPN.
    public var vpnUsers = 0.08
    /// Probability that such a user switches it on in the middle of a session.
    public var vpnToggle = 0.25
    /// Probability that a session on a phone at home moves to the mobile network.
    public var networkSwitch = 0.04
    /// Share of homes with IPv4 and IPv6.
    public var dualStack = 0.35
    /// Probability that a login is preceded by one or two failures.
    public var mistyped = 0.06
    /// Share of users that are nightly jobs.
    public var bulkUsers = 0.004
    /// The defaults.
    public init() {}
}

/// What device fields an event carries beside its id and type.
public enum DeviceDetail: String, Sendable, CaseIterable {
    /// `browser` and `os`.
    case parsed
    /// `user_agent`.
    case agent
    /// All of them.
    case both
}

/// Everything that shapes generated traffic. Equal options give equal bytes.
public struct TrafficOptions: Sendable, Equatable {
    /// People with accounts, 1…4,000,000.
    public var users = 200
    /// Length of the stream, 1…3,650.
    public var days = 14
    /// About how many events to make: sets how often users come. Nil for their natural pace.
    public var events: Int?
    /// Whatever is random follows from it.
    public var seed: UInt64 = 1
    /// The stream covers `start` to `end`, excluded.
    public var start = Timestamp(milliseconds: 1_790_812_800_000)
    /// Written into every event; nil for none.
    public var tenant: String? = "acme"
    /// What device fields events carry.
    public var detail = DeviceDetail.both
    /// Share of events with `rtt_ms`.
    public var roundTripShare = 0.041
    /// Share of sessions whose device keeps no id: private windows, cleared storage.
    public var privateShare = 0.06
    /// Sessions a user and day: lognormal across users.
    public var sessionsMedian = 0.8
    /// Sigma of its logarithm.
    public var sessionsSigma = 0.8
    /// Actions a session, lognormal.
    public var actionsMedian = 12.0
    /// Sigma of its logarithm.
    public var actionsSigma = 0.6
    /// Seconds between actions, lognormal.
    public var gapMedian = 8.0
    /// Sigma of its logarithm.
    public var gapSigma = 1.2
    /// The last part of the stream that has attacks, 0…1; before it all is legitimate.
    public var attackShare = 0.3
    /// How often attacks occur.
    public var attacks = AttackRates()
    /// How often benign twins occur.
    public var twins = TwinRates()
    /// Names one stuffing campaign tries.
    public var stuffingNames = 40...400
    /// Addresses it comes from.
    public var stuffingAddresses = 1...50

    /// The defaults.
    public init() {}

    static let dayMilliseconds: Int64 = 86_400_000

    /// Setting it moves `start`.
    public var end: Timestamp {
        get { start + Int64(days) * Self.dayMilliseconds }
        set { start = newValue + -Int64(days) * Self.dayMilliseconds }
    }
    /// When attacks begin.
    public var attackStart: Timestamp {
        end + -Int64(min(max(attackShare, 0), 1) * Double(Int64(days) * Self.dayMilliseconds))
    }

    /// Options for about `events` events, with as many users as give each some 350 events over 14 days.
    /// Each kind of attack occurs at least once, so that a stream of fewer than 10,000 comes out longer than asked.
    public static func sized(events: Int, seed: UInt64) -> TrafficOptions {
        var options = TrafficOptions()
        options.events = max(events, 1)
        options.users = min(max(events / 350, 4), 4_000_000)
        options.seed = seed
        let most = min(max(events / 50, 20), 400)
        options.stuffingNames = min(40, most)...most
        return options
    }

    /// The same with every number forced into its range, so that no value can trap.
    var bounded: TrafficOptions {
        func finite(_ value: Double, _ range: ClosedRange<Double>) -> Double {
            value.isNaN ? range.lowerBound : min(max(value, range.lowerBound), range.upperBound)
        }
        var copy = self
        copy.users = min(max(users, 1), 4_000_000)
        copy.days = min(max(days, 1), 3_650)
        copy.events = events.map { min(max($0, 1), 1_000_000_000_000) }
        copy.start = min(max(start, .earliest), Timestamp.latest + -Int64(copy.days) * Self.dayMilliseconds)
        copy.roundTripShare = finite(roundTripShare, 0...1)
        copy.privateShare = finite(privateShare, 0...1)
        copy.sessionsMedian = finite(sessionsMedian, 0...50)
        copy.sessionsSigma = finite(sessionsSigma, 0...2)
        copy.actionsMedian = finite(actionsMedian, 1...500)
        copy.actionsSigma = finite(actionsSigma, 0...2)
        copy.gapMedian = finite(gapMedian, 0.001...600)
        copy.gapSigma = finite(gapSigma, 0...3)
        copy.attackShare = finite(attackShare, 0...1)
        for kind in AttackKind.allCases { copy.attacks[kind] = finite(attacks[kind], 0...100_000) }
        copy.twins.deviceDays = finite(twins.deviceDays, 7...100_000)
        let names = min(max(stuffingNames.lowerBound, 1), 100_000)
        copy.stuffingNames = names...min(max(stuffingNames.upperBound, names), 100_000)
        let addresses = min(max(stuffingAddresses.lowerBound, 1), 1_000)
        copy.stuffingAddresses = addresses...min(max(stuffingAddresses.upperBound, addresses), 1_000)
        return copy
    }
}
