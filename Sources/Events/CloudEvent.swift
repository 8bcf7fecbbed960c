/// A CloudEvents 1.0 context: what every record that Vigil tells the world says of itself.
struct CloudEvent {
    var id: DecisionID
    var type: StaticString
    var source: ByteView
    var time: Timestamp
    var tenant: ByteView
    var user: ByteView

    /// Where the text of a record begins with the id and the time, which its headers say as well.
    struct Places {
        var id: Int
        var time: Int
    }
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
}

extension Effects {
    /// The headers of either mode. What the key and the text of the record say already is not written again.
    @inline(__always)
    mutating func describe(
        _ origin: CloudEvent, key: Range<Int>, _ places: CloudEvent.Places, mode: CloudEventsMode
    ) -> Range<Int> {
        let first = headers.count
        switch mode {
        case .binary:
            header(.ceSpecVersion) { $0.append("1.0") }
            headers.append(Header(name: .ceID, value: places.id..<places.id + 36))
            header(.ceType) { $0.append(origin.type) }
            header(.ceSource) { $0.append(origin.source) }
            headers.append(Header(name: .ceTime, value: places.time..<places.time + 24))
            headers.append(Header(name: .ceSubject, value: key.upperBound - origin.user.count..<key.upperBound))
            headers.append(Header(name: .cePartitionKey, value: key))
            header(.contentType) { $0.append("application/json") }
        case .structured:
            header(.contentType) { $0.append("application/cloudevents+json; charset=UTF-8") }
        }
        return first..<headers.count
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
