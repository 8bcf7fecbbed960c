import Events

/// Answers step-ups the way people do: an owner nearly always passes, a stranger nearly never. It closes the loop
/// for generated traffic, which can't hold answers to questions that were not asked yet.
public struct ChallengeResponder: Sendable {
    /// Probability that an owner passes.
    public var ownerPasses = 0.95
    /// Probability that an owner walks away; the rest fails.
    public var ownerAbandons = 0.03
    /// Probability that a stranger passes what should stop him.
    public var strangerPasses = 0.01
    /// Probability that the owner, asked about a stranger's deed, says "not me".
    public var strangerDenied = 0.15
    /// Probability that a stranger walks away; the rest fails.
    public var strangerAbandons = 0.5

    private let seed: UInt64

    /// Equal seeds and questions give equal answers.
    public init(seed: UInt64) {
        self.seed = Random.mix(seed, 0x616E73776572)
    }

    /// What a decision asked, as its `step_up` and its event say.
    public struct Question: Sendable {
        /// `step_up.challenge`.
        public var challenge: String
        /// `step_up.nonce`.
        public var nonce: String
        /// One of `step_up.methods`.
        public var method: String
        /// As in the event asked about; nil for none.
        public var tenant: String?
        /// As in the event asked about.
        public var user: String
        /// The session that answers.
        /// Empty where the event asked about named none.
        public var session: String
        /// The event's time.
        public var time: Timestamp

        /// All of a question.
        public init(
            challenge: String, nonce: String, method: String, tenant: String?, user: String, session: String, time: Timestamp
        ) {
            self.challenge = challenge
            self.nonce = nonce
            self.method = method
            self.tenant = tenant
            self.user = user
            self.session = session
            self.time = time
        }
    }

    /// Appends the answer as a `challenge` event, some seconds after the question. `attack` and `onset` are those of
    /// the event asked about; nil for an owner's. `key` is the user as written, escapes included. Depends on the seed and the question alone.
    public func answer(
        _ question: Question, attack: AttackKind?, onset: String?, into buffer: inout OutputBuffer
    ) -> GeneratedEvent {
        var hash = seed
        for byte in question.challenge.utf8 { hash = Random.mix(hash, UInt64(byte)) }
        var random = Random(seed: hash)
        let chance = random.uniform()
        let owner = attack == nil
        let passes = owner ? ownerPasses : strangerPasses
        let denied = owner ? 0 : strangerDenied
        let abandons = owner ? ownerAbandons : strangerAbandons
        let result: StaticString =
            chance < passes ? "passed" : chance < passes + denied ? "denied"
            : chance < passes + denied + abandons ? "abandoned" : "failed"
        let time = question.time + Int64(min(random.lognormal(median: 12_000, sigma: 0.5), 240_000))

        let start = buffer.count
        buffer.append("{\"id\":\"")
        let idStart = buffer.count
        Text.eventID(hash & 0xFFFF_FFFF_FFFF, &buffer)
        let id = idStart..<buffer.count
        buffer.append("\",\"type\":\"challenge\",\"time\":\"")
        Text.time(time.milliseconds, &buffer)
        if let tenant = question.tenant {
            buffer.append("\",\"tenant\":\"")
            Text.escaped(tenant, &buffer)
        }
        buffer.append("\",\"user\":\"")
        let keyStart = buffer.count
        Text.escaped(question.user, &buffer)
        let key = keyStart..<buffer.count
        if !question.session.isEmpty {
            buffer.append("\",\"session\":\"")
            Text.escaped(question.session, &buffer)
        }
        buffer.append("\",\"challenge\":{\"decision\":\"")
        Text.escaped(question.challenge, &buffer)
        buffer.append("\",\"method\":\"")
        Text.escaped(question.method, &buffer)
        buffer.append("\",\"result\":\"")
        buffer.append(result)
        buffer.append("\",\"nonce\":\"")
        Text.escaped(question.nonce, &buffer)
        buffer.append("\"},\"label\":{\"kind\":\"")
        buffer.append(text: attack?.rawValue ?? "legitimate")
        if attack != nil, let onset {
            buffer.append("\",\"onset\":\"")
            Text.escaped(onset, &buffer)
        }
        buffer.append("\"}}")
        return GeneratedEvent(
            type: .challenge, time: time, value: start..<buffer.count, key: key, id: id,
            label: EventLabel(attack: attack, twin: nil), onset: 0)
    }
}
