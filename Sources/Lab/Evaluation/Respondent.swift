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
        var passes: Bool
    }

    /// Open questions by user's number.
    private var open: [UInt32: [Question]] = [:]
    private var text = OutputBuffer(capacity: 1024)

    /// How long people take when nothing hurries them.
    static let pause: Int64 = 12_000

    mutating func note(_ question: StepUp, about event: Event, user: UInt32, isHostile: Bool) {
        let session = event.session.isPresent ? event.session : event.token
        open[user, default: []].append(Question(
            challenge: question.challenge, nonce: question.nonce, method: Self.first(of: question.methodsJSON),
            tenant: Array(event.tenant.bytes), user: Array(event.user.bytes), session: Array(session.bytes),
            time: event.time, passes: !isHostile))
    }

    /// Hands out the answers to all of a user's open questions, as `challenge` events before `time`.
    mutating func answer(user: UInt32, before time: Timestamp, _ body: (ByteView) -> Void) {
        guard !open.isEmpty, let questions = open.removeValue(forKey: user) else { return }
        for question in questions {
            text.removeAll()
            write(question, at: max(question.time, min(question.time + Self.pause, time + -1)))
            body(text.view(from: 0))
        }
    }

    private mutating func write(_ question: Question, at time: Timestamp) {
        text.append("{\"id\":\"answer-")
        text.append(question.challenge)
        text.append("\",\"type\":\"challenge\",\"time\":\"")
        text.append(time)
        text.append("\"")
        append(member: "tenant", question.tenant)
        append(member: "user", question.user)
        append(member: "session", question.session)
        text.append(",\"challenge\":{\"decision\":\"")
        text.append(question.challenge)
        text.append("\"")
        append(member: "method", question.method)
        text.append(question.passes ? ",\"result\":\"passed\"" : ",\"result\":\"abandoned\"")
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
