import Events

/// Whose burden is counted.
enum Burdened: Equatable {
    case everybody
    case known(Confidence)
    /// In sessions that an attacker was in before.
    case shared

    static let all: [Burdened] = [.everybody] + Confidence.allCases.map(Burdened.known) + [.shared]

    var name: String {
        switch self {
        case .everybody: "all"
        case .known(let confidence): confidence.name.description
        case .shared: "shared"
        }
    }
}

/// What the pipeline's own rules did to the measured part of a run: which attacks they stopped and how soon, and what
/// legitimate users had to bear for it.
struct PolicyMeasures {
    private struct Stop {
        var user: UInt32
        /// Hostile events up to the first that was answered by an intervention, itself included; 0 for none.
        var events: Int
        /// Event time from onset to that event.
        var seconds: Double
    }
    private struct Burden {
        var user: UInt32
        var confidence: Confidence
        var isShared: Bool
        var isDenial: Bool
    }

    /// What "per 1,000" counts: legitimate successful logins; where nobody logs in, legitimate events.
    let base: JudgedUnit
    /// By kind; index 0 has all kinds together.
    private var stops: [[Stop]]
    private var burdens: [Burden] = []
    /// By confidence and user: what `base` counts.
    private let bases: [[(user: UInt32, count: Double)]]

    /// Numbers of `attacks(kind:)`, in this order.
    enum AttackMeasure: Int, CaseIterable {
        case share, medianEvents, p90Events, medianSeconds, p90Seconds
    }

    init(_ run: LabelledRun) {
        base = run.hasLogins ? .login : .event
        var bases = [[Double]](repeating: Array(repeating: 0, count: run.users), count: Confidence.allCases.count)
        stops = Array(repeating: [], count: run.kinds.count)
        var seen = [Int](repeating: 0, count: run.scenarios.count)
        var stopped = [Stop?](repeating: nil, count: run.scenarios.count)
        var isShared = [Bool](repeating: false, count: run.sessions)
        for (index, event) in run.events.enumerated() {
            let shares = event.session >= 0 && isShared[Int(event.session)]
            if event.isHostile {
                if event.session >= 0 { isShared[Int(event.session)] = true }
                let scenario = Int(event.scenario)
                seen[scenario] += 1
                guard stopped[scenario] == nil, event.verdict != .allow else { continue }
                let start = run.scenarios[scenario].start
                stopped[scenario] = Stop(
                    user: run.scenarios[scenario].user, events: seen[scenario],
                    seconds: max(0, Double(event.time - start)) / 1_000)
                continue
            }
            guard index >= run.firstMeasured else { continue }
            if base == .event || event.isSuccess { bases[Int(event.confidence.rawValue)][Int(event.user)] += 1 }
            let asks = event.verdict == .stepUp && !event.repeatsQuestion
            if asks || event.verdict >= .deny {
                burdens.append(Burden(user: event.user, confidence: event.confidence, isShared: shares, isDenial: !asks))
            }
        }
        self.bases = bases.map { counts in
            counts.enumerated().filter { $0.element > 0 }.map { (UInt32($0.offset), $0.element) }
        }
        for (index, scenario) in run.scenarios.enumerated() where scenario.firstEvent >= run.firstMeasured {
            let stop = stopped[index] ?? Stop(user: scenario.user, events: 0, seconds: 0)
            stops[0].append(stop)
            stops[Int(scenario.kind)].append(stop)
        }
    }

    /// Attacks of a kind; 0 is all kinds together.
    func scenarios(kind: Int) -> Int { stops[kind].count }

    /// Share of attacks with an intervention, and of those the quantiles of how soon it came.
    func attacks(kind: Int, _ weights: UserWeights) -> [Double] {
        let list = stops[kind]
        var all = 0.0
        for stop in list { all += weights[stop.user] }
        guard all > 0 else { return AttackMeasure.allCases.map { _ in .nan } }
        let found = list.filter { $0.events > 0 }
        let events = found.map { (value: Double($0.events), weight: weights[$0.user]) }
        let seconds = found.map { (value: $0.seconds, weight: weights[$0.user]) }
        return [
            events.reduce(0) { $0 + $1.weight } / all, quantile(0.5, of: events), quantile(0.9, of: events),
            quantile(0.5, of: seconds), quantile(0.9, of: seconds),
        ]
    }

    /// The smallest value that at least `share` of the weight doesn't exceed.
    private func quantile(_ share: Double, of values: [(value: Double, weight: Double)]) -> Double {
        let total = values.reduce(0) { $0 + $1.weight }
        guard total > 0 else { return .nan }
        var passed = 0.0
        for entry in values.sorted(by: { $0.value < $1.value }) {
            passed += entry.weight
            if passed >= share * total - 1e-9 { return entry.value }
        }
        return .nan
    }

    /// Whose events the rates are counted on.
    private func users(_ burdened: Burdened) -> [(user: UInt32, count: Double)] {
        if case .known(let confidence) = burdened { return bases[Int(confidence.rawValue)] }
        return bases.flatMap { $0 }
    }

    /// How many of `base` there are.
    func legitimate(_ burdened: Burdened) -> Int { Int(users(burdened).reduce(0) { $0 + $1.count }) }

    /// Challenges and denials per 1,000 of `base`.
    func burden(_ burdened: Burdened, _ weights: UserWeights) -> [Double] {
        var total = 0.0
        for (user, count) in users(burdened) { total += weights[user] * count }
        guard total > 0 else { return [.nan, .nan] }
        var (challenges, denials) = (0.0, 0.0)
        for burden in burdens where burden.isShared == (burdened == .shared) {
            if case .known(let confidence) = burdened, burden.confidence != confidence { continue }
            if burden.isDenial { denials += weights[burden.user] } else { challenges += weights[burden.user] }
        }
        return [1_000 * challenges / total, 1_000 * denials / total]
    }
}

/// What one benign twin cost those who are it.
public struct TwinRow: Sendable, Equatable, Encodable {
    /// The label's `twin`.
    public var twin: String
    public var events = 0
    /// Occurrences: one trip, one new phone.
    public var cases = 0
    public var challenges = 0
    public var denials = 0
    /// Most challenges in one case.
    public var mostChallenges = 0
    /// Cases with more than one challenge, or any denial.
    public var casesBeyondOne = 0
}

extension LabelledRun {
    /// A row for every benign twin in the measured part, in the order of names.
    public var twinRows: [TwinRow] {
        var rows = twins.map { TwinRow(twin: $0) }
        var cases: [Int32: (twin: Int, challenges: Int, denials: Int)] = [:]
        for event in events[min(firstMeasured, events.count)...] where event.twin != 0 && !event.isHostile {
            let twin = Int(event.twin)
            rows[twin].events += 1
            var own = cases[event.occurrence] ?? (twin, 0, 0)
            if event.verdict == .stepUp, !event.repeatsQuestion { own.challenges += 1 }
            if event.verdict >= .deny { own.denials += 1 }
            cases[event.occurrence] = own
        }
        for (_, own) in cases {
            rows[own.twin].cases += 1
            rows[own.twin].challenges += own.challenges
            rows[own.twin].denials += own.denials
            rows[own.twin].mostChallenges = max(rows[own.twin].mostChallenges, own.challenges)
            if own.challenges > 1 || own.denials > 0 { rows[own.twin].casesBeyondOne += 1 }
        }
        return rows.dropFirst().filter { $0.events > 0 }.sorted { $0.twin < $1.twin }
    }
}
