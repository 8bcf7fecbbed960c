import Glibc
import Testing
@testable import Events

/// The short way of decoding against the long one: whatever the record, the same outcome and the same event.
@Suite struct PlainFormTests {
    private final class Pair {
        let plan: DecodePlan
        let short: EventDecoder
        let long: EventDecoder
        var events = (short: Event(), long: Event())
        var shortly = 0

        init(_ bounds: DecodeBounds = DecodeBounds()) {
            var options = DecodeOptions()
            options.requiresKey = false
            plan = DecodePlan(options)
            short = EventDecoder(bounds: bounds)
            long = EventDecoder(bounds: bounds, takesPlainForm: false)
        }

        func check(_ bytes: [UInt8], _ comment: Comment) { bytes.withUnsafeBytes { check($0, comment) } }

        func check(_ bytes: UnsafeRawBufferPointer, _ comment: Comment) {
            let record = Record(input: 0, partition: 0, offset: 0, timestamp: nil, key: .absent, value: ByteView(bytes))
            let a = short.decode(record, options: plan, into: &events.short)
            let b = long.decode(record, options: plan, into: &events.long)
            #expect("\(a)" == "\(b)", comment)
            #expect(Self.describe(events.short) == Self.describe(events.long), comment)
            if short.borrowsRecordOnly { shortly += 1 }
            #expect(!long.borrowsRecordOnly)
        }

        /// Every field, texts by their bytes.
        static func describe(_ event: Event) -> [String] {
            Mirror(reflecting: event).children.map { child in
                if let view = child.value as? ByteView { return "\(child.label!)=\(view.isPresent ? view.string : "–")" }
                return "\(child.label!)=\(child.value)"
            }
        }
    }

    static let templates = [
        fullAction,
        #"{"id":"e1","type":"action","time":1700000000123,"user":"u","action":"a","auth":{"enrolments":["webauthn","push"],"amr":["pwd"]}}"#,
        #"{"id":"e1","type":"action","time":1700000000123,"user":"u","action":"a","auth":{"enrolments":[]}}"#,
        #"{"id":"e1","type":"action","time":1700000000123,"user":"u","action":"a","auth":{"enrolments":null,"amr":"pwd"}}"#,
        #"{"id":"e1","type":"login","time":1700000000123,"user":"u","outcome":"success","geo":{"lat":-0.5,"lon":179.99}}"#,
        #"{"id":"e1","type":"action","time":"2026-11-23T10:00:00Z","user":"u","action":"a","amount":0.10,"x":null,"y":true,"z":"w"}"#,
        #"{"auth":{"amr":["pwd","otp"],"acr":null},"user":"u","id":"e","type":"action","action":"","time":1700000000000.5,"asn":0}"#,
        #" { "id" : "e" , "user" : "u" , "time" : 1700000000000 , "type":"challenge", "challenge" : {"decision":"d","result":"passed"} } "#,
        #"{"id":"e","user":"ü","time":"2026-11-23T10:00:00.5+01:00","type":"action","action":"a","ip":"::1","label":{"kind":"x"}}"#,
        #"{"id":"e","user":"u","time":1700000000000,"type":"action","action":"a","label":{"a":{"b":[1,[],{}," "]}},"geo":{"x":[{}]}}"#,
        #"{"id":"e","user":"u","time":1,"type":"erasure","extra":[1,{"a":[]}],"device":{},"geo":{"country":"no","u":1,"v":2}}"#,
    ]

