import Events

/// Scores of somebody else for the same events.
public struct OtherScores: Sendable {
    public var name: String
    /// By event of the run; NaN for none.
    public var scores: [Float]
    /// Lines whose event is not in the run.
    public var unknown = 0
}

/// How an evaluation is made.
public struct EvaluationOptions: Sendable {
    /// Actions of a session that count for it.
    public var first = 10
    public var sessionScore = SessionScore.max
    public var rounds = 200
    public var seed: UInt64 = 1
    public init() {}
}

/// All that is measured of a labelled run: how well scores rank, Vigil's and others', and what the pipeline's rules did.
public struct Evaluation: Sendable, Encodable {
    /// How one scorer finds one kind of attack in one unit, for users with one amount of history.
    public struct RankingRow: Sendable, Encodable {
        public var scorer: String
        public var unit: JudgedUnit
        /// An attack's kind; `all` for all together.
        public var kind: String
        /// Successful logins before (events where nobody logs in): `any`, `0`, `1-4`, `5+`.
        public var history: String
        public var attacks: Int
        public var legitimate: Int
        public var auc: Estimate?
        public var recallAt1Percent: Estimate?
        public var recallAt01Percent: Estimate?
        /// Suspected of 1,000 legitimate units at the threshold that finds nine of ten attacks.
        public var suspectedPer1000At90: Estimate?
        public var suspectedPer1000At99: Estimate?
        /// By how much Vigil's area is larger on the same draws; nil for Vigil's own rows.
        public var vigilAhead: Estimate?
    }

    /// What the pipeline's rules did about one kind of attack.
    public struct AttackRow: Sendable, Encodable {
        public var kind: String
        public var attacks: Int
        /// With an intervention, 0…1.
        public var stopped: Estimate?
        /// Hostile events up to the first intervention; 1 is the onset itself.
        public var medianEvents: Estimate?
        public var p90Events: Estimate?
        public var medianSeconds: Estimate?
        public var p90Seconds: Estimate?
    }

    /// What legitimate users had to bear. What happens to them in a session after an attacker was in it is the attack's
    /// price and counted apart, as `shared`.
    public struct BurdenRow: Sendable, Encodable {
        /// `all`, what the engine knew of them, or `shared`.
        public var confidence: String
        /// Legitimate logins; events where nobody logs in.
        public var legitimate: Int
        public var challengesPer1000: Estimate?
        public var denialsPer1000: Estimate?
    }

    /// What was read.
    public struct Counts: Sendable, Encodable {
        public var events: Int
        public var measured: Int
        public var hostile: Int
        public var users: Int
        public var scenarios: Int
        public var rejected: Int
        public var answered: Int
    }

    public static let vigil = "vigil"

    public var counts: Counts
    public var scorers: [String]
    public var ranking: [RankingRow]
    public var attacks: [AttackRow]
    /// What `burden` counts per 1,000 of.
    public var burdenPer: JudgedUnit
    public var burden: [BurdenRow]
    public var twins: [TwinRow]
    public var calibration: Reliability
    /// Of Vigil, for a plot.
    var curves: [Curve]

    private enum CodingKeys: String, CodingKey {
        case counts, scorers, ranking, attacks, burdenPer, burden, twins, calibration
    }

    /// One curve of a plot.
    public struct Curve: Sendable {
        public var scorer: String
        public var unit: JudgedUnit
        public var kind: String
        public var area: Double
        var corners: [Ranking.Corner]
    }

