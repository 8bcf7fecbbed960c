import Events

/// A question that was put, as its decision says it.
public struct TestQuestion: Sendable, Equatable {
    public var challenge: String
    public var nonce: String
    public var method: String

    public init(challenge: String, nonce: String, method: String) {
        self.challenge = challenge
        self.nonce = nonce
        self.method = method
    }
}

/// What a runner adds to a step to make a record of it.
public struct TestOccasion: Sendable, Equatable {
    public var id: String
    public var time: Timestamp
    /// Of an event that doesn't say its own.
    public var session: String
    /// Of the repetition, from 1.
    public var number: Int

    public init(id: String, time: Timestamp, session: String, number: Int) {
        self.id = id
        self.time = time
        self.session = session
        self.number = number
    }
}

/// Whom an answer or a verdict is about: what the decision says, and the step it was made of.
public struct TestSubject: Sendable, Equatable {
    public var step: TestStep
    public var decision: String
    public var tenant: String?
    public var user: String
    public var session: String?

    public init(step: TestStep, decision: String, tenant: String?, user: String, session: String?) {
        self.step = step
        self.decision = decision
        self.tenant = tenant
        self.user = user
        self.session = session
    }
}

/// Steps as the JSON that a producer would have sent.
extension PipelineTest {
    /// A login, an action or another event in the contract's form; a record in its own.
    ///
    /// - Parameters:
    ///   - isHistory: a session that the circumstances name is not the history's.
    ///   - mapping: of the record's source.
    public func text(of step: TestStep, on occasion: TestOccasion, isHistory: Bool, mapping: [FieldRule]) -> String {
        if step.kind == .record { return Self.text(of: Self.completed(step.members, on: occasion, mapping), occasion) }
        var members = Self.merge(circumstances.filter { !isHistory || $0.key != "session" || $0.value == .null }, step.members, step.with)
        if step.kind != .event { members = Self.merge([JSON.Member(key: "type", value: .string(step.kind.rawValue))], members) }
        if !members.contains(where: { $0.key == "session" }) {
            members.append(JSON.Member(key: "session", value: .string(occasion.session)))
        }
        return Self.text(of: members, occasion)
    }

    /// The answer to a question, from where it was put unless the step says otherwise.
    public func text(of step: TestStep, to question: TestQuestion, of subject: TestSubject, on occasion: TestOccasion) -> String {
        let result = step.answer.result.name.description
        let given = [
            ("decision", question.challenge), ("method", step.answer.method ?? question.method), ("result", result),
            ("nonce", step.answer.nonce ?? question.nonce),
        ] + (step.answer.newSession.map { [("new_session", $0)] } ?? [])
        let challenge = JSON.Member(key: "challenge", value: .object(given.map { ($0, .string($1)) }))
        return Self.text(
            of: Self.merge([type("challenge")], origin(of: subject), step.answer.from, step.with) + [challenge], occasion)
    }

    /// A verdict on a decision, from where its event came from unless the step says otherwise.
    public func text(of step: TestStep, about subject: TestSubject, on occasion: TestOccasion) -> String {
        let by = step.feedback.by == .user ? "user" : "analyst"
        let given = [("decision", subject.decision), ("label", step.feedback.label.name.description), ("by", by)]
        let feedback = JSON.Member(key: "feedback", value: .object(given.map { ($0, .string($1)) }))
        return Self.text(
            of: Self.merge([type("feedback")], origin(of: subject), step.feedback.from, step.with) + [feedback], occasion)
    }

    private func type(_ name: String) -> JSON.Member { JSON.Member(key: "type", value: .string(name)) }

    /// Who and where the subject was.
    private func origin(of subject: TestSubject) -> [JSON.Member] {
        let who = [("tenant", subject.tenant), ("user", subject.user), ("session", subject.session)]
        let place: Set = ["ip", "asn", "geo", "device", "token"]
        let said = subject.step.kind == .record ? [] : Self.merge(circumstances, subject.step.members, subject.step.with)
        return said.filter { place.contains($0.key) }
            + who.compactMap { key, value in value.map { JSON.Member(key: key, value: .string($0)) } }
    }

