extension DecisionID {
    /// The id of the decision on the record at this place: the same for every version of the pipeline and every run.
    /// `time` is the event's; its low 48 bits are used.
    public init(
        hash: KeyedHash, pipeline: ByteView, topic: ByteView, partition: Int32, offset: Int64, time: Timestamp
    ) {
        let log = hash(topic, seed: hash(pipeline))
        let place = hash(UInt64(UInt32(bitPattern: partition)), UInt64(bitPattern: offset))
        let first = hash(log, place)
        let second = hash(first ^ 0x9E37_79B9_7F4A_7C15, log &+ place)
        let milliseconds = UInt64(bitPattern: time.milliseconds) & 0xFFFF_FFFF_FFFF
        self.init(
            high: milliseconds << 16 | 0x8000 | first & 0x0FFF, low: second & 0x3FFF_FFFF_FFFF_FFFF | 1 << 63)
    }

    /// Reads a UUID's text (RFC 9562 section 4), either case. Nil when the text is anything else.
    public init?(text: ByteView) {
        guard let p = text.base, text.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for i in 0..<36 {
            if i == 8 || i == 13 || i == 18 || i == 23 {
                guard p[i] == 0x2D else { return nil }
                continue
            }
            guard let digit = hexValue(p[i]) else { return nil }
            if digits < 16 { words.0 = words.0 << 4 | digit } else { words.1 = words.1 << 4 | digit }
            digits += 1
        }
        self.init(high: words.0, low: words.1)
    }
}

extension StepUp {
    /// Reads a nonce, 32 hex digits of either case. Nil when the text is anything else.
    public static func nonce(text: ByteView) -> (UInt64, UInt64)? {
        guard let p = text.base, text.count == 32 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for i in 0..<32 {
            guard let digit = hexValue(p[i]) else { return nil }
            if i < 16 { words.0 = words.0 << 4 | digit } else { words.1 = words.1 << 4 | digit }
        }
        return words
    }
}

private func hexValue(_ c: UInt8) -> UInt64? {
    switch c {
    case 48...57: UInt64(c - 48)
    case 65...70: UInt64(c - 55)
    case 97...102: UInt64(c - 87)
    default: nil
    }
}

extension TextCursor {
    /// The UUID's text, lower case.
    public mutating func write(_ id: DecisionID) {
        let raw = UnsafeMutableRawPointer(next)
        let (second, third) = (Self.hex(id.high), Self.hex(id.low >> 32))
        raw.storeBytes(of: Self.hex(id.high >> 32), as: UInt64.self)
        raw.storeBytes(of: UInt32(truncatingIfNeeded: second), toByteOffset: 9, as: UInt32.self)
        raw.storeBytes(of: UInt32(second >> 32), toByteOffset: 14, as: UInt32.self)
        raw.storeBytes(of: UInt32(truncatingIfNeeded: third), toByteOffset: 19, as: UInt32.self)
        raw.storeBytes(of: UInt32(third >> 32), toByteOffset: 24, as: UInt32.self)
        raw.storeBytes(of: Self.hex(id.low), toByteOffset: 28, as: UInt64.self)
        (next[8], next[13], next[18], next[23]) = (0x2D, 0x2D, 0x2D, 0x2D)
        next += 36
    }
}
