import Behavior
import Events
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// What a session proves, and what that is good for.
@Suite struct AssuranceTests {
    typealias Circumstances = Story.Circumstances
    let transfer: [String: Any] = ["amount": 20_000, "currency": "EUR"]
    let passkey: [String: Any] = ["auth": ["amr": ["pwd", "hwk"]]]

    /// Rules that ask for more and more: `pay.*` for two factors, `admin.*` for what can't be phished.
    func lived(_ change: (inout EnginePlan) -> Void = { _ in }) -> Story {
        let story = Story { plan in
            var pay = Rule(name: "pay", verdict: .stepUp)
            pay.conditions.actions = ["pay.*"]
            pay.stepUp.methods = [.totp, .push]
            var admin = Rule(name: "admin", verdict: .stepUp)
            admin.conditions.actions = ["admin.*"]
            admin.stepUp.maxAge = 0
            plan.rules += [pay, admin]
            change(&plan)
        }
        story.live(days: 30)
        return story
    }

    /// The session that had the newest event.
    func newestSession(_ story: Story) -> SessionSlot {
        story.engine.withRow(tenant: "", user: "alice") { row in
            (0..<row.sessions.count).map { row.sessions[$0] }.max { $0.window.last < $1.window.last }!
        }!
    }

    func outcome(_ story: Story, _ outcome: ChallengeOutcome) -> UInt64 { story.engine.counters.challenges[outcome] }

    // MARK: - Answers

    @Test func whatProvesMoreIsNotAskedForLess() {
        let story = lived()
        story.login()
        story.reply(to: story.act("admin.open"), "passed", by: "webauthn")
        #expect(story.act("pay.bill").decision == "allow")
        #expect(story.act("admin.open").decision == "allow", "an answer of ours is fresh, whatever the age asked for")
        #expect(story.act("admin.open", after: 700).decision == "step_up")
    }

    @Test func whatProvesLessIsAskedForMore() {
        let story = lived()
        story.login()
        story.reply(to: story.act("pay.bill"), "passed", by: "totp")
        #expect(story.act("pay.bill").decision == "allow")
        let asked = story.act("admin.open")
        #expect(asked.decision == "step_up")
        #expect(asked.stepUp?["acr_values"] as? [String] == ["phr", "phrh", "aal3"], "as the table says")
    }

    @Test func aWeakerAnswerLeavesTheQuestionOpen() {
        let story = lived()
        story.login()
        let asked = story.act("admin.open")
        #expect(story.reply(to: asked, "passed", by: "totp").rule == "challenge-weaker")
        #expect(story.reply(to: asked, "passed", by: "otp").rule == "challenge-weaker", "as RFC 8176 has it")
        #expect(story.reply(to: asked, "passed", by: "magic").rule == "challenge-weaker")
        #expect(story.act("admin.open").stepUp?["challenge"] as? String == asked.stepUp?["challenge"] as? String)
        #expect(story.reply(to: asked, "passed", by: "hwk").rule == "challenge-passed", "stronger than what was offered")
        #expect(story.act("admin.open").decision == "allow")
    }

    /// ```text
    /// level of what happens:  low ─ asked, passed ─ low: free ─ medium: asked, passed ─ medium: free
    /// ```
    @Test func whatIsRiskierThanWhatWasAnsweredIsAskedAnew() {
        let story = lived { $0.model.mediumScore = 4 }
        story.login()
        let usual: [String: Any] = ["amount": 100, "currency": "EUR"]
        let unusual: [String: Any] = ["amount": 5_000_000, "currency": "EUR"]
        let asked = story.act("pay.bill", usual)
        #expect((asked.decision, asked.level) == ("step_up", "low"))
        story.reply(to: asked, "passed", by: "totp")
        #expect(story.act("pay.bill", usual).decision == "allow")
        let riskier = story.act("pay.bill", unusual)
        #expect((riskier.decision, riskier.level) == ("step_up", "medium"))
        story.reply(to: riskier, "passed", by: "totp")
        #expect(story.act("pay.bill", usual).decision == "allow")
        let again = story.act("pay.bill", ["amount": 5e13, "currency": "EUR"])
        #expect((again.decision, again.level) == ("allow", "medium"))
    }

