import Events
import Foundation
import Testing

@testable import Engine

/// Crowds an attacker makes himself, to make common what is his or to push out who is real.
@Suite struct CrowdAttackTests {
    typealias Circumstances = Story.Circumstances

    static func json(
        _ user: String, at time: Int64, number: Int, ip: String, asn: Int, outcome: String = "success", device: String? = nil
    ) -> String {
        #"{"id":"c\#(number)","type":"login","outcome":"\#(outcome)","time":\#(time),"user":"\#(user)","ip":"\#(ip)","#
            + #""asn":\#(asn),"geo":{"country":"NO"},"device":{"id":"\#(device ?? user)"},"session":"c\#(number)"}"#
    }

    /// Steps without looking at what comes of it.
    static func step(_ story: Story, _ json: String) {
        var json = json
        story.effects.removeAll()
        json.withUTF8 { bytes in
            _ = story.engine.step(
                Record(
                    input: 0, partition: 0, offset: story.offset, timestamp: nil, key: .absent,
                    value: ByteView(base: bytes.baseAddress, count: bytes.count)),
                into: &story.effects)
        }
        story.offset += 1
    }

    /// Sixteen days of 220 people, of whom the victim is one.
    static func town() -> Story {
        let story = Story()
        let start = story.now
        for day in 0..<16 {
            for person in 0..<220 {
                story.now = start + Int64(day) * 86_400_000 + Int64(person) * 60_000
                let provider = person % 4 == 0 ? 29695 : 1_000 + person % 30
                step(story, json("p\(person)", at: story.now, number: story.offset.int, ip: "10.\(person).0.9", asn: provider))
            }
        }
        story.now = start + 16 * 86_400_000
        return story
    }

    @Test func tenThousandAccountsOfOnesOwnDoNotDecideForTheVictim() {
        let (clean, flooded) = (Self.town(), Self.town())
        let begin = flooded.now
        for account in 0..<10_000 {
            flooded.now = begin + Int64(account) * 4_000
            Self.step(flooded, Self.json(
                "own\(account)", at: flooded.now, number: flooded.offset.int, ip: "192.0.\(account % 8).\(account % 250)", asn: 64500,
                device: account % 2 == 0 ? nil : "farm-\(account % 40)"))
        }
        func login(_ story: Story) -> Story.Outcome {
            story.now = begin + 86_400_000
            story.user = "p8"
            let place = with(Circumstances.home) {
                ($0.ip, $0.asn, $0.device, $0.session) = ("192.0.2.66", 64500, "bot-1", "thief")
            }
            return story.login(in: place)
        }
        let (before, after) = (login(clean), login(flooded))
        #expect(before.fired("network.provider_rare") && after.fired("network.provider_rare"), "\(after.reasons)")
        #expect(after.score > before.score - 1, "\(before.score) \(after.score)")
        #expect(after.decision == before.decision)
    }

    @Test func inventedNamesPushNobodyOut() throws {
        let story = Story { plan in
            (plan.bounds.usersPerPartition, plan.bounds.unprovenPerPartition) = (400, 100)
            (plan.bounds.sharedNetworks, plan.bounds.sharedValues) = (256, 256)
        }
        let start = story.now
        for day in 0..<8 {
            for person in 0..<60 {
                story.now = start + Int64(day) * 86_400_000 + Int64(person) * 60_000
                Self.step(story, Self.json(
                    "p\(person)", at: story.now, number: story.offset.int, ip: "10.\(person).0.9", asn: 1_000 + person % 20))
            }
        }
        let before = (0..<60).map { story.engine.profile(tenant: "", user: "p\($0)")?.confidence }
        #expect(before.allSatisfy { $0 != nil })
        story.now += 86_400_000
        for name in 0..<6_000 {
            story.now += 500
            var event = Self.json(
                "invented\(name)", at: story.now, number: story.offset.int, ip: "172.\(name / 200).\(name % 200).7", asn: 70_000 + name,
                outcome: "failure")
            switch name % 3 {
            // Malformed, and an answer to nothing: each makes a name known without its ever having logged in.
            case 1: event = event.replacing("\"NO\"", with: "7")
            case 2:
                event = #"{"id":"c\#(story.offset)","type":"challenge","time":\#(story.now),"user":"invented\#(name)","#
                    + #""challenge":{"decision":"d","method":"push","result":"passed","nonce":"n"}}"#
            default: break
            }
            Self.step(story, event)
        }
        #expect(story.engine.table.count <= 400)
        let after = (0..<60).map { story.engine.profile(tenant: "", user: "p\($0)")?.confidence }
        #expect(after == before)
        // Nor from what all users share.
        let shared = story.engine.population.shared
        #expect(shared.users > 45)
        story.user = "p3"
        let own = story.login(in: with(.home) {
            ($0.ip, $0.asn, $0.device, $0.session) = ("10.3.0.9", 1_003, "p3", "after")
        })
        #expect(own.decision == "allow" && !own.fired("network.provider_rare"))
    }
}

extension Int64 {
    fileprivate var int: Int { Int(self) }
}
