import Glibc

/// What a stream of logins looks like from outside, beside what the RBA data set looks like (Wiefling, Jørgensen, Thunem,
/// Lo Iacono, ACM TOPS 2022).
public struct LoginMarginals {
    /// One measured number.
    public struct Line: Encodable, Sendable {
        public var name: String
        public var measured: Double
        /// Nil where there is none.
        public var target: Double?
        /// How far from the target it may be, absolute.
        public var tolerance: Double?
        public var isWithin: Bool {
            guard let target, let tolerance else { return true }
            return abs(measured - target) <= tolerance
        }
    }

    /// Of one address: all rows, those that succeeded, and whether a campaign came from it.
    private struct Seen {
        var rows: UInt32 = 0
        var successes: UInt32 = 0
        var isListed = false
    }

    private let options: LoginOptions
    private let world: LoginWorld
    private let users: Int
    private var rows = 0.0
    private var successes = 0.0
    private var unknown = 0.0
    private var attempts: [UInt32]
    private var addresses: [UInt32: Seen] = [:]
    private var countries: [Double]
    private var providers: [UInt16: Double] = [:]
    private var types = Array(repeating: 0.0, count: LoginAgent.Class.allCases.count)
    private var roundTrips: [UInt16] = []
    private var hours = Array(repeating: 0.0, count: 24)
    private var months = Array(repeating: 0.0, count: 12)
    private var ratio = FlatRatio()
    private var returning = 0.0
    private var newAgents = 0.0
    private var newAddresses = 0.0
    /// Logins by kind, and those of a provider the account had used before, or of an account without history.
    private var kinds: [LoginKind: Double] = [:]
    private var sameProvider: [LoginKind: Double] = [:]
    private var fresh = 0.0

    init(_ traffic: LoginTraffic) {
        (options, world, users) = (traffic.options, traffic.world, traffic.users)
        attempts = Array(repeating: 0, count: users)
        countries = Array(repeating: 0, count: world.countries.count)
    }

    /// Makes the stream and measures it.
    public static func run(_ options: LoginOptions) -> [Line] {
        var traffic = LoginTraffic(options)
        var marginals = LoginMarginals(traffic)
        while let draft = traffic.nextDraft() { marginals.observe(draft) }
        return marginals.lines
    }

    mutating func observe(_ draft: LoginDraft) {
        rows += 1
        let known = Int(draft.user) < users
        if known { attempts[Int(draft.user)] += 1 } else { unknown += 1 }
        let site = world.site(ofAddress: draft.address)
        countries[Int(site.country)] += 1
        providers[site.provider, default: 0] += 1
        types[Int(draft.agent.type.rawValue)] += 1
        if draft.roundTrip > 0 { roundTrips.append(draft.roundTrip) }
        var seen = addresses[draft.address] ?? Seen()
        seen.rows += 1
        if draft.succeeds { seen.successes += 1 }
        if draft.kind == .stuffing || draft.kind == .takeover { seen.isListed = true }
        addresses[draft.address] = seen
        let elapsed = draft.time - options.start.milliseconds
        hours[Int(draft.time / 3_600_000 % 24)] += 1
        months[min(max(Int(elapsed * 12 / (Int64(options.days) * LoginOptions.dayMilliseconds)), 0), 11)] += 1
        kinds[draft.kind, default: 0] += 1
        guard draft.succeeds else { return }
        successes += 1
        let values = FlatRatio.Values(draft, world)
        let hasHistory = ratio.history(of: draft.user) > 0
        if ratio.isKnown(.asn, values, of: draft.user) { sameProvider[draft.kind, default: 0] += 1 }
        if draft.kind == .takeover, !hasHistory { fresh += 1 }
        guard draft.kind == .legitimate else { return }
        if hasHistory {
            returning += 1
            if !ratio.isKnown(.agent, values, of: draft.user) { newAgents += 1 }
            if !ratio.isKnown(.address, values, of: draft.user) { newAddresses += 1 }
        }
        ratio.learn(values, of: draft.user)
    }