    @Test func eachResultHasAnOutcomeOfItsOwn() {
        let story = lived()
        story.login()
        let asked = story.act("pay.bill")
        #expect(story.reply(to: asked, "passed", by: "totp", nonce: String(repeating: "0", count: 32)).rule == "challenge-forged")
        #expect(story.reply(to: asked, "passed", by: "totp", in: with(.home) { $0.device = "other" }).rule == "challenge-elsewhere")
        #expect(story.reply(to: asked, "passed", by: "totp", in: with(.home) { $0.session = "s-2" }).rule == "challenge-elsewhere")
        #expect(story.act("pay.bill").decision == "step_up")
        #expect(story.reply(to: asked, "passed", by: "totp").rule == "challenge-passed")
        #expect(story.reply(to: asked, "denied", by: "totp").rule == "challenge-duplicate", "what is closed stays closed")
        #expect(story.act("pay.bill").decision == "allow")
        let late = story.act("admin.open")
        #expect(story.reply(to: late, "passed", by: "webauthn", after: 300).rule == "challenge-late")
        let stronger = story.act("pay.bill", after: 700)
        story.act("admin.open")
        #expect(story.reply(to: stronger, "passed", by: "totp").rule == "challenge-superseded")
        #expect(story.act("pay.bill").decision == "step_up", "an answer to what is no longer asked proves nothing")
        var unknown = asked
        unknown.json["step_up"] = story.stepUp(forgotten: 99)
        #expect(story.reply(to: unknown, "passed", by: "totp").rule == "challenge-unknown")
        #expect((outcome(story, .forged), outcome(story, .elsewhere), outcome(story, .passed)) == (1, 2, 1))
        #expect((outcome(story, .duplicate), outcome(story, .late), outcome(story, .unknown)) == (1, 1, 1))
        #expect((outcome(story, .timedOut), outcome(story, .superseded)) == (1, 1))
    }

