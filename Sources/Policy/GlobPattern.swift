import Events

/// A pattern of `matches(glob:_:)` with the bytes it begins and ends with before and behind its first and last wildcard: most
/// texts are told by them not to fit.
struct GlobPattern {
    /// The first eight bytes of a text, the first lowest, and the last eight, the last highest; zeros where it is shorter.
    struct Ends {
        let first: UInt64
        let last: UInt64

        /// Of a text that is present.
        @inline(__always)
        init(_ text: ByteView) {
            if text.count >= 8 {
                let raw = UnsafeRawPointer(text.base.unsafelyUnwrapped)
                first = raw.loadUnaligned(as: UInt64.self)
                last = raw.loadUnaligned(fromByteOffset: text.count - 8, as: UInt64.self)
            } else {
                first = Self.short(text)
                last = text.isEmpty ? 0 : first << UInt64(64 - 8 * text.count)
            }
        }

        @inline(never)
        private static func short(_ text: ByteView) -> UInt64 {
            var word: UInt64 = 0
            for index in 0..<text.count { word |= UInt64(text[index]) << UInt64(8 * index) }
            return word
        }
    }

    let text: ByteView
    private var first: UInt64 = 0
    private var firstMask: UInt64 = 0
    private var last: UInt64 = 0
    private var lastMask: UInt64 = 0

    init(_ text: ByteView) {
        self.text = text
        for (index, byte) in text.bytes.prefix(while: { !Self.isWild($0) }).prefix(8).enumerated() {
            first |= UInt64(byte) << UInt64(8 * index)
            firstMask |= 0xFF << UInt64(8 * index)
        }
        for (index, byte) in text.bytes.reversed().prefix(while: { !Self.isWild($0) }).prefix(8).enumerated() {
            last |= UInt64(byte) << UInt64(56 - 8 * index)
            lastMask |= 0xFF << UInt64(56 - 8 * index)
        }
    }

    /// What a text is told apart by at a glance: its first and third byte in one. Nil where it is shorter.
    @inline(__always)
    static func mark(of text: ByteView) -> UInt8? { text.count < 3 ? nil : text[0] &+ 5 &* text[2] }

    /// False where a text of this mark is sure not to fit the pattern.
    static func mayFit(_ pattern: ByteView, mark: UInt8) -> Bool {
        pattern.bytes.prefix(3).contains(where: isWild) || Self.mark(of: pattern) == mark
    }

    static func isWild(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") }

    /// False where a text of these ends is sure not to fit.
    @inline(__always)
    func mayFit(_ ends: Ends) -> Bool { (ends.first & firstMask) == first && (ends.last & lastMask) == last }
}
