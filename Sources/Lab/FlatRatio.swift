import Glibc

/// The plain likelihood ratio per feature against an account's own logins, the reference that generated logins are held
/// against. `p(x | user) = (c(x) + β·p(x)) / (n + β)` with β = 5, `p(x)` everybody's share with one added to every count;
/// the score is the sum over features of `log p(x) − log p(x | user)`. Freeman, Jain, Dürmuth, Biggio, Giacinto, "Who Are
/// You? A Statistical Approach to Measuring User Authenticity", NDSS 2016, without its attacker's side.
struct FlatRatio {
    enum Feature: Int, CaseIterable {
        case address, asn, country, agent, browser, system, type
        var name: String {
            switch self {
            case .address: "address"
            case .asn: "asn"
            case .country: "country"
            case .agent: "user_agent"
            case .browser: "browser"
            case .system: "os"
            case .type: "device_type"
            }
        }
    }

    /// A login's values by feature.
    struct Values {
        var keys: [UInt64]

        init(_ draft: LoginDraft, _ world: LoginWorld) {
            let site = world.site(ofAddress: draft.address)
            keys = [
                UInt64(draft.address), UInt64(site.provider), UInt64(site.country), draft.agent.key,
                UInt64(draft.agent.browserKey), UInt64(draft.agent.systemKey), UInt64(draft.agent.type.rawValue),
            ]
        }
    }

    static let beta = 5.0
    private var ofUser: [UInt64: UInt32] = [:]
    private var ofAll: [UInt64: UInt32] = [:]
    private var logins: [UInt32: UInt32] = [:]
    private var distinct = Array(repeating: 0.0, count: Feature.allCases.count)
    private var total = 0.0

    private func key(_ feature: Int, _ value: UInt64) -> UInt64 { Random.mix(value, UInt64(feature), 0x616C_6C) }
    private func key(_ user: UInt32, _ feature: Int, _ value: UInt64) -> UInt64 {
        Random.mix(value, UInt64(feature) << 32 | UInt64(user), 0x6F6E_65)
    }

    /// Successful logins of a user by now.
    func history(of user: UInt32) -> Int { Int(logins[user] ?? 0) }

    /// Everybody's share of a value.
    func share(_ feature: Feature, _ values: Values) -> Double {
        let count = Double(ofAll[key(feature.rawValue, values.keys[feature.rawValue])] ?? 0)
        return (count + 1) / (total + distinct[feature.rawValue] + 1)
    }

    /// Whether the user logged in with this value before.
    func isKnown(_ feature: Feature, _ values: Values, of user: UInt32) -> Bool {
        ofUser[key(user, feature.rawValue, values.keys[feature.rawValue])] != nil
    }

    /// One feature's part of the score; more is stranger.
    func term(_ feature: Feature, _ values: Values, of user: UInt32) -> Double {
        let everybody = share(feature, values)
        let count = Double(ofUser[key(user, feature.rawValue, values.keys[feature.rawValue])] ?? 0)
        let own = (count + Self.beta * everybody) / (Double(history(of: user)) + Self.beta)
        return log(everybody) - log(own)
    }

    /// Adds a login to the user's history and to everybody's.
    mutating func learn(_ values: Values, of user: UInt32) {
        for (feature, value) in values.keys.enumerated() {
            ofUser[key(user, feature, value), default: 0] += 1
            let general = key(feature, value)
            if let count = ofAll[general] {
                ofAll[general] = count + 1
            } else {
                ofAll[general] = 1
                distinct[feature] += 1
            }
        }
        logins[user, default: 0] += 1
        total += 1
    }
}
