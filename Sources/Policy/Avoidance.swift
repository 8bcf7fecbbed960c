import Behavior
import Events
import Risk

/// What would have spared the person: which reasons a decision needed in order not to be an allow. For people who read
/// decisions, not for the path of an event.
///
/// Points are taken as they were counted. Where a group's cap held its signals down, one of them less leaves more room for
/// the others, so what is said here is the least that would have had to be missing.
public struct Avoidance {
    /// A reason as the decision gives it.
    public struct Reason: Sendable, Equatable {
        public var signal: Signal
        public var points: Double
        public init(_ signal: Signal, points: Double) {
            self.signal = signal
            self.points = points
        }
    }

    let rules: [Rule]
    let fallback: Verdict
    let model: ModelOptions

    public init(rules: [Rule], fallback: Verdict, model: ModelOptions) {
        self.rules = rules
        self.fallback = fallback
        self.model = model
    }

    /// Reasons beyond these, the weightiest, are not tried.
    static let mostReasons = 12
    /// Sets of the same size that are told.
    static let mostSets = 3

    /// The smallest sets of reasons without which the event would have been allowed, the weightiest first, at most three of
    /// the same size. Empty where no absence of reasons would have done it: the rule asks whatever the score is, nothing of
    /// the kind decided, or the event was allowed.
    ///
    /// Besides the rule that decided, those are asked that look at nothing but score, level, confidence and signals: what
    /// else an event must be is not in its decision.
    /// - Complexity: O(2ⁿ · rules) in the number of reasons, at most 4,096 · rules.
    public func smallest(
        rule name: String, type: EventType?, confidence: Confidence, logit: Double, reasons: [Reason]
    ) -> [[Reason]] {
        guard rules.contains(where: { $0.name == name && $0.mode == .enforce && $0.verdict > .allow }) else { return [] }
        let raised = reasons.filter { $0.points > 0 }.sorted { ($1.points, $0.signal.rawValue) < ($0.points, $1.signal.rawValue) }
        let tried = Array(raised.prefix(Self.mostReasons))
        var found: [[Reason]] = []
        for size in 1...max(tried.count, 1) where size <= tried.count && found.isEmpty {
            for mask in 1..<1 << tried.count where mask.nonzeroBitCount == size {
                let absent = tried.indices.filter { mask >> $0 & 1 == 1 }.map { tried[$0] }
                let left = raised.filter { !absent.contains($0) }
                let points = logit * 10 - absent.reduce(0) { $0 + $1.points }
                if verdict(rule: name, type: type, confidence: confidence, points: points, fired: left.map(\.signal)) == .allow {
                    found.append(absent)
                }
            }
        }
        func sum(_ set: [Reason]) -> Double { set.reduce(0) { $0 + $1.points } }
        let ordered = found.enumerated().sorted { (sum($1.element), $0.offset) < (sum($0.element), $1.offset) }
        return ordered.prefix(Self.mostSets).map(\.element)
    }

    /// What the rules would have said to so many points (log-odds ×10) and these signals.
    private func verdict(
        rule name: String, type: EventType?, confidence: Confidence, points: Double, fired: [Signal]
    ) -> Verdict {
        let score = 100 / (1 + Portable.exp(-points / 10))
        let level: RiskLevel =
            score >= model.criticalScore ? .critical
            : score >= model.highScore ? .high : score >= model.mediumScore ? .medium : .low
        let fired = fired.reduce(into: SignalSet()) { $0.insert(SignalSet($1)) }
        for rule in rules where rule.mode == .enforce && (rule.name == name || rule.conditions.isGeneral) {
            let when = rule.conditions
            let fits = score >= when.score?.atLeast ?? -.infinity && score <= when.score?.atMost ?? .infinity
                && (when.levels.isEmpty || when.levels.contains(level))
            let applies = fits && (when.confidence.isEmpty || when.confidence.contains(confidence))
                && (type == nil || when.types.isEmpty || when.types.contains { $0 == type })
            let shows = (when.anySignals.isEmpty || !when.anySignals.isDisjoint(with: fired)) && when.allSignals.isSubset(of: fired)
            if applies && shows { return rule.verdict }
        }
        return fallback
    }
}

extension RuleConditions {
    /// It asks for nothing that only the event knows, but its type.
    var isGeneral: Bool {
        var known = RuleConditions()
        known.types = types
        known.score = score
        known.levels = levels
        known.confidence = confidence
        known.anySignals = anySignals
        known.allSignals = allSignals
        return self == known
    }
}
