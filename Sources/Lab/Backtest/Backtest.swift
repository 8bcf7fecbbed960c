import Events

/// Two pipelines over one history: who would have been asked, blocked or let through otherwise, and what that costs.
/// Of every pair of numbers `a` is the first pipeline's.
public struct Backtest: Sendable, Encodable {
    /// What was read.
    public struct Counts: Sendable, Encodable {
        public var lines: Int
        /// Logins and actions that both decided and that are measured.
        public var events: Int
        /// The same that only built baselines.
        public var warmedUp: Int
        /// Logins and actions to one of the pipelines alone.
        public var decidedByOne: Int
        public var users: Int
        /// Days on which a user did something, summed over users.
        public var userDays: Int
        public var rejected: Both<Int>
        public var answered: Both<Int>
        /// Challenge and feedback events of the history, which name decisions that neither pipeline made.
        public var recordedChallenges: Int
        public var recordedFeedback: Int
    }

    /// Decisions of one kind.
    public struct VerdictRow: Sendable, Encodable {
        public var decision: String
        public var events: Both<Int>
        public var users: Both<Int>
    }

    /// What A decided, what B decided, and of how many.
    public struct ChangeRow: Sendable, Encodable {
        public var a: String
        public var b: String
        public var events: Int
        public var users: Int
    }

    /// What one rule did, or what decides where no rule does.
    public struct RuleRow: Sendable, Encodable {
        public var rule: String
        public var interventions: Both<Int>
        /// Questions put anew; one that stands open is counted once.
        public var challenges: Both<Int>
        /// Those of them where the other pipeline lets pass.
        public var addedChallenges: Both<Int>
    }

    /// One kind of attack, by label.
    public struct AttackRow: Sendable, Encodable {
        public var kind: String
        /// With one onset; those that begin while warming up are left out.
        public var attacks: Int
        public var caught: Both<Int>
        /// Caught by this pipeline and missed by the other.
        public var caughtAlone: Both<Int>
        /// Of those caught, events up to the first intervention; 1 is the onset itself.
        public var medianEvents: Both<Int?>
        public var medianSeconds: Both<Double?>
        public var events: Int
        public var eventsLetThrough: Both<Int>
        public var auc: Both<Double?>
        /// Share of hostile events found by the threshold that suspects at most so many of the legitimate ones.
        public var recallAt01Percent: Both<Double?>
        public var recallAt1Percent: Both<Double?>
        public var recallAt5Percent: Both<Double?>
    }

    /// What legitimate users bear, by label; sessions that an attacker was in are left out.
    public struct Burden: Sendable, Encodable {
        public var events: Int
        public var logins: Int
        public var challenges: Both<Int>
        public var refusals: Both<Int>
    }

    /// One event on which the pipelines differ.
    public struct Difference: Sendable, Encodable {
        public var event: String
        public var type: String
        public var time: String
        public var tenant: String?
        public var user: String
        public var session: String?
        public var a: DecisionSummary
        public var b: DecisionSummary
    }

    public var pipelines: Both<String>
    public var versions: Both<String>
    public var answers: String
    public var counts: Counts
    public var verdicts: [VerdictRow]
    /// Only where they differ.
    public var changes: [ChangeRow]
    public var challenges: Both<Int>
    /// Per 1,000 users who did something on a day.
    public var challengesPer1000UsersADay: Both<Double>
    public var rules: [RuleRow]
    /// Events that the pipelines score differently.
    public var scoredApart: Int
    /// Empty without labels.
    public var attacks: [AttackRow]
    /// Nil without labels.
    public var burden: Burden?
    public var unlabelled: Int
    public var sample: [Difference]

