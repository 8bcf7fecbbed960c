import Behavior
import Events
import Glibc

/// Scores events: every enabled signal compares the event with the user's baseline and windows as they were before
/// it, and with what all users share, and the evidence is added up in log-odds.
///
/// Categorical evidence is the log of a likelihood ratio, "somebody else" to "the user" (Freeman, Jain, Dürmuth, Biggio,
/// Giacinto, "Who Are You?", NDSS 2016), taken level by level: country, then provider within a known country, then prefix
/// within a known provider; agent and system, then the device. That is hierarchical back-off written as a sum, so that
/// every level is a signal a person can read and `vigil fit` can weigh.
///
/// A class, because a value of its size would be copied for every event.
public final class Scorer: @unchecked Sendable {
    let windows: WindowOptions
    let model: ModelOptions
    let panes: Int
    /// Weight of each signal, 0 where disabled, and cap: flat copies, because array fields of a struct cost retains, and
    /// arrays in line are copied whole to read one element.
    let weights: UnsafeMutablePointer<Double>
    let caps: UnsafeMutablePointer<Double>
    let groupCaps: UnsafeMutablePointer<Double>
    /// Group of each signal.
    let groups: UnsafeMutablePointer<UInt8>
    /// Log-odds ×10 at which medium, high and critical begin: levels are told by them, and only within `rounding` of one by
    /// the score, which takes an exponential.
    let mediumThreshold: Double
    let highThreshold: Double
    let criticalThreshold: Double
    /// Below it the level is low.
    private let lowBelow: Double
    private static let rounding = 0.001
    /// Ascending; beyond the last, never.
    let assuranceLimits: UnsafeMutablePointer<Int64>
    static let assuranceLevels = 4

    public init(model: ModelOptions, windows: WindowOptions) {
        self.model = model
        self.windows = windows
        panes = max(1, min(16, Int(windows.rate / max(windows.rateHop, 1))))
        // NaN is near everything.
        func points(_ score: Double) -> Double { score > 0 && score <= 99.99 ? 10 * log(score / (100 - score)) : .nan }
        mediumThreshold = points(model.mediumScore)
        highThreshold = points(model.highScore)
        criticalThreshold = points(model.criticalScore)
        let least = min(mediumThreshold, highThreshold, criticalThreshold)
        lowBelow = [mediumThreshold, highThreshold, criticalThreshold].contains(where: \.isNaN) ? -.infinity : least - Self.rounding
        func table<T>(_ count: Int, of value: T) -> UnsafeMutablePointer<T> {
            let table = UnsafeMutablePointer<T>.allocate(capacity: count)
            table.initialize(repeating: value, count: count)
            return table
        }
        weights = table(Signal.count, of: 0)
        caps = table(Signal.count, of: 0)
        for (index, options) in model.signals.prefix(Signal.count).enumerated() {
            weights[index] = options.enabled ? options.weight : 0
            caps[index] = options.cap
        }
        groupCaps = table(SignalGroup.count, of: 0)
        for (index, cap) in model.groupCaps.prefix(SignalGroup.count).enumerated() { groupCaps[index] = cap }
        groups = table(Signal.count, of: 0)
        for signal in Signal.allCases { groups[Int(signal.rawValue)] = signal.group.rawValue }
        assuranceLimits = table(Self.assuranceLevels, of: .max)
        for (index, limit) in model.assuranceLimits.sorted().prefix(Self.assuranceLevels).enumerated() {
            assuranceLimits[index] = limit
        }
    }

    deinit {
        weights.deallocate()
        caps.deallocate()
        groupCaps.deallocate()
        groups.deallocate()
        assuranceLimits.deallocate()
    }

    /// Scores one event, which stays where it is, against the row as it is. `session` is the index of its session's slot, -1 where there is none.
    /// - Complexity: O(bounded row)
    public func score(
        _ event: UnsafePointer<Event>, _ seen: Observation, row: UserRow, session: Int, shared: SharedView,
        into out: inout Assessment
    ) {
        out.clear()
        let contexts = Double(row.header.pointee.contexts)
        // Where a session came from is asked when it comes, and when it comes from elsewhere: an action that goes on from
        // the very context the baseline has learned with this session has nothing new to say of it.
        let isSettled = event.pointee.type == .action && session >= 0 && row.sessions.base[session].isSettled(seen)
        timeSignals(seen, row, contexts, isSettled: isSettled, &out)
        if !isSettled {
            let known = Familiarity(of: seen, in: row)
            out.known = known
            deviceSignals(seen, known, row, contexts, session, shared, &out)
            originSignals(event, seen, known, row, contexts, session, shared, &out)
            attackSignals(seen, shared, &out)
            if event.pointee.type == .login { loginSignals(event, seen, known, row, &out) }
        }
        if seen.token != 0 && has(.sessionTokenReplayed) { tokenSignal(seen, row, &out) }
        if session >= 0 { sessionSignals(event, seen, row, session, &out) }
        if event.pointee.type == .action { actionSignals(event, seen, row, session, shared, &out) }
        challengeSignals(seen, row, &out)
        driftSignal(row, &out)
        inputSignal(event, seen, row, &out)
        fuse(contexts, &out)
    }

