import CSimdjson
import Glibc

/// A record's bytes where they are read straight, 64 bytes behind which can be read, whatever they are. Nothing goes past the
/// last: it is the root's closing brace, which only strings, lists told by one comparison and other closing braces could pass,
/// and they look at `limit`; or behind it stands a zero byte, which JSON has nowhere. A sanitizer that knows where a record's
/// memory ends complains all the same.
struct PlainText {
    typealias Place = UnsafePointer<UInt8>

    /// How deep a record in the plain form is: a method in an array in `auth`.
    static let depth = 3

    let start: Place
    /// Behind the last byte.
    let limit: Place
    /// From here to the record's own bytes, into which events' views point.
    let toRecord: Int

    /// The record as it lies, where it ends in a brace and what is read behind it is in the same page of memory, so that it is
    /// there; else copied into `buffer`, which has room for it and 64 bytes more.
    @inline(__always)
    init(_ record: Place, count: Int, buffer: UnsafeMutablePointer<UInt8>) {
        let end = record + count
        if count > 0, end[-1] == UInt8(ascii: "}"), UInt(bitPattern: end - 1) & 4095 < 4096 - 64 {
            (start, limit, toRecord) = (record, end, 0)
        } else {
            memcpy(buffer, record, count)
            buffer[count] = 0
            start = UnsafePointer(buffer)
            (limit, toRecord) = (start + count, record - start)
        }
    }

    /// The same bytes in the record.
    @inline(__always)
    func own(_ view: ByteView) -> ByteView { ByteView(base: view.base.unsafelyUnwrapped + toRecord, count: view.count) }

    /// Where the white space ends that may stand there.
    @inline(__always)
    static func behindSpace(_ p: Place) -> Place { p[0] > 0x20 ? p : behindSomeSpace(p) }

    @inline(never)
    private static func behindSomeSpace(_ start: Place) -> Place {
        var p = start
        while p[0] == 0x20 || p[0] == 0x0A || p[0] == 0x0D || p[0] == 0x09 { p += 1 }
        return p
    }

    /// How long the string is whose first byte is there; nil where it has escapes or control characters or doesn't end.
    /// `isOdd` becomes true where a byte of it is DEL or not ASCII, and not checked otherwise.
    @inline(__always)
    private func length(from p: Place, _ isOdd: inout Bool) -> Int? {
        let count = vj_plain_count(p, limit)
        if p[count] == UInt8(ascii: "\"") { return count }
        isOdd = true
        return oddLength(from: p, count)
    }

    @inline(never)
    private func oddLength(from p: Place, _ plain: Int) -> Int? {
        var count = plain
        while p + count < limit, p[count] >= 0x7F { count &+= 1 &+ vj_plain_count(p + count + 1, limit) }
        return p[count] == UInt8(ascii: "\"") ? count : nil
    }

    /// The string whose opening quote may stand there, and what is behind it, which is never the end.
    @inline(__always)
    func string(_ p: Place, _ isOdd: inout Bool) -> (content: ByteView, end: Place)? {
        guard p[0] == UInt8(ascii: "\""), let count = length(from: p + 1, &isOdd) else { return nil }
        let end = p + count + 2
        return end < limit ? (ByteView(base: p + 1, count: count), end) : nil
    }

    /// Behind the literal or number that is there, and its value, which is what the tape would have; nil for everything else,
    /// and for numbers with an exponent or more than 18 digits. What follows is not looked at.
    @inline(never)
    static func scalar(_ p: Place) -> (value: Scalar, end: Place)? {
        switch p[0] {
        case UInt8(ascii: "t"): return spells("true", p) ? (.bool(true), p + 4) : nil
        case UInt8(ascii: "f"): return spells("false", p) ? (.bool(false), p + 5) : nil
        case UInt8(ascii: "n"): return spells("null", p) ? (.null, p + 4) : nil
        default: return number(p)
        }
    }

    private static func spells(_ name: StaticString, _ p: Place) -> Bool {
        ByteView(base: p, count: name.utf8CodeUnitCount) == name
    }

