import Behavior
import Events
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// Signals of login, session and challenge: each fires on what it is for and stays quiet on its benign twin.
@Suite struct CourseSignalTests {
    typealias Circumstances = Story.Circumstances

    func lived(_ days: Int = 40, _ fields: [String: Any] = [:]) -> Story {
        let story = Story()
        for day in 0..<days {
            story.login(after: 86_400, in: with(.home) { $0.session = "d-\(day)" }, fields)
        }
        return story
    }

    func factors(_ amr: [String]) -> [String: Any] { ["auth": ["amr": amr]] }
    let next = with(Circumstances.home) { $0.session = "next" }

    // MARK: - Login

    @Test func firstFactorOnly() {
        let story = lived(5)
        #expect(story.login(in: next, factors(["pwd"])).fired("login.first_factor_only"))
        #expect(story.login(in: next, factors(["pwd", "pin", "kba"])).fired("login.first_factor_only"), "three of one kind")
        #expect(!story.login(in: next, factors(["pwd", "otp"])).fired("login.first_factor_only"))
        #expect(!story.login(in: next, factors(["hwk", "fpt"])).fired("login.first_factor_only"))
        #expect(!story.login(in: next, factors(["mfa"])).fired("login.first_factor_only"), "several, which is not said")
        #expect(!story.login(in: next).fired("login.first_factor_only"), "no method is named")
        #expect(!story.login(outcome: "failure", factors(["pwd"])).fired("login.first_factor_only"))
    }

    @Test func weakerFactor() {
        let weak = lived(20, factors(["pwd", "otp"])).login(in: next, factors(["pwd"]))
        #expect(weak.fired("login.weaker_factor"))
        #expect(weak.reason("login.weaker_factor")?["observed"] as? String == "one factor")
        #expect(!lived(20, factors(["pwd", "otp"])).login(in: next, factors(["pwd", "sms"])).fired("login.weaker_factor"))
        #expect(!lived(20, factors(["pwd", "otp"])).login(in: next).fired("login.weaker_factor"), "no method is named")
        #expect(!lived(20, factors(["pwd"])).login(in: next, factors(["pwd"])).fired("login.weaker_factor"))
    }

    @Test func roundTrip() {
        func story() -> Story {
            let story = Story()
            for day in 0..<30 {
                story.login(after: 86_400, in: with(.home) { $0.session = "d-\(day)" }, ["rtt_ms": 38 + day % 7])
            }
            return story
        }
        let far = story().login(in: next, ["rtt_ms": 640])
        #expect(far.fired("login.round_trip"), "a relay behind the user's own network")
        #expect(far.reason("login.round_trip")?["observed"] as? String == "640 ms")
        #expect(!story().login(in: next, ["rtt_ms": 55]).fired("login.round_trip"))
        let abroad = with(Circumstances.hotel) { $0.session = "x" }
        #expect(!story().login(after: 86_400, in: abroad, ["rtt_ms": 640]).fired("login.round_trip"), "far, and seen to be far")
        let fresh = lived(3, ["rtt_ms": 40])
        #expect(!fresh.login(in: next, ["rtt_ms": 640]).fired("login.round_trip"), "three say nothing")
    }

    // MARK: - Session

