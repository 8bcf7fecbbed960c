import Events
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// What a verdict on an earlier decision changes.
@Suite struct FeedbackTests {
    typealias Circumstances = Story.Circumstances
    let newPhone = with(Circumstances.hotel) { ($0.device, $0.session) = ("phone", "s-9") }

    func lived(_ change: (inout EnginePlan) -> Void = { _ in }) -> Story {
        let story = Story(change)
        story.live(days: 40)
        return story
    }

    @discardableResult
    func say(
        _ story: Story, _ label: String, of judged: Story.Outcome, by: String = "analyst", after seconds: Double = 3600,
        session: String? = nil, id: String? = nil
    ) -> Story.Outcome {
        let place = with(Circumstances.home) { $0.session = session }
        return story.tell("feedback", after: seconds, in: place, id: id, [
            "feedback": ["decision": judged.json["id"] as? String ?? "", "label": label, "by": by]
        ])
    }

    @Test func anAnalystsLegitimateVouchesForWhatWaited() {
        let story = lived()
        let asked = story.login(in: newPhone)
        #expect(asked.decision == "step_up")
        let said = say(story, "legitimate", of: asked)
        #expect(said.decision == "allow" && said.rule == "feedback-legitimate")
        #expect(said.json["about"] as? String == asked.json["id"] as? String)
        let next = story.login(after: 60, in: with(newPhone) { $0.session = "s-10" })
        #expect(next.decision == "allow" && !next.fired("device.new") && !next.fired("place.new"))
        #expect(story.engine.counters.feedbackLegitimate == 1)
    }

    @Test func itFreesADeniedSessionButNoTerminatedOne() {
        func denied(_ verdict: Verdict) -> (Story, Story.Outcome) {
            let story = lived { plan in
                var rule = Rule(name: "no", verdict: verdict)
                rule.conditions.actions = ["audit.read"]
                plan.rules.insert(rule, at: 0)
            }
            story.login()
            return (story, story.act("audit.read"))
        }
        let (story, judged) = denied(.deny)
        #expect(judged.decision == "deny")
        let profile = { story.engine.profile(tenant: "", user: "alice")!.contexts }
        say(story, "legitimate", of: judged, after: 10)
        let before = profile()
        story.login(after: 7200)
        #expect(profile() > before, "learned again")
        let (other, ended) = denied(.terminateSession)
        say(other, "legitimate", of: ended, after: 10)
        #expect(other.act().decision == "terminate_session", "that name stays dead")
    }

    @Test func compromisedEndsTheSessionAndMakesItsDeviceStrange() {
        let story = lived()
        let own = with(Circumstances.home) { $0.session = "own" }
        let judged = story.login(in: own)
        #expect(judged.decision == "allow")
        story.act(in: own)
        let said = say(story, "compromised", of: judged)
        #expect(said.decision == "terminate_session" && said.rule == "feedback-compromised")
        #expect(said.json["about"] as? String == judged.json["id"] as? String)
        #expect(said.json["session"] == nil, "the session that is meant is the judged decision's")
        #expect(story.act(in: own).decision == "terminate_session")
        let again = story.login(in: with(own) { $0.session = "next" })
        #expect(again.fired("device.new") && again.fired("challenge.denied"), "\(again.reasons)")
        #expect(again.decision == "step_up")
        // What ends is what an enforcement point can name.
        let other = story.login(after: 90_000, in: with(.hotel) { $0.session = "named" })
        #expect(say(story, "compromised", of: other, session: "named").json["session"] as? String == "named")
    }

    @Test func whatWaitedWithACompromisedSessionIsNeverLearned() {
        let story = lived()
        let asked = story.login(in: newPhone)
        for _ in 0..<5 { story.act(in: newPhone) }
        say(story, "compromised", of: asked, after: 60)
        story.act(after: 200_000)
        #expect(story.login(in: with(newPhone) { $0.session = "s-10" }).fired("device.new"))
    }

    @Test func aVerdictOverridesAnEarlierOneAndTheSameAgainChangesNothing() {
        let story = lived()
        let asked = story.login(in: newPhone)
        #expect(say(story, "legitimate", of: asked).rule == "feedback-legitimate")
        let state = { story.engine.profile(tenant: "", user: "alice")!.contexts }
        let before = state()
        #expect(say(story, "legitimate", of: asked, after: 1).rule == "feedback-repeated")
        #expect(say(story, "legitimate", of: asked, after: 1, id: "same").rule == "feedback-repeated")
        #expect(say(story, "compromised", of: asked, after: 1, id: "same").rule == "feedback-repeated", "the same event again")
        #expect(state() == before)
        #expect(say(story, "compromised", of: asked, after: 1).rule == "feedback-compromised")
        #expect(story.act(in: newPhone).decision == "terminate_session")
        #expect(story.engine.counters.feedbackRepeated == 2)
    }

