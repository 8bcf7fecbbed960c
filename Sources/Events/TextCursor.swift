/// Where the next bytes of a text go. Nothing here looks whether there is room for them: `OutputBuffer.write(atMost:_:)` makes
/// it beforehand.
///
/// What takes more than a few instructions is done by functions from the place where it begins to the place behind it, so that
/// the cursor stays in a register.
public struct TextCursor: Equatable {
    @usableFromInline typealias Place = UnsafeMutablePointer<UInt8>

    @usableFromInline var next: Place

    /// Bytes that are room for any number, id or time.
    public static var room: Int { 40 }

    /// Bytes that are room for as many of texts, whatever of them has to be escaped.
    @inlinable public static func room(escaping bytes: Int) -> Int { 6 * bytes }

    @usableFromInline init(_ next: UnsafeMutablePointer<UInt8>) { self.next = next }

    @inlinable @inline(__always)
    public mutating func write(_ byte: UInt8) {
        next[0] = byte
        next += 1
    }

    @inlinable @inline(__always)
    public mutating func write(_ text: StaticString) {
        write(text.utf8Start, text.utf8CodeUnitCount)
    }

    /// The bytes as they are.
    @inlinable @inline(__always)
    public mutating func write(_ text: ByteView) {
        guard let base = text.base else { return }
        write(base, text.count)
    }

    @inlinable @inline(__always)
    mutating func write(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        UnsafeMutableRawPointer(next).copyMemory(from: bytes, byteCount: count)
        next += count
    }

    /// The bytes as they stand in a JSON string (RFC 8259 section 7). They are taken to be UTF-8.
    @inlinable @inline(__always)
    public mutating func write(escaped text: ByteView) { next = Self.put(escaped: text, at: next) }

    /// What opens a string, the string and what closes it; nothing when it is absent.
    @inlinable @inline(__always)
    public mutating func write(_ opening: StaticString, quoting text: ByteView) {
        guard text.isPresent else { return }
        write(opening)
        write(escaped: text)
        write(0x22)
    }

    /// A whole number in decimal.
    @inlinable @inline(__always)
    public mutating func write(integer value: Int64) { next = Self.put(integer: value, at: next) }

    /// A number with a fixed count of decimals, 1 to 6: rounded correctly from the double's exact value, ties to even,
    /// never "-0.0". NaN is written as zero, and what is beyond ±10⁹ as that.
    @inlinable @inline(__always)
    public mutating func write(number value: Double, decimals: Int) {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        next = Self.put(number: value, decimals: decimals, scale: scale, at: next)
    }

    /// 16 lower-case hex digits.
    mutating func write(hex value: UInt64) {
        let text = UnsafeMutableRawPointer(next)
        text.storeBytes(of: Self.hex(value >> 32), as: UInt64.self)
        text.storeBytes(of: Self.hex(value), toByteOffset: 8, as: UInt64.self)
        next += 16
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
}

// MARK: Numbers. They don't depend on the locale and are the same on every machine. How many digits they have no processor can
// guess, so that nothing branches on it.

extension TextCursor {
    @usableFromInline @inline(never)
    static func put(integer value: Int64, at place: Place) -> Place {
        place[0] = 0x2D
        return put(natural: value.magnitude, at: place + (value < 0 ? 1 : 0))
    }

    @inline(__always)
    private static func put(natural value: UInt64, at place: Place) -> Place {
        value < 100_000_000 ? put(short: value, at: place) : put(long: value, at: place)
    }

    @inline(never)
    private static func put(long value: UInt64, at place: Place) -> Place {
        let end = put(natural: value / 100_000_000, at: place)
        store(digits(of: value % 100_000_000), at: end)
        return end + 8
    }

    /// A number of at most eight digits.
    @inline(__always)
    private static func put(short value: UInt64, at place: Place) -> Place {
        let text = digits(of: value)
        return put(text, skipping: zeros(of: text, before: 7), at: place)
    }

    @usableFromInline @inline(never)
    static func put(number value: Double, decimals: Int, scale: Double, at place: Place) -> Place {
        let bounded = value.isNaN ? 0 : min(max(value, -1e9), 1e9)
        let product = bounded * scale
        // Adding 1.5 · 2⁵² leaves no place for a fraction: what is below 2⁵¹ is rounded to nearest, ties to even, and stands in
        // the last bits.
        let bias = 6_755_399_441_055_744.0
        let biased = product + bias
        var rounded = Int64(bitPattern: biased.bitPattern) &- Int64(bitPattern: bias.bitPattern)
        if (product - (biased - bias)).magnitude == 0.5 { rounded = untied(rounded, product, bounded, scale) }
        place[0] = 0x2D
        let start = place + (rounded < 0 ? 1 : 0)
        let magnitude = rounded.magnitude
        guard magnitude < 10_000_000 else { return put(magnitude, decimals: decimals, scale: scale, at: start) }
        // The point goes between the digits; seven of them and it are eight bytes.
        let text = digits(of: magnitude)
        let point = UInt64(truncatingIfNeeded: 7 &- decimals)
        let before: UInt64 = 1 &<< (8 &* point) &- 1
        let pointed = text &>> 8 & before | 0x2E &<< (8 &* point) | text & ~(before &<< 8 | 0xFF)
        return put(pointed, skipping: zeros(of: pointed, before: point &- 1), at: start)
    }

