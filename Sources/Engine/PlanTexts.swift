import Events

extension EnginePlan {
    /// What decisions name instead of a rule where none decided.
    public static let reasons = PlanTexts(EnginePlan()).reasons
}

/// Texts of the plan as bytes that outlive every decision.
final class PlanTexts {
    let name: ByteView
    let version: ByteView
    let source: ByteView
    let topics: UnsafeMutablePointer<ByteView>
    /// Names of the shadow policies.
    let shadows: UnsafeMutablePointer<ByteView>
    let fallback: ByteView
    let sessionTerminated: ByteView
    let sessionRotated: ByteView
    let accountAlarmed: ByteView
    let challengeBudget: ByteView
    let noMethod: ByteView
    let feedbackLegitimate: ByteView
    let feedbackCompromised: ByteView
    let feedbackUnknown: ByteView
    let feedbackUnheeded: ByteView
    let feedbackRepeated: ByteView
    /// By `ChallengeOutcome.rawValue`.
    let outcomes: UnsafeMutablePointer<ByteView>
    private let arena: [UnsafeMutableBufferPointer<UInt8>]

    init(_ plan: EnginePlan) {
        var arena: [UnsafeMutableBufferPointer<UInt8>] = []
        func keep(_ text: String) -> ByteView {
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(text.utf8.count, 1))
            _ = copy.initialize(from: text.utf8)
            arena.append(copy)
            return ByteView(base: UnsafePointer(copy.baseAddress), count: text.utf8.count)
        }
        name = keep(plan.name)
        version = keep(plan.version)
        source = keep("/vigil/" + plan.name)
        topics = .allocate(capacity: max(plan.inputs.count, 1))
        for (index, input) in plan.inputs.enumerated() { (topics + index).initialize(to: keep(input.topic)) }
        shadows = .allocate(capacity: max(plan.shadows.count, 1))
        for (index, shadow) in plan.shadows.enumerated() { (shadows + index).initialize(to: keep(shadow.name)) }
        fallback = keep("otherwise")
        sessionTerminated = keep("session-terminated")
        sessionRotated = keep("session-rotated")
        accountAlarmed = keep("account-alarmed")
        challengeBudget = keep("challenge-budget")
        noMethod = keep("no-method")
        feedbackLegitimate = keep("feedback-legitimate")
        feedbackCompromised = keep("feedback-compromised")
        feedbackUnknown = keep("feedback-unknown")
        feedbackUnheeded = keep("feedback-unheeded")
        feedbackRepeated = keep("feedback-repeated")
        outcomes = .allocate(capacity: ChallengeOutcome.allCases.count)
        for outcome in ChallengeOutcome.allCases {
            (outcomes + Int(outcome.rawValue)).initialize(to: keep("challenge-\(outcome.name)"))
        }
        self.arena = arena
    }

    deinit {
        topics.deallocate()
        shadows.deallocate()
        outcomes.deallocate()
        for text in arena { text.deallocate() }
    }

    /// Of a plan without inputs: all texts but its name and what is made of it.
    var reasons: [String] {
        let named = [name, version, source].map(\.base)
        return arena.filter { !named.contains(UnsafePointer($0.baseAddress)) }.map { String(decoding: $0, as: UTF8.self) }
    }
}