    /// - Complexity: O(rounds × events × (1 + others)), a few seconds for a million events.
    public init(_ run: LabelledRun, others: [OtherScores] = [], options: EvaluationOptions = EvaluationOptions()) {
        let kinds = run.kinds.enumerated().map { $0.offset == 0 ? "all" : $0.element }
        let byName = [0] + kinds.indices.dropFirst().sorted { kinds[$0] < kinds[$1] }
        let plan = UnitPlan(run, first: options.first, sessionScore: options.sessionScore)
        let policy = PolicyMeasures(run)
        let all = [OtherScores(name: Self.vigil, scores: run.events.map(\.logit))] + others
        var slots: [RankingSlot] = []
        for unit in JudgedUnit.allCases {
            for scorer in all {
                let units = plan.units(unit, scores: scorer.scores)
                guard units.contains(where: { $0.kind == 0 && !$0.score.isNaN }) else { continue }
                slots.append(RankingSlot(
                    scorer: scorer.name, unit: unit, history: nil, ranking: Ranking(units, kinds: kinds.count)))
                for history in HistoryClass.allCases {
                    let part = units.filter { $0.history == history }
                    guard part.contains(where: { $0.kind != 0 }), part.contains(where: { $0.kind == 0 }) else { continue }
                    slots.append(RankingSlot(
                        scorer: scorer.name, unit: unit, history: history, ranking: Ranking(part, kinds: kinds.count)))
                }
            }
        }

        // One statistic for each place of Vigil's: its numbers, and what it is ahead of each other's by.
        var statistics: [(UserWeights) -> [Double]] = []
        let places = Dictionary(grouping: slots.indices) { slots[$0].place }
        let order = slots.indices.filter { slots[$0].scorer == Self.vigil }
        for index in order {
            let rankings = (places[slots[index].place] ?? []).map { slots[$0].ranking }
            statistics.append { weights in
                let numbers = rankings.map { $0.measure(weights) }
                let size = Ranking.Measure.allCases.count
                let ahead = numbers.dropFirst().flatMap { other in
                    stride(from: 0, to: other.count, by: size).map { numbers[0][$0] - other[$0] }
                }
                return numbers.flatMap { $0 } + ahead
            }
        }
        for kind in kinds.indices { statistics.append { policy.attacks(kind: kind, $0) } }
        for burden in Burdened.all { statistics.append { policy.burden(burden, $0) } }
        let estimates = Bootstrap(rounds: options.rounds, seed: options.seed, users: run.users).estimates(of: statistics)

        ranking = []
        for (position, index) in order.enumerated() {
            let members = places[slots[index].place] ?? []
            ranking += Self.rows(slots, members, kinds, byName, estimates[position])
        }
        attacks = byName.filter { policy.scenarios(kind: $0) > 0 }.map { kind in
            let found = estimates[order.count + kind]
            return AttackRow(
                kind: kinds[kind], attacks: policy.scenarios(kind: kind), stopped: found[0], medianEvents: found[1],
                p90Events: found[2], medianSeconds: found[3], p90Seconds: found[4])
        }
        burdenPer = policy.base
        burden = Burdened.all.enumerated().map { position, burdened in
            let found = estimates[order.count + kinds.count + position]
            return BurdenRow(
                confidence: burdened.name, legitimate: policy.legitimate(burdened),
                challengesPer1000: found[0], denialsPer1000: found[1])
        }
        let measured = run.events[min(run.firstMeasured, run.events.count)...]
        counts = Counts(
            events: run.events.count, measured: measured.count, hostile: measured.count { $0.isHostile }, users: run.users,
            scenarios: policy.scenarios(kind: 0), rejected: run.rejected, answered: run.answered)
        scorers = all.map(\.name)
        twins = run.twinRows
        calibration = Reliability(logits: measured.map(\.logit), isHostile: measured.map(\.isHostile))
        curves = slots.filter { $0.history == nil }.flatMap { slot in
            let numbers = slot.ranking.measure(UserWeights(users: run.users))
            return byName.dropFirst().compactMap { kind in
                let corners = slot.ranking.curve(kind: kind)
                let area = numbers[kind * Ranking.Measure.allCases.count]
                return corners.isEmpty || !slot.ranking.covers(kind) ? nil
                    : Curve(scorer: slot.scorer, unit: slot.unit, kind: kinds[kind], area: area, corners: corners)
            }
        }
    }

    private struct RankingSlot {
        var scorer: String
        var unit: JudgedUnit
        var history: HistoryClass?
        var ranking: Ranking
        /// What it is compared within.
        var place: String { "\(unit.rawValue) \(history?.name ?? "any")" }
    }

    /// The rows of all scorers at one place: Vigil's are the first. A scorer that does
    /// not cover a kind has no numbers for it.
    private static func rows(
        _ slots: [RankingSlot], _ members: [Int], _ kinds: [String], _ byName: [Int], _ estimates: [Estimate?]
    ) -> [RankingRow] {
        let size = Ranking.Measure.allCases.count
        var rows: [RankingRow] = []
        for kind in byName {
            for (number, member) in members.enumerated() {
                let slot = slots[member]
                let attacks = slot.ranking.hostileUnits[kind]
                guard attacks > 0 else { continue }
                var row = RankingRow(
                    scorer: slot.scorer, unit: slot.unit, kind: kinds[kind], history: slot.history?.name ?? "any",
                    attacks: attacks, legitimate: slot.ranking.legitimateUnits)
                if slot.ranking.covers(kind) {
                    let start = (number * kinds.count + kind) * size
                    func estimate(_ measure: Ranking.Measure) -> Estimate? { estimates[start + measure.rawValue] }
                    row.auc = estimate(.area)
                    row.recallAt1Percent = estimate(.recallAtPercent)
                    row.recallAt01Percent = estimate(.recallAtPerMille)
                    row.suspectedPer1000At90 = estimate(.suspectedAt90)?.times(1_000)
                    row.suspectedPer1000At99 = estimate(.suspectedAt99)?.times(1_000)
                    if number > 0 {
                        row.vigilAhead = estimates[members.count * kinds.count * size + (number - 1) * kinds.count + kind]
                    }
                }
                rows.append(row)
            }
        }
        return rows
    }
}

extension Estimate {
    func times(_ factor: Double) -> Estimate {
        Estimate(value: value * factor, low: low.map { $0 * factor }, high: high.map { $0 * factor })
    }
}