    /// Behind a value nobody reads, which must be JSON all the same and at most `depth` deep; nil where it is not, or has
    /// escapes or odd numbers.
    func skip(_ start: Place, depth: Int, _ isOdd: inout Bool) -> Place? {
        let close: UInt8
        switch start[0] {
        case UInt8(ascii: "\""): return string(start, &isOdd)?.end
        case UInt8(ascii: "{"): close = UInt8(ascii: "}")
        case UInt8(ascii: "["): close = UInt8(ascii: "]")
        default: return Self.scalar(start)?.end
        }
        guard depth > 0 else { return nil }
        var p = Self.behindSpace(start + 1)
        if p[0] != close {
            while true {
                if close == UInt8(ascii: "}") {
                    guard let (_, end) = string(p, &isOdd) else { return nil }
                    p = Self.behindSpace(end)
                    guard p[0] == UInt8(ascii: ":") else { return nil }
                    p = Self.behindSpace(p + 1)
                }
                guard let end = skip(p, depth: depth &- 1, &isOdd) else { return nil }
                p = Self.behindSpace(end)
                if p[0] == close { break }
                guard p[0] == UInt8(ascii: ",") else { return nil }
                p = Self.behindSpace(p + 1)
            }
        }
        return p + 1 < limit ? p + 1 : nil
    }

    // MARK: Numbers

    /// The number that is there, and what is behind it. A mantissa below 2⁵³ over a power of ten up to 10²² is rounded once
    /// and thereby correctly (Clinger, "How to read floating point numbers accurately", PLDI 1990).
    @inline(__always)
    static func number(_ p: Place) -> (value: Scalar, end: Place)? {
        let isNegative = p[0] == UInt8(ascii: "-")
        let digits = isNegative ? p + 1 : p
        // Eight characters at once, the first in the lowest byte: what is left of a digit is its value. The top bits of
        // `others` tell what is none, rightly up to the first that is no point either, as nothing carries before that.
        let left = UInt64(littleEndian: UnsafeRawPointer(digits).loadUnaligned(as: UInt64.self)) ^ 0x3030_3030_3030_3030
        let others = (left | (left &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080
        let behind = others & (others &- 1)
        guard behind != 0 else { return longNumber(p) }
        // The digits up to that, and up to the next, in bits.
        let whole = UInt64(truncatingIfNeeded: others.trailingZeroBitCount & 0x78)
        guard whole == 8 || (whole > 8 && left & 0xFF != 0) else { return nil }
        if (left &>> whole) & 0xFF != 0x2E ^ 0x30 {
            let value = Int64(truncatingIfNeeded: eightDigits(left &<< (0 &- whole)))
            return (.integer(isNegative ? 0 &- value : value), digits + Int(whole &>> 3))
        }
        let end = UInt64(truncatingIfNeeded: behind.trailingZeroBitCount & 0x78)
        guard end > whole &+ 8 else { return nil }
        let before = 1 &<< whole &- 1
        let mantissa = eightDigits((left & before | left &>> 8 & ~before) &<< (72 &- end))
        let places = UInt32(truncatingIfNeeded: (end &- whole) &>> 3 &- 1)
        let magnitude = Double(Int64(truncatingIfNeeded: mantissa)) / vj_power_of_ten(places)
        return (.double(isNegative ? -magnitude : magnitude), digits + Int(end &>> 3))
    }

    /// The number of eight digits, the first in the lowest byte.
    @inline(__always)
    private static func eightDigits(_ digits: UInt64) -> UInt64 {
        let pairs = digits &* 10 &+ digits &>> 8
        let even = (pairs & 0xFF_0000_00FF) &* (100 + 1_000_000 << 32)
        let odd = (pairs &>> 16 & 0xFF_0000_00FF) &* (1 + 10_000 << 32)
        return (even &+ odd) &>> 32
    }

    @inline(never)
    private static func longNumber(_ p: Place) -> (value: Scalar, end: Place)? {
        let isNegative = p[0] == UInt8(ascii: "-")
        let digits = isNegative ? p + 1 : p
        let limit = digits + 19
        var mantissa: Int64 = 0
        var i = digits
        while i < limit, case let digit = i[0] &- 48, digit <= 9 {
            mantissa = mantissa &* 10 &+ Int64(digit)
            i += 1
        }
        let whole = i - digits
        guard whole > 0, whole <= 18, whole == 1 || digits[0] != 48 else { return nil }
        if i[0] != UInt8(ascii: ".") {
            return (.integer(isNegative ? 0 &- mantissa : mantissa), i)
        }
        i += 1
        let fraction = i
        var power = 1.0
        while i < limit, case let digit = i[0] &- 48, digit <= 9 {
            mantissa = mantissa &* 10 &+ Int64(digit)
            power *= 10
            i += 1
        }
        guard i > fraction, mantissa < 1 << 53 else { return nil }
        let magnitude = Double(mantissa) / power
        return (.double(isNegative ? -magnitude : magnitude), i)
    }
}
