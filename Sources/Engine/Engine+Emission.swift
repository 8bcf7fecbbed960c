import Behavior
import Events
import Policy
import Risk

/// How a decision becomes bytes.
extension Engine {
    func decisionID(_ record: Record) -> DecisionID {
        DecisionID(
            hash: hash, pipeline: texts.name, topic: texts.topics[Int(record.input)], partition: record.partition,
            offset: record.offset, time: event.pointee.time)
    }

    /// - Parameter isAsking: the draft has the question.
    @inline(never)
    func emit(
        _ record: Record, _ verdict: Verdict, reason: ByteView, previous: RiskLevel, isAsking: Bool,
        reported: ReportedRules, differing: UInt8 = 0, into effects: inout Effects
    ) {
        decision.id = decisionID(record)
        decision.verdict = verdict
        decision.score = assessment.pointee.score
        decision.logit = assessment.pointee.logit
        decision.base = plan.model.base
        decision.level = assessment.pointee.level
        decision.previousLevel = previous
        decision.confidence = assessment.pointee.confidence
        decision.rule = reason
        decision.policyVersion = texts.version
        decision.source = texts.source
        if !isAsking { decision.stepUp = nil }
        decision.topic = texts.topics[Int(record.input)]
        decision.partition = record.partition
        decision.offset = record.offset
        decision.shadow.removeAll(keepingCapacity: true)
        for rule in 0..<policy.count where reported.contains(rule) {
            decision.shadow.append(ShadowVerdict(rule: policy.name(of: rule), verdict: policy.verdict(of: rule)))
        }
        for policy in 0..<shadows.count where differing >> UInt8(policy) & 1 == 1 {
            decision.shadow.append(shadows.difference(policy, named: texts.shadows[policy], fallback: texts.fallback))
        }
        explain()
        effects.emit(
            draft, for: event, input: record.input, mode: plan.cloudEvents)
    }

    /// The reasons, most points first, ties in the order of `Signal`.
    func explain() {
        // Reasons are longer than what they are told by.
        var order = InlineArray<64, Signal>(repeating: .deviceNew)
        var count = 0
        var bits = assessment.pointee.present.rawValue
        while let signal = Signal(rawValue: UInt8(bits.trailingZeroBitCount)) {
            bits &= bits - 1
            let points = assessment.pointee[signal].points
            var at = count
            while at > 0 && assessment.pointee[order[at - 1]].points < points {
                order[at] = order[at - 1]
                at -= 1
            }
            order[at] = signal
            count += 1
        }
        words.removeAll()
        decision.reasons.removeAll(keepingCapacity: true)
        for at in 0..<count {
            let evidence = assessment.pointee[order[at]]
            let (observed, expected) = Explanation.write(order[at], evidence, of: event, into: &words)
            decision.reasons.append(
                Reason(
                    signal: order[at].name, points: evidence.points, observed: observed, expected: expected,
                    samples: Int(max(0, min(1e9, evidence.samples)))))
        }
        decision.text = words.view(from: 0)
    }
}
