import Foundation
import Testing

@testable import Engine

/// Patience is no proof: sixty days of small steps, never a challenge passed, and the attacker is not normal.
@Suite struct PoisoningTests {
    typealias Circumstances = Story.Circumstances

    /// The user's own day, with amounts around 100.
    func ownDay(_ story: Story, _ day: Int, at start: Int64) {
        story.now = start + Int64(day) * 86_400_000
        let place = with(Circumstances.home) { $0.session = "own-\(story.offset)" }
        story.login(after: 0, in: place)
        for name in ["page.view", "account.read", "message.read"] { story.act(name, after: 20, in: place) }
        story.act("transfer.create", after: 30, in: place, ["amount": 80 + Double(day % 5) * 10])
    }

    @Test func amountsThatRiseStepByStepStayUnusual() {
        let story = Story()
        story.live(days: 60)
        let start = story.now
        var amount = 120.0
        var outcomes: [Story.Outcome] = []
        for day in 0..<60 {
            ownDay(story, day, at: start)
            // In the user's own place and with the user's device: nothing but the amounts is new.
            let place = with(Circumstances.home) { $0.session = "thief-\(day)" }
            story.login(after: 3600, in: place)
            outcomes.append(story.act("transfer.create", after: 30, in: place, ["amount": amount]))
            amount *= 1.05
        }
        #expect(outcomes.allSatisfy { $0.stepUp == nil || $0.rule == "large-transfer" })
        let first = outcomes.firstIndex { $0.fired("amount.unusual") } ?? 60
        #expect(first < 25, "day \(first)")
        #expect(outcomes.suffix(30).allSatisfy { $0.fired("amount.unusual") }, "once unusual it does not become usual")
        let points = outcomes.map { $0.reasons["amount.unusual"] ?? 0 }
        #expect(points.last! > 10, "\(points)")
        #expect(outcomes.suffix(10).allSatisfy { $0.fired("drift.behaviour") }, "and it shows in the fast baseline")
        // What the user does is as usual as before.
        let own = story.act("transfer.create", in: with(.home) { $0.session = "own" }, ["amount": 100])
        #expect(!own.fired("amount.unusual"))
    }

    @Test func amountsThatAChallengeHasProvenBecomeUsual() {
        let story = Story()
        story.live(days: 60)
        for day in 0..<12 {
            let place = with(Circumstances.home) { $0.session = "large-\(day)" }
            story.login(after: 86_400, in: place)
            let asked = story.act("transfer.create", in: place, ["amount": 20_000])
            #expect(asked.decision == "step_up")
            story.tell("challenge", in: place, ["challenge": [
                "decision": asked.stepUp?["challenge"] as? String ?? "", "method": "webauthn", "result": "passed",
                "nonce": asked.stepUp?["nonce"] as? String ?? "",
            ]])
        }
        let place = with(Circumstances.home) { $0.session = "after" }
        story.login(in: place)
        let next = story.act("transfer.create", in: place, ["amount": 20_000])
        #expect(next.reasons["amount.unusual"] ?? 0 < 5, "\(next.reasons)")
    }

    @Test func aDeviceUsedALittleEveryDayStaysNew() {
        let story = Story()
        story.live(days: 60)
        let start = story.now
        let first = story.login(after: 60, in: with(.home) { ($0.device, $0.session) = ("planted", "p") })
        var last = first
        for day in 0..<60 {
            ownDay(story, day, at: start)
            let place = with(Circumstances.home) { ($0.device, $0.session) = ("planted", "p-\(day)") }
            last = story.login(after: 3600, in: place)
            story.act("page.view", after: 20, in: place)
        }
        #expect(first.fired("device.new") && last.fired("device.new"), "\(last.reasons)")
        #expect(last.reasons["device.new"]! > 0.3 * first.reasons["device.new"]!)
        // The same with one passed challenge is the user's.
        let twin = Story()
        twin.live(days: 60)
        let abroad = with(Circumstances.hotel) { ($0.device, $0.session) = ("phone", "h") }
        let asked = twin.login(after: 40_000, in: abroad)
        #expect(asked.decision == "step_up")
        twin.tell("challenge", in: abroad, ["challenge": [
            "decision": asked.stepUp?["challenge"] as? String ?? "", "method": "webauthn", "result": "passed",
            "nonce": asked.stepUp?["nonce"] as? String ?? "",
        ]])
        #expect(!twin.login(after: 86_400, in: with(abroad) { $0.session = "h-2" }).fired("device.new"))
    }

    @Test func actionsOfAForeignCourseAreNotLearned() {
        let story = Story()
        story.live(days: 60)
        let start = story.now
        let names = ["role.list", "user.list", "audit.view", "key.list", "key.view", "role.view"]
        var last: Story.Outcome?
        for day in 0..<20 {
            ownDay(story, day, at: start)
            let place = with(Circumstances.home) { $0.session = "thief-\(day)" }
            story.login(after: 3600, in: place)
            for _ in 0..<6 { for name in names { last = story.act(name, after: 5, in: place) } }
        }
        #expect((last?.reasons["action.sequence"] ?? 0) > 10, "\(last?.reasons ?? [:])")
    }
}