    init(_ state: borrowing Progress, lines: Int, names: (String, String), versions: (String, String)) {
        let tally = state.tally
        pipelines = Both(names.0, names.1)
        self.versions = Both(versions.0, versions.1)
        answers = state.options.answers.rawValue
        counts = Counts(
            lines: lines, events: tally.events, warmedUp: state.warmedUp, decidedByOne: state.decidedByOne,
            users: tally.cellsOfUser.count { $0 != 0 }, userDays: tally.userDays,
            rejected: Both(state.sides.a.rejected, state.sides.b.rejected),
            answered: Both(state.sides.a.answered, state.sides.b.answered),
            recordedChallenges: state.leftOut.challenges, recordedFeedback: state.leftOut.feedback)
        verdicts = Self.verdicts(tally)
        changes = Self.changes(tally)
        challenges = tally.questions
        let days = Double(max(tally.userDays, 1)) / 1_000
        challengesPer1000UsersADay = Both(Double(tally.questions.a) / days, Double(tally.questions.b) / days)
        rules = tally.rulesByName.map {
            RuleRow(rule: $0.name, interventions: $0.interventions, challenges: $0.questions, addedChallenges: $0.added)
        }
        scoredApart = tally.scoredApart
        let labels = state.labels
        unlabelled = labels.unlabelled
        attacks = Self.attacks(labels)
        burden = labels.isLabelled
            ? Burden(
                events: labels.events[0], logins: labels.legitimateLogins, challenges: labels.questions, refusals: labels.refusals)
            : nil
        sample = state.sample.chosen.compactMap { entry in
            guard let a = DecisionSummary(json: entry.decisions.a), let b = DecisionSummary(json: entry.decisions.b) else { return nil }
            return Difference(
                event: a.event, type: a.type, time: a.time, tenant: a.tenant, user: a.user, session: a.session, a: a, b: b)
        }
    }

    private static func verdicts(_ tally: BacktestTally) -> [VerdictRow] {
        Verdict.allCases.map { verdict in
            var (events, users) = (Both(0, 0), Both(0, 0))
            for side in 0...1 {
                let own = Verdict.allCases.map { side == 0 ? BacktestTally.cell(verdict, $0) : BacktestTally.cell($0, verdict) }
                events[side] = own.reduce(0) { $0 + tally.cells[$1] }
                let mask = own.reduce(UInt16(0)) { $0 | 1 << UInt16($1) }
                users[side] = tally.cellsOfUser.count { $0 & mask != 0 }
            }
            return VerdictRow(decision: verdict.name.description, events: events, users: users)
        }
    }

    private static func changes(_ tally: BacktestTally) -> [ChangeRow] {
        Verdict.allCases.flatMap { a in
            Verdict.allCases.compactMap { b in
                let cell = BacktestTally.cell(a, b)
                guard a != b, tally.cells[cell] > 0 else { return nil }
                return ChangeRow(
                    a: a.name.description, b: b.name.description, events: tally.cells[cell], users: tally.users(in: cell))
            }
        }
    }

    private static func attacks(_ labels: BacktestLabels) -> [AttackRow] {
        labels.kinds.indices.dropFirst().sorted { labels.kinds[$0] < labels.kinds[$1] }.compactMap { kind in
            let own = labels.attacks.filter { $0.kind == kind && $0.isMeasured }
            guard !own.isEmpty || labels.events[kind] > 0 else { return nil }
            let legitimate = labels.scores[0]
            func both<Value>(_ value: (Int) -> Value) -> Both<Value> { Both(value(0), value(1)) }
            func recall(_ share: Double) -> Both<Double?> {
                both { labels.scores[kind][$0].recall(suspecting: share, of: legitimate[$0]) }
            }
            return AttackRow(
                kind: labels.kinds[kind], attacks: own.count,
                caught: both { side in own.count { $0.stoppedAt[side] > 0 } },
                caughtAlone: both { side in own.count { $0.stoppedAt[side] > 0 && $0.stoppedAt[1 - side] == 0 } },
                medianEvents: both { side in median(own.map { $0.stoppedAt[side] }.filter { $0 > 0 }) },
                medianSeconds: both { side in median(own.filter { $0.stoppedAt[side] > 0 }.map { $0.stoppedAfter[side] }) },
                events: labels.events[kind], eventsLetThrough: labels.passed[kind],
                auc: both { labels.scores[kind][$0].area(over: legitimate[$0]) },
                recallAt01Percent: recall(0.001), recallAt1Percent: recall(0.01), recallAt5Percent: recall(0.05))
        }
    }

    /// The lower of the two in the middle.
    private static func median<Value: Comparable>(_ values: [Value]) -> Value? {
        values.isEmpty ? nil : values.sorted()[(values.count - 1) / 2]
    }
}
