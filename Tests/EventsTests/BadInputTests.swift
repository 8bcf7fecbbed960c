import Foundation
import Testing

@testable import Events

/// The cases of docs/input.md, in its order.
struct BadInput: CustomTestStringConvertible, Sendable {
    var name: String
    var reason: RejectionReason
    var value: [UInt8]?
    var key: String? = "alice"
    /// Whether `alice` is told of it.
    var blamed = true
    var testDescription: String { name }

    init(_ name: String, _ reason: RejectionReason, _ value: String, key: String? = "alice", blamed: Bool = true) {
        self.init(name, reason, bytes: Array(value.utf8), key: key, blamed: blamed)
    }
    init(_ name: String, _ reason: RejectionReason, bytes: [UInt8]?, key: String? = "alice", blamed: Bool = true) {
        self.name = name
        self.reason = reason
        self.value = bytes
        self.key = key
        self.blamed = blamed
    }

    static func event(_ changes: [String: String?]) -> String {
        var fields: [(String, String)] = [
            ("id", "\"e1\""), ("type", "\"action\""), ("time", "\"2026-11-23T10:00:00Z\""), ("user", "\"alice\""),
            ("action", "\"read\""),
        ]
        for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
            if let at = fields.firstIndex(where: { $0.0 == name }) {
                if let value { fields[at].1 = value } else { fields.remove(at: at) }
            } else if let value {
                fields.append((name, value))
            }
        }
        return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    static let long = String(repeating: "a", count: 10_000)

    static let all: [BadInput] = [
        BadInput("null payload", .nullPayload, bytes: nil),
        BadInput("empty payload", .notJSON, ""),
        BadInput("1 MiB record", .tooLarge, event(["reason": "\"\(String(repeating: "x", count: 1 << 20))\""])),
        BadInput("not JSON", .notJSON, "hello"),
        BadInput("truncated", .notJSON, "{\"id\":\"e1\",\"user\":\"al"),
        BadInput("NaN amount", .notJSON, event(["amount": "NaN"])),
        BadInput("a number JSON doesn't have", .notJSON, event(["amount": "01"])),
        BadInput("raw newline in an id", .notJSON, event(["id": "\"a\nb\""])),
        BadInput(
            "100,000 levels", .tooLarge,
            String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)),
        BadInput(
            "too deep", .tooDeep,
            event(["x": String(repeating: "[", count: 20) + "1" + String(repeating: "]", count: 20)])),
        BadInput("duplicate known key", .duplicateKey, event([:]).dropLast() + ",\"user\":\"alice\"}"),
        BadInput("duplicate unknown key", .duplicateKey, event([:]).dropLast() + ",\"x\":1,\"geo\":{\"x\":1},\"x\":2}"),
        BadInput("duplicate key in geo", .duplicateKey, event(["geo": "{\"lat\":1,\"lat\":2}"])),
        BadInput("duplicate escaped key", .duplicateKey, event([:]).dropLast() + ",\"\\u0075ser\":\"bob\"}"),
        BadInput("not an object", .wrongType, "[1]"),
        BadInput("wrong type of a field", .wrongType, event(["action": "5"])),
        BadInput("wrong type of an object", .wrongType, event(["geo": "\"NO\""])),
        BadInput("missing id", .missingField, event(["id": nil])),
        BadInput("null id", .missingField, event(["id": "null"])),
        BadInput("missing time", .missingField, event(["time": nil])),
        BadInput("missing user", .missingField, event(["user": nil])),
        BadInput("missing type", .missingField, event(["type": nil])),
        BadInput("missing action", .missingField, event(["action": nil])),
        BadInput("login without outcome", .missingField, event(["type": "\"login\""])),
        BadInput("challenge without result", .missingField,
            event(["type": "\"challenge\"", "challenge": "{\"decision\":\"d\"}"])),
        BadInput("feedback without by", .missingField,
            event(["type": "\"feedback\"", "feedback": "{\"decision\":\"d\",\"label\":\"legitimate\"}"])),
        BadInput("unknown type", .unknownType, event(["type": "\"logout\""])),
        BadInput("invalid UTF-8", .invalidUTF8, bytes: Array("{\"id\":\"".utf8) + [0xFF, 0xC0] + Array("\"}".utf8)),
        BadInput("lone surrogate", .notJSON, event(["action": "\"\\udc00\""])),
        BadInput("NUL in an id", .invalidID, event(["id": "\"a\\u0000b\""])),
        BadInput("newline in an id", .invalidID, event(["session": "\"a\\nb\""])),
        BadInput("C1 control in an id", .invalidID, event(["id": "\"a\\u0085b\""])),
        BadInput("empty user", .invalidID, event(["user": "\"\""])),
        BadInput("10 kB user", .invalidID, event(["user": "\"\(long)\""])),
        BadInput("10 kB session", .invalidID, event(["session": "\"\(long)\""])),
        BadInput("1e400", .numberOutOfRange, event(["amount": "1e400"])),
        BadInput("30 digits", .numberOutOfRange, event(["x": String(repeating: "9", count: 30)])),
        BadInput("unreadable time", .timeInvalid, event(["time": "\"yesterday\""])),
        BadInput("30 February", .timeInvalid, event(["time": "\"2026-02-30T00:00:00Z\""])),
        BadInput("year 9999", .timeOutOfRange, event(["time": "\"9999-12-31T23:59:59Z\""])),
        BadInput("year 1970", .timeOutOfRange, event(["time": "0"])),
        BadInput("negative amount", .amountInvalid, event(["amount": "-1"])),
        BadInput("bad address", .invalidValue, event(["ip": "\"1.2.3\""])),
        BadInput("bad latitude", .invalidValue, event(["geo": "{\"lat\":91}"])),
        BadInput("bad country", .invalidValue, event(["geo": "{\"country\":\"Norway\"}"])),
        BadInput("unknown outcome", .invalidValue, event(["type": "\"login\"", "outcome": "\"maybe\""])),
        BadInput("key is another user", .keyMismatch, event(["user": "\"bob\""])),
        BadInput("no key", .keyMissing, event([:]), key: nil, blamed: false),
    ]
}

