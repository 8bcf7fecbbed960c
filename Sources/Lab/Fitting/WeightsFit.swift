import Events
import Foundation
import Risk

/// A labelled stream as the engine judged it, and what every signal found.
public struct FitInput: Sendable {
    public var run: LabelledRun
    /// A row for each event of the run.
    public var table: EvidenceTable
    public init(run: LabelledRun, table: EvidenceTable) {
        self.run = run
        self.table = table
    }
}

/// How weights are fitted.
public struct FitOptions: Sendable {
    /// Strength of the pull towards the weights there were, in attacks' worth of evidence: more for little data.
    public var ridge = 2.0
    /// Share of users that is measured on and never fitted on, 0…1.
    public var heldOut = 0.25
    /// Share of events taken to be hostile, 0…1; nil: what the pipeline's base says.
    public var prior: Double?
    /// The base stays what it is, and calibration has a slope only: for events that were chosen by what was found of them
    /// and by what they are, as those with a verdict are.
    public var keepsBase = false
    public init() {}
}

/// Weights, base and calibration fitted to labelled streams, and what they gain on users that were held out.
///
/// Every kind of attack weighs the same, and so does every attack of a kind, however many events it has; so does every
/// legitimate session. Hostile and legitimate events weigh the same while weights are fitted, and as `prior` says when
/// base and calibration are.
public struct WeightsFit: Sendable, Encodable {
    /// One signal's weight.
    public struct Weight: Sendable, Encodable {
        public var signal: String
        /// Events it spoke of among those fitted on.
        public var spoke: Int
        public var before: Double
        public var after: Double
    }

    /// One kind of attack among the users held out.
    public struct Gain: Sendable, Encodable {
        public var unit: JudgedUnit
        public var kind: String
        public var attacks: Int
        public var legitimate: Int
        public var aucBefore: Double
        public var aucAfter: Double
        /// At 1 % false positives.
        public var recallBefore: Double
        public var recallAfter: Double
    }

    /// Points.
    public var baseBefore: Double
    public var base: Double
    public var weights: [Weight]
    public var slope: Double
    public var offset: Double
    /// Nats an event, by the shares above, on the users held out.
    public var logLossBefore: Double
    public var logLossAfter: Double
    public var gains: [Gain]
    public var events: Int
    public var heldOutEvents: Int

    /// - Throws: `FitProblem` where there is nothing to fit on.
    /// - Complexity: O(rounds × events), some seconds for a million
    public init(_ inputs: [FitInput], model: ModelOptions, options: FitOptions = FitOptions()) throws(FitProblem) {
        let prior = options.prior ?? 1 / (1 + exp(-model.base / 10))
        let shift = log(prior / (1 - prior))
        let fusion = Fusion(model)
        let start = model.signals.map { $0.enabled ? $0.weight : 0 }
        let fitted = try Sample(inputs, heldOut: options.heldOut, isHeldOut: false)
        let kept = try Sample(inputs, heldOut: options.heldOut, isHeldOut: true)

        let regression = WeightsRegression(
            table: fitted.table, fusion: fusion, events: Array(0..<fitted.table.count), isHostile: fitted.isHostile,
            shares: fitted.shares, prior: start, ridge: options.ridge / Double(max(1, fitted.attacks)))
        var solution = regression.solve(base: model.base - 10 * shift)
        solution.base = options.keepsBase ? model.base : min(0, max(-100, solution.base + 10 * shift))

        let shares = kept.shares(prior: prior)
        func logits(_ solution: WeightsRegression.Solution, _ table: EvidenceTable) -> [Double] {
            var gradient: [(signal: Int, slope: Double)] = []
            return (0..<table.count).map {
                (solution.base + fusion.points(table, $0, weights: solution.weights, gradient: &gradient)) / 10
            }
        }
        func loss(_ logits: [Double]) -> Double {
            var sum = 0.0
            for row in logits.indices { sum += shares[row] * logarithmicLoss(logits[row], kept.isHostile[row]) }
            return sum
        }
        let before = WeightsRegression.Solution(base: model.base, weights: start)
        let raw = logits(solution, kept.table)
        let scaling = PlattScaling(logits: raw, isHostile: kept.isHostile, shares: shares)

        baseBefore = model.base
        base = solution.base
        slope = scaling.slope
        // The slope on everything but the base.
        offset = options.keepsBase ? (1 - scaling.slope) * model.base / 10 : scaling.offset
        var old = logits(before, kept.table)
        if options.keepsBase {
            // What is hostile among them depends on who was chosen, so that is allowed for on both sides.
            let chosen = PlattScaling(logits: old, isHostile: kept.isHostile, shares: shares, fitsSlope: false)
            old = old.map { $0 + chosen.offset }
        }
        logLossBefore = loss(old)
        logLossAfter = loss(raw.map { scaling.slope * $0 + scaling.offset })
        let spoken = fitted.table.spoken(in: Array(0..<fitted.table.count))
        weights = Signal.allCases.filter { model.signals[Int($0.rawValue)].enabled }.map { signal in
            let index = Int(signal.rawValue)
            return Weight(
                signal: signal.name.description, spoke: spoken[index], before: start[index], after: solution.weights[index])
        }
        events = fitted.table.count
        heldOutEvents = kept.table.count
        gains = Self.gains(inputs, options, before: { logits(before, $0) }, after: { logits(solution, $0) })
    }

    /// Whether a user, by the hash of the name, is held out.
    static func isHeldOut(_ name: UInt64, share: Double) -> Bool {
        Double(Random.mix(name, 0x6865_6C64) >> 11) * 0x1p-53 < share
    }