    @inline(__always)
    func level(of points: Double) -> RiskLevel { points < lowBelow ? .low : raisedLevel(of: points) }

    @inline(never)
    private func raisedLevel(of points: Double) -> RiskLevel {
        @inline(__always) func reaches(_ threshold: Double, _ score: Double) -> Bool {
            let above = points - threshold
            return abs(above) > Self.rounding ? above > 0 : Assessment.score(of: points) >= score
        }
        return reaches(criticalThreshold, model.criticalScore) ? .critical
            : reaches(highThreshold, model.highScore) ? .high : reaches(mediumThreshold, model.mediumScore) ? .medium : .low
    }

    /// The score of an event that is not itself judged (a challenge's result, a verdict): the base rate alone.
    public func scoreNothing(row: UserRow, into out: inout Assessment) {
        scoreNothing(contexts: Double(row.header.pointee.contexts), into: &out)
    }

    /// The same of a user with that many contexts.
    public func scoreNothing(contexts: Double, into out: inout Assessment) {
        out.clear()
        fuse(contexts, &out)
    }

    // MARK: - Fusion

    private func fuse(_ contexts: Double, _ out: inout Assessment) {
        let allowance = out.fired.isDisjoint(with: .undeniable) ? model.reassuranceCap : 0
        // 1 where there is nothing to scale, and the quotient no number.
        out.scales[1] = min(1, allowance / abs(out.negative))
        var total = model.base
        var (present, fired): (UInt64, UInt64) = (0, 0)
        var bits = out.present.rawValue
        // Nothing here branches on the signs, which are known late and guessed wrong often.
        while bits != 0 {
            let index = bits.trailingZeroBitCount
            bits &= bits - 1
            let slot = out.evidence + index
            var points = slot.pointee.points
            points *= out.scales[Int(points.bitPattern >> 63)]
            if out.isCapped && points > 0 {
                let group = Int(groups[index])
                if out.positive[group] > groupCaps[group] { points *= groupCaps[group] / out.positive[group] }
            }
            // Rounded as on the wire, so that what a person adds up is what was decided on.
            let tenths = Int64(points * 10 + Double(signOf: points, magnitudeOf: 0.5))
            points = Double(tenths) / 10
            slot.pointee.points = points
            present |= (tenths != 0 ? 1 : 0) << UInt64(index)
            fired |= (tenths > 0 ? 1 : 0) << UInt64(index)
            total += points
        }
        out.present = SignalSet(rawValue: present)
        out.fired = SignalSet(rawValue: fired)
        out.points = total
        out.level = level(of: total)
        let (isEstablished, isPartial) = (contexts >= Double(model.establishedSamples), contexts >= Double(model.partialSamples))
        out.confidence = isEstablished ? .established : isPartial ? .partial : .learning
    }

    // MARK: - Likelihood ratios

    /// Pseudo-observations that pull a user's own rates towards everybody's.
    static let smoothing = 5.0

    /// 10·ln of how much likelier something new is from somebody else (`attacker`) than from this user, who brought
    /// something new `novel` times in `contexts`. The user's own probability is Good and Turing's with `prior`
    /// pseudo-observations of novelty: a baseline of nothing expects everything to be new, so it says nothing.
    @inline(__always)
    func novelty(_ novel: Float, _ contexts: Double, prior: Double, attacker: Double) -> Double {
        let own = Double(novel) + prior
        return 10 * ln(max(attacker * (contexts + prior), own), over: own)
    }

    /// 10·ln of how much likelier a known value of this weight is for somebody else, `elsewhere`, than for the user, who
    /// had it `weight` times in `of` (negative points, at most `most`).
    @inline(__always)
    func familiarity(_ weight: Float, of total: Double, elsewhere: Double, most: Double) -> Double {
        let own = Double(weight) + Self.smoothing * elsewhere
        return max(-most, 10 * ln(min(elsewhere * (total + Self.smoothing), own), over: own))
    }

    /// Weight from which a value counts as known: one whole observation, a half-life and a third old.
    static let knownWeight: Float = 0.4

    /// Share of novelty left in a value that was seen with less weight than one observation.
    @inline(__always)
    func newness(_ weight: Float) -> Double { Double(1 - min(max(weight, 0) / Self.knownWeight, 1)) }

    /// Notes evidence, weighted and within the signal's cap.
    @inline(__always)
    func set(
        _ out: inout Assessment, _ signal: Signal, _ raw: Double, observed: Double = 0, expected: Double = 0,
        detail: Double = 0, samples: Float = 0
    ) {
        // A damaged row may hold anything.
        let raw = raw.isFinite ? raw : 0
        let index = Int(signal.rawValue)
        out.set(
            signal, raw: raw, min(raw * weights[index], caps[index]), groupCap: groupCaps[Int(signal.group.rawValue)],
            observed: observed, expected: expected, detail: detail, samples: samples)
    }

    @inline(__always)
    func has(_ signal: Signal) -> Bool { weights[Int(signal.rawValue)] != 0 }
}
