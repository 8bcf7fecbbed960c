import Behavior
import Events
import Glibc

/// What one signal found: bounded evidence in log-odds ×10, and the numbers a person can check it by. What the numbers
/// mean is the signal's own affair (`Explanation`).
public struct Evidence {
    /// What counts in the score: weighted, capped, rounded to tenths.
    public var points = 0.0
    /// What the signal found, before its weight and every cap.
    public var raw = 0.0
    public var observed = 0.0
    public var expected = 0.0
    public var detail = 0.0
    public var samples: Float = 0
    public init() {}
}

/// The outcome of scoring one event. Reused from event to event.
public struct Assessment: ~Copyable {
    /// Indexed by `Signal.rawValue`; meaningful where `present` has the signal.
    public let evidence: UnsafeMutablePointer<Evidence>
    /// Signals that found something, whether or not anything of it counts.
    public internal(set) var spoken: SignalSet = []
    /// Signals that count in the score, for or against.
    public internal(set) var present: SignalSet = []
    /// Signals whose evidence speaks for danger.
    public internal(set) var fired: SignalSet = []
    /// Log-odds ×10 in all.
    public internal(set) var points = 0.0
    /// Probability ×100. Made when it is asked for: most events are far below every level.
    public var score: Double { Self.score(of: points) }
    static func score(of points: Double) -> Double { 100 / (1 + exp(-points / 10)) }
    public internal(set) var level = RiskLevel.low
    public internal(set) var confidence = Confidence.learning
    /// The course of actions with the action as a step of it; nil where nobody has asked.
    public internal(set) var course: SequenceWindow?
    /// Where the row has the action and the pair it makes.
    public internal(set) var place = ActionPlace()
    /// −ln of how likely the action was for the user, where nobody knows what others do; else NaN.
    public internal(set) var surprise = Float.nan
    /// How many different resources the user's open window has with this one; NaN where nobody has asked.
    public internal(set) var breadth = Float.nan
    /// What of the event the baseline knew; nil where nobody has asked.
    public internal(set) var known: Familiarity?
    /// Evidence for danger by group, and all evidence against it, before caps.
    var positive = InlineArray<8, Double>(repeating: 0)
    var negative = 0.0
    /// What of the evidence for danger counts, and of that against it. In memory, to be read by the sign without a branch.
    var scales = InlineArray<2, Double>(repeating: 1)
    /// Some group has more than its cap.
    var isCapped = false

    public init() {
        evidence = .allocate(capacity: Signal.count)
        evidence.initialize(repeating: Evidence(), count: Signal.count)
    }

    deinit { evidence.deallocate() }

    public subscript(signal: Signal) -> Evidence { evidence[Int(signal.rawValue)] }

    /// Log-odds.
    public var logit: Double { points / 10 }

    @inline(__always)
    mutating func set(
        _ signal: Signal, raw: Double, _ points: Double, groupCap: Double, observed: Double, expected: Double, detail: Double,
        samples: Float
    ) {
        let slot = evidence + Int(signal.rawValue)
        slot.pointee.raw = raw
        slot.pointee.points = points
        slot.pointee.observed = observed
        slot.pointee.expected = expected
        slot.pointee.detail = detail
        slot.pointee.samples = samples
        spoken.insert(SignalSet(signal))
        present.insert(SignalSet(signal))
        // Without a branch on the sign, which is known late and guessed wrong often.
        fired.rawValue |= (points > 0 ? 1 : 0) << UInt64(signal.rawValue)
        let group = Int(signal.group.rawValue)
        positive[group] += points > 0 ? points : 0
        negative += points < 0 ? points : 0
        if positive[group] > groupCap { isCapped = true }
    }

    mutating func clear() {
        spoken = []
        present = []
        fired = []
        (course, surprise, breadth) = (nil, .nan, .nan)
        place = ActionPlace()
        positive = InlineArray(repeating: 0)
        negative = 0
        isCapped = false
        known = nil
    }
}
