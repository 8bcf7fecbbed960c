import Behavior
import Events
import Foundation
import Testing

@testable import Engine

/// Signals of device, network, place and time: each fires on what it is for and stays quiet on its benign twin.
@Suite struct ContextSignalTests {
    typealias Circumstances = Story.Circumstances

    func lived(_ days: Int = 40) -> Story {
        let story = Story()
        story.live(days: days)
        return story
    }

    /// A story of daily logins from a device that shows these fields.
    func loggedIn(_ device: [String: Any], days: Int = 30) -> Story {
        let story = Story()
        for day in 0..<days {
            story.login(after: 86_400, in: with(.home) { $0.session = "d-\(day)" }, ["device": device])
        }
        return story
    }

    static var laptop: [String: Any] { ["id": "laptop", "browser": "Firefox 128.0", "os": "Linux", "type": "desktop"] }
    static func laptop(_ change: [String: Any]) -> [String: Any] { laptop.merging(change) { $1 } }

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
        let renumbered = lived().login(in: with(.home) { ($0.ip, $0.session) = ("203.0.114.9", "x") })
        #expect(renumbered.fired("network.new"))
        #expect(renumbered.decision == "allow", "a provider that renumbers its customers is no reason to ask")
        #expect(!lived().login(in: with(.home) { ($0.ip, $0.session) = ("203.0.113.77", "x") }).fired("network.new"))
    }

    @Test func somebodyWhoRoamsIsNotSuspectedForRoaming() {
        let settled = lived().login(in: with(.home) { ($0.ip, $0.asn, $0.session) = ("198.51.100.7", 3320, "x") })
        let story = Story()
        for day in 0..<40 {
            story.login(after: 86_400, in: with(.home) { ($0.ip, $0.asn, $0.session) = ("10.\(day).0.1", 100 + day, "d\(day)") })
        }
        let roaming = story.login(in: with(.home) { ($0.ip, $0.asn, $0.session) = ("198.51.100.7", 3320, "x") })
        #expect((roaming.reasons["network.provider_new"] ?? 0) < settled.reasons["network.provider_new"]! / 4)
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
        #expect(abroad.fired("place.country_new"))
        #expect(!abroad.fired("place.new"), "a new country says it once")
        let town = with(Circumstances.home) { ($0.city, $0.lat, $0.lon, $0.session) = ("Bergen", 60.39, 5.32, "x") }
        #expect(lived().login(after: 86_400, in: town).fired("place.new"))
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

    @Test func deviceRare() {
        let story = loggedIn(Self.laptop, days: 60)
        let tablet: [String: Any] = ["id": "tablet", "browser": "Safari 17", "os": "iPadOS", "type": "tablet"]
        story.login(after: 86_400, in: with(.home) { $0.session = "t1" }, ["device": tablet])
        story.login(after: 3600, in: with(.home) { $0.session = "t2" }, ["device": tablet])
        for day in 0..<10 { story.login(after: 86_400, in: with(.home) { $0.session = "e-\(day)" }, ["device": Self.laptop]) }
        let again = story.login(after: 60, in: with(.home) { $0.session = "t3" }, ["device": tablet])
        #expect(again.fired("device.rare") || again.fired("device.new"), "\(again.reasons)")
        #expect(again.decision == "allow")
        #expect(!story.login(after: 60, in: with(.home) { $0.session = "t4" }, ["device": Self.laptop]).fired("device.rare"))
    }

    @Test func deviceFamily() {
        let other = loggedIn(Self.laptop).login(
            in: with(.home) { $0.session = "x" }, ["device": ["id": "pc", "browser": "Edge 126", "os": "Windows 10", "type": "desktop"]])
        #expect(other.fired("device.family"))
        #expect(other.reason("device.family")?["observed"] as? String == "Edge 126 on Windows 10")
        // A new laptop of the same kind.
        let twin = loggedIn(Self.laptop).login(in: with(.home) { $0.session = "x" }, ["device": Self.laptop(["id": "laptop-2"])])
        #expect(!twin.fired("device.family"))
        #expect(twin.fired("device.new"))
    }

    @Test func agentDowngrade() {
        let story = loggedIn(Self.laptop)
        let old = story.login(in: with(.home) { $0.session = "x" }, ["device": Self.laptop(["browser": "Firefox 115.0"])])
        #expect(old.fired("device.agent_downgrade"))
        #expect(old.reason("device.agent_downgrade")?["expected"] as? String == "version 128 or newer")
        let twin = loggedIn(Self.laptop).login(in: with(.home) { $0.session = "x" }, ["device": Self.laptop(["browser": "Firefox 131.0"])])
        #expect(!twin.fired("device.agent_downgrade"))
    }

    @Test func agentMismatch() {
        let copied = loggedIn(Self.laptop).login(
            in: with(.home) { $0.session = "x" }, ["device": Self.laptop(["os": "Windows 10", "browser": "Chrome 126"])])
        #expect(copied.fired("device.agent_mismatch"))
        // An operating system's update, and another browser on the same machine.
        let twin = loggedIn(Self.laptop(["os": "Ubuntu 22.04"])).login(
            in: with(.home) { $0.session = "x" }, ["device": Self.laptop(["os": "Ubuntu 24.04", "browser": "Chrome 126"])])
        #expect(!twin.fired("device.agent_mismatch"))
    }

    @Test func networkProvider() {
        let other = lived().login(in: with(.home) { ($0.ip, $0.asn, $0.session) = ("198.51.100.7", 3320, "x") })
        #expect(other.fired("network.provider_new"))
        #expect(!other.fired("network.new"), "a new provider says it once")
        #expect(!lived().login(in: with(.home) { ($0.ip, $0.session) = ("198.51.100.7", "x") }).fired("network.provider_new"))
    }

    @Test func placeCountryIsForgottenSlowly() {
        let story = lived()
        let abroad = story.login(after: 86_400, in: with(.hotel) { $0.session = "x" })
        #expect(abroad.reason("place.country_new")?["observed"] as? String == "Berlin, DE")
        for day in 0..<3 { story.login(after: 86_400, in: with(.hotel) { $0.session = "trip-\(day)" }) }
        story.live(days: 3)
        #expect(!story.login(after: 86_400, in: with(.hotel) { $0.session = "y" }).fired("place.country_new"))
    }

    @Test func placeMismatch() {
        let story = lived(60)
        for day in 0..<3 { story.login(after: 86_400, in: with(.hotel) { $0.session = "trip-\(day)" }) }
        story.live(days: 5)
        let abroad = story.login(after: 86_400, in: with(.hotel) { $0.session = "y" })
        #expect(abroad.fired("place.account_mismatch"))
        #expect(abroad.reason("place.account_mismatch")?["expected"] as? String == "NO, where the account is at home")
        #expect(!lived().login(in: with(.home) { $0.session = "x" }).fired("place.account_mismatch"))
    }

    @Test func travelImprobable() {
        let story = lived()
        story.login(after: 0)
        // 840 km in two hours and a half: an aeroplane.
        let flown = story.login(after: 2.5 * 3600, in: with(.hotel) { $0.session = "x" })
        #expect(flown.fired("travel.improbable"))
        #expect(!flown.fired("travel.impossible"))
        let train = lived()
        train.login(after: 0)
        #expect(!train.login(after: 9 * 3600, in: with(.hotel) { $0.session = "x" }).fired("travel.improbable"))
    }

    @Test func timeDormant() {
        let awake = lived()
        let later = awake.login(after: 90 * 86_400, in: with(.home) { $0.session = "x" })
        #expect(later.fired("time.dormant"))
        #expect(later.reason("time.dormant")?["observed"] as? String == "91 d")
        #expect(!lived().login(after: 21 * 86_400, in: with(.home) { $0.session = "x" }).fired("time.dormant"), "three weeks of holiday")
    }
}
