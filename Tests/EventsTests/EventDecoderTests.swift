import Testing

@testable import Events

@Suite struct EventDecoderTests {
    @Test func everyField() {
        let decode = Decoding { $0.requiresKey = true }
        let outcome = decode(fullAction, key: "acme/alice")
        #expect(outcome.isEvent, "\(String(describing: outcome.rejection))")
        let event = decode.event
        #expect(event.type == .action)
        #expect(event.id.string == "evt-9f2")
        #expect(event.time == Timestamp(milliseconds: 1_795_428_000_123))
        #expect(event.amount == 1250)
        #expect(event.ip == IPAddress(family: .v4, high: 0, low: 0xCB00_7109))
        #expect(event.asn == 29695)
        #expect(event.country == UInt16(UInt8(ascii: "N")) << 8 | UInt16(UInt8(ascii: "O")))
        #expect(event.latitude == 59.91)
        #expect(event.longitude == 10.75)
        #expect(event.deviceID.string == "d-1")
        #expect(event.userAgent.string == "Mozilla/5.0")
        #expect(event.roundTripMilliseconds == 43)
        #expect(event.enrolments == [.totp, .hardwareKey])
        #expect(event.amr == AuthenticationMethods(name: "pwd")!.union(AuthenticationMethods(name: "otp")!))
        #expect(event.authTime == Timestamp(milliseconds: 1_795_427_880_000))
        #expect(event.flags.isEmpty)
    }

    @Test func pathsOfFieldsAreTheirRawValues() {
        for field in EventField.allCases { #expect(field.path.description == field.rawValue) }
    }

    @Test func typeMayComeFromTheInput() {
        let decode = Decoding { $0.type = .feedback }
        let feedback = "{\"decision\":\"d\",\"label\":\"compromised\",\"by\":\"analyst\"}"
        #expect(decode(BadInput.event(["type": nil, "feedback": feedback])).isEvent)
        #expect(decode.event.type == .feedback)
        #expect(decode(BadInput.event(["type": "\"erasure\""])).isEvent)
        #expect(decode.event.type == .erasure)
        #expect(!decode.event.feedbackDecision.isPresent)
    }

    @Test func mutationsNeverTrap() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("mutationsNeverTrap seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let decode = Decoding { $0.requiresKey = true }
        let valid = Array(fullAction.utf8)
        for _ in 0..<3000 {
            do {
                var bytes = valid
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    guard !bytes.isEmpty else { break }
                    let at = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                    case 1: bytes.remove(at: at)
                    case 2: bytes.insert(Array("\"{}[]:,\\0-e".utf8).randomElement(using: &random)!, at: at)
                    default: bytes.removeSubrange(at..<min(bytes.count, at + 20))
                    }
                }
                _ = decode(bytes, key: Array("acme/alice".utf8))
                let noise = (0..<Int.random(in: 0..<60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                _ = decode(noise, key: noise)
                if decode.event.user.isPresent { #expect(EventWalk.isID(decode.event.user, decode.decoder.bounds)) }
            }
        }
    }

}
