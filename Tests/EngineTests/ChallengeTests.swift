import Behavior
import Events
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

@Suite struct ChallengeTests {
    typealias Circumstances = Story.Circumstances
    let newPhoneAbroad = with(Circumstances.hotel) { ($0.device, $0.session) = ("phone", "s-9") }

    func answer(_ asked: Story.Outcome, _ result: String, in place: Circumstances, nonce: String? = nil) -> [String: Any] {
        [
            "challenge": [
                "decision": asked.stepUp?["challenge"] as? String ?? "", "method": "webauthn", "result": result,
                "nonce": nonce ?? asked.stepUp?["nonce"] as? String ?? "",
            ]
        ]
    }

    func asked(_ change: (inout EnginePlan) -> Void = { _ in }) -> (Story, Story.Outcome) {
        let story = Story(change)
        story.live(days: 60)
        return (story, story.login(after: 40_000, in: newPhoneAbroad))
    }

    @Test func aNewPhoneInAHotelIsAskedOnceAndNeverAgain() {
        let (story, asked) = asked()
        #expect(asked.decision == "step_up")
        #expect(asked.stepUp?["prompt"] as? String == "Confirm it is you")
        #expect(asked.stepUp?["challenge"] as? String == asked.json["id"] as? String)
        let again = story.act(in: newPhoneAbroad)
        #expect(again.decision == "step_up", "an unanswered challenge never reads as allow")
        #expect(again.stepUp?["challenge"] as? String == asked.stepUp?["challenge"] as? String)
        #expect(again.stepUp?["nonce"] as? String == asked.stepUp?["nonce"] as? String)
        #expect(again.stepUp?["prompt"] == nil, "it is asked once")
        let passed = story.tell("challenge", in: newPhoneAbroad, answer(asked, "passed", in: newPhoneAbroad))
        #expect(passed.decision == "allow")
        #expect(passed.rule == "challenge-passed")
        for _ in 0..<5 {
            let next = story.act(in: newPhoneAbroad)
            #expect(next.decision == "allow")
            #expect(next.level == "low")
        }
        let tomorrow = story.login(after: 86_400, in: with(newPhoneAbroad) { $0.session = "s-10" })
        #expect(tomorrow.decision == "allow")
        #expect(!tomorrow.fired("device.new"))
    }

    @Test func whatWaitsForAnAnswerTeachesNothing() {
        let (story, _) = asked()
        for _ in 0..<30 { story.act(in: newPhoneAbroad) }
        let later = story.login(after: 86_400, in: with(newPhoneAbroad) { $0.session = "s-11" })
        #expect(later.fired("device.new"))
        #expect(later.decision == "step_up")
    }

    @Test func aForgedAnswerFreesNothing() {
        let (story, asked) = asked()
        let nonce = asked.stepUp?["nonce"] as? String ?? ""
        let wrong = (nonce.hasPrefix("0") ? "1" : "0") + nonce.dropFirst()
        for forged in [wrong, "", String(nonce.dropLast()), nonce + "0"] {
            story.tell("challenge", in: newPhoneAbroad, answer(asked, "passed", in: newPhoneAbroad, nonce: forged))
            #expect(story.act(in: newPhoneAbroad).decision == "step_up")
        }
        let elsewhere = with(newPhoneAbroad) { $0.session = "another" }
        story.tell("challenge", in: elsewhere, answer(asked, "passed", in: elsewhere))
        #expect(story.act(in: newPhoneAbroad).decision == "step_up", "answered from another session")
        let counters = story.engine.counters.challenges
        #expect((counters[.passed], counters[.forged], counters[.elsewhere]) == (0, 3, 1))
    }

    @Test func anAnswerAfterExpiryDoesNotCountAndTheQuestionIsPutAnew() {
        let (story, asked) = asked()
        story.tell("challenge", after: 301, in: newPhoneAbroad, answer(asked, "passed", in: newPhoneAbroad))
        let again = story.act(in: newPhoneAbroad)
        #expect(again.decision == "step_up")
        #expect(again.stepUp?["challenge"] as? String != asked.stepUp?["challenge"] as? String)
        #expect(again.stepUp?["prompt"] != nil)
    }

    @Test func notMeTerminatesTheSession() {
        let (story, asked) = asked()
        let denied = story.tell("challenge", in: newPhoneAbroad, answer(asked, "denied", in: newPhoneAbroad))
        #expect(denied.decision == "terminate_session")
        let after = story.act(in: newPhoneAbroad)
        #expect(after.decision == "terminate_session", "a terminated session stays so")
        let own = story.login(in: with(.home) { $0.session = "own" })
        #expect((own.decision, own.rule) == ("step_up", "account-alarmed"), "other sessions are questioned")
    }

