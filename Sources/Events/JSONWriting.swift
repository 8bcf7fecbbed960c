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
        var i = 0
        while i < view.count {
            // Eight bytes at once where none of them needs escaping.
            if i + 8 <= view.count, !Self.needsEscape(UnsafeRawPointer(p).loadUnaligned(fromByteOffset: i, as: UInt64.self)) {
                i += 8
                continue
            }
            let c = p[i]
            i += 1
            if c >= 0x20, c != 0x22, c != 0x5C, c != 0x7F { continue }
            append(p + start, count: i - 1 - start)
            start = i
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

    /// Whether any of eight bytes is below a space, a quotation mark, a backslash or a delete.
    @inline(__always)
    private static func needsEscape(_ word: UInt64) -> Bool {
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        // A byte's highest bit tells whether it was below what was taken away; one that is wrong has one that is right below it.
        let control = (word &- 0x20 * ones) & ~word
        let quote = word ^ 0x22 * ones
        let backslash = word ^ 0x5C * ones
        let delete = word ^ 0x7F * ones
        let any = control | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash | (delete &- ones) & ~delete
        return any & highs != 0
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
        append(count: name.utf8CodeUnitCount + (first ? 4 : 5)) { bytes in
            var next = bytes
            if !first {
                next[0] = 0x2C
                next += 1
            }
            next[0] = 0x22
            (next + 1).update(from: name.utf8Start, count: name.utf8CodeUnitCount)
            next += name.utf8CodeUnitCount + 1
            (next[0], next[1], next[2]) = (0x22, 0x3A, 0x22)
        }
        appendEscaped(text)
        append(0x22)
    }

    /// A whole number in decimal.
    public mutating func append(integer value: Int64) {
        if value < 0 { append(0x2D) }
        append(natural: value.magnitude)
    }

    @inline(__always)
    private mutating func append(natural value: UInt64) {
        let digits = Self.digits(of: value)
        append(count: digits) { Self.write(value, digits: digits, to: $0) }
    }

    @inline(__always)
    private static func digits(of value: UInt64) -> Int {
        var (digits, rest) = (1, value)
        while rest >= 10 {
            digits += 1
            rest /= 10
        }
        return digits
    }

    /// The last digits of the number.
    @inline(__always)
    static func write(_ value: UInt64, digits: Int, to text: UnsafeMutablePointer<UInt8>) {
        var rest = value
        var at = digits - 1
        while at >= 0 {
            text[at] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
            at -= 1
        }
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
        guard decimals > 0 else { return append(natural: whole) }
        let digits = max(Self.digits(of: whole), decimals + 1)
        append(count: digits + 1) { text in
            Self.write(whole, digits: digits, to: text)
            // The decimals give way to the point.
            (text + digits - decimals + 1).update(from: text + digits - decimals, count: decimals)
            text[digits - decimals] = 0x2E
        }
    }

    /// 16 lower-case hex digits.
    public mutating func append(hex value: UInt64) { append(count: 16) { Self.write(hex: value, digits: 16, to: $0) } }

    /// The last hex digits of the number.
    @inline(__always)
    static func write(hex value: UInt64, digits: Int, to text: UnsafeMutablePointer<UInt8>) {
        for at in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: value &>> UInt64(4 * (digits - 1 - at))) & 15
            text[at] = digit < 10 ? 48 + digit : 87 + digit
        }
    }

    mutating func append(hexDigit digit: UInt8) { append(digit < 10 ? 48 + digit : 87 + digit) }
}
