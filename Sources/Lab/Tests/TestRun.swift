import Behavior
import Engine
import Events
import PipelineSpec

/// What came of one test.
public struct TestOutcome: Sendable, Encodable {
    /// One step that went otherwise than expected.
    public struct Failure: Sendable, Encodable {
        /// Where the expectation is written.
        public var line: Int
        public var column: Int
        /// Of the test's steps, from 1; 0 for one of its history.
        public var step: Int
        /// What happened, in words.
        public var event: String
        public var differences: [TestDifference]
        /// What was decided; nil for a record that was not.
        public var decision: DecisionSummary?
    }

    public var name: String
    public var line: Int
    public var column: Int
    /// Records decided, histories included.
    public var events = 0
    public var failures: [Failure] = []
    /// Rules that decided, or objected, where something was expected of it; those of shadow policies as `policy/rule`.
    public var matched: Set<String> = []

    public var isPassed: Bool { failures.isEmpty }

    private enum CodingKeys: String, CodingKey { case name, line, column, events, failures }
}

/// Runs the tests of one pipeline: every event is encoded as its producer would and stepped through the real engine. The
/// same file gives the same outcome, whenever and wherever it runs.
public struct TestRunner {
    private let pipeline: Pipeline

    /// The pipeline's secret must be set, or nobody can answer a challenge.
    public init(_ pipeline: Pipeline) { self.pipeline = pipeline }

    /// Every test of the pipeline whose name satisfies the condition, in the file's order.
    /// - Complexity: O(events), some microseconds each.
    public func run(where isWanted: (String) -> Bool = { _ in true }) -> [TestOutcome] {
        pipeline.tests.filter { isWanted($0.name) }.map { test in
            var run = TestRun(test, of: pipeline)
            run.play()
            return run.outcome
        }
    }

    /// The pipeline's rules that none of the outcomes shows at work, in the order of the rules, each once.
    public func unmatched(in outcomes: [TestOutcome]) -> [String] {
        var told = outcomes.reduce(into: Set<String>()) { $0.formUnion($1.matched) }
        return pipeline.plan.rules.map(\.name).filter { told.insert($0).inserted }
    }
}

/// One test under way.
struct TestRun {
    /// What became of a record.
    enum Answer {
        case decision(DecisionSummary)
        case deadLetter(reason: String, detail: String)
        case nothing
    }

    private let test: PipelineTest
    private let engine: Engine
    /// By index into the pipeline's inputs: where records of that source go.
    private var inputs: [Int: UInt16] = [:]
    private let mappings: [[FieldRule]]
    private var offsets: [Int64]
    private var now: Timestamp
    private var subjects: [String: TestSubject] = [:]
    private var questions: [String: TestQuestion] = [:]
    private var last: TestSubject?
    private var asked: (subject: TestSubject, question: TestQuestion)?
    private(set) var outcome: TestOutcome

    init(_ test: PipelineTest, of pipeline: Pipeline) {
        self.test = test
        var plan = pipeline.plan
        plan.emit = .all
        plan.cloudEvents = .binary
        var own = InputPlan(topic: "events")
        if let bounds = plan.inputs.first?.decode.bounds { own.decode.bounds = bounds }
        own.decode.requiresKey = false
        var used = [own]
        for step in test.given.flatMap(\.steps) + test.steps where step.kind == .record && inputs[step.input] == nil && used.count < 8 {
            inputs[step.input] = UInt16(used.count)
            var source = plan.inputs[step.input]
            source.decode.requiresKey = false
            used.append(source)
        }
        mappings = plan.inputs.map(\.decode.mapping)
        plan.inputs = used
        offsets = Array(repeating: 0, count: used.count)
        engine = Engine(plan: plan, decoders: Decoders(plan: plan, enrichment: pipeline.makeEnrichment()))
        now = test.start
        outcome = TestOutcome(name: test.name, line: test.place.line, column: test.place.column)
    }

    mutating func play() {
        for (number, history) in test.given.enumerated() { play(history, number: number + 1) }
        var isFirst = true
        for (index, step) in test.steps.enumerated() {
            move(by: step, isFirst: isFirst)
            isFirst = false
            var answer: Answer? = .nothing
            for repetition in 1...max(step.times, 1) {
                if repetition > 1 { now = now + step.every }
                answer = happen(step, session: "now", number: repetition, isHistory: false)
            }
            guard let answer else {
                let expected = step.kind == .answer ? "a question to answer" : "a decision to judge"
                fail(step, index + 1, [TestDifference(step.kind.rawValue, expected: expected, got: "there was none")], nil)
                continue
            }
            judge(answer, step, index + 1)
        }
    }

    private mutating func play(_ history: TestHistory, number: Int) {
        if let at = history.at { now = at.next(from: now) }
        var start = now
        var played = 0
        while played < history.times {
            defer { start = start + history.every }
            guard history.days.contains(start) else { continue }
            played += 1
            now = start
            for (index, step) in history.steps.enumerated() {
                move(by: step, isFirst: index == 0)
                for repetition in 1...max(step.times, 1) {
                    if repetition > 1 { now = now + step.every }
                    let answer = happen(
                        step, session: "given-\(number)-\(played)", number: step.times > 1 ? repetition : played, isHistory: true)
                    if case .deadLetter = answer { judge(answer ?? .nothing, step, 0) }
                }
            }
        }
        now = start
    }

