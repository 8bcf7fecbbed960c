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
        let start = bytes.count
        if mode == .structured { bytes.append(opening: origin) }
        let places = bytes.append(decision, for: event)
        if mode == .structured { bytes.append(0x7D) }
        let value = start..<bytes.count
        let headers = describe(origin, key: key, places, mode: mode)
        outputs.append(
            Output(
                kind: .decision, verdict: decision.pointee.verdict, input: input, partition: decision.pointee.partition,
                offset: decision.pointee.offset, key: key, value: value, headers: headers))
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
    /// Bytes that are room for what is always the same about a piece of an answer, and the numbers, ids and times in it.
    private static var room: Int { 512 }

    /// How every answer to an event begins: its own id, then whom and what it is about.
    @inline(__always)
    mutating func append(beginning id: DecisionID, of event: UnsafePointer<Event>) -> CloudEvent.Places {
        let texts = event.pointee.id.count + event.pointee.tenant.count + event.pointee.user.count
        var (ownID, time) = (base, base)
        write(atMost: Self.room + TextCursor.room(escaping: texts)) { text in
            text.write("{\"id\":\"")
            ownID = text.next
            text.write(id)
            text.write("\",\"event\":\"")
            text.write(escaped: event.pointee.id)
            text.write("\",\"type\":\"")
            text.write(event.pointee.type.name)
            text.write("\",\"time\":\"")
            time = text.next
            text.write(event.pointee.time)
            text.write("\"")
            if !event.pointee.tenant.isEmpty { text.write(",\"tenant\":\"", quoting: event.pointee.tenant) }
            text.write(",\"user\":\"", quoting: event.pointee.user)
        }
        return CloudEvent.Places(id: ownID - base, time: time - base)
    }

    /// Where the record lies that is answered.
    @inline(__always)
    mutating func append(sourceTopic topic: ByteView, partition: Int32, offset: Int64) {
        write(atMost: Self.room + TextCursor.room(escaping: topic.count)) { text in
            text.write(",\"source\":{\"topic\":\"")
            text.write(escaped: topic)
            text.write("\",\"partition\":")
            text.write(integer: Int64(partition))
            text.write(",\"offset\":")
            text.write(integer: offset)
            text.write("}")
        }
    }

    /// The decision's JSON text.
    @inline(__always)
    mutating func append(_ decision: UnsafePointer<Decision>, for event: UnsafePointer<Event>) -> CloudEvent.Places {
        let places = append(beginning: decision.pointee.id, of: event)
        let texts = event.pointee.session.count + decision.pointee.rule.count + decision.pointee.policyVersion.count
        write(atMost: Self.room + decision.pointee.reasons.count + TextCursor.room(escaping: texts)) { text in
            text.write(",\"session\":\"", quoting: event.pointee.session)
            text.write(",\"decision\":\"")
            text.write(decision.pointee.verdict.name)
            text.write("\",\"score\":")
            text.write(number: decision.pointee.score, decimals: 1)
            text.write(",\"logit\":")
            text.write(number: decision.pointee.logit, decimals: 4)
            text.write(",\"base\":")
            text.write(number: decision.pointee.base, decimals: 1)
            text.write(",\"level\":\"")
            text.write(decision.pointee.level.name)
            text.write("\",\"previous_level\":\"")
            text.write(decision.pointee.previousLevel.name)
            text.write("\",\"confidence\":\"")
            text.write(decision.pointee.confidence.name)
            text.write("\",\"reasons\":[")
            text.write(decision.pointee.reasons)
            text.write("],\"policy\":{")
            text.write("\"rule\":\"", quoting: decision.pointee.rule)
            if decision.pointee.rule.isPresent { text.write(0x2C) }
            text.write("\"mode\":\"enforce\"")
            text.write(",\"version\":\"", quoting: decision.pointee.policyVersion)
            text.write("}")
        }
        if let stepUp = decision.pointee.stepUp { append(stepUp) }
        if decision.pointee.about != .none {
            append(",\"about\":\"")
            append(decision.pointee.about)
            append(0x22)
        }
        if !decision.pointee.shadow.isEmpty { append(decision.pointee.shadow) }
        append(sourceTopic: decision.pointee.topic, partition: decision.pointee.partition, offset: decision.pointee.offset)
        append(event.pointee.flags.contains(.late) ? ",\"late\":true}" : ",\"late\":false}")
        return places
    }

    @inline(never)
    private mutating func append(_ stepUp: StepUp) {
        let texts = stepUp.acrValuesJSON.count + stepUp.methodsJSON.count + TextCursor.room(escaping: stepUp.prompt.count)
        write(atMost: Self.room + texts) { text in
            text.write(",\"step_up\":{\"acr_values\":")
            text.write(stepUp.acrValuesJSON)
            text.write(",\"methods\":")
            text.write(stepUp.methodsJSON)
            if let maxAge = stepUp.maxAgeSeconds {
                text.write(",\"max_age\":")
                text.write(integer: Int64(maxAge))
            }
            text.write(",\"challenge\":\"")
            text.write(stepUp.challenge)
            text.write("\",\"nonce\":\"")
            text.write(hex: stepUp.nonce.0)
            text.write(hex: stepUp.nonce.1)
            text.write("\",\"expires\":\"")
            text.write(stepUp.expires)
            text.write("\"")
            text.write(",\"prompt\":\"", quoting: stepUp.prompt)
            text.write("}")
        }
    }

    @inline(never)
    private mutating func append(_ shadow: [ShadowVerdict]) {
        append(member: "shadow")
        append(0x5B)
        for i in shadow.indices {
            append(i > 0 ? ",{" : "{")
            append(member: "policy", text: shadow[i].policy, first: true)
            append(member: "rule", text: shadow[i].rule, first: !shadow[i].policy.isPresent)
            append(
                member: "decision", text: ByteView(staticText: shadow[i].verdict.name),
                first: !shadow[i].policy.isPresent && !shadow[i].rule.isPresent)
            append(0x7D)
        }
        append(0x5D)
    }
}
