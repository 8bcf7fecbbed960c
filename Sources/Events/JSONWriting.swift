import Glibc

// The parts JSON is written with. Numbers don't depend on the locale and are the same on every machine.

extension OutputBuffer {
    /// A JSON string, quotes included (RFC 8259 section 7). The bytes are taken to be UTF-8.
    /// - Complexity: O(*n*)
    public mutating func append(jsonString view: ByteView) {
        append(0x22)
        appendEscaped(view)
        append(0x22)
    }

    /// As `append(jsonString:)`, without the quotes.
    public mutating func appendEscaped(_ view: ByteView) {
        guard let p = view.base else { return }
        var start = 0
        for i in 0..<view.count {
            let c = p[i]
            if c >= 0x20, c != 0x22, c != 0x5C, c != 0x7F { continue }
            append(p + start, count: i - start)
            start = i + 1
            append(0x5C)
            switch c {
            case 0x22, 0x5C: append(c)
            case 0x08: append(0x62)
            case 0x09: append(0x74)
            case 0x0A: append(0x6E)
            case 0x0C: append(0x66)
            case 0x0D: append(0x72)
            default:
                append("u00")
                append(hexDigit: c >> 4)
                append(hexDigit: c & 15)
            }
        }
        append(p + start, count: view.count - start)
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
    public mutating func append(member name: StaticString, text: ByteView, first: Bool = false) {
        guard text.isPresent else { return }
        append(member: name, first: first)
        append(jsonString: text)
    }

    /// A whole number in decimal.
    public mutating func append(integer value: Int64) {
        if value < 0 { append(0x2D) }
        append(natural: value.magnitude)
    }

    private mutating func append(natural value: UInt64) {
        if value >= 10 { append(natural: value / 10) }
        append(UInt8(48 + value % 10))
    }

    /// A number with a fixed count of decimals, 0 to 6: rounded correctly from the double's exact value, ties to even,
    /// never "-0.0". NaN is written as zero, and what is beyond ±10⁹ as that.
    public mutating func append(number value: Double, decimals: Int) {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let bounded = value.isNaN ? 0 : min(max(value, -1e9), 1e9)
        let product = bounded * scale
        // What the multiplication lost decides when the product looks like a tie.
        let lost = (-product).addingProduct(bounded, scale)
        var rounded = product.rounded(.toNearestOrEven)
        let below = product.rounded(.down)
        if product - below == 0.5, lost != 0 { rounded = lost > 0 ? below + 1 : below }
        let whole = UInt64(rounded.magnitude)
        if rounded < 0 { append(0x2D) }
        var divisor = UInt64(scale)
        append(natural: whole / divisor)
        guard decimals > 0 else { return }
        append(0x2E)
        var rest = whole % divisor
        for _ in 0..<decimals {
            divisor /= 10
            append(UInt8(48 + rest / divisor))
            rest %= divisor
        }
    }

    /// 16 lower-case hex digits.
    public mutating func append(hex value: UInt64) {
        for shift in stride(from: 60, through: 0, by: -4) { append(hexDigit: UInt8(value >> UInt64(shift) & 15)) }
    }

    mutating func append(hexDigit digit: UInt8) { append(digit < 10 ? 48 + digit : 87 + digit) }
}