    /// Goes on to when the step happens: unless it says otherwise, the first happens at once and every other in ten seconds.
    private mutating func move(by step: TestStep, isFirst: Bool) {
        now = now + (step.after ?? (isFirst || step.at != nil ? 0 : 10_000))
        if let at = step.at { now = at.next(from: now) }
    }

    // MARK: - One record

    /// Nil where there is nothing to answer.
    private mutating func happen(_ step: TestStep, session: String, number: Int, isHistory: Bool) -> Answer? {
        outcome.events += 1
        let occasion = TestOccasion(id: "test-\(outcome.events)", time: now, session: session, number: number)
        switch step.kind {
        case .answer:
            var found = asked
            if let to = step.answer.to {
                guard let subject = subjects[to], let question = questions[to] else { return nil }
                found = (subject, question)
            }
            guard let found else { return nil }
            return decide(test.text(of: step, to: found.question, of: found.subject, on: occasion), input: 0).0
        case .feedback:
            guard let subject = step.feedback.to.map({ subjects[$0] }) ?? last else { return nil }
            return decide(test.text(of: step, about: subject, on: occasion), input: 0).0
        case .login, .action, .event, .record:
            let mapping = step.kind == .record ? mappings[step.input] : []
            let text = test.text(of: step, on: occasion, isHistory: isHistory, mapping: mapping)
            let (answer, decision) = decide(text, input: step.kind == .record ? inputs[step.input] ?? 0 : 0, reads: !isHistory)
            if let decision { note(decision, of: step) }
            return answer
        }
    }

    /// Steps the record. A decision is read only where somebody wants to know.
    private mutating func decide(_ text: String, input: UInt16, reads: Bool = true) -> (Answer, DecisionSummary?) {
        var effects = Effects()
        var sealed: [SealedPane] = []
        // There is no other partition to tell of these.
        engine.takeSealed(into: &sealed)
        let offset = offsets[Int(input)]
        offsets[Int(input)] += 1
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            _ = engine.step(
                Record(
                    input: input, partition: 0, offset: offset, timestamp: nil, key: .absent,
                    value: ByteView(base: bytes.baseAddress, count: bytes.count)),
                into: &effects)
        }
        for output in effects.outputs where output.offset == offset && output.input == input {
            switch output.kind {
            case .receipt: continue
            case .deadLetter:
                func header(_ name: HeaderName) -> String {
                    output.headers.first { effects.headers[$0].name == name }.map { effects.view(effects.headers[$0].value).string } ?? ""
                }
                return (.deadLetter(reason: header(.reason), detail: header(.detail)), nil)
            case .decision:
                guard reads, let value = output.value, let decision = DecisionSummary(json: effects.view(value).bytes) else { continue }
                return (.decision(decision), decision)
            }
        }
        return (.nothing, nil)
    }

    private mutating func note(_ decision: DecisionSummary, of step: TestStep) {
        let subject = TestSubject(
            step: step, decision: decision.id, tenant: decision.tenant, user: decision.user, session: decision.session)
        last = subject
        if let id = step.id { subjects[id] = subject }
        guard let question = decision.step_up else { return }
        let put = TestQuestion(
            challenge: question.challenge, nonce: question.nonce, method: question.methods.first ?? "webauthn")
        asked = (subject, put)
        if let id = step.id { questions[id] = put }
    }

    // MARK: - What was expected

    private mutating func judge(_ answer: Answer, _ step: TestStep, _ number: Int) {
        switch answer {
        case .deadLetter(let reason, let detail):
            if step.expect?.deadLetter?.rawValue == reason { return }
            let expected = step.expect?.deadLetter.map { "a dead letter, \($0.rawValue)" } ?? "a decision"
            fail(step, number, [TestDifference("decision", expected: expected, got: "a dead letter, \(reason): \(detail)")], nil)
        case .nothing:
            guard let expect = step.expect else { return }
            let expected = expect.deadLetter == nil ? "a decision" : "a dead letter"
            fail(step, number, [TestDifference("decision", expected: expected, got: "nothing came of it")], nil)
        case .decision(let decision):
            guard let expect = step.expect else { return }
            if let rule = decision.policy.rule { outcome.matched.insert(rule) }
            outcome.matched.formUnion((decision.shadow ?? []).map(\.name))
            let differences = expect.differences(from: decision)
            if !differences.isEmpty { fail(step, number, differences, decision) }
        }
    }

    private mutating func fail(_ step: TestStep, _ number: Int, _ differences: [TestDifference], _ decision: DecisionSummary?) {
        // A history that can't be decided would say so again and again.
        if number == 0, outcome.failures.contains(where: { $0.step == 0 && $0.line == step.place.line }) { return }
        let place = step.expect?.place ?? step.place
        var buffer = OutputBuffer(capacity: 64)
        buffer.append(now)
        outcome.failures.append(TestOutcome.Failure(
            line: place.line, column: place.column, step: number,
            event: "\(step.kind.rawValue) at \(buffer.view(from: 0).string)" + (step.id.map { " (\($0))" } ?? ""),
            differences: differences, decision: decision))
    }
}

extension TestHistory.Days {
    /// 1970-01-01 was a Thursday.
    fileprivate func contains(_ time: Timestamp) -> Bool {
        let weekday = ((time.milliseconds / 86_400_000) % 7 + 3) % 7
        return switch self {
        case .all: true
        case .weekdays: weekday < 5
        case .weekends: weekday >= 5
        }
    }
}
