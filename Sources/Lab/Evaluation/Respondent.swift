import Events

/// Answers the engine's questions as its users would, were the stream live: whoever the account belongs to passes, a
/// stranger walks away. Always, so that what is measured is the engine and not the luck of those who are asked.
struct Respondent: ~Copyable {
    private struct Question {
        var challenge: DecisionID
        var nonce: (UInt64, UInt64)
        var method: [UInt8]
        var tenant: [UInt8]
        var user: [UInt8]
        var session: [UInt8]
        var time: Timestamp
        var expires: Timestamp
        var passes: Bool
    }

    /// Open questions by user's number.
    private var open: [UInt32: [Question]] = [:]
    private var text = OutputBuffer(capacity: 1024)

    /// How long people take when nothing hurries them.
    static let pause: Int64 = 12_000

    mutating func note(_ question: StepUp, about event: Event, user: UInt32, isHostile: Bool) {
        let session = event.session.isPresent ? event.session : event.token
        open[user]?.removeAll { $0.expires <= event.time }
        open[user, default: []].append(Question(
            challenge: question.challenge, nonce: question.nonce, method: Self.first(of: question.methodsJSON),
            tenant: Array(event.tenant.bytes), user: Array(event.user.bytes), session: Array(session.bytes),
            time: event.time, expires: question.expires, passes: !isHostile))
    }

    /// Hands out the answers to all of a user's open questions, as `challenge` events before `time`.
    mutating func answer(user: UInt32, before time: Timestamp, _ body: (ByteView) -> Void) {
        guard !open.isEmpty, let questions = open.removeValue(forKey: user) else { return }
        for question in questions {
            text.removeAll()
            let result: StaticString = question.passes ? "passed" : "abandoned"
            write(question, at: max(question.time, min(question.time + Self.pause, time + -1)), result: result)
            body(text.view(from: 0))
        }
    }

    /// Hands out the answer that somebody once gave, to the question that stands open in the same session here, the newest
    /// of several. Nothing where there is none.
    mutating func answer(user: UInt32, as recorded: borrowing Event, _ body: (ByteView) -> Void) {
        let session = recorded.session.isPresent ? recorded.session : recorded.token
        guard let index = open[user]?.lastIndex(where: { $0.session.elementsEqual(session.bytes) }),
            let question = open[user]?[index]
        else { return }
        if recorded.challengeResult != .failed { open[user]?.remove(at: index) }
        if open[user]?.isEmpty == true { open[user] = nil }
        text.removeAll()
        write(
            question, at: recorded.time, result: recorded.challengeResult.name, method: recorded.challengeMethod,
            newSession: recorded.newSession, attempt: recorded.id)
        body(text.view(from: 0))
    }

    private mutating func write(
        _ question: Question, at time: Timestamp, result: StaticString, method: ByteView = .absent,
        newSession: ByteView = .absent, attempt: ByteView = .absent
    ) {
        text.append("{\"id\":\"answer-")
        text.append(question.challenge)
        if attempt.isPresent {
            text.append("-")
            text.appendEscaped(attempt)
        }
        text.append("\",\"type\":\"challenge\",\"time\":\"")
        text.append(time)
        text.append("\"")
        append(member: "tenant", question.tenant)
        append(member: "user", question.user)
        append(member: "session", question.session)
        text.append(",\"challenge\":{\"decision\":\"")
        text.append(question.challenge)
        text.append("\"")
        if method.isPresent {
            text.append(member: "method", text: method)
        } else {
            append(member: "method", question.method)
        }
        text.append(",\"result\":\"")
        text.append(result)
        text.append("\"")
        text.append(member: "new_session", text: newSession)
        text.append(",\"nonce\":\"")
        text.append(hex: question.nonce.0)
        text.append(hex: question.nonce.1)
        text.append("\"}}")
    }

    private mutating func append(member name: StaticString, _ value: [UInt8]) {
        guard !value.isEmpty else { return }
        value.withUnsafeBufferPointer { text.append(member: name, text: ByteView(base: $0.baseAddress, count: $0.count)) }
    }

    /// The first text of a JSON array of plain texts.
    private static func first(of array: ByteView) -> [UInt8] {
        let bytes = array.bytes
        guard let start = bytes.firstIndex(of: 0x22) else { return [] }
        return Array(bytes[(start + 1)...].prefix { $0 != 0x22 })
    }
}