    /// An event that borrows from its record only stays as it is when the next one is decoded.
    @Test func plainEventsLieInTheirRecords() {
        let decode = Decoding()
        for template in Self.templates {
            _ = decode(template)
            let (event, isLasting) = (decode.event, decode.decoder.borrowsRecordOnly)
            let before = Pair.describe(event)
            _ = decode(String(repeating: "#", count: 1_000))
            _ = decode(fullAction.replacing("e", with: "E"))
            if isLasting { #expect(Pair.describe(event) == before, "\(template)") }
            for case let view as ByteView in Mirror(reflecting: event).children.map(\.value) where isLasting && view.isPresent {
                #expect(decode.holds(view))
            }
        }
    }

    @Test func templatesAgree() {
        let pair = Pair()
        for template in Self.templates { pair.check(Array(template.utf8), "\(template)") }
        #expect(pair.shortly == 8)
    }

    /// A record's own bytes alone decide, whatever lies behind them: cut at each brace, its rest is there still.
    @Test func whatIsBehindARecordIsNotRead() {
        let pair = Pair()
        let others = [
            #"{"id":"e","user":"u","time":1700000000000,"type":"action","action":"a}b","x}":"y}","a":["}",{"}":"}"}]}"#,
            #"{"id":"e","user":"u","time":1700000000000,"type":"action","action":"a","auth":{"amr":["a}b"]}}"#,
            #"{"x":{"a":1},"id":"e","user":"u","time":1700000000000,"type":"action","action":"aaaaaaaaaaaaaaaaaaaaaaaa}aaaaaaaaaa"}"#,
            #"{"id":"e","user":"u","time":1700000000000,"type":"action","action":"é}é"}  }"#,
            #"{"id":"e","user":"u","time":1700000000000,"type":"action","action":"a","x":\#u{0}}"#,
            #"{"id":"e","user":"u","time":1700000000000,"type":"action","action":"a","auth":{"enrolments":\#u{0}}}"#,
        ]
        for template in Self.templates + others {
            let bytes = Array((template + template).utf8) + [UInt8](repeating: 0x7D, count: 64)
            // What was learned of the whole is known when it is cut.
            for _ in 0..<2 {
                for end in 1...2 * template.utf8.count where bytes[end - 1] == 0x7D {
                    bytes.withUnsafeBytes { pair.check(UnsafeRawBufferPointer(rebasing: $0[..<end]), "\(end) of \(template)") }
                }
            }
        }
        #expect(pair.shortly > 20)
    }

    /// Records that end where readable memory does.
    @Test func nothingBehindAPageIsRead() throws {
        let page = 4096
        let memory = mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let start = try #require(memory != MAP_FAILED ? memory : nil)
        defer { munmap(start, 2 * page) }
        try #require(mprotect(start + page, page, PROT_NONE) == 0)
        let pair = Pair()
        for template in Self.templates {
            let bytes = Array(template.utf8)
            for left in 0...70 {
                for count in [bytes.count, bytes.lastIndex(of: 0x22).map { $0 + 1 } ?? 1] {
                    let place = start + page - left - count
                    bytes.withUnsafeBytes { place.copyMemory(from: $0.baseAddress!, byteCount: count) }
                    pair.check(UnsafeRawBufferPointer(start: place, count: count), "\(left) bytes behind \(template)")
                }
            }
        }
        #expect(pair.shortly > 500)
    }

    @Test func mutationsAgree() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "\"", ",", ":", "{", "}", "[", "]", " ", "\n", "\t", "0", "-", "1", ".", "e", "\\", "null", "true", "falsey", "1e5",
            "-0", "00", "1.", ".5", "\"id\":\"x\",", "\"a\":1,", "\"\":0,", "{}", "[]", "\u{0}", "\u{1}", "\u{7F}", "é", "\u{C}",
            "123456789012345678901234567890", "0.1234567890123456789", "9007199254740993.0", "9223372036854775808", "\"os\":\"y\",",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80]]
        let pair = Pair()
        var bounds = DecodeBounds()
        (bounds.depth, bounds.idBytes, bounds.textBytes) = (4, 3, 4)
        let narrow = Pair(bounds)
        for round in 0..<6_000 {
            var bytes = Array(Self.templates.randomElement(using: &random)!.utf8)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let at = Int.random(in: 0...bytes.count, using: &random)
                let end = min(bytes.count, at + Int.random(in: 0...3, using: &random))
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.insert(contentsOf: pieces.randomElement(using: &random)!, at: at)
                case 1: bytes.replaceSubrange(at..<end, with: pieces.randomElement(using: &random)!)
                case 2: bytes.removeSubrange(at..<end)
                default: bytes.removeLast(bytes.count - at)
                }
            }
            let comment: Comment = "seed \(seed), round \(round): \(String(decoding: bytes, as: UTF8.self))"
            pair.check(bytes, comment)
            narrow.check(bytes, comment)
        }
        #expect(pair.shortly > 500, "seed \(seed)")
    }

    @Test func numbersAgree() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let pair = Pair()
        for round in 0..<4_000 {
            var number = Bool.random(using: &random) ? "-" : ""
            for _ in 0..<Int.random(in: 1...12, using: &random) { number += "\(Int.random(in: 0...9, using: &random))" }
            if Bool.random(using: &random) {
                number += "."
                for _ in 0..<Int.random(in: 0...12, using: &random) { number += "\(Int.random(in: 0...9, using: &random))" }
            }
            let text = #"{"id":"e","user":"u","time":1700000000000,"type":"action","action":"a","amount":\#(number)}"#
            pair.check(Array(text.utf8), "seed \(seed), round \(round): \(number)")
        }
        #expect(pair.shortly > 500, "seed \(seed)")
    }

    /// Strings of every length around what is read at once, with an odd byte at every place.
    @Test func stringsAgree() {
        let odd: [[UInt8]] = [
            [], [0x1F], [0x20], [0x7F], [0x22], [0x5C], [0x5C, 0x6E], [0], [0x80], [0xFF], [0xC2, 0x80], [0xC3, 0xA9],
            [0xED, 0xA0, 0x80], [0xE2, 0x82, 0xAC],
        ]
        let head = #"{"id":"e","time":1700000000000,"type":"action","user":""#
        // What is before the string and behind it: it is the user, the action, no field, in a list, a key.
        let places = [
            ("", #""}"#), (#"u","action":""#, #""}"#), (#"u","action":"a","?":""#, #""}"#), (#"u","action":"a","?":[""#, #""]}"#),
            (#"u","action":"a",""#, #"":1}"#),
        ]
        let pair = Pair()
        for length in [0, 1, 8, 15, 16, 17, 32] {
            for at in 0...length {
                for bytes in odd {
                    let text = [UInt8](repeating: 0x78, count: at) + bytes + [UInt8](repeating: 0x79, count: length - at)
                    for (before, behind) in places {
                        let record = Array((head + before).utf8) + text + Array(behind.utf8)
                        pair.check(record, "\(bytes) at \(at) of \(length), \(before)")
                    }
                }
            }
        }
        #expect(pair.shortly > 1_000)
    }

    /// Keys nobody knows, again and again: many, long, odd, twice in a record, and the same in two objects.
    @Test func unknownKeysAgree() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let texts = ["trace", "t", "", "label2", "fourteen bytes", "thirteenbytes", "twelve bytes", "cafe", "caf\u{E9}"]
        let names = (texts + (0..<8).map { "n\($0)" }).map { Array($0.utf8) } + [[0x63, 0xFF], [0xED, 0xA0, 0x80], [0x7F]]
        let pair = Pair()
        for round in 0..<2_000 {
            // Some records have the same keys as others, so that what was learned counts.
            var order = SeededGenerator(seed: seed &+ UInt64.random(in: 0..<40, using: &random))
            var bytes = Array(#"{"id":"e","user":"u","time":1700000000000,"type":"action","action":"a""#.utf8)
            func add(_ most: Int) {
                for _ in 0..<Int.random(in: 0...most, using: &order) {
                    let gap = Array([":", ":", " : "].randomElement(using: &order)!.utf8)
                    bytes += Array(",\"".utf8) + names.randomElement(using: &order)! + Array("\"".utf8) + gap + Array("1".utf8)
                }
            }
            add(4)
            bytes += Array(#","geo":{"country":"no""#.utf8)
            add(3)
            bytes += Array("}".utf8)
            add(Int.random(in: 0...4, using: &order) == 0 ? 10 : 2)
            bytes += Array("}".utf8)
            pair.check(bytes, "seed \(seed), round \(round): \(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(pair.shortly > 200, "seed \(seed)")
    }

    /// Times of days that come again and of days that don't, whole and broken.
    @Test func timesAgree() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let dates = ["2026-11-23", "2026-11-24", "2024-02-29", "2023-02-29", "1999-12-31", "2099-12-31", "1969-12-31", "0000-01-01"]
        let known = UnsafeMutablePointer<KnownDay>.allocate(capacity: 1)
        known.initialize(to: KnownDay())
        defer { known.deallocate() }
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
        defer { bytes.deallocate() }
        var read = 0
        for round in 0..<6_000 {
            func two(_ most: Int) -> String { let n = Int.random(in: 0...most, using: &random); return n < 10 ? "0\(n)" : "\(n)" }
            let end = ["Z", "Z", "Z", "z", "+01:00", "", "0Z"].randomElement(using: &random)!
            let fraction = [".000", ".123", ".999", ".5", "", ".1234"].randomElement(using: &random)!
            var text = Array("\(dates.randomElement(using: &random)!)T\(two(24)):\(two(60)):\(two(61))\(fraction)\(end)".utf8)
            if Int.random(in: 0..<3, using: &random) == 0 {
                text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            for (i, byte) in text.enumerated() { bytes[i] = byte }
            let view = ByteView(base: UnsafePointer(bytes), count: text.count)
            let time = Timestamp(rfc3339: view)
            #expect(Timestamp(rfc3339: view, knowing: known) == time, "seed \(seed), round \(round): \(view.string)")
            if time != nil { read += 1 }
        }
        #expect(read > 1_500, "seed \(seed)")
    }
}
