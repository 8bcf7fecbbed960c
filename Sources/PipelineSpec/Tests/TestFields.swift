import Behavior
import Events
import Policy
import Risk

/// The keys of the section `tests`.
enum TestFields {
    private static let day = 86_400_000

    static var test: Record<PipelineTest> {
        Record(PipelineTest(), [
            Field("name", \.name, .text(bytes: 200), required: true, "What it shows; unique."),
            Field("start", \.start, moment, standard: "`\"2026-03-02T08:00:00Z\"`, a Monday", "When its first event happens, in RFC 3339 and in quotes."),
            Field("as", \.circumstances, TestEventFields.format, "What its events have unless they say otherwise: the person, the device, the place."),
            Field("given", \.given, history.format.list(TestHistory(), atMost: 100),
                "What happened before, over and over: whose habits the pipeline knows. Each repetition is a session of its own."),
            Field("steps", \.steps, step.format.noting(\.place).brokenOrNot.list(TestStep(), atMost: 1_000), "What happens then, and what is to be decided of it."),
        ])
    }

    private static var history: Record<TestHistory> {
        Record(TestHistory(), [
            Field("times", \.times, .integer(1...10_000), "How often."),
            Field("every", \.every, .duration(1_000...(365 * day)), "From the start of one to the start of the next."),
            Field("days", \.days, .choice(TestHistory.Days.allCases.map { ($0.rawValue, $0) }), "Other days are left out, and not counted."),
            Field("at", \.at, time.optional(.clock(0)), "When the first one starts; by default at once."),
            Field("steps", \.steps, Record(TestStep(), happening).format.noting(\.place).brokenOrNot.list(TestStep(), atMost: 1_000),
                "What happens each time, as in the test's own steps; nothing is expected of it."),
        ])
    }

    private static var step: Record<TestStep> {
        Record(TestStep(), [
            Field("id", \.id, Format.name("a name of letters, digits, `.`, `_` and `-`", length: 100).optional(""), "By which later steps name it."),
        ] + happening + [
            Field("answer", \.self, answer.into(\TestStep.answer).kind(.answer), "What comes of a question; its id and nonce are filled in. The result alone may stand for the mapping."),
            Field("feedback", \.self, feedback.into(\TestStep.feedback).kind(.feedback), "A verdict on a decision. The label alone may stand for the mapping."),
            Field("expect", \.expect, expectation.optional(TestExpectation()), "What is to be decided; of several, of the last. The decision alone may stand for the mapping."),
        ])
    }

    /// What may happen without anything being asked or expected.
    private static var happening: [Field<TestStep>] {
        [
            Field("login", \.self, login, "A login that ended so: `success` or `failure`."),
            Field("action", \.self, Format.text("an action").convert({ [JSON.Member(key: "action", value: .string($0))] }, { _ in "" })
                .into(\TestStep.members).kind(.action), "An action of that name."),
            Field("event", \.self, TestEventFields.format.into(\TestStep.members).kind(.event), "An event of any other type, which it says."),
            Field("record", \.self, TestEventFields.record.into(\TestStep.members).kind(.record),
                "A record in the form of a source that maps it, as it would be on its topic. `as` has no part in it; id and time are filled in where it leaves them out."),
            Field("source", \.source, Format.name("a source").optional(""), standard: "the only one that maps", "Whose form the record has."),
            Field("with", \.with, TestEventFields.format,
                "What the event has besides. A mapping given here replaces the whole one of `as`, `null` takes a field away, `{n}` is the number of the repetition. `auth.age` says how long ago `auth.time` was."),
            Field("after", \.after, Format<Int64>.duration(0...(365 * day)).optional(0), standard: "`10s`, the first one at once", "Time since the step before."),
            Field("at", \.at, time.optional(.clock(0)), "The next time of day like this in UTC, in quotes: `\"09:30\"`; or a moment in RFC 3339."),
            Field("times", \.times, .integer(1...10_000), "How often it happens."),
            Field("every", \.every, .duration(0...(365 * day)), "From one of several to the next."),
        ]
    }

    private static var answer: Format<TestAnswer> {
        let result = Format.choice(ChallengeResult.given.map { ($0.name.description, $0) })
        let full = Record(TestAnswer(), [
            Field("to", \.to, Format.name("a step's id").optional(""), standard: "whichever was asked last", "The step that was asked."),
            Field("result", \.result, result, "What came of it."),
            Field("method", \.method, Format.text("a method").optional(""), standard: "the first offered", "How the person answered."),
            Field("nonce", \.nonce, Format.text("a nonce").optional(""), standard: "the question's", "To forge one."),
            Field("new_session", \.newSession, Format.text("a session").optional(""), "The session's name from here on."),
            Field("from", \.from, TestEventFields.format, "Where it comes from, if not from where the question was put."),
        ])
        return result.into(\.result).or(mapping: full.format)
    }

    private static var feedback: Format<TestFeedback> {
        let labels: [FeedbackLabel] = [.legitimate, .compromised]
        let label = Format.choice(labels.map { ($0.name.description, $0) })
        let full = Record(TestFeedback(), [
            Field("to", \.to, Format.name("a step's id").optional(""), standard: "the step before", "The step whose decision it is about."),
            Field("label", \.label, label, "What it was."),
            Field("by", \.by, .choice([("user", .user), ("analyst", .analyst)]), "Whose word it is."),
            Field("from", \.from, TestEventFields.format, "Where it comes from, if not from where the event came from."),
        ])
        return label.into(\.label).or(mapping: full.format)
    }

