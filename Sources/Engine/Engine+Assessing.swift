import Events
import Risk

/// What the engine found about one login or action, for whoever measures it or fits its weights.
public struct Judgement: Sendable {
    /// The engine's own decision; report-only rules have no part in it.
    public var verdict: Verdict
    /// Log-odds that the event is hostile.
    public var logit: Double
    /// Probability ×100.
    public var score: Double
    public var level: RiskLevel
    public var confidence: Confidence
    /// A step-up repeats a question that is still open, without a prompt.
    public var repeatsQuestion: Bool
}

/// What an assessment held, readable after the step: measuring looks at the engine, never at its output.
extension Engine {
    /// What was found about the record stepped last. Nil when that was not it, when it was no login or action, or when no
    /// decision came of it. Rests on the decision made, so it is whole only where the plan emits `.all`.
    public func judgement(on record: Record) -> Judgement? {
        let type = event.pointee.type
        guard decision.offset == record.offset, decision.partition == record.partition, type == .login || type == .action,
            decision.topic.isEqual(to: texts.topics[Int(record.input)])
        else { return nil }
        return Judgement(
            verdict: decision.verdict, logit: decision.logit, score: decision.score, level: decision.level,
            confidence: decision.confidence, repeatsQuestion: decision.stepUp.map { !$0.prompt.isPresent } ?? false)
    }

    /// The question the decision made last puts; nil when it puts none. Its views are valid until the next
    /// step.
    public var lastQuestion: StepUp? { decision.stepUp }

    /// What decided last: a rule's name, or one of `EnginePlan.reasons`. Its view is valid as long as the engine.
    public var lastRule: ByteView { decision.rule }

    /// What every signal that spoke found about the record stepped last, in the order of `Signal`; what its weight leaves
    /// nothing of included.
    public func forEachEvidence(_ body: (Signal, Evidence) -> Void) {
        for signal in Signal.allCases where assessment.pointee.spoken.contains(SignalSet(signal)) {
            body(signal, assessment.pointee[signal])
        }
    }
}
