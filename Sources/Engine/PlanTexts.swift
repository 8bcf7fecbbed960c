import Events

extension EnginePlan {
    /// What decisions name instead of a rule where none decided.
    public static let reasons = [
        "otherwise", "session-terminated", "challenge-passed", "challenge-denied", "challenge-open",
    ]
}

/// Texts of the plan as bytes that outlive every decision.
final class PlanTexts {
    let name: ByteView
    let version: ByteView
    let source: ByteView
    let topics: UnsafeMutablePointer<ByteView>
    let fallback: ByteView
    let sessionTerminated: ByteView
    let challengePassed: ByteView
    let challengeDenied: ByteView
    let challengeIgnored: ByteView
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
        fallback = keep("otherwise")
        sessionTerminated = keep("session-terminated")
        challengePassed = keep("challenge-passed")
        challengeDenied = keep("challenge-denied")
        challengeIgnored = keep("challenge-open")
        self.arena = arena
    }

    deinit {
        topics.deallocate()
        for text in arena { text.deallocate() }
    }
}