    private static var expectation: Format<TestExpectation> {
        let verdicts = Format.choice(Verdict.allCases.map { ($0.name.description, $0) }).list(.allow)
        let signals = Format.choice(Signal.allCases.map { ($0.name.description, $0) }, called: "a signal's name").list(.deviceNew)
        let rule = Format.name("a rule's name", length: 100)
        let full = Record(TestExpectation(), [
            Field("decision", \.verdicts, verdicts, "One of these."),
            Field("rule", \.rule, rule.optional(""), "The rule that decided; or what decides without one, such as `otherwise`, `challenge-passed` or `session-terminated`."),
            Field("level", \.levels, Format.choice(RiskLevel.allCases.map { ($0.name.description, $0) }).list(.low), "One of these."),
            Field("confidence", \.confidence, Format.choice(Confidence.allCases.map { ($0.name.description, $0) }).list(.learning), "One of these."),
            Field("score", \.score, Record(Interval(), [
                Field("at_least", \.atLeast, Format.number(0...100).optional(0), "Lower end, included."),
                Field("at_most", \.atMost, Format.number(0...100).optional(0), "Upper end, included."),
            ]).format.optional(Interval()), "The score is in this range."),
            Field("reasons", \.reasons, signals, "All of these speak against the person: reasons with points above zero."),
            Field("not_reasons", \.notReasons, signals, "None of these does."),
            Field("shadow", \.shadow, objections.optional([]),
                "Exactly these report-only rules and shadow policies object, `[]` for none: their names, or a mapping of names to decisions. A shadow policy is named with the rule by which it decides, `policy/rule`, or `policy/otherwise`."),
            Field("methods", \.methods, Format.choice(ChallengeMethod.allCases.map { ($0.rawValue, $0) }).list(.webauthn).optional([]),
                "Exactly these ways to answer are offered, the preferred first."),
            Field("acr_values", \.acrValues, Format.text().list("").optional([]), "Exactly this assurance is asked for, the preferred first."),
            Field("question", \.question, Format.choice(TestExpectation.Question.allCases.map { ($0.rawValue, $0) }).optional(.new),
                "The question is put to the person now, `new`; or stands `open` from before, without a prompt."),
            Field("dead_letter", \.deadLetter, Format.choice(RejectionReason.allCases.map { ($0.rawValue, $0) }, called: "a reason").optional(.notJSON),
                "It can't be decided, for this reason. Where that isn't expected, it fails the test."),
        ])
        return verdicts.into(\.verdicts).or(mapping: full.format).noting(\.place)
    }

    private static var objections: Format<[TestExpectation.Objection]> {
        let verdict = Format.choice(Verdict.allCases.map { ($0.name.description, $0) })
        let name = Format.text("`rule` or `policy/rule`", pattern: "^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?$", bytes: 201) { isName($0) }
        return name.list("").convert({ $0.map { TestExpectation.Objection($0) } }, { $0.map(\.name) }).or(
            mapping: verdict.map(keys: "rule", .stepUp, rename: { isName($0) ? $0 : nil }).convert(
                { $0.map { TestExpectation.Objection($0.key, verdict: $0.value) } },
                { $0.map { Named(key: $0.name, value: $0.verdict ?? .stepUp) } }))
    }

    /// Whether it may be a rule's name, by itself or after its policy's.
    private static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy { isPlainName(String($0)) }
    }

    private static var login: Format<TestStep> {
        let outcome = Format.choice([("success", LoginOutcome.success), ("failure", .failure)])
        return outcome.convert(
            { [JSON.Member(key: "outcome", value: .string($0.name.description))] }, { _ in .success }
        ).into(\TestStep.members).kind(.login)
    }

    private static var moment: Format<Timestamp> {
        Format(
            type: "a time in RFC 3339, like `\"2026-03-02T08:00:00Z\"`", schema: [("type", .string("string"))], code: "value.syntax",
            parse: timestamp, show: { "\($0)" })
    }

    private static var time: Format<TestTime> {
        Format(
            type: "a time of day like `\"09:30\"`, or a time in RFC 3339", schema: [("type", .string("string"))], code: "value.syntax",
            parse: { text in clock(text).map(TestTime.clock) ?? timestamp(text).map(TestTime.moment) }, show: { "\($0)" })
    }

    private static func timestamp(_ text: String) -> Timestamp? {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            Timestamp(rfc3339: ByteView(base: bytes.baseAddress, count: bytes.count)).flatMap { $0.isInRange ? $0 : nil }
        }
    }

    /// `09:30` or `09:30:15` in milliseconds since midnight.
    private static func clock(_ text: String) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts.allSatisfy({ $0.utf8.count == 2 && isDigits($0) }) else { return nil }
        let numbers = parts.compactMap { Int64($0) } + [0]
        guard numbers[0] < 24, numbers[1] < 60, numbers[2] < 60 else { return nil }
        return (numbers[0] * 3_600 + numbers[1] * 60 + numbers[2]) * 1_000
    }
}

extension Format {
    /// Notes where the value is written.
    func noting(_ path: WritableKeyPath<Value, Position>) -> Format {
        var format = self
        format.read = { node, value, reader in
            value[keyPath: path] = node.position
            read(node, &value, &reader)
        }
        return format
    }
}

extension Format where Value == TestStep {
    /// Notes whether anything in the step was reported, so that nothing more is said of it.
    fileprivate var brokenOrNot: Format {
        var format = self
        format.read = { node, step, reader in
            let problems = reader.diagnostics.count
            read(node, &step, &reader)
            step.isBroken = reader.diagnostics.count > problems
        }
        return format
    }

    /// Says what the step is. Nothing given reads as the default.
    fileprivate func kind(_ kind: TestStep.Kind) -> Format {
        var format = self
        format.read = { node, step, reader in
            step.kind = kind
            step.kinds += 1
            read(node, &step, &reader)
        }
        return format
    }
}
