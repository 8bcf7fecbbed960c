import Behavior
import Events
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
        var drifts = false
        var outcomes: [Story.Outcome] = []
        for day in 0..<60 {
            ownDay(story, day, at: start)
            // In the user's own place and with the user's device: nothing but the amounts is new.
            let place = with(Circumstances.home) { $0.session = "thief-\(day)" }
            drifts = story.login(after: 3600, in: place).fired("drift.behaviour") || drifts
            outcomes.append(story.act("transfer.create", after: 30, in: place, ["amount": amount]))
            amount *= 1.05
        }
        #expect(outcomes.allSatisfy { $0.stepUp == nil || $0.rule == "large-transfer" })
        let first = outcomes.firstIndex { $0.fired("amount.unusual") } ?? 60
        #expect(first < 25, "day \(first)")
        #expect(outcomes.suffix(30).allSatisfy { $0.fired("amount.unusual") }, "once unusual it does not become usual")
        let points = outcomes.map { $0.reasons["amount.unusual"] ?? 0 }
        #expect(points.last! > 10, "\(points)")
        #expect(drifts, "and it shows in the fast baseline")
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
            let place = with(Circumstances.home) { ($0.device, $0.session) = ("planted", "thief-\(day)") }
            story.login(after: 3600, in: place)
            for _ in 0..<6 { for name in names { last = story.act(name, after: 5, in: place) } }
        }
        #expect((last?.reasons["action.sequence"] ?? 0) > 10, "\(last?.reasons ?? [:])")
    }

    /// What is put aside from a foreign course teaches where it was, once nothing has spoken against it, and not what it did.
    @Test func whatIsHeldOfAForeignCourseTeachesNoActions() {
        let strange = [[String]](repeating: ["role.list", "user.list", "audit.view", "key.list", "key.view"], count: 8).flatMap { $0 }
        let usual = [[String]](repeating: ["page.view", "account.read", "message.read"], count: 4).flatMap { $0 } + ["help.view"]
        for (names, isForeign) in [(strange, true), (usual, false)] {
            let story = Story()
            story.live(days: 60)
            let place = with(Circumstances.home) { ($0.device, $0.session) = ("planted", "thief") }
            story.login(after: 3600, in: place)
            for name in names { story.act(name, after: 5, in: place) }
            func row<T>(_ body: (UserRow) -> T) -> T { story.engine.withRow(tenant: "", user: "alice", body)! }
            let flags = row { row in (0..<row.holds.count).map { row.holds[$0].flags } }
            #expect(flags.contains { $0.contains(.foreign) } == isForeign, "\(names)")
            ownDay(story, 1, at: story.now)
            #expect(row { $0.holds.count } == 0, "settled")
            let kept = row { row in Set((0..<row.actions.count).map { row.actions[$0].fingerprint }) }
            var text = names.last!
            let last = text.withUTF8 {
                Observation.action(ByteView(base: $0.baseAddress, count: $0.count), hash: story.engine.hash)
            }
            #expect(kept.contains(last) == !isForeign, "\(names)")
            #expect(row { row in (0..<row.devices.count).count { row.devices[$0].weight > 0 } } == 2, "the device is known of")
        }
    }

    /// A course that is not learned must not become the measure of what is surprising either.
    @Test func aForeignCourseDoesNotTeachWhatToExpect() {
        let story = Story()
        story.live(days: 60)
        story.login()
        func weight() -> Float { story.engine.withRow(tenant: "", user: "alice") { $0.header.pointee.surprises.weight }! }
        var foreign = 0
        for round in 0..<4 {
            for name in ["role.list", "user.list", "audit.view", "key.list", "key.view"] {
                let before = weight()
                let outcome = story.act(name, after: 5)
                let isForeign = story.engine.assessment.pointee[.actionSequence].raw >= Engine.foreignCourse
                if isForeign && outcome.level == "low" {
                    foreign += 1
                    #expect(weight() == before, "round \(round), \(name)")
                }
            }
        }
        #expect(foreign > 0)
    }
}