    /// Whom the step's event names; nil for nobody.
    func user(of step: TestStep) -> String? {
        guard case .string(let name) = Self.merge(circumstances, step.members, step.with).last(where: { $0.key == "user" })?.value
        else { return nil }
        return name
    }

    /// Of members with one key the last counts, at the place of the first.
    private static func merge(_ parts: [JSON.Member]...) -> [JSON.Member] {
        var all: [JSON.Member] = []
        for member in parts.joined() {
            if let known = all.firstIndex(where: { $0.key == member.key }) {
                all[known] = member
            } else {
                all.append(member)
            }
        }
        return all
    }

    private static func text(of members: [JSON.Member], _ occasion: TestOccasion) -> String {
        let own = [JSON.Member(key: "id", value: .string(occasion.id)), JSON.Member(key: "time", value: .string(text(occasion.time)))]
        let object = merge(own, members).filter { $0.value != .null }
        return JSON.object(object.map { JSON.Member(key: $0.key, value: filled($0.value, occasion)) }).text()
    }

    /// A record with an id and a time where its source looks for them, if it has none there.
    private static func completed(
        _ members: [JSON.Member], on occasion: TestOccasion, _ mapping: [FieldRule]
    ) -> [JSON.Member] {
        var record = JSON.object(members)
        for (field, value) in [(EventField.id, occasion.id), (.time, text(occasion.time))] {
            let paths = mapping.first { $0.field == field }?.paths ?? []
            guard !paths.contains(where: { has(record, $0[...]) }), let path = paths.first else { continue }
            record = adding(value, to: record, at: path[...])
        }
        guard case .object(let completed) = record else { return members }
        return completed
    }

    private static func has(_ value: JSON, _ path: ArraySlice<PathStep>) -> Bool {
        guard let step = path.first else { return value != .null }
        switch (step, value) {
        case (.key(let key), .object(let members)):
            return members.contains { $0.key == key && has($0.value, path.dropFirst()) }
        case (.index(let index), .array(let items)):
            return items.indices.contains(index) && has(items[index], path.dropFirst())
        default:
            return false
        }
    }

    /// Where the path leads through a list, what it leads to is left out: nobody can tell what else the list holds.
    private static func adding(_ text: String, to value: JSON, at path: ArraySlice<PathStep>) -> JSON {
        guard let step = path.first else { return .string(text) }
        guard case .key(let key) = step, case .object(var members) = value else { return value }
        if let known = members.firstIndex(where: { $0.key == key }) {
            members[known].value = adding(text, to: members[known].value, at: path.dropFirst())
        } else {
            members.append(JSON.Member(key: key, value: adding(text, to: .object([JSON.Member]()), at: path.dropFirst())))
        }
        return .object(members)
    }

    /// With `{n}` filled in, nothing where there is nothing, and an age as the time it means.
    private static func filled(_ value: JSON, _ occasion: TestOccasion) -> JSON {
        switch value {
        case .string(let text):
            .string(text.split(separator: "{n}", omittingEmptySubsequences: false).joined(separator: String(occasion.number)))
        case .array(let items):
            .array(items.map { filled($0, occasion) })
        case .object(let members):
            .object(members.filter { $0.value != .null }.map { member in
                if member.key == TestEventFields.age, case .integer(let age) = member.value {
                    return JSON.Member(key: "time", value: .string(text(occasion.time + -Int64(age))))
                }
                return JSON.Member(key: member.key, value: filled(member.value, occasion))
            })
        case .integer, .number, .bool, .null:
            value
        }
    }

    private static func text(_ time: Timestamp) -> String {
        var buffer = OutputBuffer(capacity: 64)
        buffer.append(time)
        return buffer.view(from: 0).string
    }
}
