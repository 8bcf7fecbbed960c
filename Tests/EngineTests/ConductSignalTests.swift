import Behavior
import Events
import Foundation
import Risk
import Testing

@testable import Engine

/// Signals of what is done: each fires on what it is for and stays quiet on its benign twin.
@Suite struct ConductSignalTests {
    typealias Circumstances = Story.Circumstances
    let next = with(Circumstances.home) { $0.session = "next" }

    func lived(_ days: Int = 40) -> Story {
        let story = Story()
        story.live(days: days)
        return story
    }

    @Test func actionSensitive() {
        let story = lived()
        story.login(in: next)
        let rare = story.act("factor.remove", in: next)
        #expect(rare.fired("action.sensitive"))
        #expect(!story.act("message.read", in: next).fired("action.sensitive"))
        let usual = story.act("transfer.create", in: next, ["amount": 100])
        #expect(usual.reasons["action.sensitive"] ?? 0 < rare.reasons["action.sensitive"]! / 2, "a transfer a day")
        let own = Story { $0.model.sensitiveActions = ["drive.*"] }
        own.live(days: 10)
        #expect(own.act("drive.share").fired("action.sensitive") && !own.act("factor.remove").fired("action.sensitive"))
    }

    @Test func actionSequence() {
        let story = lived()
        story.login(in: next)
        var points: [Double] = []
        for name in ["role.list", "user.list", "user.export", "audit.view", "key.list", "role.list", "user.list", "key.view"] {
            points.append(story.act(name, in: next).reasons["action.sequence"] ?? 0)
        }
        #expect(points.first! < points.last! && points.last! > 7, "\(points)")
        // Back to what the user does, it falls again.
        for _ in 0..<10 { for name in ["page.view", "account.read", "message.read"] { story.act(name, in: next) } }
        #expect(story.act(in: next).reasons["action.sequence"] ?? 0 < points.last! / 1.4)
        let twin = lived()
        twin.login(in: next)
        for _ in 0..<4 {
            for name in ["page.view", "account.read", "message.read"] {
                #expect(twin.act(name, in: next).reasons["action.sequence"] ?? 0 < 3)
            }
        }
    }

    @Test func theOrderOfActionsIsPartOfTheSequence() {
        func sum(_ names: [String]) -> Double {
            let story = lived()
            story.login(in: next)
            var last = 0.0
            for name in names + names + names { last = story.act(name, in: next).reasons["action.sequence"] ?? 0 }
            return last
        }
        #expect(sum(["page.view", "account.read", "message.read"]) < sum(["page.view", "page.view", "account.read", "account.read"]))
    }

    @Test func actionBreadth() {
        func worked() -> Story {
            let story = Story()
            for day in 0..<20 {
                let place = with(Circumstances.home) { $0.session = "d-\(day)" }
                story.login(after: 80_000, in: place)
                for item in 0..<8 { story.act("document.read", after: 20, in: place, ["resource": "doc/\(day)/\(item)"]) }
            }
            return story
        }
        let story = worked()
        story.login(after: 80_000, in: next)
        var fired: [Bool] = []
        for item in 0..<120 {
            fired.append(story.act("document.read", after: 4, in: next, ["resource": "doc/x/\(item)"]).fired("action.breadth"))
        }
        #expect(fired.firstIndex(of: true).map { $0 > 18 && $0 < 60 } == true)
        // As many actions on the same few resources.
        let twin = worked()
        twin.login(after: 80_000, in: next)
        for item in 0..<120 {
            #expect(!twin.act("document.read", after: 4, in: next, ["resource": "doc/x/\(item % 9)"]).fired("action.breadth"))
        }
    }

    @Test func amountsThatMomentsMisjudge() {
        // Coffees each day, and the rent once a month.
        let story = Story()
        for day in 0..<120 {
            let place = with(Circumstances.home) { $0.session = "d-\(day)" }
            story.login(after: 86_400, in: place)
            for _ in 0..<3 { story.act("payment.create", in: place, ["amount": 4 + day % 3]) }
            if day % 28 == 27 { story.act("payment.create", in: place, ["amount": 1200]) }
        }
        story.login(in: next)
        let rent = story.act("payment.create", in: next, ["amount": 1200]).reasons["amount.unusual"] ?? 0
        let once = story.act("payment.create", in: next, ["amount": 9000]).reasons["amount.unusual"] ?? 0
        #expect(rent < once && once > 15, "\(rent) \(once)")
    }

