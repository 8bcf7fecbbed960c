import Events

/// Three bytes in a row of a text, reduced to a number below `GramSet.count`; ASCII letters of either case are the same.
typealias Gram = UInt16

/// Which grams a text has: what it surely does not contain is told from one look at a bit.
struct GramSet: ~Copyable {
    static let count = 8192
    private let words: UnsafeMutablePointer<UInt64>

    init() {
        words = .allocate(capacity: Self.count / 64)
        words.initialize(repeating: 0, count: Self.count / 64)
    }

    deinit { words.deallocate() }

    static func gram(_ a: UInt8, _ b: UInt8, _ c: UInt8) -> Gram {
        func fold(_ byte: UInt8) -> UInt32 { UInt32(byte >= 65 && byte <= 90 ? byte | 0x20 : byte) }
        let hash = (fold(a) << 16 | fold(b) << 8 | fold(c)) &* 0x9E37_79B1
        return Gram(truncatingIfNeeded: hash >> 19)
    }

    /// Makes it the set of this text.
    mutating func take(_ text: ByteView) {
        words.update(repeating: 0, count: Self.count / 64)
        guard text.count >= 3 else { return }
        for index in 0..<text.count - 2 {
            let gram = Self.gram(text[index], text[index + 1], text[index + 2])
            words[Int(gram >> 6)] |= 1 << UInt64(gram & 63)
        }
    }

    @inline(__always)
    func contains(_ gram: Gram) -> Bool { words[Int(gram >> 6)] >> UInt64(gram & 63) & 1 != 0 }
}

/// Grams that every text must have which a regular expression matches: of each choice at least one.
///
/// A thousand expressions are too many to try on each text; nearly all of them name words that are not in it. What the
/// expression's text is not understood to demand is not demanded.
struct RequiredGrams {
    private(set) var choices: [[Gram]] = []

    init(pattern: String) {
        var reader = PatternReader(Array(pattern.utf8))
        choices = reader.alternatives(depth: 0)
        // Anything left over, and the expression was not understood.
        if !reader.isAtEnd || reader.isLost { choices = [] }
    }
}

/// Reads as much of an expression's syntax as it takes to find words it demands.
private struct PatternReader {
    private let bytes: [UInt8]
    private var index = 0
    /// It met syntax that it can't read.
    private(set) var isLost = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    /// What all alternatives up to the end or a closing parenthesis demand.
    mutating func alternatives(depth: Int) -> [[Gram]] {
        var branches = [sequence(depth: depth)]
        while index < bytes.count, bytes[index] == UInt8(ascii: "|") {
            index += 1
            branches.append(sequence(depth: depth))
        }
        if branches.count == 1 { return branches[0] }
        // One of the branches matches, so one of their demands is met.
        var choice: [Gram] = []
        for branch in branches {
            guard let first = branch.min(by: { $0.count < $1.count }) else { return [] }
            choice += first
        }
        return [choice]
    }

    private mutating func sequence(depth: Int) -> [[Gram]] {
        var demands: [[Gram]] = []
        var word: [UInt8] = []
        func endWord(_ word: inout [UInt8], _ demands: inout [[Gram]]) {
            if word.count >= 3 {
                for start in Set([0, (word.count - 3) / 2, word.count - 3]).sorted() {
                    demands.append([GramSet.gram(word[start], word[start + 1], word[start + 2])])
                }
            }
            word = []
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "|") || byte == UInt8(ascii: ")") { break }
            index += 1
            var literal: UInt8?
            var inner: [[Gram]] = []
            switch byte {
            case UInt8(ascii: "("):
                inner = group(depth: depth)
            case UInt8(ascii: "["):
                skipClass()
            case UInt8(ascii: "\\"):
                literal = escaped()
            case UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "$"):
                break
            default:
                literal = byte
            }
            let isOptional = quantifier()
            if let literal, isOptional != true {
                word.append(literal)
                // What is repeated need not be followed by what stands behind it.
                if isOptional == false { endWord(&word, &demands) }
            } else {
                endWord(&word, &demands)
                if isOptional != true { demands += inner }
            }
        }
        endWord(&word, &demands)
        return demands
    }

    /// After a backslash: the character it takes for itself, nil for a class of characters or an edge of words.
    private mutating func escaped() -> UInt8? {
        guard index < bytes.count else { return nil }
        let byte = bytes[index]
        index += 1
        let isLetterOrDigit = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        guard isLetterOrDigit else { return byte }
        if !"dDwWsSbB".utf8.contains(byte) { isLost = true }
        return nil
    }

    /// After an opening parenthesis, up to and with the closing one.
    private mutating func group(depth: Int) -> [[Gram]] {
        var isDemanded = true
        if index < bytes.count, bytes[index] == UInt8(ascii: "*") { isLost = true }
        if index < bytes.count, bytes[index] == UInt8(ascii: "?") {
            index += 1
            let kind = index < bytes.count ? bytes[index] : 0
            if !":=!<i".utf8.contains(kind) { isLost = true }
            // What assertions and flags say is not looked at.
            isDemanded = kind == UInt8(ascii: ":")
            index += 1
        }
        let inner = alternatives(depth: depth + 1)
        if index < bytes.count { index += 1 } else { isLost = true }
        return isDemanded ? inner : []
    }

    /// After an opening bracket, up to and with the closing one.
    private mutating func skipClass() {
        if index < bytes.count, bytes[index] == UInt8(ascii: "^") { index += 1 }
        if index < bytes.count, bytes[index] == UInt8(ascii: "]") { index += 1 }
        while index < bytes.count, bytes[index] != UInt8(ascii: "]") {
            if bytes[index] == UInt8(ascii: "[") { isLost = true }
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        index = min(index + 1, bytes.count)
    }

    /// Takes a quantifier: whether it allows none; nil when there isn't one.
    private mutating func quantifier() -> Bool? {
        guard index < bytes.count else { return nil }
        let allowsNone: Bool
        switch bytes[index] {
        case UInt8(ascii: "?"), UInt8(ascii: "*"):
            allowsNone = true
            index += 1
        case UInt8(ascii: "+"):
            allowsNone = false
            index += 1
        case UInt8(ascii: "{"):
            guard let close = bytes[index...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
            allowsNone = true
            index = close + 1
        default: return nil
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: "?") || bytes[index] == UInt8(ascii: "+") { index += 1 }
        return allowsNone
    }
}