    /// Each input measured as `vigil evaluate` does, on the users held out.
    private static func gains(
        _ inputs: [FitInput], _ options: FitOptions, before: (EvidenceTable) -> [Double],
        after: (EvidenceTable) -> [Double]
    ) -> [Gain] {
        var kinds = ["all"]
        var units: [JudgedUnit: (before: [ScoredUnit], after: [ScoredUnit])] = [:]
        var users = 0
        for input in inputs {
            let plan = UnitPlan(input.run, first: 10, sessionScore: .max)
            let numbers = input.run.kinds.enumerated().map { place, kind -> UInt16 in
                if place == 0 { return 0 }
                if !kinds.contains(kind) { kinds.append(kind) }
                return UInt16(kinds.firstIndex(of: kind) ?? 0)
            }
            func add(_ scored: [ScoredUnit]) -> [ScoredUnit] {
                scored.filter { isHeldOut(input.run.userNames[Int($0.user)], share: options.heldOut) }.map {
                    var unit = $0
                    unit.user += UInt32(users)
                    unit.kind = numbers[Int(unit.kind)]
                    return unit
                }
            }
            let (scoresBefore, scoresAfter) = (before(input.table).map(Float.init), after(input.table).map(Float.init))
            for unit in JudgedUnit.allCases {
                units[unit, default: ([], [])].before += add(plan.units(unit, scores: scoresBefore))
                units[unit, default: ([], [])].after += add(plan.units(unit, scores: scoresAfter))
            }
            users += input.run.users
        }
        let weights = UserWeights(users: users)
        let size = Ranking.Measure.allCases.count
        return JudgedUnit.allCases.flatMap { unit -> [Gain] in
            guard let own = units[unit] else { return [] }
            let (old, new) = (Ranking(own.before, kinds: kinds.count), Ranking(own.after, kinds: kinds.count))
            let (oldNumbers, newNumbers) = (old.measure(weights), new.measure(weights))
            return kinds.indices.sorted { ($0 > 0 ? kinds[$0] : "") < ($1 > 0 ? kinds[$1] : "") }.compactMap { kind in
                guard old.hostileUnits[kind] > 0, old.legitimateUnits > 0 else { return nil }
                let (area, recall) = (
                    kind * size + Ranking.Measure.area.rawValue, kind * size + Ranking.Measure.recallAtPercent.rawValue
                )
                return Gain(
                    unit: unit, kind: kinds[kind], attacks: old.hostileUnits[kind], legitimate: old.legitimateUnits,
                    aucBefore: oldNumbers[area], aucAfter: newNumbers[area], recallBefore: oldNumbers[recall],
                    recallAfter: newNumbers[recall])
            }
        }
    }

    /// The weights file: what a pipeline names as `model.weights`.
    public var yaml: String {
        weightsFile(
            from: "\(events) events", base: base, weights: weights.map { ($0.signal, $0.after) }, slope: slope, offset: offset)
    }
}

/// Why nothing can be fitted.
public struct FitProblem: Error, Sendable, CustomStringConvertible {
    public var description: String
}

/// The events of one part of the users, with how much each counts.
private struct Sample {
    var table = EvidenceTable()
    var isHostile: [Bool] = []
    /// Sum to 1, half of it for hostile events.
    var shares: [Double] = []
    /// How many attacks there are.
    var attacks = 0

    init(_ inputs: [FitInput], heldOut: Double, isHeldOut: Bool) throws(FitProblem) {
        /// An attack or a legitimate session, by input.
        struct Case: Hashable {
            var input: Int
            var isHostile: Bool
            var number: Int
        }
        var sizes: [Case: Double] = [:]
        var kindOf: [Case: String] = [:]
        var cases: [Case] = []
        for (number, input) in inputs.enumerated() {
            for (index, event) in input.run.events.enumerated() {
                let name = input.run.userNames[Int(event.user)]
                guard WeightsFit.isHeldOut(name, share: heldOut) == isHeldOut else { continue }
                // Without a session, all of a user's events are one.
                let own = event.isHostile ? Int(event.scenario)
                    : event.session >= 0 ? Int(event.session) : -1 - Int(event.user)
                let key = Case(input: number, isHostile: event.isHostile, number: own)
                sizes[key, default: 0] += 1
                kindOf[key] = event.isHostile ? input.run.kinds[Int(event.kind)] : ""
                cases.append(key)
                isHostile.append(event.isHostile)
                input.table.forEach(of: index) { signal, raw in
                    if let signal = Signal(rawValue: UInt8(signal)) { table.append(signal, raw: raw) }
                }
                table.endEvent()
            }
        }
        var casesOfKind: [String: Double] = [:]
        for (_, kind) in kindOf { casesOfKind[kind, default: 0] += 1 }
        let kinds = Double(casesOfKind.count - 1)
        guard casesOfKind[""] != nil, kinds > 0 else {
            throw FitProblem(description: (isHeldOut ? "among the users held out" : "among the users fitted on")
                + " there are no " + (casesOfKind[""] == nil ? "legitimate events" : "attacks") + ": more events are needed")
        }
        attacks = sizes.keys.count { $0.isHostile }
        shares = cases.map { key in
            let kind = kindOf[key] ?? ""
            return 0.5 / (key.isHostile ? kinds : 1) / (casesOfKind[kind] ?? 1) / (sizes[key] ?? 1)
        }
    }

    /// The same, with this share for hostile events.
    func shares(prior: Double) -> [Double] {
        zip(shares, isHostile).map { $0 * 2 * ($1 ? prior : 1 - prior) }
    }
}
