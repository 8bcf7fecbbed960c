/// A kind of attack in generated traffic. Raw values are the label's `kind`.
public enum AttackKind: String, Sendable, CaseIterable {
    /// Somebody else goes on in a running session.
    case hijack
    /// A session's token is used again, from a second address, 1 to 60 minutes later.
    case replay
    /// One operator tries many names from a few addresses; a few logins succeed.
    case stuffing
    /// One operator tries a password or two on many names from many addresses, too seldom for any name to notice.
    case spray
    /// The password is known: a login from the attacker's place, then the account is taken over step by step.
    case takeover
    /// A login from far away while the user is active at home.
    case impossibleTravel = "impossible_travel"
    /// The password is known: a login from anywhere, then what the attacker is after.
    case naive
    /// The same from an exit in the victim's country.
    case vpn
    /// The same from the victim's country and provider, with a device of the victim's family.
    case targeted
    /// The same from the victim's city too, with the very version of the victim's browser.
    case veryTargeted = "very_targeted"
    /// The password is known, the second factor is not: login upon login at night, until somebody presses yes.
    case pushBombing = "push_bombing"
    /// A user himself, where he always is, exports many times what he uses to, at hours at which he never works.
    case insider
    /// Another person at the keyboard, in sequences of commands (`CommandTraffic`).
    case masquerade

    /// Those of `TrafficGenerator`.
    public static let ofTraffic = allCases.filter { $0 != .masquerade }
}

/// Scenarios per 1,000 users and day of the part of the stream that has attacks. A kind with a rate above 0
/// occurs at least once.
public struct AttackRates: Sendable, Equatable {
    private var rates: [Double]

    /// The defaults.
    public init() {
        rates = AttackKind.allCases.map { kind in
            switch kind {
            case .stuffing, .spray: 0.5
            case .insider, .pushBombing: 2
            case .masquerade: 0
            default: 5
            }
        }
    }

    /// No attacks at all.
    public static let none: AttackRates = {
        var none = AttackRates()
        for kind in AttackKind.allCases { none[kind] = 0 }
        return none
    }()

    /// The rate of one kind.
    public subscript(kind: AttackKind) -> Double {
        get { rates[Self.index(kind)] }
        set { rates[Self.index(kind)] = newValue }
    }

    private static func index(_ kind: AttackKind) -> Int { AttackKind.allCases.firstIndex(of: kind) ?? 0 }
}
