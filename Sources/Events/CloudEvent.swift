/// A CloudEvents 1.0 context: what every record that Vigil tells the world says of itself.
struct CloudEvent {
    var id: DecisionID
    var type: StaticString
    var source: ByteView
    var time: Timestamp
    var tenant: ByteView
    var user: ByteView
}

extension OutputBuffer {
    /// `user` or `tenant/user`.
    mutating func append(keyOf origin: CloudEvent) {
        if !origin.tenant.isEmpty {
            append(origin.tenant)
            append(0x2F)
        }
        append(origin.user)
    }

    /// The envelope of structured mode up to its data; a brace closes it.
    mutating func append(opening origin: CloudEvent) {
        append("{\"specversion\":\"1.0\",\"id\":\"")
        append(origin.id)
        append("\",\"type\":\"")
        append(origin.type)
        append("\",\"source\":")
        append(jsonString: origin.source)
        append(member: "subject", text: origin.user)
        append(",\"time\":\"")
        append(origin.time)
        append("\",\"partitionkey\":\"")
        if !origin.tenant.isEmpty {
            appendEscaped(origin.tenant)
            append(0x2F)
        }
        appendEscaped(origin.user)
        append("\",\"datacontenttype\":\"application/json\",\"data\":")
    }

    mutating func append(quoted time: Timestamp) {
        append(0x22)
        append(time)
        append(0x22)
    }
}

extension Effects {
    /// The headers of either mode.
    mutating func describe(_ origin: CloudEvent, key: Range<Int>, mode: CloudEventsMode) {
        switch mode {
        case .binary:
            header(.ceSpecVersion) { $0.append("1.0") }
            header(.ceID) { $0.append(origin.id) }
            header(.ceType) { $0.append(origin.type) }
            header(.ceSource) { $0.append(origin.source) }
            header(.ceTime) { $0.append(origin.time) }
            header(.ceSubject) { $0.append(origin.user) }
            headers.append(Header(name: .cePartitionKey, value: key))
            header(.contentType) { $0.append("application/json") }
        case .structured:
            header(.contentType) { $0.append("application/cloudevents+json; charset=UTF-8") }
        }
    }

    @inline(__always)
    mutating func append(_ body: (inout OutputBuffer) -> Void) -> Range<Int> {
        let start = bytes.count
        body(&bytes)
        return start..<bytes.count
    }

    @inline(__always)
    mutating func header(_ name: HeaderName, _ body: (inout OutputBuffer) -> Void) {
        headers.append(Header(name: name, value: append(body)))
    }
}
