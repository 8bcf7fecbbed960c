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

    @Test func deviceNew() {
        let story = lived()
        let other = story.login(in: with(.home) { ($0.device, $0.session) = ("phone", "x") })
        #expect(other.fired("device.new"))
        #expect(other.reason("device.new")?["expected"] as? String == "1 known device")
        #expect(other.decision == "allow", "a new device alone is no reason to ask")
        let own = lived().login(in: with(.home) { $0.session = "x" })
        #expect(!own.fired("device.new"))
    }

    @Test func browserUpdateIsNotANewDevice() {
        let story = Story()
        let agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) Chrome/126.0.1 Safari/537.36"
        for day in 0..<30 {
            var place = Circumstances.home
            (place.device, place.session) = (nil, "d-\(day)")
            story.login(after: 86_400, in: place, ["device": ["user_agent": agent]])
        }
        let place = with(Circumstances.home) { ($0.device, $0.session) = (nil, "x") }
        let updated = story.login(in: place, ["device": ["user_agent": agent.replacingOccurrences(of: "126.0.1", with: "127.2")]])
        #expect(!updated.fired("device.new"))
        let other = story.login(in: place, ["device": ["user_agent": "curl/8.1"]])
        #expect(other.fired("device.new"))
    }

    @Test func deviceChangedInSession() {
        let story = lived()
        story.login()
        #expect(story.act(in: with(.home) { $0.device = "phone" }).fired("device.changed_in_session"))
        #expect(!story.act().fired("device.changed_in_session"))
        #expect(story.act(in: with(.home) { $0.device = nil }).fired("device.changed_in_session"))
        let twin = lived()
        twin.login()
        #expect(!twin.act(in: .hotel).fired("device.changed_in_session"))
    }

    @Test func networkNew() {
        let story = lived()
        #expect(story.login(in: with(.home) { ($0.ip, $0.asn, $0.session) = ("198.51.100.7", 3320, "x") }).fired("network.new"))
        // The provider hands out another prefix: far weaker than another provider.
        let foreign = lived().login(in: with(.home) { ($0.ip, $0.asn, $0.session) = ("198.51.100.7", 3320, "x") })
        let renumbered = lived().login(in: with(.home) { ($0.ip, $0.session) = ("203.0.114.9", "x") })
        #expect(renumbered.reasons["network.new"]! < foreign.reasons["network.new"]! / 2)
        #expect(!lived().login(in: with(.home) { ($0.ip, $0.session) = ("203.0.113.77", "x") }).fired("network.new"))
    }

    @Test func somebodyWhoRoamsIsNotSuspectedForRoaming() {
        let settled = lived().login(in: with(.home) { ($0.ip, $0.asn, $0.session) = ("198.51.100.7", 3320, "x") })
        let story = Story()
        for day in 0..<40 {
            story.login(after: 86_400, in: with(.home) { ($0.ip, $0.asn, $0.session) = ("10.\(day).0.1", 100 + day, "d\(day)") })
        }
        let roaming = story.login(in: with(.home) { ($0.ip, $0.asn, $0.session) = ("198.51.100.7", 3320, "x") })
        #expect((roaming.reasons["network.new"] ?? 0) < settled.reasons["network.new"]! / 4)
    }

    @Test func networkChangedInSession() {
        let story = lived()
        story.login()
        #expect(story.act(in: with(.home) { ($0.ip, $0.asn) = ("198.51.100.7", 3320) }).fired("network.changed_in_session"))
        // IPv4 and IPv6 of the same home, whether or not the provider is known.
        for asn in [29695, 0] {
            let twin = lived()
            twin.login(in: with(.home) { $0.asn = asn })
            let v6 = with(Circumstances.home) { ($0.ip, $0.asn) = ("2001:db8:1::9", asn) }
            #expect(!twin.act(in: v6).fired("network.changed_in_session"))
        }
    }

    @Test func placeNew() {
        let story = lived()
        let abroad = story.login(after: 86_400, in: with(.hotel) { $0.session = "x" })
        #expect(abroad.fired("place.new"))
        #expect(abroad.decision == "allow", "a trip with the own laptop asks nothing")
        #expect(!lived().login(in: with(.home) { $0.session = "x" }).fired("place.new"))
        // The next town, where the address database puts the same home.
        let suburb = with(Circumstances.home) { ($0.city, $0.lat, $0.lon, $0.session) = ("Lysaker", 59.91, 10.64, "x") }
        #expect(!lived().login(in: suburb).fired("place.new"))
    }

    @Test func travelImpossible() {
        let story = lived()
        story.login()
        let far = story.act(after: 840, in: .attacker)
        #expect(far.fired("travel.impossible"))
        #expect((far.reason("travel.impossible")?["observed"] as? String)?.hasSuffix("km in 14 min") == true)
        let twin = lived()
        twin.login()
        #expect(!twin.login(after: 5 * 3600, in: with(.hotel) { $0.session = "x" }).fired("travel.impossible"))
        // The logins of a trip were read before the actions at home, as after an outage.
        let behind = lived()
        behind.login(after: 0)
        behind.login(after: 10 * 3600, in: with(.hotel) { $0.session = "x" })
        behind.login(after: 3600, in: with(.hotel) { $0.session = "y" })
        #expect(!behind.act(after: -10 * 3600).fired("travel.impossible"))
        // Only the country is known: its centre is no place to travel from.
        let centre = lived()
        centre.login()
        centre.now += 60_000
        let event = """
            {"id":"c","type":"action","action":"page.view","time":\(centre.now),"user":"alice",
             "geo":{"country":"AU","lat":-25.0,"lon":133.0}}
            """
        #expect(!centre.tell(raw: event).fired("travel.impossible"))
    }

    @Test func timeUnusual() {
        let story = lived()
        #expect(story.login(after: 14 * 3600, in: with(.home) { $0.session = "x" }).fired("time.unusual"))
        #expect(!lived().login(after: 3600, in: with(.home) { $0.session = "x" }).fired("time.unusual"), "daylight saving")
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
