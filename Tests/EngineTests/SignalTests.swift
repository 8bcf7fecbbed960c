import Behavior
import Events
import Foundation
import Testing

@testable import Engine

/// Each signal fires on what it is for and stays quiet on its benign twin.
@Suite struct SignalTests {
    typealias Circumstances = Story.Circumstances

    func lived(_ days: Int = 40) -> Story {
        let story = Story()
        story.live(days: days)
        return story
    }

    @Test func loginFailures() {
        let story = lived()
        var outcomes: [Story.Outcome] = []
        for _ in 0..<8 { outcomes.append(story.login(in: .attacker, outcome: "failure")) }
        #expect(outcomes.map { $0.fired("login.failures") } == [false, false, false, false, true, true, true, true])
        let twin = lived()
        for _ in 0..<12 { #expect(!twin.login(after: 300, outcome: "failure").fired("login.failures")) }
    }

    @Test func loginSuccessAfterFailures() {
        let story = lived()
        for _ in 0..<6 { story.login(after: 2, in: .attacker, outcome: "failure") }
        let taken = story.login(after: 2, in: with(.attacker) { $0.session = "x" })
        #expect(taken.fired("login.success_after_failures"))
        #expect(taken.decision == "step_up")
        let twin = lived()
        for _ in 0..<3 { twin.login(after: 5, outcome: "failure") }
        #expect(!twin.login(after: 5).fired("login.success_after_failures"), "mistyped three times")
    }

    @Test func sessionTokenReplayed() {
        let story = lived()
        let owner = with(Circumstances.home) { $0.token = "t-1" }
        story.login(in: owner)
        story.act(in: owner)
        let replay = story.act(after: 1800, in: with(.attacker) { $0.token = "t-1" })
        #expect(replay.fired("session.token_replayed"))
        #expect(replay.decision == "terminate_session")
        let twin = lived()
        twin.login(in: owner)
        let vpn = twin.act(in: with(.hotel) { $0.token = "t-1" })
        #expect(!vpn.fired("session.token_replayed"), "a VPN toggled on the same device")
        #expect(vpn.decision == "allow")
    }

    @Test func sessionTwoPlaces() {
        let story = lived()
        story.login()
        story.act()
        let stolen = story.act(after: 30, in: .attacker)
        #expect(stolen.fired("session.two_places"))
        #expect(stolen.decision == "terminate_session")
        let twin = lived()
        twin.login()
        twin.act()
        #expect(!twin.act(in: .hotel).fired("session.two_places"), "VPN on")
        #expect(!twin.act().fired("session.two_places"), "and off again")
    }

    @Test func sessionTwoPlacesByMoves() {
        let story = lived()
        story.login()
        var fired: [Bool] = []
        for step in 0..<8 { fired.append(story.act(after: 20, in: step % 2 == 0 ? .hotel : .home).fired("session.two_places")) }
        #expect(fired.firstIndex(of: true).map { $0 >= 3 } == true)
    }

    @Test func actionRare() {
        let story = lived()
        story.login()
        #expect(story.act("user.export").fired("action.rare"))
        #expect(!story.act("message.read").fired("action.rare"))
    }

    @Test func actionRate() {
        let story = lived()
        story.login()
        var last: Story.Outcome?
        for _ in 0..<60 { last = story.act(after: 0.5) }
        #expect(last?.fired("action.rate") == true)
        // Whoever always works in bursts is not news.
        let twin = Story()
        for day in 0..<20 {
            let place = with(Circumstances.home) { $0.session = "d\(day)" }
            twin.login(after: 80_000, in: place)
            for step in 0..<130 { twin.act(after: 0.5, in: with(place) { $0.session = "d\(day)-\(step / 200)" }) }
        }
        twin.login(after: 80_000, in: with(.home) { $0.session = "y" })
        for _ in 0..<100 { last = twin.act(after: 0.5, in: with(.home) { $0.session = "y" }) }
        #expect(last?.fired("action.rate") == false)
    }

    @Test func amountUnusual() {
        let story = lived()
        story.login()
        #expect(story.act("transfer.create", ["amount": 9000, "currency": "EUR"]).fired("amount.unusual"))
        #expect(!story.act("transfer.create", ["amount": 130, "currency": "EUR"]).fired("amount.unusual"))
        #expect(!story.act("transfer.create", ["amount": 1, "currency": "EUR"]).fired("amount.unusual"))
    }

    @Test func inputMalformed() {
        let story = lived()
        story.login()
        let bad = story.tell(raw: #"{"id":"x","type":"action","action":"a","time":\#(story.now),"user":"alice","session":"s-1","amount":-5}"#)
        #expect(bad.headers["vigil-reason"] == "amount_invalid")
        #expect(story.act().fired("input.malformed"))
        #expect(!story.act(after: 7200).fired("input.malformed"))
        let long = story.act(["device": ["id": "laptop", "user_agent": String(repeating: "x", count: 10_000)]])
        #expect(long.fired("input.malformed"))
        story.user = "bob"
        #expect(!story.act().fired("input.malformed"))
    }
}

extension Story {
    @discardableResult
    func act(_ fields: [String: Any]) -> Outcome { act("page.view", after: 10, in: .home, fields) }
}
