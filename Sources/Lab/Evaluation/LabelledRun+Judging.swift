import Behavior
import Engine
import Events

extension LabelledRun {
    /// Runs a plan's engine over labelled NDJSON, in the order of the file, and keeps what it said. The label reaches the
    /// engine only as a field it doesn't know.
    ///
    /// One engine stands for all partitions: `plan` has one input, and room for every user of the file. `each` is called
    /// after every judged event, with its label's kind, while the engine still holds its evidence.
    /// - Parameters:
    ///   - answers: questions are answered by a `Respondent`; false where the input has its own answers.
    ///   - recorded: labels come from there; what it leaves out is judged and not kept. A question is answered as the
    ///     history's next challenge event of that session says, for that names a decision this engine didn't make.
    /// - Throws: `LedgerFileError` at the first login or action without a label.
    /// - Complexity: O(bytes), a few microseconds an event; 64 bytes are kept of each.
    public init(
        judging path: String, plan: EnginePlan, enrichment: EventEnrichment = EventEnrichment(), answers: Bool,
        recorded: RecordedVerdicts? = nil,
        each: (_ judged: JudgedEvent, _ kind: String, Event, Engine) -> Void = { _, _, _, _ in }
    ) throws(LedgerFileError) {
        self.init()
        var lines = try LabelledLines(path: path)
        var plan = plan
        plan.emit = .all
        var answerInput = InputPlan(topic: "answers")
        answerInput.decode.requiresKey = false
        plan.inputs.append(answerInput)
        let engine = Engine(plan: plan, decoders: Decoders(plan: plan, enrichment: enrichment))
        let decoder = EventDecoder(bounds: plan.inputs[0].decode.bounds)
        let decode = DecodePlan(plan.inputs[0].decode)
        var labels = LabelReader(bounds: plan.inputs[0].decode.bounds)
        var recorded = recorded
        var respondent = Respondent()
        var names = StreamNames()
        var effects = Effects()
        var event = Event()
        var answerOffset: Int64 = 0

        var sealed: [SealedPane] = []
        while let line = lines.next() {
            effects.removeAll()
            // There is no other partition to tell of these.
            engine.takeSealed(into: &sealed)
            sealed.removeAll(keepingCapacity: true)
            let record = Record(
                input: 0, partition: 0, offset: Int64(lines.number - 1), timestamp: nil, key: .absent, value: line)
            guard case .event = decoder.decode(record, options: decode, into: &event) else {
                engine.step(record, into: &effects)
                rejected += 1
                continue
            }
            let user = names.user(event)
            func answer(_ text: ByteView) {
                engine.step(
                    Record(input: 1, partition: 0, offset: answerOffset, timestamp: nil, key: .absent, value: text),
                    into: &effects)
                answerOffset += 1
            }
            if recorded != nil, event.type == .challenge || event.type == .feedback {
                if event.type == .challenge { respondent.answer(user: user, as: event, answer) }
                continue
            }
            if answers { respondent.answer(user: user, before: event.time, answer) }
            engine.step(record, into: &effects)
            if event.type == .challenge { ownChallenges += 1 }
            guard let judgement = engine.judgement(on: record) else { continue }
            let isNewQuestion = judgement.verdict == .stepUp && !judgement.repeatsQuestion
            if recorded != nil {
                if isNewQuestion, let question = engine.lastQuestion {
                    respondent.note(question, about: event, user: user, isHostile: false)
                }
                guard let (isHostile, source) = recorded?.label(of: event) else { continue }
                verdicts.add(source, isHostile: isHostile)
                let kind = ByteView(staticText: isHostile ? "compromised" : "legitimate")
                // All that is judged hostile in a session is one attack.
                let judged = note(
                    event, judgement, user: user, kind: kind, onset: event.session, twin: .absent, caseName: .absent, &names)
                each(judged, kinds[Int(judged.kind)], event, engine)
                continue
            }
            let label = labels.read(line)
            guard let kind = label.kind else {
                throw LedgerFileError(file: path, line: lines.number, problem: "a \(event.type.name) without label.kind")
            }
            let judged = note(
                event, judgement, user: user, kind: kind, onset: label.onset, twin: label.twin, caseName: label.caseName,
                &names)
            if answers, isNewQuestion, let question = engine.lastQuestion {
                respondent.note(question, about: event, user: user, isHostile: judged.isHostile)
            }
            each(judged, kinds[Int(judged.kind)], event, engine)
        }
        answered = Int(answerOffset)
        userNames = names.userNames
        sessions = names.sessions.count
    }