    @Test func ofAnUnknownDecisionNothingIsSaid() {
        let story = lived()
        let first = story.login(in: newPhone)
        let other = story.login(in: newPhone)
        for _ in 0..<31 { story.act(in: newPhone) }
        #expect(say(story, "compromised", of: first, after: 1).rule == "feedback-unknown", "more than 32 ago")
        #expect(story.engine.counters.feedbackUnknown == 1)
        story.user = "somebody"
        story.login()
        #expect(say(story, "compromised", of: other, after: 1).rule == "feedback-unknown", "another user's")
        story.user = "alice"
        #expect(say(story, "compromised", of: other, after: 1).rule == "feedback-compromised")
        #expect(story.effects.outputs.allSatisfy { $0.kind == .decision })
        #expect(story.engine.counters.deadLetters == 0)
    }

    @Test func afterItWhatWasNotManagedIsForgotten() {
        let story = lived()
        let asked = story.login(in: newPhone)
        for _ in 0..<3 {
            story.tell("challenge", in: newPhone, ["challenge": [
                "decision": asked.stepUp!["challenge"] as! String, "method": "webauthn", "result": "failed",
                "nonce": asked.stepUp!["nonce"] as! String,
            ]])
        }
        #expect(story.act(in: newPhone).fired("challenge.failed"))
        say(story, "legitimate", of: asked, after: 5)
        #expect(!story.act(in: newPhone).fired("challenge.failed"))
    }

    @Test func aPersonsWordNeedsAnotherSessionThatIsSure() {
        let story = lived()
        let asked = story.login(in: newPhone)
        #expect(say(story, "legitimate", of: asked, by: "user", session: "s-9").rule == "feedback-unheeded", "from the judged session")
        #expect(say(story, "legitimate", of: asked, by: "user").rule == "feedback-unheeded", "from nowhere")
        let own = with(Circumstances.home) { $0.session = "own" }
        story.login(in: own)
        #expect(say(story, "legitimate", of: asked, by: "user", after: 5, session: "own").rule == "feedback-unheeded", "nothing was passed there")
        #expect(story.engine.counters.feedbackUnheeded == 3)
        #expect(story.login(after: 7200, in: with(newPhone) { $0.session = "s-10" }).fired("device.new"))
        // A passkey passed in another session makes it count.
        let transfer = story.act("transfer.create", in: own, ["amount": 20_000, "currency": "EUR"])
        story.tell("challenge", in: own, ["challenge": [
            "decision": transfer.stepUp!["challenge"] as! String, "method": "webauthn", "result": "passed",
            "nonce": transfer.stepUp!["nonce"] as! String,
        ]])
        let judged = story.login(in: with(newPhone) { $0.session = "s-11" })
        #expect(say(story, "legitimate", of: judged, by: "user", after: 5, session: "own").rule == "feedback-legitimate")
        #expect(!story.login(after: 60, in: with(newPhone) { $0.session = "s-12" }).fired("device.new"))
        // An analyst's is not the person's to overrule.
        say(story, "compromised", of: judged, after: 5)
        #expect(say(story, "legitimate", of: judged, by: "user", after: 5, session: "own").rule == "feedback-unheeded")
    }

    @Test func aVerdictOnASessionFollowsItToItsNewName() {
        let story = lived()
        let asked = story.login(in: newPhone)
        #expect(story.reply(to: asked, "passed", by: "webauthn", in: newPhone, newSession: "s-next").rule == "challenge-passed")
        let next = with(newPhone) { $0.session = "s-next" }
        #expect(story.act(in: next).decision == "allow")
        let own = story.tell("feedback", in: next, ["feedback": ["decision": asked.json["id"] as? String ?? "", "label": "legitimate", "by": "user"]])
        #expect(own.rule == "feedback-unheeded", "it is the judged session")
        #expect(say(story, "compromised", of: asked, after: 5).rule == "feedback-compromised")
        #expect(story.act(in: next).decision == "terminate_session")
    }
}
