import Glibc

/// What the action half of a stream looks like from outside, beside what was asked of it.
public struct ActionMarginals {
    private let options: TrafficOptions
    private var events = 0.0
    private var hostile = 0.0
    private var roundTrips = 0.0
    private var anonymous = 0.0
    private var actions = Set<Action>()
    private var open: [UInt64: Session] = [:]
    private var gaps: [Double] = []
    private var counts: [Double] = []
    /// Events, cases and users of each twin; events and scenarios of each attack.
    private var twins: [BenignTwin: Seen] = [:]
    private var attacks: [AttackKind: Seen] = [:]

    private struct Session {
        var last: Int64
        var actions = 0.0
        var resources = Set<UInt64>()
    }
    private struct Seen {
        var events = 0.0
        var cases = Set<UInt64>()
    }

    init(_ options: TrafficOptions) { self.options = options }

    /// Makes the stream and measures it.
    /// - Complexity: O(events) in time, O(sessions) in memory.
    public static func run(_ options: TrafficOptions) -> [LoginMarginals.Line] {
        var traffic = TrafficGenerator(options)
        var marginals = ActionMarginals(traffic.options)
        while let draft = traffic.nextDraft() { marginals.observe(draft) }
        return marginals.lines(planned: traffic.plannedAttacks)
    }

    mutating func observe(_ draft: Draft) {
        events += 1
        if draft.roundTrip > 0 { roundTrips += 1 }
        if draft.device.id == 0 { anonymous += 1 }
        if let attack = draft.attack {
            hostile += 1
            attacks[attack, default: Seen()].events += 1
            attacks[attack]?.cases.insert(draft.onset)
            return
        }
        if let twin = draft.twin {
            twins[twin, default: Seen()].events += 1
            twins[twin]?.cases.insert(UInt64(draft.occurrence))
            if twin == .bulkJob { return }
        }
        if draft.type == .login {
            if draft.failed { return }
            open[draft.session] = Session(last: draft.time)
            return
        }
        actions.insert(draft.action)
        guard var session = open[draft.session] else { return }
        gaps.append(Double(draft.time - session.last) / 1_000)
        session.last = draft.time
        session.actions += 1
        session.resources.insert(UInt64(draft.action.resourceClass) << 32 | UInt64(draft.resource))
        open[draft.session] = session
    }

    /// Measured numbers beside their targets. `planned` is how many scenarios of a kind were meant to be.
    func lines(planned: (AttackKind) -> Int) -> [LoginMarginals.Line] {
        var lines: [LoginMarginals.Line] = []
        func add(_ name: String, _ measured: Double, _ target: Double? = nil, within tolerance: Double? = nil) {
            lines.append(LoginMarginals.Line(name: name, measured: measured, target: target, tolerance: tolerance))
        }
        add("events", events, options.events.map(Double.init), within: options.events.map { 0.15 * Double($0) })
        add("hostile events", events > 0 ? hostile / events : 0)
        let lengths = open.values.map(\.actions).sorted()
        add("actions a session, median", Self.median(lengths), options.actionsMedian, within: 0.1 * options.actionsMedian)
        add("actions a session, sigma of the logarithm", Self.sigma(lengths), options.actionsSigma, within: 0.08)
        let sorted = gaps.sorted()
        add("seconds between actions, median", Self.median(sorted), options.gapMedian, within: 0.1 * options.gapMedian)
        add("seconds between actions, sigma of the logarithm", Self.sigma(sorted), options.gapSigma, within: 0.1)
        add("kinds of action", Double(actions.count), 24, within: 0)
        add("distinct resources a session, median", Self.median(open.values.map { Double($0.resources.count) }.sorted()))
        add("with round-trip time", events > 0 ? roundTrips / events : 0, options.roundTripShare, within: 0.004)
        // Sessions without an id are those of people who never have one, and some of everybody else's.
        let idless = options.idlessUsers + (1 - options.idlessUsers) * options.privateShare
        add("without device id", events > 0 ? anonymous / events : 0, idless, within: 0.1)
        for twin in BenignTwin.allCases {
            add("twin \(twin.rawValue), events", events > 0 ? (twins[twin]?.events ?? 0) / events : 0)
            add("twin \(twin.rawValue), cases", Double(twins[twin]?.cases.count ?? 0))
        }
        for kind in AttackKind.ofTraffic {
            add("attack \(kind.rawValue), events", events > 0 ? (attacks[kind]?.events ?? 0) / events : 0)
            let wanted = Double(planned(kind))
            add("attack \(kind.rawValue), scenarios", Double(attacks[kind]?.cases.count ?? 0), wanted, within: 0.1 * wanted)
        }
        return lines
    }

    private static func median(_ sorted: [Double]) -> Double { sorted.isEmpty ? 0 : sorted[sorted.count / 2] }

    /// Half of what lies between the quantiles of a normal distribution one sigma to each side, so that what was cut off
    /// or rounded at the ends does not count.
    private static func sigma(_ sorted: [Double]) -> Double {
        if sorted.isEmpty { return 0 }
        func quantile(_ share: Double) -> Double { sorted[min(Int(share * Double(sorted.count)), sorted.count - 1)] }
        return (log(max(quantile(0.8413), 1e-3)) - log(max(quantile(0.1587), 1e-3))) / 2
    }
}
