import Engine
import Events
import Policy

/// Labels that a recorded history holds itself: what analysts and users said of decisions, and what came of challenges.
///
/// An analyst's word counts as it stands. A user's, and what came of a challenge, counts only where the recorded decision on
/// that very event says that it was heeded: whoever sits in a stolen session may call it legitimate too. Of challenges, one
/// passed by a method that can't be phished says legitimate, one denied hostile; the others say nothing. Of several verdicts
/// on one decision an analyst's comes before a user's and that before a challenge's; of equals the last counts.
public struct RecordedVerdicts: Sendable {
    public enum Source: UInt8, Sendable, CaseIterable { case challenge, user, analyst }

    /// What logins and actions without a verdict are.
    public enum Unjudged: String, Sendable, CaseIterable {
        /// Legitimate, save in a session with an event that is judged hostile.
        case legitimate
        /// No part of what is fitted.
        case skip
    }

    /// Verdicts that say nothing, and why.
    public struct LeftOut: Sendable, Encodable {
        /// The decision on it doesn't say that it counted, or is not among the decisions.
        public var unheeded = 0
        /// Passed by a method that can be phished.
        public var weakMethod = 0
        /// On something that is not among the decisions.
        public var unknown = 0
    }

    struct Verdict {
        var isHostile: Bool
        var source: Source
    }

    public private(set) var leftOut = LeftOut()
    private var byEvent: [UInt64: Verdict] = [:]
    private var hostileSessions: Set<UInt64> = []
    private let unjudged: Unjudged
    /// What is before it only trains.
    private var since = Timestamp.distantPast

    /// - Parameters:
    ///   - decisions: what the pipeline that lived through the history decided, as NDJSON. They join verdicts, which name
    ///     decisions, to events: an id says where in a topic a record lay, which a file of events doesn't.
    ///   - window: only so much of event time before the newest event counts, in milliseconds.
    /// - Throws: `LedgerFileError` where a file can't be read, or a line of `decisions` is none.
    /// - Complexity: O(bytes); memory grows with verdicts, not with events
    public init(
        history: String, decisions: String, plan: EnginePlan, unjudged: Unjudged, window: Int64? = nil
    ) throws(LedgerFileError) {
        self.unjudged = unjudged
        var heeded: Set<UInt64> = []
        var recorded = try DecisionLines(path: decisions)
        while let line = try recorded.next() {
            let isHeeded = line.action == "feedback-legitimate" || line.action == "feedback-compromised"
                || line.action == "challenge-passed" || line.action == "challenge-denied"
            if isHeeded { heeded.insert(StreamNames.event(line)) }
        }
        let given = try verdicts(in: history, plan: plan, heeded: heeded, window: window)
        recorded = try DecisionLines(path: decisions)
        var found = 0
        while let line = try recorded.next() {
            guard let id = DecisionID(text: line.resource), let verdict = given[Asked(id: id, user: StreamNames.user(line))]
            else { continue }
            found += 1
            byEvent[StreamNames.event(line)] = verdict
            if verdict.isHostile, line.session.isPresent { hostileSessions.insert(StreamNames.session(line)) }
        }
        leftOut.unknown += max(0, given.count - found)
    }

    private struct Asked: Hashable {
        var id: DecisionID
        var user: UInt64
    }

    /// What the history's events say of decisions.
    private mutating func verdicts(
        in history: String, plan: EnginePlan, heeded: Set<UInt64>, window: Int64?
    ) throws(LedgerFileError) -> [Asked: Verdict] {
        var lines = try LabelledLines(path: history)
        let decoder = EventDecoder(bounds: plan.inputs[0].decode.bounds)
        let decode = DecodePlan(plan.inputs[0].decode)
        let assurance = CompiledAssurance(plan.assurance)
        var event = Event()
        var given: [Asked: Verdict] = [:]
        var newest = Timestamp.distantPast
        while let line = lines.next() {
            let record = Record(input: 0, partition: 0, offset: 0, timestamp: nil, key: .absent, value: line)
            guard case .event = decoder.decode(record, options: decode, into: &event) else { continue }
            newest = max(newest, event.time)
            let verdict: Verdict
            switch event.type {
            case .feedback where event.feedbackLabel != .none:
                verdict = Verdict(
                    isHostile: event.feedbackLabel == .compromised, source: event.feedbackBy == .analyst ? .analyst : .user)
            case .challenge where event.challengeResult == .passed || event.challengeResult == .denied:
                verdict = Verdict(isHostile: event.challengeResult == .denied, source: .challenge)
            default: continue
            }
            guard verdict.source == .analyst || heeded.contains(StreamNames.event(event)) else {
                leftOut.unheeded += 1
                continue
            }
            if verdict.source == .challenge, !verdict.isHostile {
                let level = assurance.method(named: event.challengeMethod).map { assurance.level(of: $0) }
                guard let level, level >= .phishingResistant else {
                    leftOut.weakMethod += 1
                    continue
                }
            }
            let text = event.type == .feedback ? event.feedbackDecision : event.challengeDecision
            guard let id = DecisionID(text: text) else {
                leftOut.unknown += 1
                continue
            }
            let asked = Asked(id: id, user: StreamNames.user(event))
            if let other = given[asked], other.source.rawValue > verdict.source.rawValue { continue }
            given[asked] = verdict
        }
        if let window, newest != .distantPast { since = newest + -window }
        return given
    }

