import Events
import Foundation
import Testing

@testable import Lab

@Suite struct ChallengeResponderTests {
    private func result(_ number: Int, attack: AttackKind?) throws -> String {
        let question = ChallengeResponder.Question(
            challenge: "0191-\(number)", nonce: "n\"1", method: "webauthn", tenant: "acme", user: "ali\\ce\n", session: "s-7",
            time: Timestamp(milliseconds: 1_790_812_800_000))
        var buffer = OutputBuffer()
        let event = ChallengeResponder(seed: 4).answer(question, attack: attack, onset: attack == nil ? nil : "evt-1", into: &buffer)
        let again = ChallengeResponder(seed: 4).answer(question, attack: attack, onset: attack == nil ? nil : "evt-1", into: &buffer)
        #expect(buffer.view(event.value).isEqual(to: buffer.view(again.value)))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(buffer.view(event.value).bytes)) as? [String: Any])
        #expect(object["type"] as? String == "challenge")
        #expect(object["user"] as? String == "ali\\ce\n")
        #expect(event.time > question.time)
        let challenge = try #require(object["challenge"] as? [String: Any])
        #expect(challenge["decision"] as? String == question.challenge)
        #expect(challenge["nonce"] as? String == question.nonce)
        return challenge["result"] as? String ?? ""
    }

    @Test func ownersPassAndStrangersDoNot() throws {
        let owners = try (0..<400).count { try result($0, attack: nil) == "passed" }
        let strangers = try (0..<400).count { try result($0, attack: .hijack) == "passed" }
        print("seed 4: of 400 each, owners passed \(owners), strangers \(strangers)")
        #expect(owners > 360 && strangers < 20)
    }
}