    @Test func takeoverChain() {
        let story = lived()
        story.login(in: next)
        #expect(!story.act("password.change", in: next).fired("action.takeover_chain"))
        let second = story.act("factor.remove", after: 120, in: next)
        #expect(second.fired("action.takeover_chain"))
        #expect(!story.act("page.view", in: next).fired("action.takeover_chain"), "only the changes themselves")
        let third = story.act("contact.change", after: 300, in: next)
        #expect(third.reasons["action.takeover_chain"]! > second.reasons["action.takeover_chain"]!)
        #expect((third.reason("action.takeover_chain")?["observed"] as? String)?.hasPrefix("3 of contact, password") == true)
        // Its owner forgot the password, mistyped, made a new one, and put it into the phone as well.
        let owner = lived()
        for _ in 0..<3 { owner.login(after: 15, in: next, outcome: "failure") }
        owner.login(after: 60, in: next)
        let reset = owner.act("password.reset", in: next)
        let changed = owner.act("password.change", in: next)
        #expect(!reset.fired("action.takeover_chain") && !changed.fired("action.takeover_chain"))
        #expect(reset.decision == "allow" && changed.decision == "allow")
        // The same changes, months apart.
        let slow = lived()
        for name in ["contact.change", "password.change", "factor.remove"] {
            #expect(!slow.act(name, after: 86_400, in: with(.home) { $0.session = "d-" + name }).fired("action.takeover_chain"))
        }
    }

    @Test func bulkExport() {
        // Without what else it would be conspicuous by: points of a group are capped together.
        func clerk() -> Story {
            let story = Story { $0.model.signals[Int(Signal.actionSequence.rawValue)].enabled = false }
            for day in 0..<40 {
                let place = with(Circumstances.home) { $0.session = "d-\(day)" }
                story.now = 1_772_442_000_000 + Int64(day) * 86_400_000
                story.login(after: 0, in: place)
                for _ in 0..<4 { story.act("report.export", after: 60, in: place) }
                for _ in 0..<10 { story.act("page.view", after: 60, in: place) }
            }
            story.now = 1_772_442_000_000 + 40 * 86_400_000
            return story
        }
        func exports(_ story: Story, _ count: Int, at hour: Double) -> Double {
            story.login(after: hour * 3600, in: next)
            var most = 0.0
            for _ in 0..<count { most = max(most, story.act("report.export", after: 5, in: next).reasons["action.bulk_export"] ?? 0) }
            return most
        }
        let day = exports(clerk(), 12, at: 0)
        let night = exports(clerk(), 12, at: 14)
        #expect(day > 0 && night > day, "\(day) \(night)")
        #expect(exports(clerk(), 6, at: 0) == 0)
        // Somebody who has never exported anything.
        #expect(exports(lived(), 30, at: 14) > 5)
    }

    @Test func aNightlyJobIsQuiet() {
        let story = Story()
        story.user = "nightly-export"
        var asked = 0
        var last: [Story.Outcome] = []
        for night in 0..<40 {
            let place = with(Circumstances.home) { ($0.device, $0.session) = ("server", "n-\(night)") }
            story.now = 1_772_442_000_000 + Int64(night) * 86_400_000
            last = [story.login(after: 0, in: place)]
            for item in 0..<60 { last.append(story.act("record.export", after: 2, in: place, ["resource": "record/\(item)"])) }
            asked += last.filter { $0.decision != "allow" }.isEmpty ? 0 : 1
        }
        #expect(asked == 0)
        for name in ["action.bulk_export", "action.rate", "action.breadth", "action.sequence", "time.unusual"] {
            #expect(!last.contains { $0.fired(name) }, "\(name)")
        }
    }

    // MARK: - Drift

    func month(_ story: Story, _ days: Int, _ names: [String]) -> [Story.Outcome] {
        var outcomes: [Story.Outcome] = []
        let start = story.now
        for day in 0..<days {
            story.now = start + Int64(day) * 86_400_000
            let place = with(Circumstances.home) { $0.session = "m-\(story.offset)" }
            outcomes.append(story.login(after: 0, in: place))
            for _ in 0..<4 { for name in names { outcomes.append(story.act(name, after: 20, in: place)) } }
        }
        story.now = start + Int64(days) * 86_400_000
        return outcomes
    }

    @Test func aNewRoleDriftsAndCostsNoChallenge() {
        let story = Story()
        _ = month(story, 90, ["page.view", "account.read", "message.read"])
        let after = month(story, 40, ["ticket.read", "ticket.answer", "page.view", "ticket.close"])
        let drifting = after.filter { $0.fired("drift.behaviour") }
        #expect(!drifting.isEmpty)
        #expect((drifting.first?.reason("drift.behaviour")?["observed"] as? String)?.hasPrefix("actions ") == true)
        #expect(after.allSatisfy { $0.decision == "allow" })
        let habit = month(story, 90, ["ticket.read", "ticket.answer", "page.view", "ticket.close"])
        #expect(!habit.suffix(12).contains { $0.fired("drift.behaviour") || $0.reasons["action.sequence"] ?? 0 > 5 }, "it is the role by now")
        let twin = Story()
        _ = month(twin, 90, ["page.view", "account.read", "message.read"])
        #expect(!month(twin, 20, ["page.view", "account.read", "message.read"]).contains { $0.fired("drift.behaviour") })
    }
}
