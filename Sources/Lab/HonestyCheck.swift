import Glibc

/// Whether generated logins are as hard to judge as real ones: the flat ratio must reach on each kind of attack what it
/// reaches on the RBA data set, and no single feature may tell a kind apart better than the ratio does.
///
/// Compared are the successful logins of one kind with the legitimate successful logins, both on accounts that had a
/// legitimate successful login before. Histories hold legitimate successful logins only, and only earlier ones.
public struct HonestyCheck {
    /// What the flat ratio must reach, by kind; kinds that are not here are only reported.
    static let bands: [LoginKind: ClosedRange<Double>] = [
        .naive: 0.88...0.95, .vpn: 0.84...0.93, .targeted: 0.58...0.72, .takeover: 0.72...0.85,
    ]
    static let kinds: [LoginKind] = [.naive, .vpn, .targeted, .veryTargeted, .takeover]
    /// A single feature may exceed the ratio by this much and still count as tied: about twice the standard error of
    /// the difference of two such AUCs on 300 attacks.
    public static let tolerance = 0.03

    /// One feature beside the ratio.
    public struct Single: Encodable, Sendable {
        public var feature: String
        /// Area under the curve in the feature's better direction.
        public var auc: Double
        public var passes: Bool
    }

    /// What was found of one kind.
    public struct Finding: Encodable, Sendable {
        public var kind: String
        public var attacks: Int
        public var auc: Double
        public var low: Double?
        public var high: Double?
        public var passes: Bool
        /// The same over all logins of the kind, those on accounts without history included: they score 0.
        public var aucWithNoHistory: Double
        /// Best first.
        public var singles: [Single]
    }

    /// Everything found.
    public struct Report: Encodable, Sendable {
        public var legitimate: Int
        public var findings: [Finding]
        public var passes: Bool { findings.allSatisfy { $0.passes && $0.singles.allSatisfy(\.passes) } }
    }

    private static let others = [
        "rtt", "hour rarity", "hour of user", "weekday rarity", "gap", "history", "failures before",
    ]
    private static let names = FlatRatio.Feature.allCases.map { "ratio of \($0.name)" }
        + FlatRatio.Feature.allCases.map { "rarity of \($0.name)" } + others

    /// The newest successful login of an account and the failures since.
    private struct Recent {
        var time: Int64 = 0
        var hours: UInt32 = 0
        var failures: UInt16 = 0
    }

    private let world: LoginWorld
    private var ratio = FlatRatio()
    private var recent: [UInt32: Recent] = [:]
    private var hours = Array(repeating: 1.0, count: 24)
    private var weekdays = Array(repeating: 1.0, count: 7)
    /// The ratio, then the single features, of every login that counts.
    private var legitimate: [[Float]]
    private var hostile: [LoginKind: [[Float]]] = [:]
    private var withoutHistory: [LoginKind: Int] = [:]
    /// Of so many users one is compared, so that memory is bounded.
    private let sampling: UInt64

    /// For a stream made with `options`.
    public init(_ options: LoginOptions) {
        let options = options.bounded
        world = LoginWorld(options)
        sampling = UInt64(options.rows / 2_000_000 + 1)
        legitimate = Array(repeating: [], count: Self.names.count + 1)
    }

    /// Makes the stream and judges it.
    public static func run(_ options: LoginOptions) -> Report {
        var check = HonestyCheck(options)
        var traffic = LoginTraffic(options)
        while let draft = traffic.nextDraft() { check.observe(draft) }
        return check.report
    }

