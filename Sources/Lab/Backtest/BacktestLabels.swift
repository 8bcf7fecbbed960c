import Engine
import Events

/// What two pipelines make of labelled events: attacks caught and missed, and what legitimate users bear. Bounded by
/// attacks, sessions that an attacker was in and bins, not by events.
struct BacktestLabels {
    /// One attack: its events share an onset.
    struct Attack {
        var kind: Int
        var start: Timestamp
        var isMeasured: Bool
        var events = 0
        /// By side: the event that was first answered by an intervention, from 1; 0 for none.
        var stoppedAt = Both(0, 0)
        var stoppedAfter = Both(0.0, 0.0)
    }

    private(set) var kinds = ["legitimate"]
    private(set) var attacks: [Attack] = []
    /// By kind: events in all, and those let through by side.
    private(set) var events: [Int] = [0]
    private(set) var passed: [Both<Int>] = [Both(0, 0)]
    /// Of legitimate users outside sessions that an attacker was in.
    private(set) var questions = Both(0, 0)
    private(set) var refusals = Both(0, 0)
    private(set) var legitimateLogins = 0
    private(set) var unlabelled = 0
    /// By kind and side.
    private(set) var scores: [Both<ScoreHistogram>] = [Both(ScoreHistogram(), ScoreHistogram())]
    private var names = StreamNames()
    private var numbers: [UInt64: Int] = [:]
    private var touched: Set<UInt64> = []

    /// Whether any event has a label.
    var isLabelled: Bool { kinds.count > 1 || events[0] > 0 || !attacks.isEmpty }

    /// Notes an event without a label.
    mutating func noteUnlabelled() { unlabelled += 1 }

    /// The number of a label's kind; 0 is legitimate.
    mutating func kind(_ text: ByteView) -> Int {
        let number = Int(names.kind(text, &kinds))
        while events.count <= number {
            events.append(0)
            passed.append(Both(0, 0))
            scores.append(Both(ScoreHistogram(), ScoreHistogram()))
        }
        return number
    }

    /// Notes what both made of an event. While warming up only who attacks where is remembered.
    mutating func note(
        _ event: Event, kind: Int, onset: ByteView, _ judgements: (a: Judgement, b: Judgement), isMeasured: Bool
    ) {
        let session = Self.session(of: event)
        if kind != 0 { touched.insert(session) }
        if kind != 0 { attack(event, kind: kind, onset: onset, judgements, isMeasured: isMeasured) }
        guard isMeasured else { return }
        events[kind] += 1
        if kind == 0, event.type == .login, event.outcome == .success { legitimateLogins += 1 }
        let isShared = kind == 0 && touched.contains(session)
        for (side, judgement) in [judgements.a, judgements.b].enumerated() {
            scores[kind][side].add(judgement.logit)
            if judgement.verdict == .allow { passed[kind][side] += 1 }
            guard kind == 0, !isShared else { continue }
            if judgement.verdict == .stepUp, !judgement.repeatsQuestion { questions[side] += 1 }
            if judgement.verdict >= .deny { refusals[side] += 1 }
        }
    }

    private mutating func attack(
        _ event: Event, kind: Int, onset: ByteView, _ judgements: (a: Judgement, b: Judgement), isMeasured: Bool
    ) {
        let name = StreamNames.hash(onset.isPresent ? onset : event.id)
        let number = numbers[name] ?? attacks.count
        if number == attacks.count {
            numbers[name] = number
            attacks.append(Attack(kind: kind, start: event.time, isMeasured: isMeasured))
        }
        attacks[number].events += 1
        for (side, judgement) in [judgements.a, judgements.b].enumerated()
        where attacks[number].stoppedAt[side] == 0 && judgement.verdict != .allow {
            attacks[number].stoppedAt[side] = attacks[number].events
            attacks[number].stoppedAfter[side] = max(0, Double(event.time - attacks[number].start)) / 1_000
        }
    }

    private static func session(of event: Event) -> UInt64 {
        let text = event.session.isPresent ? event.session : event.token
        return StreamNames.hash(event.user) ^ (StreamNames.hash(text) &* 0x9E37_79B9_7F4A_7C15)
    }
}

/// Log-odds counted in bins of a hundredth, −20 to 20: enough for a curve, whatever the number of events.
struct ScoreHistogram: Sendable {
    private static let perUnit = 100.0
    private static let bound = 20.0
    private var counts = [Int](repeating: 0, count: Int(2 * bound * perUnit) + 1)
    private(set) var total = 0

    mutating func add(_ logit: Double) {
        let bounded = min(max(logit.isNaN ? 0 : logit, -Self.bound), Self.bound)
        counts[Int(((bounded + Self.bound) * Self.perUnit).rounded())] += 1
        total += 1
    }

    /// Probability that one of these scores above one of the others; within a bin they count half.
    func area(over others: ScoreHistogram) -> Double? {
        guard total > 0, others.total > 0 else { return nil }
        var (area, below) = (0.0, 0)
        for (bin, count) in counts.enumerated() {
            area += Double(count) * (Double(below) + Double(others.counts[bin]) / 2)
            below += others.counts[bin]
        }
        return area / (Double(total) * Double(others.total))
    }

    /// Share of these found by the lowest threshold that suspects at most `share` of the others.
    func recall(suspecting share: Double, of others: ScoreHistogram) -> Double? {
        guard total > 0, others.total > 0 else { return nil }
        var (found, suspected) = (0, 0)
        for bin in counts.indices.reversed() {
            suspected += others.counts[bin]
            guard Double(suspected) <= share * Double(others.total) else { break }
            found += counts[bin]
        }
        return Double(found) / Double(total)
    }
}
