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

        func check(_ bytes: [UInt8], _ comment: Comment) {
            bytes.withUnsafeBytes { raw in
                let record = Record(
                    input: 0, partition: 0, offset: 0, timestamp: nil, key: .absent, value: ByteView(raw))
                let a = short.decode(record, options: plan, into: &events.short)
                let b = long.decode(record, options: plan, into: &events.long)
                #expect("\(a)" == "\(b)", comment)
                #expect(Self.describe(events.short) == Self.describe(events.long), comment)
            }
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
}