    @Test func whoeverFailsTooOftenIsAskedAnewAndTeachesNothing() {
        let story = lived { $0.assurance.attempts = 3 }
        story.login()
        let asked = story.act("pay.bill")
        for _ in 0..<3 { #expect(story.reply(to: asked, "failed", by: "totp").rule == "challenge-failed") }
        #expect(story.reply(to: asked, "passed", by: "totp").rule == "challenge-duplicate")
        let again = story.act("pay.bill")
        #expect(again.stepUp?["challenge"] as? String != asked.stepUp?["challenge"] as? String)
        let slot = newestSession(story)
        #expect(slot.flags.contains(.tainted) && slot.risk > 60)
    }

    @Test func whatNobodyAnsweredIsRemembered() {
        let story = lived()
        story.login()
        func ignored() -> UInt8 { story.engine.withRow(tenant: "", user: "alice") { $0.header.pointee.ignoredMethods } ?? 0 }
        story.reply(to: story.act("pay.bill"), "abandoned", by: "push")
        #expect(ignored() == ChallengeMethod.push.bit)
        story.act("pay.bill")
        story.act(after: 400)
        #expect(ignored() == ChallengeMethod.push.bit | ChallengeMethod.totp.bit, "time has run out")
        story.reply(to: story.act("pay.bill"), "passed", by: "totp")
        #expect(ignored() == 0)
    }

    // MARK: - Claims

    @Test func aLoginProvesWhatItSays() {
        let story = lived()
        story.login(passkey)
        #expect(story.act("pay.bill").decision == "allow")
        #expect(story.act("admin.open").decision == "step_up", "not fresh")
        #expect(story.act("pay.bill", in: .hotel).decision == "step_up", "elsewhere")
        #expect(story.act("pay.bill", after: 700).decision == "step_up", "too long ago for this rule")
        let other = with(Circumstances.home) { $0.session = "s-2" }
        story.login(in: other, ["auth": ["amr": ["pwd"]]])
        #expect(story.act("pay.bill", in: other).decision == "step_up", "one factor")
        let third = with(Circumstances.home) { $0.session = "s-3" }
        story.login(in: third, ["auth": ["acr": "aal2", "time": story.now - 3_600_000]])
        #expect(story.act("pay.bill", in: third).decision == "step_up", "an hour old")
    }

    @Test func repeatingAClaimProvesNothing() {
        let story = lived()
        let auth: [String: Any] = ["auth": ["amr": ["pwd", "hwk"], "time": story.now]]
        story.login(auth)
        #expect(story.act("pay.bill", auth).decision == "allow")
        let thief = with(Circumstances.home) { $0.device = "thief" }
        #expect(story.act("pay.bill", in: thief, auth).decision != "allow")
        // The owner authenticates anew, and the thief is the first to show it.
        let anew: [String: Any] = ["auth": ["amr": ["pwd", "hwk"], "time": story.now]]
        #expect(story.act("pay.bill", in: thief, anew).decision != "allow")
        // A session that nobody saw begin.
        let unseen = with(Circumstances.home) { $0.session = "unseen" }
        #expect(story.act("pay.bill", in: unseen, anew).decision == "step_up")
    }

    @Test func authenticatingAnewWithinASessionCounts() {
        let story = lived()
        story.login(["auth": ["amr": ["pwd"], "time": story.now]])
        #expect(story.act("pay.bill").decision == "step_up")
        let anew: [String: Any] = ["auth": ["amr": ["pwd", "otp"], "time": story.now]]
        #expect(story.act("pay.bill", anew).decision == "allow")
        #expect(story.act("pay.bill", anew).decision == "allow")
        #expect(story.act("admin.open", anew).decision == "step_up")
    }

    @Test func atRaisedRiskOnlyWhatCannotBePhishedCounts() {
        for (methods, decision) in [(["pwd", "otp"], "step_up"), (["hwk"], "allow")] {
            let story = lived()
            let abroad = with(Circumstances.hotel) { ($0.device, $0.session) = ("phone", "s-9") }
            let login = story.login(after: 40_000, in: abroad, ["auth": ["amr": methods]])
            #expect((login.decision, login.rule) == (decision, "risky"), "\(methods)")
            let device = story.engine.withRow(tenant: "", user: "alice") { $0.devices.count }
            #expect(device == 1, "what is only said vouches for nothing")
        }
    }

    // MARK: - Alarms

    @Test func notMeQuestionsEveryOtherSession() {
        let story = lived { $0.rules = [$0.rules[2]] }
        let other = with(Circumstances.home) { $0.session = "s-2" }
        story.login()
        story.login(in: other)
        let thief = with(Circumstances.attacker) { $0.session = "t-1" }
        let denied = story.reply(to: story.login(in: thief), "denied", by: "webauthn", in: thief)
        #expect((denied.decision, denied.rule) == ("terminate_session", "challenge-denied"))
        #expect(story.act(in: thief).decision == "terminate_session")
        for place in [.home, other] {
            let asked = story.act(in: place)
            #expect((asked.decision, asked.rule) == ("step_up", "account-alarmed"))
            #expect(asked.stepUp?["methods"] as? [String] == ["webauthn", "hardware_key"])
            #expect(story.reply(to: asked, "passed", by: "totp", in: place).rule == "challenge-weaker")
            #expect(story.act(in: place).decision == "step_up", "until it has passed")
            #expect(story.reply(to: asked, "passed", by: "webauthn", in: place).rule == "challenge-passed")
            for _ in 0..<3 { #expect(story.act(in: place).decision == "allow") }
        }
        #expect(story.login(in: with(.home) { $0.session = "s-3" }, passkey).decision == "allow", "a passkey is an answer")
        #expect(story.act(after: 80_000, in: with(.home) { $0.session = "s-4" }).decision == "step_up")
        #expect(story.act(after: 7_000, in: with(.home) { $0.session = "s-5" }).decision == "allow", "a day later")
    }

    @Test func withoutAnAlarmNobodyElseIsAsked() {
        let story = lived { $0.assurance.alarm = 0 }
        let thief = with(Circumstances.attacker) { $0.session = "t-1" }
        story.reply(to: story.login(in: thief), "denied", by: "webauthn", in: thief)
        #expect(story.login().decision == "allow")
    }

    // MARK: - Rotation

    @Test func theOldNameOfASessionIsDead() {
        let story = lived()
        story.login()
        story.reply(to: story.act("pay.bill"), "passed", by: "totp", newSession: "s-new")
        let renamed = with(Circumstances.home) { $0.session = "s-new" }
        #expect(story.act(after: 5).decision == "allow", "a request that was under way")
        #expect(story.act("pay.bill", after: 1).decision == "step_up", "which proves nothing")
        #expect(story.act("pay.bill", in: renamed).decision == "allow")
        let stolen = story.act(after: 20)
        #expect((stolen.decision, stolen.rule) == ("terminate_session", "session-rotated"))
        #expect(story.act("pay.bill", in: renamed).decision == "allow", "whatever comes under the old name")
    }

    @Test func aPlantedSessionIsNotGivenTheOwnersProof() {
        let story = lived()
        let planted = with(Circumstances.attacker) { $0.session = "planted" }
        story.login()
        let asked = story.act("pay.bill")
        story.act(in: planted)
        #expect(story.reply(to: asked, "passed", by: "totp", newSession: "planted").rule == "challenge-passed")
        #expect(story.act("pay.bill", in: planted).decision != "allow")
        #expect(story.act("pay.bill", in: with(.home) { $0.session = "planted" }).decision != "allow")
        #expect(story.act("pay.bill").decision == "allow")
    }

    @Test func deadNamesTakeAtMostHalfOfThePlaces() {
        let story = lived { $0.bounds.sessions = 4 }
        story.login()
        var place = Circumstances.home
        for round in 0..<8 {
            let asked = story.act("pay.bill", after: 700, in: place)
            #expect(story.reply(to: asked, "passed", by: "totp", in: place, newSession: "n-\(round)").rule == "challenge-passed")
            place.session = "n-\(round)"
            #expect(story.act("pay.bill", in: place).decision == "allow")
        }
        let dead = story.engine.withRow(tenant: "", user: "alice") { row in
            (0..<row.sessions.count).count { row.sessions[$0].flags.contains(.rotated) }
        }
        #expect(dead == 2)
    }

    // MARK: - Somebody else under the same name

    /// ```text
    /// thief, with cookie and device, elsewhere: ─ asked ──────────────────────── asked still
    /// owner, at home:                           ───────── asked, passed ─ free
    /// ```
    @Test func whatTheOwnerAnswersAtHomeDoesNotProveWhoIsElsewhere() {
        let story = lived()
        story.login()
        let thief = with(Circumstances.home) { ($0.ip, $0.asn) = ("198.51.100.7", 64_500) }
        let first = story.act("pay.bill", in: thief)
        #expect(first.decision == "step_up")
        let asked = story.act("pay.bill")
        #expect(asked.decision == "step_up")
        #expect(asked.stepUp?["challenge"] as? String != first.stepUp?["challenge"] as? String)
        #expect(story.reply(to: asked, "passed", by: "totp").rule == "challenge-passed")
        #expect(story.act("pay.bill").decision == "allow")
        #expect(story.act("pay.bill", in: thief).decision != "allow")
    }

    /// Where events name no session a device stands for it, and that can't be ended for good.
    @Test func aDeviceCanProveItselfAgainAfterADenial() {
        let story = lived()
        let place = with(Circumstances.home) { $0.session = nil }
        story.login(in: place)
        story.reply(to: story.act("pay.bill", in: place), "passed", by: "totp", in: place)
        #expect(story.act("pay.bill", in: place).decision == "allow")
        story.reply(to: story.act("admin.open", in: place), "denied", by: "webauthn", in: place)
        let asked = story.act("pay.bill", in: place)
        #expect(asked.decision == "step_up")
        #expect(story.reply(to: asked, "passed", by: "webauthn", in: place).rule == "challenge-passed")
        #expect(story.act("pay.bill", in: place).decision == "allow")
    }

    // MARK: - Risk of a session

    @Test func aSessionsRiskFadesAndAnAnswerEndsIt() {
        let story = lived()
        func risk(after seconds: Double) -> Float {
            newestSession(story).fadedRisk(
                at: Timestamp(milliseconds: story.now + Int64(seconds * 1000)), halfLife: 1_800_000)
        }
        let abroad = with(Circumstances.hotel) { ($0.device, $0.session) = ("phone", "s-9") }
        let asked = story.login(after: 40_000, in: abroad)
        #expect(asked.decision == "step_up")
        #expect(risk(after: 0) > 50)
        #expect(abs(risk(after: 1800) / risk(after: 0) - 0.5) < 0.001)
        story.reply(to: asked, "passed", by: "webauthn", in: abroad)
        #expect(risk(after: 0) == 0)
    }
}

extension Story {
    /// What came of a question.
    @discardableResult
    func reply(
        to asked: Outcome, _ result: String, by method: String?, after seconds: Double = 10, in place: Circumstances = .home,
        nonce: String? = nil, newSession: String? = nil
    ) -> Outcome {
        var challenge: [String: Any] = [
            "decision": asked.stepUp?["challenge"] as? String ?? "none", "result": result,
            "nonce": nonce ?? asked.stepUp?["nonce"] as? String ?? "none",
        ]
        challenge["method"] = method
        challenge["new_session"] = newSession
        return tell("challenge", after: seconds, in: place, ["challenge": challenge])
    }

    /// A question that the engine could have asked and has not: its nonce is right.
    func stepUp(forgotten number: UInt64) -> [String: Any] {
        let id = DecisionID(high: 0x0123_4567_89AB_8000 | number, low: 1 << 63 | number)
        let nonce = engine.nonce(of: id)
        var text = OutputBuffer()
        text.append(id)
        let words = [nonce.0, nonce.1].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return ["challenge": text.view(from: 0).string, "nonce": words.joined()]
    }
}
