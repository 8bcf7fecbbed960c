import Events

/// Keeps account of what was decided about labelled events: per attack kind how many scenarios were stopped and
/// how soon, and what legitimate users had to bear.
///
/// A scenario is the events that share an onset. Events must be noted in the order of event time; decisions may come
/// at any time after their event, in any order, and repeatedly. An event without a decision was allowed.
/// Memory grows with hostile events, twins and interventions, not with legitimate traffic.
public struct ScenarioLedger: Sendable {
    /// What became of the scenarios of one attack kind.
    public struct AttackRow: Sendable, Equatable {
        /// The label's `kind`.
        public var kind: String
        /// Scenarios that began.
        public var scenarios = 0
        /// With at least one intervention.
        public var stopped = 0
        /// Hostile events up to and including the first that was answered by an intervention; 1 is the onset itself.
        /// Over stopped scenarios; nil when there are none.
        public var medianEvents: Int?
        /// The 90th percentile of the same.
        public var p90Events: Int?
        /// Event time from onset to that event.
        public var medianSeconds: Double?
        /// The 90th percentile of the same.
        public var p90Seconds: Double?
        /// Stopped scenarios, 0…1.
        public var share: Double { scenarios == 0 ? 0 : Double(stopped) / Double(scenarios) }
    }

    /// What legitimate traffic had to bear: all of it, or one benign twin.
    public struct LegitimateRow: Sendable, Equatable {
        /// `legitimate`, or the twin's name.
        public var name: String
        /// Events with that label.
        public var events = 0
        /// Questions put to a person: an unanswered one that is still open is not counted again.
        public var challenges = 0
        /// Denied events and ended sessions.
        public var denials = 0
        /// Challenges per 1,000 of these events.
        public var challengesPerThousand: Double { events == 0 ? 0 : 1_000 * Double(challenges) / Double(events) }
        /// Denials per 1,000 of these events.
        public var denialsPerThousand: Double { events == 0 ? 0 : 1_000 * Double(denials) / Double(events) }
    }

    private struct Scenario {
        var kind: String
        var start: Timestamp
        var events = 0
        var firstIntervention: (event: Int, time: Timestamp)?
    }
    private enum Place {
        case hostile(scenario: Int, event: Int, time: Timestamp)
        case twin(String)
    }

    private var scenarios: [Scenario] = []
    private var scenarioOfOnset: [String: Int] = [:]
    private var places: [String: Place] = [:]
    /// Events whose challenge or denial is counted: at-least-once delivery repeats decisions.
    private var asked: Set<String> = []
    private var refused: Set<String> = []
    private var all = LegitimateRow(name: "legitimate")
    private var twins: [String: LegitimateRow] = [:]

    /// Nothing noted yet.
    public init() {}

    /// Notes an event and its label. `kind` is `legitimate` or an attack's; an attack without an onset begins at the event.
    /// - Complexity: O(1).
    public mutating func note(event id: String, time: Timestamp, kind: String, onset: String?, twin: String? = nil) {
        if kind == "legitimate" {
            all.events += 1
            if let twin {
                twins[twin, default: LegitimateRow(name: twin)].events += 1
                places[id] = .twin(twin)
            }
            return
        }
        let key = onset ?? id
        let index: Int
        if let known = scenarioOfOnset[key] {
            index = known
        } else {
            index = scenarios.count
            scenarioOfOnset[key] = index
            scenarios.append(Scenario(kind: kind, start: time))
        }
        scenarios[index].events += 1
        places[id] = .hostile(scenario: index, event: scenarios[index].events, time: time)
    }

    /// Notes a generated event whose bytes are in `buffer`.
    public mutating func note(_ event: GeneratedEvent, in buffer: borrowing OutputBuffer) {
        if event.label.attack == nil, event.label.twin == nil {
            all.events += 1
            return
        }
        note(
            event: buffer.view(event.id).string, time: event.time, kind: event.label.attack?.rawValue ?? "legitimate",
            onset: event.label.attack == nil ? nil : GeneratedEvent.eventID(event.onset), twin: event.label.twin?.rawValue)
    }

    /// Notes what was decided about an event. `asks` is false where a step-up repeats a question that is still open.
    /// Events that were never noted count as legitimate.
    /// - Complexity: O(1).
    public mutating func note(decision verdict: Verdict, asks: Bool = true, on id: String) {
        if verdict == .allow { return }
        switch places[id] {
        case .hostile(let scenario, let event, let time):
            if let first = scenarios[scenario].firstIntervention, first.event <= event { return }
            scenarios[scenario].firstIntervention = (event, time)
        case .twin(let name):
            bear(verdict, asks, id, twin: name)
        case nil:
            bear(verdict, asks, id, twin: nil)
        }
    }

    private mutating func bear(_ verdict: Verdict, _ asks: Bool, _ id: String, twin: String?) {
        let isChallenge = verdict == .stepUp
        if isChallenge && !asks { return }
        guard isChallenge ? asked.insert(id).inserted : refused.insert(id).inserted else { return }
        func add(_ row: inout LegitimateRow) {
            if isChallenge { row.challenges += 1 } else { row.denials += 1 }
        }
        add(&all)
        if let twin { add(&twins[twin, default: LegitimateRow(name: twin)]) }
    }

    /// One row for every attack kind that occurred, in the order of names.
    public var attacks: [AttackRow] {
        var rows: [String: AttackRow] = [:]
        var events: [String: [Int]] = [:]
        var seconds: [String: [Double]] = [:]
        for scenario in scenarios {
            rows[scenario.kind, default: AttackRow(kind: scenario.kind)].scenarios += 1
            guard let first = scenario.firstIntervention else { continue }
            rows[scenario.kind]?.stopped += 1
            events[scenario.kind, default: []].append(first.event)
            seconds[scenario.kind, default: []].append(Double(first.time - scenario.start) / 1_000)
        }
        return rows.keys.sorted().compactMap { kind in
            guard var row = rows[kind] else { return nil }
            row.medianEvents = Self.quantile(0.5, of: events[kind])
            row.p90Events = Self.quantile(0.9, of: events[kind])
            row.medianSeconds = Self.quantile(0.5, of: seconds[kind])
            row.p90Seconds = Self.quantile(0.9, of: seconds[kind])
            return row
        }
    }

    /// All legitimate traffic first, then each benign twin, in the order of names.
    public var legitimate: [LegitimateRow] { [all] + twins.keys.sorted().compactMap { twins[$0] } }

    /// The smallest value that at least `share` of the values don't exceed.
    private static func quantile<Value: Comparable>(_ share: Double, of values: [Value]?) -> Value? {
        guard let sorted = values?.sorted(), !sorted.isEmpty else { return nil }
        return sorted[min(max(Int((share * Double(sorted.count)).rounded(.up)) - 1, 0), sorted.count - 1)]
    }
}