    @Test func sessionAge() {
        let story = lived()
        story.login(in: next)
        for _ in 0..<23 { #expect(!story.act(after: 3600, in: next).fired("session.age")) }
        for _ in 0..<12 { story.act(after: 3600, in: next) }
        #expect(story.act(after: 3600, in: next).fired("session.age"))
    }

    @Test func sessionIdle() {
        let story = lived()
        story.login(in: next)
        #expect(!story.act(after: 5400, in: next).fired("session.idle_resumed"), "a long lunch")
        let resumed = story.act(after: 5 * 3600, in: next)
        #expect(resumed.fired("session.idle_resumed"))
        #expect((resumed.reasons["session.idle_resumed"] ?? 99) < 8)
        #expect(!story.act(after: 10, in: next).fired("session.idle_resumed"))
        #expect(!story.login(after: 9 * 3600, in: next).fired("session.idle_resumed"), "a login begins it anew")
    }

    @Test func assuranceStale() {
        let story = lived()
        story.login(in: next)
        func age(_ hours: Double) -> [String: Any] {
            ["auth": ["time": story.now - Int64(hours * 3_600_000)], "action": "factor.add"]
        }
        let one = story.act("factor.add", in: next, age(3)).reasons["session.assurance_stale"] ?? 0
        let two = story.act("factor.add", in: next, age(20)).reasons["session.assurance_stale"] ?? 0
        #expect(one > 0 && two > one)
        #expect(!story.act("factor.add", in: next, age(0.2)).fired("session.assurance_stale"))
        #expect(!story.act("factor.add", in: next).fired("session.assurance_stale"), "nobody says when it was")
        let harmless = story.act("page.view", in: next, ["auth": ["time": story.now - 20 * 3_600_000]])
        #expect(!harmless.fired("session.assurance_stale"))
    }

    // MARK: - Challenges

    /// A story whose large transfers are asked about, by push or key.
    func asking(_ methods: [ChallengeMethod] = [.push, .webauthn]) -> Story {
        let story = Story { plan in
            for index in plan.rules.indices { plan.rules[index].stepUp.methods = methods }
        }
        story.live(days: 40)
        story.login(in: next)
        return story
    }

    func transfer(_ story: Story, in place: Circumstances) -> Story.Outcome {
        story.act("transfer.create", after: 20, in: place, ["amount": 20_000, "currency": "EUR"])
    }

    @discardableResult
    func answer(
        _ story: Story, _ asked: Story.Outcome, _ result: String, by method: String = "push", in place: Circumstances,
        nonce: String? = nil
    ) -> Story.Outcome {
        story.tell(
            "challenge", after: 5, in: place,
            ["challenge": [
                "decision": asked.stepUp?["challenge"] as? String ?? "", "method": method, "result": result,
                "nonce": nonce ?? asked.stepUp?["nonce"] as? String ?? "",
            ]])
    }

    @Test func challengeFailed() {
        let story = asking()
        let asked = transfer(story, in: next)
        answer(story, asked, "failed", by: "webauthn", in: next)
        #expect(!story.act(in: next).fired("challenge.failed"), "wet fingers")
        answer(story, asked, "failed", by: "webauthn", in: next)
        let twice = story.act(in: next)
        #expect(twice.fired("challenge.failed"))
        #expect(twice.reason("challenge.failed")?["observed"] as? String == "2 failed challenges in 60 min")
        answer(story, asked, "passed", by: "webauthn", in: next)
        #expect(!story.act(in: next).fired("challenge.failed"), "it was managed at last")
    }

    @Test func forgedAnswersRaiseNobodysRisk() {
        let story = asking()
        let asked = transfer(story, in: next)
        let forged = String(repeating: "0", count: 32)
        for result in ["failed", "failed", "failed", "denied", "abandoned", "timed_out", "timed_out"] {
            answer(story, asked, result, in: next, nonce: forged)
        }
        let after = story.act(in: next)
        #expect(!after.reasons.keys.contains { $0.hasPrefix("challenge.") }, "\(after.reasons)")
        #expect(after.decision == "allow")
        // Nor does a forged pass clear anything.
        answer(story, asked, "failed", in: next)
        answer(story, asked, "failed", in: next)
        answer(story, asked, "passed", by: "webauthn", in: next, nonce: forged)
        #expect(story.act(in: next).fired("challenge.failed"))
    }

    @Test func challengeDenied() {
        let story = asking()
        let thief = with(Circumstances.attacker) { $0.session = "t-1" }
        let asked = story.login(after: 7200, in: thief)
        #expect(asked.decision == "step_up")
        answer(story, asked, "denied", in: thief)
        let again = story.login(after: 3600, in: with(.attacker) { ($0.session, $0.device) = ("t-2", "bot-2") })
        #expect((again.reasons["challenge.denied"] ?? 0) > 40)
        let owner = story.login(after: 60, in: with(.home) { $0.session = "o-1" })
        #expect(owner.fired("challenge.denied") && owner.reasons["challenge.denied"]! < 15)
        #expect(owner.level == "low", "whoever said no sits at the own laptop…")
        #expect(owner.rule == "account-alarmed", "…and has to show it, as every session has")
        #expect(!story.login(after: 90_000, in: with(.home) { $0.session = "o-2" }).fired("challenge.denied"), "a day later")
    }

    @Test func challengeAbandoned() {
        let story = asking()
        for round in 0..<3 {
            let place = with(Circumstances.home) { $0.session = "a-\(round)" }
            answer(story, transfer(story, in: place), "abandoned", in: place)
            #expect(story.act(in: place).fired("challenge.abandoned") == (round > 0), "round \(round)")
        }
        #expect(!story.act(after: 7200, in: next).fired("challenge.abandoned"))
        // What expires without any answer is unanswered too.
        let silent = asking()
        for round in 0..<2 { _ = transfer(silent, in: with(.home) { $0.session = "s-\(round)" }) }
        #expect(!silent.act(in: next).fired("challenge.abandoned"), "they can still be answered")
        #expect(silent.act(after: 600, in: next).fired("challenge.abandoned"))
    }

    @Test func pushBombing() {
        let story = asking()
        var outcomes: [Story.Outcome] = []
        for round in 0..<7 {
            let thief = with(Circumstances.attacker) { $0.session = "t-\(round)" }
            let asked = story.login(after: 30, in: thief)
            outcomes.append(asked)
            if round % 2 == 0 { answer(story, asked, "timed_out", in: thief) }
        }
        #expect(outcomes.map { $0.fired("challenge.push_bombing") } == [false, false, false, false, false, true, true])
        func methods(_ outcome: Story.Outcome) -> [String] { outcome.stepUp?["methods"] as? [String] ?? [] }
        #expect(methods(outcomes[4]) == ["webauthn", "push"], "what was ignored comes last")
        #expect(methods(outcomes[5]) == ["webauthn"], "no more pushes")
        // Nor an hour later, as long as nothing has shown who it is.
        let later = story.login(after: 3600, in: with(.attacker) { $0.session = "t-9" })
        #expect(!later.fired("challenge.push_bombing"))
        #expect(methods(later) == ["webauthn"])
        let owner = transfer(story, in: with(.home) { $0.session = "o" })
        #expect(methods(owner) == ["webauthn"])
        answer(story, owner, "passed", by: "webauthn", in: with(.home) { $0.session = "o" })
        #expect(methods(transfer(story, in: with(.home) { $0.session = "p" })) == ["push", "webauthn"])
        // Who lets the phone lie now and then is not bombed.
        let twin = asking()
        for round in 0..<3 {
            let place = with(Circumstances.home) { $0.session = "o-\(round)" }
            answer(twin, transfer(twin, in: place), "timed_out", in: place)
        }
        #expect(!transfer(twin, in: with(.home) { $0.session = "o-9" }).fired("challenge.push_bombing"))
        // Nor is anybody by a code from an app.
        let codes = asking([.totp])
        for round in 0..<8 {
            let place = with(Circumstances.home) { $0.session = "o-\(round)" }
            answer(codes, transfer(codes, in: place), "timed_out", by: "totp", in: place)
        }
        #expect(!codes.act(in: next).fired("challenge.push_bombing"))
    }
}
