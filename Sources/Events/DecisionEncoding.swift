extension Effects {
    /// CloudEvents `type` of a decision.
    public static let decisionType: StaticString = "dev.vigil.decision.v1"

    /// Appends the record that tells `decision`: JSON as the contract has it, keyed `user` or `tenant/user`, in
    /// CloudEvents 1.0 binary mode (headers) or structured mode (envelope).
    /// The decision and the event stay where they are: as values they would be copied.
    /// - Complexity: O(bytes written); allocates only while the buffers grow to their working size.
    public mutating func emit(
        _ decision: UnsafePointer<Decision>, for event: UnsafePointer<Event>, input: UInt16, mode: CloudEventsMode
    ) {
        let origin = CloudEvent(
            id: decision.pointee.id, type: Self.decisionType, source: decision.pointee.source, time: event.pointee.time,
            tenant: event.pointee.tenant, user: event.pointee.user)
        let key = append { $0.append(keyOf: origin) }
        let firstHeader = headers.count
        let start = bytes.count
        if mode == .structured { bytes.append(opening: origin) }
        bytes.append(decision, for: event)
        if mode == .structured { bytes.append(0x7D) }
        let value = start..<bytes.count
        describe(origin, key: key, mode: mode)
        outputs.append(
            Output(
                kind: .decision, verdict: decision.pointee.verdict, input: input, partition: decision.pointee.partition,
                offset: decision.pointee.offset, key: key, value: value, headers: firstHeader..<headers.count))
    }

    /// The same of a decision and an event at hand.
    public mutating func emit(
        _ decision: Decision, for event: Event, input: UInt16, mode: CloudEventsMode
    ) {
        withUnsafePointer(to: decision) { decision in
            withUnsafePointer(to: event) { emit(decision, for: $0, input: input, mode: mode) }
        }
    }
}

extension OutputBuffer {
    /// How every answer to an event begins: its own id, then whom and what it is about.
    @inline(__always)
    mutating func append(beginning id: DecisionID, of event: UnsafePointer<Event>) {
        append("{\"id\":\"")
        append(id)
        append(0x22)
        append(member: "event", text: event.pointee.id)
        append(member: "type", text: ByteView(staticText: event.pointee.type.name))
        append(member: "time")
        append(quoted: event.pointee.time)
        if !event.pointee.tenant.isEmpty { append(member: "tenant", text: event.pointee.tenant) }
        append(member: "user", text: event.pointee.user)
    }

    /// Where the record lies that is answered.
    mutating func append(sourceTopic topic: ByteView, partition: Int32, offset: Int64) {
        append(",\"source\":{\"topic\":")
        append(jsonString: topic)
        append(member: "partition")
        append(integer: Int64(partition))
        append(member: "offset")
        append(integer: offset)
        append(0x7D)
    }

    /// The decision's JSON text.
    @inline(__always)
    mutating func append(_ decision: UnsafePointer<Decision>, for event: UnsafePointer<Event>) {
        append(beginning: decision.pointee.id, of: event)
        append(member: "session", text: event.pointee.session)
        append(member: "decision", text: ByteView(staticText: decision.pointee.verdict.name))
        append(member: "score")
        append(number: decision.pointee.score, decimals: 1)
        append(member: "logit")
        append(number: decision.pointee.logit, decimals: 4)
        append(member: "base")
        append(number: decision.pointee.base, decimals: 1)
        append(member: "level", text: ByteView(staticText: decision.pointee.level.name))
        append(member: "previous_level", text: ByteView(staticText: decision.pointee.previousLevel.name))
        append(member: "confidence", text: ByteView(staticText: decision.pointee.confidence.name))
        append(member: "reasons")
        append(0x5B)
        for i in decision.pointee.reasons.indices {
            if i > 0 { append(0x2C) }
            append(decision.pointee.reasons[i], text: decision.pointee.text)
        }
        append("],\"policy\":{")
        append(member: "rule", text: decision.pointee.rule, first: true)
        append(member: "mode", text: ByteView(staticText: "enforce"), first: !decision.pointee.rule.isPresent)
        append(member: "version", text: decision.pointee.policyVersion)
        append(0x7D)
        if let stepUp = decision.pointee.stepUp { append(stepUp) }
        if decision.pointee.about != .none {
            append(",\"about\":\"")
            append(decision.pointee.about)
            append(0x22)
        }
        if !decision.pointee.shadow.isEmpty {
            append(member: "shadow")
            append(0x5B)
            for i in decision.pointee.shadow.indices {
                append(i > 0 ? ",{" : "{")
                append(member: "policy", text: decision.pointee.shadow[i].policy, first: true)
                append(member: "rule", text: decision.pointee.shadow[i].rule, first: !decision.pointee.shadow[i].policy.isPresent)
                append(
                    member: "decision", text: ByteView(staticText: decision.pointee.shadow[i].verdict.name),
                    first: !decision.pointee.shadow[i].policy.isPresent && !decision.pointee.shadow[i].rule.isPresent)
                append(0x7D)
            }
            append(0x5D)
        }
        append(sourceTopic: decision.pointee.topic, partition: decision.pointee.partition, offset: decision.pointee.offset)
        append(",\"late\":")
        append(event.pointee.flags.contains(.late) ? "true" : "false")
        append(0x7D)
    }

    private mutating func append(_ reason: borrowing Reason, text: ByteView) {
        append("{\"signal\":\"")
        append(reason.signal)
        append("\",\"points\":")
        append(number: reason.points, decimals: 1)
        if let base = text.base {
            append(member: "observed", text: ByteView(base: base + reason.observed.lowerBound, count: reason.observed.count))
            append(member: "expected", text: ByteView(base: base + reason.expected.lowerBound, count: reason.expected.count))
        }
        append(member: "samples")
        append(integer: Int64(reason.samples))
        append(0x7D)
    }

    private mutating func append(_ stepUp: StepUp) {
        append(",\"step_up\":{\"acr_values\":")
        append(stepUp.acrValuesJSON)
        append(member: "methods")
        append(stepUp.methodsJSON)
        if let maxAge = stepUp.maxAgeSeconds {
            append(member: "max_age")
            append(integer: Int64(maxAge))
        }
        append(",\"challenge\":\"")
        append(stepUp.challenge)
        append("\",\"nonce\":\"")
        append(hex: stepUp.nonce.0)
        append(hex: stepUp.nonce.1)
        append("\",\"expires\":")
        append(quoted: stepUp.expires)
        append(member: "prompt", text: stepUp.prompt)
        append(0x7D)
    }
}
