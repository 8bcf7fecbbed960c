import Behavior
import Events
import Policy
import Risk

/// The policies that are tried beside the one that decides, in the form they are matched in.
final class ShadowPolicies {
    struct Outcome {
        var rule = -1
        var verdict = Verdict.allow
    }

    let count: Int
    let needs: ContextNeeds
    private let policies: [CompiledPolicy]
    /// The same without a retain for every event.
    private let borrowed: UnsafeMutablePointer<Unmanaged<CompiledPolicy>>
    /// What each would have decided of the event at hand.
    private let outcomes: UnsafeMutablePointer<Outcome>

    init(_ shadows: [ShadowPolicy], assurance: AssuranceOptions) {
        precondition(shadows.count <= ShadowPolicy.most, "a plan has at most 4 shadow policies")
        policies = shadows.map { 
            CompiledPolicy(rules: $0.rules, fallback: $0.fallback, assurance: assurance, vocabulary: $0.vocabulary)
        }
        count = policies.count
        needs = policies.reduce(into: []) { $0.formUnion($1.needs) }
        borrowed = .allocate(capacity: max(count, 1))
        outcomes = .allocate(capacity: max(count, 1))
        outcomes.initialize(repeating: Outcome(), count: max(count, 1))
        for (index, policy) in policies.enumerated() { (borrowed + index).initialize(to: .passUnretained(policy)) }
    }

    deinit {
        borrowed.deallocate()
        outcomes.deallocate()
    }

    /// What one of them decides. A step-up that `isProven` says was answered is an allow, and an alarm asks everybody, as with
    /// the policy that counts.
    @inline(__always)
    func decide(
        _ index: Int, _ event: UnsafeMutablePointer<Event>, _ assessment: UnsafeMutablePointer<Assessment>,
        _ context: UnsafePointer<PolicyContext>, isAlarming: Bool, isProven: (CompiledPolicy.Demand) -> Bool
    ) -> Verdict {
        borrowed[index]._withUnsafeGuaranteedRef { policy in
            var (verdict, rule, _) = policy.evaluate(event, assessment, context)
            if isAlarming {
                verdict = max(verdict, .stepUp)
            } else if verdict == .stepUp, isProven(policy.demand(of: rule)) {
                verdict = .allow
            }
            outcomes[index] = Outcome(rule: rule, verdict: verdict)
            return verdict
        }
    }

    /// What it last decided, for the wire.
    func difference(_ index: Int, named name: ByteView, fallback: ByteView) -> ShadowVerdict {
        let outcome = outcomes[index]
        return ShadowVerdict(
            policy: name, rule: outcome.rule >= 0 ? policies[index].name(of: outcome.rule) : fallback, verdict: outcome.verdict)
    }
}

extension Engine {
    /// Asks the shadow policies: a bit for each that would have decided otherwise than `verdict`, what the session has proven
    /// and alarms taken into account as they were for that. Nothing but the decision's `shadow` and whether it is emitted
    /// depends on it.
    @inline(__always)
    func compareShadows(
        _ verdict: Verdict, _ context: UnsafePointer<PolicyContext>, _ seen: Observation, _ row: UserRow, _ session: Int,
        _ claim: Proof?, isAlarming: Bool
    ) -> UInt8 {
        if shadows.count == 0 { return 0 }
        let slot = proofSlot(seen, row, session)
        var differing: UInt8 = 0
        for index in 0..<shadows.count {
            let other = shadows.decide(index, event, assessment, context, isAlarming: isAlarming) {
                standing($0, seen, row, slot, claim) != .open
            }
            if other == verdict { continue }
            differing |= 1 << UInt8(index)
            tally.pointee.shadowDifferences[index] &+= 1
        }
        return differing
    }
}
