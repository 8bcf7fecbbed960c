import CPCRE2
import Events

/// Regular expressions in order, of which the first that matches counts. Safe to match with from any thread.
final class RegexList: @unchecked Sendable {
    /// Work that one expression may spend on one text, in PCRE2's own unit; beyond it the text doesn't match. Real agents
    /// stay below a hundredth of it.
    static let matchLimit: UInt32 = 100_000

    private struct Entry {
        var code: OpaquePointer
        /// Where its choices begin in `choices`, and how many there are.
        var firstChoice: Int32
        var choiceCount: Int32
    }

    private let entries: [Entry]
    private let choices: [(first: Int32, count: Int32)]
    private let grams: [Gram]
    /// All are translated to machine code, which is ten times as fast. Where memory can't be made executable they are not,
    /// and the match limit counts otherwise: an agent made to reach it may then be read otherwise.
    let isTranslated: Bool

    /// Throws the index of the first expression that is none, and why.
    init(_ patterns: [(text: String, ignoresCase: Bool)]) throws(Fault) {
        var entries: [Entry] = []
        var choices: [(first: Int32, count: Int32)] = []
        var grams: [Gram] = []
        var isTranslated = true
        for (index, pattern) in patterns.enumerated() {
            let first = Int32(choices.count)
            for choice in RequiredGrams(pattern: pattern.text).choices {
                choices.append((Int32(grams.count), Int32(choice.count)))
                grams += choice
            }
            do throws(Fault) {
                let code = try Self.compile(pattern.text, ignoresCase: pattern.ignoresCase, index)
                if pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE) != 0 { isTranslated = false }
                entries.append(Entry(code: code, firstChoice: first, choiceCount: Int32(choices.count) - first))
            } catch {
                for entry in entries { pcre2_code_free_8(entry.code) }
                throw error
            }
        }
        self.entries = entries
        self.choices = choices
        self.grams = grams
        self.isTranslated = isTranslated
    }

    deinit { for entry in entries { pcre2_code_free_8(entry.code) } }

    struct Fault: Error {
        var index: Int
        var reason: String
    }

    private static func compile(_ text: String, ignoresCase: Bool, _ index: Int) throws(Fault) -> OpaquePointer {
        var code: Int32 = 0
        var offset = 0
        // Bytes, not characters: an agent may be cut in the middle of one, and rules are ASCII.
        let compiled = Array(text.utf8).withUnsafeBufferPointer {
            pcre2_compile_8($0.baseAddress, $0.count, ignoresCase ? PCRE2_CASELESS : 0, &code, &offset, nil)
        }
        if let compiled { return compiled }
        var message = [UInt8](repeating: 0, count: 256)
        let count = pcre2_get_error_message_8(code, &message, message.count)
        throw Fault(
            index: index,
            reason: "\(String(decoding: message.prefix(Int(max(0, count))), as: UTF8.self)) at byte \(offset)")
    }

    /// The first expression that matches the text, whose groups `match` then has; nil when none does. `match` must have
    /// taken the grams of the text, unless all expressions are to be tried.
    /// - Complexity: O(expressions), plus the matching of those whose words the text has
    func first(in text: ByteView, _ match: inout RegexMatch, isFiltered: Bool = true) -> Int? {
        for (index, entry) in entries.enumerated() {
            if isFiltered, !isPossible(entry, match.grams) { continue }
            let status = pcre2_match_8(entry.code, text.base, text.count, 0, 0, match.data, match.context)
            guard status >= 0 else { continue }
            // 0 stands for more groups than there is room for.
            match.groups = status == 0 ? RegexMatch.mostGroups : Int(status)
            return index
        }
        return nil
    }

    @inline(__always)
    private func isPossible(_ entry: Entry, _ present: borrowing GramSet) -> Bool {
        for choice in choices[Int(entry.firstChoice)..<Int(entry.firstChoice + entry.choiceCount)] {
            var isMet = false
            for gram in grams[Int(choice.first)..<Int(choice.first + choice.count)] where present.contains(gram) {
                isMet = true
                break
            }
            if !isMet { return false }
        }
        return true
    }
}

/// Room for matching, for one thread: the groups of the last match, and the grams of a text.
struct RegexMatch: ~Copyable {
    /// Groups that are kept, the whole match being the first.
    static let mostGroups = 10

    fileprivate let data: OpaquePointer
    fileprivate let context: OpaquePointer
    /// Groups of the last match; what lies behind them is of another.
    fileprivate var groups = 0
    var grams = GramSet()

    init() {
        guard let data = pcre2_match_data_create_8(UInt32(Self.mostGroups), nil), let context = pcre2_match_context_create_8(nil)
        else { fatalError("out of memory") }
        pcre2_set_match_limit_8(context, RegexList.matchLimit)
        pcre2_set_depth_limit_8(context, RegexList.matchLimit)
        pcre2_set_heap_limit_8(context, 1024)
        self.data = data
        self.context = context
    }

    deinit {
        pcre2_match_data_free_8(data)
        pcre2_match_context_free_8(context)
    }

    /// A group of the last match of `text`; absent when it took no part.
    func group(_ number: Int, of text: ByteView) -> ByteView {
        let ends = pcre2_get_ovector_pointer_8(data).unsafelyUnwrapped
        guard number < groups else { return .absent }
        let (from, to) = (ends[2 * number], ends[2 * number + 1])
        guard from != .max, from <= to, to <= text.count, let base = text.base else { return .absent }
        return ByteView(base: base + from, count: to - from)
    }
}
