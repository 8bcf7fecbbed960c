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
        guard let p = view.base, !view.isEmpty else { return }
        // Most texts need nothing escaped, which shows while they are copied.
        if Self.isPlain(p, view.count, copyingTo: extend(by: view.count)) { return }
        retract(by: view.count)
        appendEscaping(p, view)
    }

    @inline(never)
    private mutating func appendEscaping(_ p: UnsafePointer<UInt8>, _ view: ByteView) {
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

    /// Whether nothing needs escaping, by eight bytes at once: the last eight may overlap those before.
    @inline(__always)
    private static func isPlain(_ p: UnsafePointer<UInt8>, _ count: Int, copyingTo out: UnsafeMutablePointer<UInt8>) -> Bool {
        let (from, to) = (UnsafeRawPointer(p), UnsafeMutableRawPointer(out))
        var plain = UInt64.max
        if count >= 8 {
            var i = 0
            while i < count &- 8 {
                plain &= copy(from, to, i)
                i &+= 8
            }
            plain &= copy(from, to, count &- 8)
        } else if count >= 4 {
            let first = from.loadUnaligned(as: UInt32.self)
            let last = from.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            to.storeBytes(of: first, as: UInt32.self)
            to.storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
            plain = plainness(UInt64(first) << 32 | UInt64(last))
        } else {
            for i in 0..<count {
                out[i] = p[i]
                plain &= plainness(UInt64(p[i]) &* 0x0101_0101_0101_0101)
            }
        }
        return plain & 0x8080_8080_8080_8080 == 0x8080_8080_8080_8080
    }

    @inline(__always)
    private static func copy(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ at: Int) -> UInt64 {
        let word = from.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        to.storeBytes(of: word, toByteOffset: at, as: UInt64.self)
        return plainness(word)
    }

    /// The highest bit of each byte that is no control character, quotation mark, backslash or delete.
    @inline(__always)
    private static func plainness(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let ascii = word & (0x7F * ones)
        // What isn't 0 reaches the highest bit, and nothing goes beyond it.
        func differs(from byte: UInt64) -> UInt64 { (ascii ^ byte &* ones) &+ 0x7F * ones }
        return word | (ascii &+ 0x60 * ones) & differs(from: 0x22) & differs(from: 0x5C) & differs(from: 0x7F)
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
        var next = extend(by: name.utf8CodeUnitCount + (first ? 4 : 5))
        if !first {
            next[0] = 0x2C
            next += 1
        }
        next[0] = 0x22
        (next + 1).update(from: name.utf8Start, count: name.utf8CodeUnitCount)
        next += name.utf8CodeUnitCount + 1
        (next[0], next[1], next[2]) = (0x22, 0x3A, 0x22)
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
        if value < Self.short { return append(short: UInt32(value), decimals: 0) }
        let digits = Self.digits(of: value)
        Self.write(value, digits: digits, to: extend(by: digits))
    }

    /// The digits of a number below this, and a point between them, fit into a word.
    private static var short: UInt64 { 10_000_000 }

    /// The number with its last digits behind a point, which most have few enough of to be put together in a word.
    @inline(__always)
    private mutating func append(short value: UInt32, decimals: Int) {
        var (word, length, rest): (UInt64, Int, UInt32) = (0, 1, value)
        func takeDigit() {
            let tens = rest / 10
            word = word << 8 | UInt64(48 &+ rest &- tens &* 10)
            rest = tens
            length &+= 1
        }
        if decimals > 0 {
            while length <= decimals { takeDigit() }
            word = word << 8 | 0x2E
        } else {
            length = 0
        }
        repeat { takeDigit() } while rest > 0
        UnsafeMutableRawPointer(extend(by: 8)).storeBytes(of: word, as: UInt64.self)
        retract(by: 8 &- length)
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
    @inline(__always)
    public mutating func append(number value: Double, decimals: Int) {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        append(number: value, decimals: decimals, scale: scale)
    }

    @inline(never)
    private mutating func append(number value: Double, decimals: Int, scale: Double) {
        let bounded = value.isNaN ? 0 : min(max(value, -1e9), 1e9)
        let product = bounded * scale
        // Adding 1.5 · 2⁵² leaves no place for a fraction: what is below 2⁵¹ is rounded to nearest, ties to even.
        var rounded = (product + 6_755_399_441_055_744) - 6_755_399_441_055_744
        // What the multiplication lost decides when the product looks like a tie.
        if (product - rounded).magnitude == 0.5 {
            let lost = (-product).addingProduct(bounded, scale)
            if lost != 0 { rounded = lost > 0 ? product + 0.5 : product - 0.5 }
        }
        let whole = UInt64(rounded.magnitude)
        if rounded < 0 { append(0x2D) }
        if whole < Self.short { return append(short: UInt32(whole), decimals: decimals) }
        guard decimals > 0 else { return append(natural: whole) }
        let digits = max(Self.digits(of: whole), decimals + 1)
        let text = extend(by: digits + 1)
        Self.write(whole, digits: digits, to: text)
        // The decimals give way to the point.
        (text + digits - decimals + 1).update(from: text + digits - decimals, count: decimals)
        text[digits - decimals] = 0x2E
    }

    /// 16 lower-case hex digits.
    public mutating func append(hex value: UInt64) {
        let text = UnsafeMutableRawPointer(extend(by: 16))
        text.storeBytes(of: Self.hex(value >> 32), as: UInt64.self)
        text.storeBytes(of: Self.hex(value), toByteOffset: 8, as: UInt64.self)
    }

    /// The last eight hex digits of the number as text, the first in the lowest byte: all at once.
    @inline(__always)
    static func hex(_ value: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var digits = value & 0xFFFF_FFFF
        digits = (digits << 16 | digits) & 0x0000_FFFF_0000_FFFF
        digits = (digits << 8 | digits) & 0x00FF_00FF_00FF_00FF
        digits = (digits << 4 | digits) & (0x0F * ones)
        let letters = (digits &+ 6 &* ones) >> 4 & ones
        return (digits &+ 48 &* ones &+ letters &* 39).byteSwapped
    }

    mutating func append(hexDigit digit: UInt8) { append(digit < 10 ? 48 + digit : 87 + digit) }
}
