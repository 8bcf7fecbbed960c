/// What is counted as one: found or missed, bothered or left in peace.
public enum JudgedUnit: String, Sendable, CaseIterable, Encodable {
    /// A successful login.
    case login
    /// A session by its login and first actions; an attack that begins in one, by its first actions.
    case session
    /// A login or action.
    case event
}

/// How the scores of a session's events become the session's.
public enum SessionScore: String, Sendable, CaseIterable {
    case max, mean, last
}

/// How much the engine could know of somebody: successful logins before, or events where nobody logs in.
public enum HistoryClass: UInt8, Sendable, CaseIterable {
    case none, some, much

    public var name: String {
        switch self {
        case .none: "0"
        case .some: "1-4"
        case .much: "5+"
        }
    }

    init(count: UInt32) { self = count == 0 ? .none : count < 5 ? .some : .much }
}

/// One unit with its score.
struct ScoredUnit {
    var user: UInt32
    /// Index into `LabelledRun.kinds`.
    var kind: UInt16
    var history: HistoryClass
    /// NaN where nothing of the unit has a score.
    var score: Float
}

/// Which events of a run make up which units. Events before `firstMeasured`, and all of what began there, are left out.
struct UnitPlan {
    private struct Shape {
        var user: UInt32
        var kind: UInt16
        var history: HistoryClass
    }

    private let run: LabelledRun
    private let sessionScore: SessionScore
    private let countsLogins: Bool
    /// By event: its session's unit; -1 for none.
    private var sessionOf: [Int32]
    private var sessions: [Shape] = []

    /// - Parameter first: how many actions of a session count.
    init(_ run: LabelledRun, first: Int, sessionScore: SessionScore) {
        self.run = run
        self.sessionScore = sessionScore
        countsLogins = run.hasLogins
        sessionOf = Array(repeating: -1, count: run.events.count)
        groupSessions(first: first)
    }

    private func history(_ event: JudgedEvent) -> HistoryClass {
        HistoryClass(count: countsLogins ? event.logins : event.events)
    }

    private func isMeasured(_ index: Int) -> Bool {
        let scenario = run.events[index].scenario
        return index >= run.firstMeasured && (scenario < 0 || run.scenarios[Int(scenario)].firstEvent >= run.firstMeasured)
    }

    /// The part of a session that is legitimate, and each scenario's part of it, are units of their own; the first only
    /// where no part is hostile, for whatever follows a theft is scored with the thief's deeds in mind.
    private mutating func groupSessions(first: Int) {
        var isTouched = [Bool](repeating: false, count: run.sessions)
        var begins = [Int](repeating: -1, count: run.sessions)
        for (index, event) in run.events.enumerated() where event.session >= 0 {
            if event.isHostile { isTouched[Int(event.session)] = true }
            if begins[Int(event.session)] < 0 { begins[Int(event.session)] = index }
        }
        var own = [Int32](repeating: -1, count: run.sessions)
        var hostile: [UInt64: Int32] = [:]
        var actions: [Int] = []
        for (index, event) in run.events.enumerated() where event.session >= 0 && isMeasured(index) {
            let session = Int(event.session)
            if !event.isHostile, isTouched[session] || begins[session] < run.firstMeasured { continue }
            let key = UInt64(session) << 32 | UInt64(UInt32(bitPattern: event.scenario))
            var unit = event.isHostile ? hostile[key] ?? -1 : own[session]
            if unit < 0 {
                unit = Int32(sessions.count)
                sessions.append(Shape(user: event.user, kind: event.kind, history: history(event)))
                actions.append(0)
                if event.isHostile { hostile[key] = unit } else { own[session] = unit }
            }
            guard actions[Int(unit)] < first else { continue }
            if !event.isLogin { actions[Int(unit)] += 1 }
            sessionOf[index] = unit
        }
    }

    /// The units with the scores that are given by event; NaN for none.
    /// - Complexity: O(events)
    func units(_ unit: JudgedUnit, scores: [Float]) -> [ScoredUnit] {
        switch unit {
        case .session: sessionUnits(scores)
        case .login: eventUnits(scores) { $0.isSuccess }
        case .event: eventUnits(scores) { _ in true }
        }
    }

    private func eventUnits(_ scores: [Float], where isWanted: (JudgedEvent) -> Bool) -> [ScoredUnit] {
        var units: [ScoredUnit] = []
        for (index, event) in run.events.enumerated() where isWanted(event) && isMeasured(index) {
            units.append(ScoredUnit(user: event.user, kind: event.kind, history: history(event), score: scores[index]))
        }
        return units
    }

    private func sessionUnits(_ scores: [Float]) -> [ScoredUnit] {
        var units = sessions.map { ScoredUnit(user: $0.user, kind: $0.kind, history: $0.history, score: .nan) }
        var counts = [Float](repeating: 0, count: units.count)
        for (index, unit) in sessionOf.enumerated() where unit >= 0 && !scores[index].isNaN {
            let unit = Int(unit)
            let score = scores[index]
            counts[unit] += 1
            guard counts[unit] > 1 else {
                units[unit].score = score
                continue
            }
            switch sessionScore {
            case .max: units[unit].score = Swift.max(units[unit].score, score)
            case .mean: units[unit].score += (score - units[unit].score) / counts[unit]
            case .last: units[unit].score = score
            }
        }
        return units
    }
}