    /// What the multiplication lost decides when the product looks like a tie.
    @inline(never)
    private static func untied(_ rounded: Int64, _ product: Double, _ value: Double, _ scale: Double) -> Int64 {
        let lost = (-product).addingProduct(value, scale)
        return lost == 0 ? rounded : Int64(lost > 0 ? product + 0.5 : product - 0.5)
    }

    /// A number that is so many times as great.
    @inline(never)
    private static func put(_ magnitude: UInt64, decimals: Int, scale: Double, at place: Place) -> Place {
        let (whole, fraction) = magnitude.quotientAndRemainder(dividingBy: UInt64(scale))
        let end = put(natural: whole, at: place)
        end[0] = 0x2E
        store(digits(of: fraction) &>> (8 &* UInt64(8 - decimals)), at: end + 1)
        return end + 1 + decimals
    }

    /// Eight digits, the first in the lowest byte: the halves, the pairs and the digits are taken apart all at once, each by a
    /// multiplication that stands for a division.
    @inline(__always)
    private static func digits(of value: UInt64) -> UInt64 {
        let high = value / 10_000
        let halves = high | (value &- high &* 10_000) &<< 32
        let hundreds = (halves &* 5243) &>> 19 & 0x0000_007F_0000_007F
        let pairs = hundreds | (halves &- hundreds &* 100) &<< 16
        let tens = (pairs &* 103) &>> 10 & 0x000F_000F_000F_000F
        return (tens | (pairs &- tens &* 10) &<< 8) | 0x3030_3030_3030_3030
    }

    /// The zeros at the text's beginning, of its first bytes at most, in bits.
    @inline(__always)
    private static func zeros(of text: UInt64, before end: UInt64) -> UInt64 {
        UInt64(truncatingIfNeeded: (text ^ 0x3030_3030_3030_3030 | 1 &<< (8 &* end)).trailingZeroBitCount) & 0x38
    }

    @inline(__always)
    private static func put(_ text: UInt64, skipping bits: UInt64, at place: Place) -> Place {
        store(text &>> bits, at: place)
        return place + Int(truncatingIfNeeded: 8 &- bits &>> 3)
    }

    @inline(__always)
    private static func store(_ text: UInt64, at place: Place) {
        UnsafeMutableRawPointer(place).storeBytes(of: text.littleEndian, as: UInt64.self)
    }
}

// MARK: JSON strings

extension TextCursor {
    @usableFromInline @inline(never)
    static func put(escaped text: ByteView, at place: Place) -> Place {
        guard let base = text.base else { return place }
        // Most texts need nothing escaped, which shows while they are copied: in words, the last of which overlap.
        let (from, to, count) = (UnsafeRawPointer(base), UnsafeMutableRawPointer(place), text.count)
        var odd: UInt64
        if count >= 8 {
            odd = copy(from, to, count &- 8)
            var i = 0
            while i < count &- 8 {
                odd |= copy(from, to, i)
                i &+= 8
            }
        } else if count >= 4 {
            let first = from.loadUnaligned(as: UInt32.self)
            let last = from.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            to.storeBytes(of: first, as: UInt32.self)
            to.storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
            odd = oddness(UInt64(first) << 32 | UInt64(last))
        } else {
            odd = .max
        }
        return odd & 0x8080_8080_8080_8080 == 0 ? place + count : putEscaping(base, count, at: place)
    }

    @inline(__always)
    private static func copy(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ at: Int) -> UInt64 {
        let word = from.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        to.storeBytes(of: word, toByteOffset: at, as: UInt64.self)
        return oddness(word)
    }

    /// Has the highest bit of a byte where one is a control character, quotation mark, backslash or delete, and perhaps of others
    /// then: only such a byte borrows from the next.
    @inline(__always)
    private static func oddness(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        func equals(_ byte: UInt64) -> UInt64 { (word ^ byte &* ones) &- ones }
        return ((word &- 0x20 &* ones) | equals(0x22) | equals(0x5C) | equals(0x7F)) & ~word
    }

    /// The same byte by byte.
    @inline(never)
    private static func putEscaping(_ text: UnsafePointer<UInt8>, _ count: Int, at place: Place) -> Place {
        var cursor = TextCursor(place)
        for i in 0..<count { cursor.write(escaped: text[i]) }
        return cursor.next
    }

    /// A byte as it stands in a JSON string.
    public mutating func write(escaped byte: UInt8) {
        if byte >= 0x20, byte != 0x22, byte != 0x5C, byte != 0x7F { return write(byte) }
        write(0x5C)
        switch byte {
        case 0x22, 0x5C: write(byte)
        case 0x08: write(0x62)
        case 0x09: write(0x74)
        case 0x0A: write(0x6E)
        case 0x0C: write(0x66)
        case 0x0D: write(0x72)
        default:
            write("u00")
            write(hexDigit: byte >> 4)
            write(hexDigit: byte & 15)
        }
    }

    public mutating func write(hexDigit digit: UInt8) { write(digit < 10 ? 48 + digit : 87 + digit) }
}