    private mutating func note(
        _ event: Event, _ judgement: Judgement, user: UInt32, kind: ByteView, onset: ByteView, twin: ByteView,
        caseName: ByteView, _ names: inout StreamNames
    ) -> JudgedEvent {
        let kindNumber = names.kind(kind, &kinds)
        let twinNumber = twin.isPresent ? names.twin(twin, &twins) : 0
        let isSuccess = event.type == .login && event.outcome == .success
        var judged = JudgedEvent(
            id: StreamNames.hash(event.id), user: user, session: names.session(event, user: user), kind: kindNumber,
            twin: twinNumber, occurrence: -1, scenario: -1, time: event.time, logit: Float(judgement.logit),
            logins: names.history[Int(user)].logins, events: names.history[Int(user)].events, verdict: judgement.verdict,
            level: judgement.level, confidence: judgement.confidence, isLogin: event.type == .login, isSuccess: isSuccess,
            repeatsQuestion: judgement.repeatsQuestion)
        if judged.isHostile {
            let name = onset.isPresent ? StreamNames.hash(onset) : judged.id
            if let known = names.scenarios[name] {
                judged.scenario = known
            } else {
                judged.scenario = Int32(scenarios.count)
                names.scenarios[name] = judged.scenario
                scenarios.append(
                    JudgedScenario(kind: kindNumber, user: user, start: event.time, firstEvent: events.count))
            }
        } else if twinNumber != 0 {
            // Without a case, one person's share of a twin is one.
            let name = caseName.isPresent ? StreamNames.hash(caseName) : UInt64(user)
            judged.occurrence = names.occurrence(name, of: twinNumber)
        }
        if isSuccess, !judged.isHostile { names.history[Int(user)].logins += 1 }
        names.history[Int(user)].events += 1
        events.append(judged)
        return judged
    }
}

/// Numbers for the names of a stream, in the order they first come.
struct StreamNames {
    private var users: [UInt64: UInt32] = [:]
    private(set) var userNames: [UInt64] = []
    private(set) var sessions: [UInt64: Int32] = [:]
    var scenarios: [UInt64: Int32] = [:]
    private var occurrences: [UInt64: Int32] = [:]
    private var kindNumbers: [UInt64: UInt16] = [StreamNames.hash(ByteView(staticText: "legitimate")): 0]
    private var twinNumbers: [UInt64: UInt16] = [:]
    /// By user's number: what came of them so far.
    var history: [(logins: UInt32, events: UInt32)] = []

    private static let keyed = KeyedHash(k0: 0x2545_F491_4F6C_DD1D, k1: 0x9E37_79B9_7F4A_7C15)

    static func hash(_ view: ByteView) -> UInt64 { keyed(view) }

    /// Of the event's user.
    static func user(_ event: Event) -> UInt64 {
        keyed(event.user, seed: event.tenant.isEmpty ? 0 : keyed(event.tenant))
    }

    /// Of the event among all users' events.
    static func event(_ event: Event) -> UInt64 { keyed(event.id, seed: user(event)) }

    /// Of the event's session among all users' sessions.
    static func session(_ event: Event) -> UInt64 { keyed(event.session, seed: ~user(event)) }

    mutating func user(_ event: Event) -> UInt32 {
        let name = Self.user(event)
        if let known = users[name] { return known }
        let number = UInt32(users.count)
        users[name] = number
        userNames.append(name)
        history.append((0, 0))
        return number
    }

    mutating func session(_ event: Event, user: UInt32) -> Int32 {
        let text = event.session.isPresent ? event.session : event.token
        guard text.isPresent else { return -1 }
        return Self.number(of: Self.keyed(text, seed: UInt64(user) + 1), in: &sessions)
    }

    mutating func occurrence(_ name: UInt64, of twin: UInt16) -> Int32 {
        Self.number(of: Self.keyed(name, UInt64(twin)), in: &occurrences)
    }

    mutating func kind(_ text: ByteView, _ names: inout [String]) -> UInt16 { Self.name(text, &kindNumbers, &names) }

    mutating func twin(_ text: ByteView, _ names: inout [String]) -> UInt16 { Self.name(text, &twinNumbers, &names) }

    private static func name(_ text: ByteView, _ numbers: inout [UInt64: UInt16], _ names: inout [String]) -> UInt16 {
        let hash = hash(text)
        if let known = numbers[hash] { return known }
        // Beyond what a label can sensibly tell apart, everything is the last.
        guard names.count < 1_000 else { return UInt16(names.count - 1) }
        let number = UInt16(names.count)
        numbers[hash] = number
        names.append(text.string)
        return number
    }

    private static func number(of name: UInt64, in numbers: inout [UInt64: Int32]) -> Int32 {
        if let known = numbers[name] { return known }
        let number = Int32(numbers.count)
        numbers[name] = number
        return number
    }
}