    mutating func observe(_ draft: LoginDraft) {
        guard draft.succeeds else {
            if draft.kind == .legitimate { recent[draft.user]?.failures &+= 1 }
            return
        }
        let values = FlatRatio.Values(draft, world)
        let history = ratio.history(of: draft.user)
        if draft.kind != .legitimate {
            if history == 0 {
                withoutHistory[draft.kind, default: 0] += 1
                return
            }
            let row = measures(draft, values)
            var columns = hostile[draft.kind] ?? Array(repeating: [], count: row.count)
            for (index, value) in row.enumerated() { columns[index].append(value) }
            hostile[draft.kind] = columns
            return
        }
        if history > 0, Random.mix(UInt64(draft.user), 0x7361_6D70) % sampling == 0 {
            for (index, value) in measures(draft, values).enumerated() { legitimate[index].append(value) }
        }
        ratio.learn(values, of: draft.user)
        let (hour, weekday) = Self.clock(draft.time)
        hours[hour] += 1
        weekdays[weekday] += 1
        recent[draft.user] = Recent(time: draft.time, hours: (recent[draft.user]?.hours ?? 0) | 1 << UInt32(hour), failures: 0)
    }

    private static func clock(_ time: Int64) -> (hour: Int, weekday: Int) {
        (Int(time / 3_600_000 % 24), Int((time / 86_400_000 + 3) % 7))
    }

    private func measures(_ draft: LoginDraft, _ values: FlatRatio.Values) -> [Float] {
        let terms = FlatRatio.Feature.allCases.map { ratio.term($0, values, of: draft.user) }
        let rarities = FlatRatio.Feature.allCases.map { -log(ratio.share($0, values)) }
        let (hour, weekday) = Self.clock(draft.time)
        let last = recent[draft.user] ?? Recent()
        // Hours to the nearest hour of the day at which the user logged in before.
        var distance = 12
        for other in 0..<24 where last.hours >> UInt32(other) & 1 == 1 {
            distance = min(distance, min(abs(other - hour), 24 - abs(other - hour)))
        }
        let other: [Double] = [
            draft.roundTrip > 0 ? Double(draft.roundTrip) : 539,
            -log(hours[hour] / hours.reduce(0, +)), Double(distance), -log(weekdays[weekday] / weekdays.reduce(0, +)),
            last.time > 0 ? log(Double(max(draft.time - last.time, 1))) : 0,
            Double(ratio.history(of: draft.user)), Double(last.failures),
        ]
        return ([terms.reduce(0, +)] + terms + rarities + other).map { Float($0) }
    }

    /// What was found by now.
    public var report: Report {
        let findings = Self.kinds.compactMap { kind -> Finding? in
            guard let columns = hostile[kind], !columns.isEmpty, !legitimate[0].isEmpty else { return nil }
            let auc = Self.auc(columns[0], over: legitimate[0])
            let band = Self.bands[kind]
            let singles = Self.names.indices.map { index -> Single in
                let area = Self.auc(columns[index + 1], over: legitimate[index + 1])
                let better = max(area, 1 - area)
                return Single(feature: Self.names[index], auc: better, passes: band == nil || better <= auc + Self.tolerance)
            }
            return Finding(
                kind: kind.rawValue, attacks: columns[0].count, auc: auc, low: band?.lowerBound, high: band?.upperBound,
                passes: band?.contains(auc) ?? true,
                aucWithNoHistory: Self.auc(columns[0] + Array(repeating: 0, count: withoutHistory[kind] ?? 0), over: legitimate[0]),
                singles: singles.sorted { $0.auc > $1.auc })
        }
        return Report(legitimate: legitimate[0].count, findings: findings)
    }

    /// The probability that a value of `positives` is above one of `negatives`, ties counting half (Mann and Whitney).
    /// - Complexity: O(*n* log *n*).
    static func auc(_ positives: [Float], over negatives: [Float]) -> Double {
        let sorted = negatives.sorted()
        func below(_ value: Float, orEqual: Bool) -> Int {
            var (low, high) = (0, sorted.count)
            while low < high {
                let middle = (low + high) / 2
                if sorted[middle] < value || orEqual && sorted[middle] == value { low = middle + 1 } else { high = middle }
            }
            return low
        }
        var sum = 0.0
        for value in positives { sum += Double(below(value, orEqual: false) + below(value, orEqual: true)) / 2 }
        return sum / Double(max(positives.count, 1)) / Double(max(sorted.count, 1))
    }
}
