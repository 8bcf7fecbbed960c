/// Texts and the parts JSON is written with, one at a time; `TextCursor` says how they are written.
extension OutputBuffer {
    /// A JSON string, quotes included. The bytes are taken to be UTF-8.
    /// - Complexity: O(*n*)
    public mutating func append(jsonString view: ByteView) {
        append(0x22)
        appendEscaped(view)
        append(0x22)
    }

    /// As `append(jsonString:)`, without the quotes.
    public mutating func appendEscaped(_ view: ByteView) {
        write(atMost: TextCursor.room(escaping: view.count)) { $0.write(escaped: view) }
    }

    /// `"name":` after a comma, or after nothing when it is the first member.
    @inline(__always)
    public mutating func append(member name: StaticString, first: Bool = false) {
        if !first { append(0x2C) }
        append(0x22)
        append(name)
        append("\":")
    }

    /// A member whose value is a text; nothing when it is absent.
    @inline(__always)
    public mutating func append(member name: StaticString, text: ByteView, first: Bool = false) {
        guard text.isPresent else { return }
        append(member: name, first: first)
        append(jsonString: text)
    }

    /// A whole number in decimal.
    public mutating func append(integer value: Int64) { write(atMost: TextCursor.room) { $0.write(integer: value) } }

    /// A number with a fixed count of decimals, 1 to 6: rounded correctly from the double's exact value, ties to even,
    /// never "-0.0". NaN is written as zero, and what is beyond ±10⁹ as that.
    @inline(__always)
    public mutating func append(number value: Double, decimals: Int) {
        write(atMost: TextCursor.room) { $0.write(number: value, decimals: decimals) }
    }

    /// 16 lower-case hex digits.
    public mutating func append(hex value: UInt64) { write(atMost: TextCursor.room) { $0.write(hex: value) } }

    /// RFC 3339 in UTC with milliseconds.
    public mutating func append(_ time: Timestamp) { write(atMost: TextCursor.room) { $0.write(time) } }

    /// The UUID's text, lower case.
    public mutating func append(_ id: DecisionID) { write(atMost: TextCursor.room) { $0.write(id) } }
}
