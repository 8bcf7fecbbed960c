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
        if !decision.shadow.isEmpty { decision.shadow.removeAll(keepingCapacity: true) }
        if !reported.isEmpty || differing != 0 { noteObjections(reported, differing) }
        explain()
        effects.emit(
            draft, for: event, input: record.input, mode: plan.cloudEvents)
    }

    /// What report-only rules and shadow policies would have decided.
    private func noteObjections(_ reported: ReportedRules, _ differing: UInt8) {
        for rule in 0..<policy.count where reported.contains(rule) {
            decision.shadow.append(ShadowVerdict(rule: policy.name(of: rule), verdict: policy.verdict(of: rule)))
        }
        for policy in 0..<shadows.count where differing >> UInt8(policy) & 1 == 1 {
            decision.shadow.append(shadows.difference(policy, named: texts.shadows[policy], fallback: texts.fallback))
        }
    }

    /// The reasons, most points first, ties in the order of `Signal`.
    private func explain() {
        let evidence = assessment.pointee.evidence
        var left = assessment.pointee.present
        words.removeAll()
        words.write(atMost: left.rawValue.nonzeroBitCount * Explanation.room(for: event)) { text in
            let start = text
            while let signal = strongest(of: left) {
                left.subtract(SignalSet(signal))
                if text != start { text.write(0x2C) }
                text = Explanation.write(signal, evidence + Int(signal.rawValue), of: event, to: text)
            }
        }
        decision.reasons = words.view(from: 0)
    }

    /// The one that has most points, of several the first.
    @inline(__always)
    private func strongest(of signals: SignalSet) -> Signal? {
        var bits = signals.rawValue
        var best = Signal(rawValue: UInt8(bits.trailingZeroBitCount))
        var most = -Double.infinity
        while let signal = Signal(rawValue: UInt8(bits.trailingZeroBitCount)) {
            bits &= bits &- 1
            let points = assessment.pointee[signal].points
            if points > most { (best, most) = (signal, points) }
        }
        return best
    }
}
