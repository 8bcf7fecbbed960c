extension Effects {
    /// CloudEvents `type` of a decision.
    public static let decisionType: StaticString = "dev.vigil.decision.v1"

    /// `emit` of a decision and an event that stay where they are: as values they would be copied.
    public mutating func emit(
        _ decision: UnsafePointer<Decision>, for event: UnsafePointer<Event>, input: UInt16, mode: CloudEventsMode
    ) {
        emit(decision.pointee, for: event.pointee, input: input, mode: mode)
    }

    /// Appends the record that tells `decision`: JSON as the contract has it, keyed `user` or `tenant/user`, in
    /// CloudEvents 1.0 binary mode (headers) or structured mode (envelope).
    /// - Complexity: O(bytes written); allocates only while the buffers grow to their working size.
    @inline(__always)
    public mutating func emit(
        _ decision: borrowing Decision, for event: borrowing Event, input: UInt16, mode: CloudEventsMode
    ) {
        let origin = CloudEvent(
            id: decision.id, type: Self.decisionType, source: decision.source, time: event.time, tenant: event.tenant,
            user: event.user)
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
                kind: .decision, verdict: decision.verdict, input: input, partition: decision.partition,
                offset: decision.offset, key: key, value: value, headers: firstHeader..<headers.count))
    }
}

extension OutputBuffer {
    /// How every answer to an event begins: its own id, then whom and what it is about.
    @inline(__always)
    mutating func append(beginning id: DecisionID, of event: borrowing Event) {
        append("{\"id\":\"")
        append(id)
        append(0x22)
        append(member: "event", text: event.id)
        append(member: "type", text: ByteView(staticText: event.type.name))
        append(member: "time")
        append(quoted: event.time)
        if !event.tenant.isEmpty { append(member: "tenant", text: event.tenant) }
        append(member: "user", text: event.user)
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
    mutating func append(_ decision: borrowing Decision, for event: borrowing Event) {
        append(beginning: decision.id, of: event)
        append(member: "session", text: event.session)
        append(member: "decision", text: ByteView(staticText: decision.verdict.name))
        append(member: "score")
        append(number: decision.score, decimals: 1)
        append(member: "logit")
        append(number: decision.logit, decimals: 4)
        append(member: "base")
        append(number: decision.base, decimals: 1)
        append(member: "level", text: ByteView(staticText: decision.level.name))
        append(member: "previous_level", text: ByteView(staticText: decision.previousLevel.name))
        append(member: "confidence", text: ByteView(staticText: decision.confidence.name))
        append(member: "reasons")
        append(0x5B)
        for i in decision.reasons.indices {
            if i > 0 { append(0x2C) }
            append(decision.reasons[i], text: decision.text)
        }
        append("],\"policy\":{")
        append(member: "rule", text: decision.rule, first: true)
        append(member: "mode", text: ByteView(staticText: "enforce"), first: !decision.rule.isPresent)
        append(member: "version", text: decision.policyVersion)
        append(0x7D)
        if let stepUp = decision.stepUp { append(stepUp) }
        if decision.about != .none {
            append(",\"about\":\"")
            append(decision.about)
            append(0x22)
        }
        if !decision.shadow.isEmpty {
            append(member: "shadow")
            append(0x5B)
            for i in decision.shadow.indices {
                append(i > 0 ? ",{" : "{")
                append(member: "policy", text: decision.shadow[i].policy, first: true)
                append(member: "rule", text: decision.shadow[i].rule, first: !decision.shadow[i].policy.isPresent)
                append(
                    member: "decision", text: ByteView(staticText: decision.shadow[i].verdict.name),
                    first: !decision.shadow[i].policy.isPresent && !decision.shadow[i].rule.isPresent)
                append(0x7D)
            }
            append(0x5D)
        }
        append(sourceTopic: decision.topic, partition: decision.partition, offset: decision.offset)
        append(",\"late\":")
        append(event.flags.contains(.late) ? "true" : "false")
        append(0x7D)
    }

    private mutating func append(_ reason: Reason, text: ByteView) {
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
