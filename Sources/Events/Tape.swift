import CSimdjson

/// A value as it stands on simdjson's tape, or a text a mapping made of it.
enum Scalar {
    case text(ByteView)
    case integer(Int64)
    /// Greater than `Int64.max`.
    case unsigned(UInt64)
    case double(Double)
    case bool(Bool)
    case null
    /// An array; the index of its first element on the tape.
    case array(Int)
    case object(Int)
}

/// simdjson's tape (doc/tape.md): one word per value, its kind in the top byte. Trusted, since simdjson wrote it.
struct Tape {
    let words: UnsafePointer<UInt64>
    let strings: UnsafePointer<UInt8>

    @inline(__always) func kind(_ i: Int) -> UInt8 { UInt8(truncatingIfNeeded: words[i] >> 56) }

    /// The index after the object or array that opens at `i`.
    @inline(__always) func end(_ i: Int) -> Int { Int(truncatingIfNeeded: words[i] & 0xFFFF_FFFF) }

    /// The index after the value at `i`.
    @inline(__always) func next(_ i: Int) -> Int {
        switch kind(i) {
        case UInt8(ascii: "{"), UInt8(ascii: "["): end(i)
        case UInt8(ascii: "l"), UInt8(ascii: "u"), UInt8(ascii: "d"): i &+ 2
        default: i &+ 1
        }
    }

    @inline(__always) func string(_ i: Int) -> ByteView {
        // No record is so large that its strings would need more than 32 bits.
        let p = strings + Int(UInt32(truncatingIfNeeded: words[i]))
        let count = UInt32(littleEndian: UnsafeRawPointer(p).loadUnaligned(as: UInt32.self))
        return ByteView(base: p + 4, count: Int(count))
    }

    @inline(__always) func scalar(_ i: Int) -> Scalar {
        switch kind(i) {
        case UInt8(ascii: "\""): .text(string(i))
        case UInt8(ascii: "l"): .integer(Int64(bitPattern: words[i &+ 1]))
        case UInt8(ascii: "u"): .unsigned(words[i &+ 1])
        case UInt8(ascii: "d"): .double(Double(bitPattern: words[i &+ 1]))
        case UInt8(ascii: "t"): .bool(true)
        case UInt8(ascii: "f"): .bool(false)
        case UInt8(ascii: "["): .array(i &+ 1)
        case UInt8(ascii: "{"): .object(i)
        default: .null
        }
    }
}