private func + (a: Substring, b: String) -> String { String(a) + b }

@Suite struct BadInputTests {
    @Test(arguments: BadInput.all) func becomesADeadLetter(_ bad: BadInput) throws {
        let decode = Decoding { $0.requiresKey = true }
        let rejection = try #require(decode(bad.value, key: bad.key.map { Array($0.utf8) }).rejection)
        #expect(rejection.reason == bad.reason)
        #expect(rejection.knowsUser == bad.blamed)
        #expect(decode.event.user.string == (bad.blamed ? "alice" : ""))
        // The pipeline goes on.
        #expect(decode(BadInput.event([:]), key: "alice").isEvent)
    }

    @Test func typeOfAnotherInput() {
        let decode = Decoding { $0.type = .login }
        #expect(decode(BadInput.event([:])).rejection?.reason == .unsupportedType)
    }

    @Test func deepNestingIsFoundWithinALargeBound() {
        let decode = Decoding { $0.bounds.recordBytes = 1 << 20 }
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(decode(deep).rejection?.reason == .tooDeep)
    }

    @Test func longTextIsCutOnACharacterAndFlagged() {
        let decode = Decoding()
        let agent = String(repeating: "é", count: 5000)
        #expect(decode(BadInput.event(["device": "{\"user_agent\":\"x\(agent)\"}"])).isEvent)
        #expect(decode.event.flags.contains(.truncated))
        #expect(decode.event.truncatedField.description == "device.user_agent")
        #expect(decode.event.truncatedBytes == 10_001)
        #expect(decode.event.userAgent.string == "x" + String(repeating: "é", count: 255))
    }

    @Test func faultElsewhereStillTellsTheUser() {
        let decode = Decoding { $0.requiresKey = true }
        let text = BadInput.event(["amount": "-1", "tenant": "\"acme\"", "session": "\"s1\""])
        #expect(decode(text, key: "acme/alice").rejection?.reason == .amountInvalid)
        #expect(decode.event.tenant.string == "acme")
        #expect(decode.event.session.string == "s1")
        #expect(decode.event.time.isInRange)
        // Of another's session nothing is said of the key's owner.
        #expect(decode(text, key: "acme/bob").rejection?.reason == .amountInvalid)
        #expect(decode.event.user.string == "bob")
        #expect(!decode.event.session.isPresent)
    }

    @Test func documentNamesEveryReason() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let document = try String(contentsOf: root.appending(path: "docs/input.md"), encoding: .utf8)
        for reason in RejectionReason.allCases {
            #expect(document.contains("`\(reason.rawValue)`"), "docs/input.md lacks \(reason.rawValue)")
            #expect(reason.code.description == reason.rawValue)
        }
        for bad in BadInput.all { #expect(document.contains("| \(bad.name) |"), "docs/input.md lacks: \(bad.name)") }
    }
}
