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
    let vocabulary: Vocabulary

    public init(rules: [Rule], fallback: Verdict, model: ModelOptions, vocabulary: Vocabulary = Vocabulary()) {
        self.rules = rules
        self.fallback = fallback
        self.model = model
        self.vocabulary = vocabulary
    }

    /// Reasons beyond these, the weightiest, are not tried.
    static let mostReasons = 12
    /// Sets of the same size that are told.
    static let mostSets = 3

    /// The smallest sets of reasons without which the event would have been allowed, the weightiest first, at most three of
    /// the same size. Empty where no absence of reasons would have done it: the rule asks whatever the score is, nothing of
    /// the kind decided, or the event was allowed.
    ///
    /// What else an event must be than its score, level, confidence and signals is not in its decision. The rule that decided
    /// is taken to have found it as it asks for; other rules count only where they don't ask for it.
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
        let seen = Seen(type: type, score: score, level: level, confidence: confidence, fired: fired)
        for rule in rules where rule.mode == .enforce {
            // Of the copies that overrides make of a rule, one that allows is not the one that decided.
            let mayHaveDecided = rule.name == name && rule.verdict > .allow
            if holds(rule, seen) ?? mayHaveDecided { return rule.verdict }
        }
        return fallback
    }

    /// What is known of an event when only its decision is.
    private struct Seen {
        var type: EventType?
        var score: Double
        var level: RiskLevel
        var confidence: Confidence
        var fired: SignalSet
    }

    /// Whether a rule matches; nil where what is known doesn't tell.
    private func holds(_ rule: Rule, _ seen: Seen) -> Bool? {
        var result: Bool? = true
        for conditions in [rule.conditions] + rule.also {
            switch holds(conditions, seen) {
            case false?: return false
            case nil: result = nil
            case true?: break
            }
        }
        for conditions in rule.unless {
            switch holds(conditions, seen) {
            case true?: return false
            case nil: result = nil
            case false?: break
            }
        }
        return result
    }

    private func holds(_ when: RuleConditions, _ seen: Seen) -> Bool? {
        let fits = seen.score >= when.score?.atLeast ?? -.infinity && seen.score <= when.score?.atMost ?? .infinity
            && (when.levels.isEmpty || when.levels.contains(seen.level))
        let applies = fits && (when.confidence.isEmpty || when.confidence.contains(seen.confidence))
            && (seen.type == nil || when.types.isEmpty || when.types.contains { $0 == seen.type })
        let shows = (when.anySignals.isEmpty || !when.anySignals.isDisjoint(with: seen.fired)) && when.allSignals.isSubset(of: seen.fired)
        if !applies || !shows { return false }
        var result: Bool? = when.isGeneral ? true : nil
        for names in when.named {
            let found = names.flatMap { vocabulary.conditions[$0] ?? [] }.map { holds($0, seen) }
            if found.contains(true) { continue }
            if !found.contains(nil) { return false }
            result = nil
        }
        return result
    }
}

extension RuleConditions {
    /// It asks for nothing itself that only the event knows, but its type.
    fileprivate var isGeneral: Bool {
        var known = RuleConditions()
        known.named = named
        known.types = types
        known.score = score
        known.levels = levels
        known.confidence = confidence
        known.anySignals = anySignals
        known.allSignals = allSignals
        return self == known
    }
}
