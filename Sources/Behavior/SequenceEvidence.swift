/// What somebody's counts, or everybody's, say about one step of a sequence.
public struct StepCounts: Sendable, Equatable {
    /// Faded count of the thing itself, and of all things.
    public var count: Float
    public var total: Float
    /// What follows the previous thing; empty for the first step.
    public var context: BigramContext

    public init(count: Float = 0, total: Float = 0, context: BigramContext = BigramContext()) {
        self.count = count
        self.total = total
        self.context = context
    }

    /// p(next | previous): the unigram with `strength` observations of `parent` added (Dirichlet), and the bigram backed
    /// off to it (`BigramContext.probability`). Adds up to 1 over all things if `parent` does.
    @inlinable public func probability(parent: Float, strength: Float) -> Float {
        let unigram = total + strength > 0 ? (count + strength * parent) / (total + strength) : parent
        return context.probability(unigram: unigram)
    }
}

public enum SequenceEvidence {
    /// Evidence in log-odds that a step is not this user's: ln p(step | others) − ln p(step | user), an interpolated Markov
    /// model on both sides (Ju, Vardi, "A hybrid high-order Markov chain model for computer intrusion detection", Journal of
    /// Computational and Graphical Statistics 2001, here of first order). The user's unigram backs off to what
    /// others do after the same step, so about a user without history it says exactly nothing.
    ///
    /// `kinds`, at least 1, is how many different things there may be; `strength` the β of the back-off.
    /// - Complexity: O(1), without libm.
    @inlinable public static func ofStep(user: StepCounts, others: StepCounts, kinds: Float, strength: Float = 5) -> Float {
        let common = max(others.probability(parent: 1 / max(kinds, 1), strength: strength), .leastNormalMagnitude)
        let own = max(user.probability(parent: common, strength: strength), .leastNormalMagnitude)
        return common == own ? 0 : Float(Portable.log(Double(common)) - Portable.log(Double(own)))
    }
}

/// Evidence over the last steps of a sequence, in 12 bytes: single steps say little, many say much (Schonlau, DuMouchel, Ju,
/// Karr, Theus, Vardi, "Computer intrusion: detecting masquerades", Statistical Science 2001). Each step counts
/// 1 − 1/length of what the one after it counts, which is a window of about `length` steps without a memory of them.
/// All-zero bytes are the empty window.
public struct SequenceWindow: Sendable, Equatable, BitwiseCopyable {
    /// Sum of the evidence of the last steps, in log-odds.
    public private(set) var sum: Float = 0
    /// How many steps that is: from the number of steps while few, up to `length`.
    public private(set) var weight: Float = 0
    /// Steps in all, saturating.
    public private(set) var count: UInt32 = 0

    @inlinable public init() {}

    /// Takes in a step's evidence, held within ± `cap` so that one strange step is not a sequence. What is not a number counts
    /// as a step that says nothing. `length` below 1 is 1. The sum never falls below −`credit`: as in a cumulative sum test
    /// (Page, "Continuous inspection schemes", Biometrika 1954), what was as usual for long must not cover what no longer is.
    /// - Complexity: O(1)
    public mutating func add(_ evidence: Float, length: Float, cap: Float = 4, credit: Float = .infinity) {
        let kept = 1 - 1 / max(length, 1)
        let held = evidence.isNaN ? 0 : min(max(evidence, -cap), cap)
        sum = max(sum * kept + held, -credit)
        weight = weight * kept + 1
        if count < .max { count += 1 }
    }

    /// What a sequence that goes on after a break begins with: a share of what spoke against this one, and nothing of what
    /// spoke for it.
    public func carried(_ share: Float) -> SequenceWindow {
        var next = SequenceWindow()
        next.sum = max(sum, 0) * share
        return next
    }

    /// Evidence of a step, on average; 0 when empty. Within ± `cap`.
    @inlinable public var mean: Float { weight > 0 ? sum / weight : 0 }
}