    @Test func anAnsweredRuleIsFreeForAWhileAndOnlyThere() {
        let story = Story()
        story.live(days: 60)
        story.login()
        let transfer: [String: Any] = ["amount": 20_000, "currency": "EUR"]
        let asked = story.act("transfer.create", transfer)
        #expect(asked.decision == "step_up")
        #expect(asked.rule == "large-transfer")
        story.tell("challenge", answer(asked, "passed", in: .home))
        #expect(story.act("transfer.create", transfer).decision == "allow")
        #expect(story.act("transfer.create", after: 500, transfer).decision == "allow")
        #expect(story.act("transfer.create", in: .hotel, transfer).decision == "step_up", "on another network")
        #expect(story.act("transfer.create", after: 700, transfer).decision == "step_up", "the answer has aged")
    }

    @Test func rotationLeavesNothingToAStolenCookie() {
        let (story, asked) = asked()
        var fields = answer(asked, "passed", in: newPhoneAbroad)
        fields["challenge"] = (fields["challenge"] as! [String: Any]).merging(["new_session": "s-rotated"]) { $1 }
        story.tell("challenge", in: newPhoneAbroad, fields)
        let rotated = with(newPhoneAbroad) { $0.session = "s-rotated" }
        #expect(story.act(in: rotated).decision == "allow")
        let seen = with(newPhoneAbroad) { ($0.device, $0.ip, $0.asn) = ("bot", "192.0.2.66", 64500) }
        #expect(story.act("transfer.create", in: seen, ["amount": 20_000]).rule == "session-rotated")
    }

    @Test func withoutASessionTheDeviceStandsForIt() {
        let story = Story()
        let place = with(Circumstances.home) { $0.session = nil }
        for _ in 0..<30 { story.login(after: 80_000, in: place) }
        let transfer: [String: Any] = ["amount": 20_000, "currency": "EUR"]
        let asked = story.act("transfer.create", in: place, transfer)
        #expect(asked.decision == "step_up")
        let thief = story.act("transfer.create", in: with(place) { $0.device = "bot" }, transfer)
        #expect(thief.stepUp?["challenge"] as? String != asked.stepUp?["challenge"] as? String)
        story.tell("challenge", in: place, answer(asked, "passed", in: place))
        #expect(story.act("transfer.create", in: place, transfer).decision == "allow")
        #expect(story.act("transfer.create", in: with(place) { $0.device = "bot" }, transfer).decision == "step_up")
    }

    @Test func reportOnlyRulesReportAndLetPass() {
        let story = Story { plan in
            var tighter = Rule(name: "tighter", verdict: .deny)
            tighter.conditions.actions = ["transfer.*"]
            tighter.mode = .report
            plan.rules.insert(tighter, at: 0)
        }
        story.live(days: 30)
        story.login()
        let transfer = story.act("transfer.create", ["amount": 90, "currency": "EUR"])
        #expect(transfer.decision == "allow")
        let shadow = transfer.json["shadow"] as? [[String: Any]]
        #expect(shadow?.first?["rule"] as? String == "tighter")
        #expect(shadow?.first?["decision"] as? String == "deny")
    }

    /// A user cannot outrun his open questions: whatever the order of events, one that needs proof is never allowed
    /// without an answer to a question of its own session.
    @Test(arguments: [21, 22, 23, 24]) func noSequenceYieldsAllowWithoutProof(seed: UInt64) {
        var random = SplitMix(seed)
        let story = Story { $0.bounds.challenges = 2; $0.bounds.sessions = 3 }
        story.live(days: 30)
        var proven: [String: Int64] = [:]
        for _ in 0..<1500 {
            let session = "s\(random.next() % 6)"
            let place = with(random.next() % 3 == 0 ? Circumstances.hotel : .home) { $0.session = session }
            let outcome = story.act("transfer.create", after: Double(random.next() % 200), in: place, ["amount": 50_000])
            if outcome.decision == "allow" {
                #expect((proven[session] ?? 0) + 600_000 > story.now, "seed \(seed), offset \(story.offset)")
            }
            if random.next() % 5 == 0, outcome.decision == "step_up" {
                let result = ["passed", "failed", "abandoned", "timed_out"][Int(random.next() % 4)]
                let reply = story.tell("challenge", after: 1, in: place, answer(outcome, result, in: place))
                if result == "passed" && reply.rule == "challenge-passed" { proven[session] = story.now }
            }
        }
    }
}
