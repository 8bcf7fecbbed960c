import Events
import PipelineSpec
import Policy
import Risk

extension DecisionRecord {
    /// The smallest sets of reasons without which the pipeline would have allowed the event: see `Avoidance`. Empty for
    /// what was allowed, and for what no absence of reasons would have spared.
    func avoidable(under pipeline: Pipeline) -> [[Avoidance.Reason]] {
        guard decision != Verdict.allow.name.description, let logit, let rule = policy?.rule else { return [] }
        let plan = pipeline.plan
        return Avoidance(rules: plan.rules, fallback: plan.fallback, model: plan.model, vocabulary: plan.vocabulary).smallest(
            rule: rule, type: EventType.allCases.first { $0.name.description == type },
            confidence: Confidence.allCases.first { $0.name.description == confidence } ?? .learning, logit: logit,
            reasons: (reasons ?? []).compactMap { reason in
                Signal(name: reason.signal).map { Avoidance.Reason($0, points: reason.points) }
            })
    }
}

/// `would have been allowed without device.new (31.5)`, or `no single reason: …`; nil where there is nothing to say.
func avoidanceText(_ sets: [[Avoidance.Reason]]) -> String? {
    guard let first = sets.first else { return nil }
    let texts = sets.map { set in
        let names = set.map { "\($0.signal.name) (\(fixed($0.points, 1)))" }
        return names.count == 1 ? names[0] : names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "") + " together"
    }
    let without = "without " + texts.joined(separator: ", or without ")
    return first.count == 1 ? "would have been allowed " + without : "no single reason: would have been allowed " + without
}