    /// What a login or an action is, and who says so; nil where it is no part of what is fitted. Of events of one id only
    /// the first has the verdict.
    mutating func label(of event: Event) -> (isHostile: Bool, source: Source?)? {
        let verdict = byEvent.removeValue(forKey: StreamNames.event(event))
        guard event.time >= since else { return nil }
        if let verdict { return (verdict.isHostile, verdict.source) }
        guard unjudged == .legitimate else { return nil }
        return event.session.isPresent && hostileSessions.contains(StreamNames.session(event)) ? nil : (false, nil)
    }
}

/// How many events were labelled by whom.
public struct VerdictCounts: Sendable, Encodable, Equatable {
    public struct Count: Sendable, Encodable, Equatable {
        public var legitimate = 0
        public var hostile = 0
    }
    public var analyst = Count()
    public var user = Count()
    public var challenge = Count()
    /// Nobody said anything of them.
    public var unjudged = 0

    mutating func add(_ source: RecordedVerdicts.Source?, isHostile: Bool) {
        let count: WritableKeyPath<VerdictCounts, Count>
        switch source {
        case .analyst: count = \.analyst
        case .user: count = \.user
        case .challenge: count = \.challenge
        case nil:
            unjudged += 1
            return
        }
        if isHostile { self[keyPath: count].hostile += 1 } else { self[keyPath: count].legitimate += 1 }
    }

    /// Share of all of them that is hostile.
    public var hostileShare: Double {
        let hostile = analyst.hostile + user.hostile + challenge.hostile
        let all = hostile + analyst.legitimate + user.legitimate + challenge.legitimate + unjudged
        return Double(hostile) / Double(max(all, 1))
    }
}

/// Lines of a file of decisions, as events: `action` is the rule, `resource` the decision's id.
private struct DecisionLines: ~Copyable {
    private var lines: LabelledLines
    private let decoder: EventDecoder
    private let plan: DecodePlan
    private var event = Event()

    init(path: String) throws(LedgerFileError) {
        lines = try LabelledLines(path: path)
        var options = DecodeOptions()
        options.requiresKey = false
        // In structured mode, the decision is the envelope's `data`.
        func paths(_ keys: String...) -> [[PathStep]] { [[.key("data")] + keys.map { .key($0) }, keys.map { .key($0) }] }
        options.mapping = [
            FieldRule(field: .id, paths: paths("event")), FieldRule(field: .tenant, paths: paths("tenant")),
            FieldRule(field: .user, paths: paths("user")), FieldRule(field: .session, paths: paths("session")),
            FieldRule(field: .resource, paths: paths("id")),
            FieldRule(field: .action, paths: paths("policy", "rule"), fallback: "?"),
            FieldRule(field: .type, paths: [], fallback: "action"),
            FieldRule(field: .time, paths: [], fallback: "2000-01-01T00:00:00Z"),
        ]
        decoder = EventDecoder(bounds: options.bounds)
        plan = DecodePlan(options)
    }

    /// Valid until the next call.
    mutating func next() throws(LedgerFileError) -> Event? {
        guard let line = lines.next() else { return nil }
        let record = Record(input: 0, partition: 0, offset: 0, timestamp: nil, key: .absent, value: line)
        guard case .event = decoder.decode(record, options: plan, into: &event), event.resource.isPresent else {
            throw LedgerFileError(file: lines.path, line: lines.number, problem: "not a decision")
        }
        return event
    }
}
