import Events

@testable import Lab

/// A stream's events before they are written, with what a test asks about them.
struct Drafts {
    let options: TrafficOptions
    let all: [Draft]
    let planned: [AttackKind: Int]
    /// Hostile events of each scenario, by kind, in the order of time.
    let scenarios: [AttackKind: [[Draft]]]

    init(_ options: TrafficOptions) {
        var generator = TrafficGenerator(options)
        var all: [Draft] = []
        while let draft = generator.nextDraft() { all.append(draft) }
        var scenarios: [AttackKind: [UInt64: [Draft]]] = [:]
        for draft in all {
            if let kind = draft.attack { scenarios[kind, default: [:]][draft.onset, default: []].append(draft) }
        }
        self.all = all
        self.options = generator.options
        self.scenarios = scenarios.mapValues { $0.values.sorted { $0[0].ordinal < $1[0].ordinal } }
        planned = Dictionary(uniqueKeysWithValues: AttackKind.allCases.map { ($0, generator.plannedAttacks($0)) })
        print("seed \(options.seed): \(all.count) events of \(options.users) users in \(options.days) days")
    }

    /// Two months of 500 people who come seldom and stay shortly.
    static let long: Drafts = {
        var options = TrafficOptions()
        options.users = 500
        options.days = 60
        options.seed = 11
        options.sessionsMedian = 0.4
        options.actionsMedian = 3
        return Drafts(options)
    }()

    /// Many attacks of a few kinds on some people.
    static func attacked(_ rates: [AttackKind: Double], users: Int = 100, days: Int = 14, seed: UInt64 = 5) -> Drafts {
        var options = TrafficOptions()
        options.users = users
        options.days = days
        options.seed = seed
        options.actionsMedian = 6
        options.attacks = .none
        for (kind, rate) in rates { options.attacks[kind] = rate }
        return Drafts(options)
    }

    func person(_ number: UInt32) -> Person { Person(number: number, options: options) }
    func day(_ draft: Draft) -> Int { Int((draft.time - options.start.milliseconds) / TrafficOptions.dayMilliseconds) }
    /// Hours of the clock in a city.
    func localHour(_ draft: Draft, city: Int) -> Double {
        let minutes = draft.time / 60_000 + Int64(Place.zone(ofCity: city, at: draft.time))
        return Double(minutes % 1_440) / 60
    }
    /// Legitimate events of each user.
    var legitimate: [UInt32: [Draft]] { Dictionary(grouping: all.filter { $0.attack == nil }, by: \.user) }
}