    /// Measured numbers beside their targets.
    public var lines: [Line] {
        var lines: [Line] = []
        func add(_ name: String, _ measured: Double, _ target: Double? = nil, within tolerance: Double? = nil) {
            lines.append(Line(name: name, measured: measured, target: target, tolerance: tolerance))
        }
        func share(_ part: Double, _ whole: Double) -> Double { whole > 0 ? part / whole : 0 }
        add("rows", rows, Double(options.rows), within: 0.1 * Double(options.rows))
        let sorted = attempts.filter { $0 > 0 }.sorted()
        func quantile(_ q: Double) -> Double { sorted.isEmpty ? 0 : Double(sorted[min(Int(q * Double(sorted.count)), sorted.count - 1)]) }
        add("accounts", Double(sorted.count))
        add("attempts per account, median", quantile(0.5), 2, within: 0)
        add("attempts per account, 90th percentile", quantile(0.9), 9, within: 1)
        add("attempts per account, 99th percentile", quantile(0.99), 28, within: 4)
        add("accounts with one attempt", share(Double(sorted.count { $0 == 1 }), Double(sorted.count)), 0.397, within: 0.03)
        add("successful", share(successes, rows), options.successShare, within: 0.02)
        add("on unknown accounts", share(unknown, rows), options.unknownShare, within: 0.02)
        let listed = addresses.values.filter(\.isListed)
        let listedRows = listed.reduce(0.0) { $0 + Double($1.rows) }
        add("rows from attack addresses", share(listedRows, rows), 0.099, within: 0.02)
        add("attack addresses of addresses", share(Double(listed.count), Double(addresses.count)), 0.024, within: 0.008)
        add("successful from attack addresses", share(listed.reduce(0.0) { $0 + Double($1.successes) }, listedRows), 0.26, within: 0.06)
        for (index, target) in LoginPlaces.largest.enumerated() {
            add("country \(LoginPlaces.countries[index].code)", share(countries[index], rows), target, within: 0.015 + 0.03 * target)
        }
        add("countries in the tail", Double(countries.dropFirst(LoginPlaces.largest.count).count { $0 > 0 }), rows > 200_000 ? 224 : nil, within: 24)
        let largest = providers.values.sorted(by: >)
        add("largest provider", share(largest.first ?? 0, rows), 0.26, within: 0.025)
        add("second provider", share(largest.dropFirst().first ?? 0, rows), 0.21, within: 0.025)
        for (type, target) in zip(LoginAgent.Class.allCases, LoginAgent.Class.shares) {
            add("device \(type.name)", share(types[Int(type.rawValue)], rows), target, within: 0.01 + 0.03 * target)
        }
        add("with round-trip time", share(Double(roundTrips.count), rows), options.roundTripShare, within: 0.004)
        add("round-trip time, median ms", roundTrips.isEmpty ? 0 : Double(roundTrips.sorted()[roundTrips.count / 2]), options.roundTripMedian, within: 60)
        // The data set has 15 logins a minute by night and 75 by day: a fifth.
        let byHour = hours.sorted()
        add("quietest hour over busiest", share(byHour[0], byHour[23]), 0.2, within: 0.06)
        add("last month over first", share(months[11], months[0]), options.drift, within: 0.15)
        add("new user agent, of returning logins", share(newAgents, returning), 0.52, within: 0.04)
        add("new address, of returning logins", share(newAddresses, returning))
        for (kind, target) in [(LoginKind.naive, 0.208), (.vpn, 0.419)] {
            add("known provider, \(kind.rawValue)", share(sameProvider[kind] ?? 0, kinds[kind] ?? 0), target, within: 0.06)
        }
        add("known provider, takeover", share(sameProvider[.takeover] ?? 0, (kinds[.takeover] ?? 0) - fresh))
        add("known provider, legitimate", share(sameProvider[.legitimate] ?? 0, returning))
        for kind in LoginKind.allCases { add("logins, \(kind.rawValue)", kinds[kind] ?? 0) }
        add("takeovers without history", share(fresh, kinds[.takeover] ?? 0), options.takeoverNoHistory, within: 0.1)
        return lines
    }
}
