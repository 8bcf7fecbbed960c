import Behavior
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// Attackers who have read the documentation: what they send to reassure, to confuse or to wear down gets them nothing.
@Suite struct InformedAttackTests {
    typealias Circumstances = Story.Circumstances

    static var device: [String: Any] { ["browser": "Firefox 128.0", "os": "Linux", "type": "desktop"] }
    /// What events of the victim carry beside the circumstances.
    static func habit(device id: String) -> [String: Any] {
        ["device": device.merging(["id": id]) { $1 }, "auth": ["acr": "aal2", "amr": ["pwd", "otp"]], "rtt_ms": 40]
    }

    /// Forty mornings of the victim. The rules are the example's: a stolen session ends, high is asked, sensitive actions
    /// are already at medium.
    static func lived(_ change: (inout EnginePlan) -> Void = { _ in }) -> Story {
        let story = Story { plan in
            var hijacked = Rule(name: "hijacked-session", verdict: .terminateSession)
            hijacked.conditions.levels = [.high, .critical]
            hijacked.conditions.allSignals = [SignalSet(.deviceChangedInSession), SignalSet(.networkChangedInSession)]
            var sensitive = Rule(name: "sensitive-action", verdict: .stepUp)
            sensitive.conditions.actions = ["transfer.create", "password.*"]
            sensitive.conditions.levels = [.medium]
            plan.rules += [hijacked, sensitive]
            change(&plan)
        }
        let start = story.now
        for day in 0..<40 {
            story.now = start + Int64(day) * 86_400_000
            let place = with(Circumstances.home) { $0.session = "day-\(day)" }
            story.login(after: Double(day % 3) * 600, in: place, habit(device: "laptop"))
            for action in ["page.view", "account.read", "message.read", "transfer.create"] {
                let amount: [String: Any] = action == "transfer.create" ? ["amount": 100 + day % 5] : [:]
                story.act(action, after: 20, in: place, habit(device: "laptop").merging(amount) { $1 })
            }
        }
        story.now = start + 40 * 86_400_000
        return story
    }

    /// The story so far in another engine, to go on differently.
    static func copy(_ story: Story, _ change: (inout EnginePlan) -> Void = { _ in }) throws -> Story {
        let other = Story { plan in
            plan.rules = story.engine.plan.rules
            change(&plan)
        }
        try story.copyState(to: other.engine)
        (other.now, other.offset) = (story.now, story.offset)
        return other
    }

    // MARK: - Mimicry

    /// Every choice of what to imitate: place, browser, hour, factors, round trip. The device and the network are his own.
    @Test func noChoiceOfReassuringFieldsGetsAPasswordThiefThrough() throws {
        let story = Self.lived()
        for choice in 0..<32 {
            let attack = try Self.copy(story)
            func imitates(_ bit: Int) -> Bool { choice & 1 << bit != 0 }
            var place = Circumstances.attacker
            place.session = "thief"
            if imitates(0) {
                let home = Circumstances.home
                (place.country, place.city, place.lat, place.lon) = (home.country, home.city, home.lat, home.lon)
            }
            var fields = Self.habit(device: "bot-1")
            if !imitates(1) { fields["device"] = ["id": "bot-1", "browser": "curl 8.1", "os": "FreeBSD", "type": "bot"] }
            if !imitates(2) { attack.now += 17 * 3_600_000 }
            if !imitates(3) { fields["auth"] = nil }
            if !imitates(4) { fields["rtt_ms"] = 900 }
            let login = attack.login(after: 600, in: place, fields)
            let transfer = attack.act("transfer.create", in: place, fields.merging(["amount": 100]) { $1 })
            #expect(login.fired("device.new") || login.fired("device.family"), "choice \(choice)")
            #expect(login.decision != "allow" || transfer.decision != "allow", "choice \(choice): \(transfer.score) \(transfer.reasons)")
        }
    }

    enum Evidence: CaseIterable { case hijack, bothHands, replay, denial, attackedNetwork }

    /// Where there is evidence of theft or attack, nothing that looks like the user takes a point away from it.
    @Test(arguments: Evidence.allCases) func reassuranceOutweighsNoTheft(evidence: Evidence) {
        let story = Self.lived()
        let home = with(Circumstances.home) { ($0.session, $0.token) = ("s", "t") }
        let own = Self.habit(device: "laptop")
        // The victim's country, city, browser, hour, factors and everything else but the network.
        let elsewhere = with(home) { ($0.ip, $0.asn) = ("192.0.2.66", 64500) }
        story.login(in: home, own)
        let outcome: Story.Outcome
        switch evidence {
        case .hijack:
            story.act("page.view", in: home, own)
            outcome = story.act("page.view", after: 60, in: elsewhere, Self.habit(device: "bot-1"))
            #expect(outcome.fired("device.changed_in_session"))
            #expect(outcome.decision == "terminate_session")
        case .bothHands:
            // Even the name of the device is the victim's.
            var last = story.act("page.view", in: home, own)
            for turn in 0..<8 where last.decision != "terminate_session" {
                last = story.act("page.view", after: 5, in: turn % 2 == 0 ? elsewhere : home, own)
            }
            outcome = last
            #expect(outcome.fired("session.two_places"))
            #expect(outcome.decision != "allow", "\(outcome.score) \(outcome.reasons)")
        case .replay:
            outcome = story.act("page.view", after: 60, in: with(elsewhere) { $0.session = "s-2" }, Self.habit(device: "bot-1"))
            #expect(outcome.fired("session.token_replayed"))
            #expect(outcome.decision == "terminate_session")
        case .denial:
            let thief = with(Circumstances.attacker) { $0.session = "thief" }
            let asked = story.login(after: 600, in: thief, Self.habit(device: "bot-1"))
            #expect(asked.decision == "step_up")
            story.tell("challenge", in: thief, ["challenge": [
                "decision": asked.stepUp?["challenge"] as? String ?? "", "method": "webauthn", "result": "denied",
                "nonce": asked.stepUp?["nonce"] as? String ?? "",
            ]])
            #expect(story.act("page.view", in: thief, Self.habit(device: "bot-1")).decision == "terminate_session")
            // He comes again, as the victim in everything but the device and the network.
            outcome = story.login(in: with(elsewhere) { ($0.session, $0.token) = ("again", nil) }, Self.habit(device: "bot-1"))
            #expect(outcome.fired("challenge.denied"))
            #expect(outcome.decision == "step_up", "\(outcome.score) \(outcome.reasons)")
        case .attackedNetwork:
            for name in 0..<60 {
                story.user = "name-\(name)"
                story.login(after: 1, in: with(.home) { ($0.device, $0.session) = ("bot-1", nil) }, outcome: "failure")
            }
            story.user = "alice"
            outcome = story.login(after: 30, in: with(home) { ($0.session, $0.token) = ("other", nil) }, own)
            #expect(outcome.fired("network.spray"))
        }
        #expect(outcome.reasons.values.allSatisfy { $0 > 0 }, "\(outcome.reasons)")
        let base = (outcome.json["base"] as? NSNumber)?.doubleValue ?? 0
        let logit = (outcome.json["logit"] as? NSNumber)?.doubleValue ?? 0
        #expect(logit * 10 > base + outcome.reasons.values.max()! - 0.1)
    }

    // MARK: - What can't be read

    /// What an event of the thief in a stolen session is made of, spoilt in one way each, and left out.
    static var spoilt: [(name: String, fields: [String: Any])] { [
        ("device a text", ["device": "laptop"]), ("device empty", ["device": [:] as [String: Any]]),
        ("device id empty", ["device": ["id": ""]]), ("device id a number", ["device": ["id": 5]]),
        ("device id long", ["device": ["id": String(repeating: "d", count: 5_000)]]),
        ("device id with a control character", ["device": ["id": "laptop\u{1}"]]),
        ("agent long", ["device": ["id": "bot-1", "user_agent": String(repeating: "Mozilla ", count: 2_000)]]),
        ("agent alone, long", ["device": ["user_agent": String(repeating: "Mozilla ", count: 2_000)]]),
        ("no device", ["device": NSNull()]), ("no address", ["ip": NSNull()]), ("no provider", ["asn": NSNull()]),
        ("no place", ["geo": NSNull()]), ("no session", ["session": NSNull()]),
        ("address impossible", ["ip": "999.0.0.1"]), ("address empty", ["ip": ""]), ("address a number", ["ip": 7]),
        ("provider negative", ["asn": -1]), ("provider a text", ["asn": "AS29695"]), ("provider large", ["asn": 1e300]),
        ("place a list", ["geo": [1, 2]]), ("country long", ["geo": ["country": "Norway"]]),
        ("latitude large", ["geo": ["country": "NO", "lat": 900, "lon": 10]]),
        ("session a number", ["session": 1]), ("session empty", ["session": ""]),
        ("session long", ["session": String(repeating: "s", count: 5_000)]),
        ("token long", ["token": String(repeating: "t", count: 5_000)]), ("token a list", ["token": ["t"]]),
        ("amount negative", ["amount": -5]), ("amount a text", ["amount": "lots"]),
        ("resource long", ["resource": String(repeating: "r", count: 9_000)]),
        ("round trip negative", ["rtt_ms": -1]), ("factors a text", ["auth": ["amr": "hwk"]]),
        ("authentication yesterday", ["auth": ["time": "yesterday"]]), ("time a word", ["time": "now"]),
        ("action a number", ["action": 4]), ("tenant empty", ["tenant": ""]),
    ] }

    @Test func nothingUnreadableGetsWhatAReadableRecordWouldNot() throws {
        let story = Self.lived()
        let home = with(Circumstances.home) { $0.session = "s" }
        story.login(in: home, Self.habit(device: "laptop"))
        story.act("page.view", in: home, Self.habit(device: "laptop"))
        let thief = with(Circumstances.attacker) { $0.session = "s" }
        let fields = Self.habit(device: "bot-1")
        #expect(try Self.copy(story).act("page.view", in: thief, fields).decision == "terminate_session")
        var deadLetters = 0
        for (name, change) in Self.spoilt {
            let attack = try Self.copy(story)
            let outcome = attack.act("page.view", in: thief, fields.merging(change) { $1 })
            if outcome.headers["vigil-reason"] != nil {
                deadLetters += 1
                // Held against the session it tried to hide, and any other of the user.
                let next = attack.act("page.view", in: home, Self.habit(device: "laptop"))
                #expect(next.fired("input.malformed"), "\(name)")
                #expect(attack.login(in: with(home) { $0.session = "s-2" }).fired("input.malformed"), "\(name)")
            } else {
                #expect(["step_up", "deny", "terminate_session"].contains(outcome.decision), "\(name): \(outcome.score) \(outcome.reasons)")
            }
        }
        #expect(deadLetters > 15)
    }

    /// Without session and device an event is nobody's session; from a place that isn't the user's it can do nothing sensitive.
    @Test func leavingOutSessionAndDeviceFreesNothingSensitive() {
        let story = Self.lived()
        story.login(in: .home, Self.habit(device: "laptop"))
        let nobody = with(Circumstances.attacker) { ($0.session, $0.device) = (nil, nil) }
        for action in ["transfer.create", "password.change"] {
            let outcome = story.act(action, in: nobody)
            #expect(outcome.decision == "step_up", "\(action): \(outcome.score) \(outcome.reasons)")
        }
    }

    @Test func oversizedTextsAreCutAndSaidSo() {
        let story = Self.lived()
        let agent = String(repeating: "Mozilla ", count: 2_000)
        let fields = Self.habit(device: "laptop").merging(["resource": agent]) { $1 }
        story.login(in: .home, Self.habit(device: "laptop"))
        let outcome = story.act("page.view", in: .home, fields)
        #expect(outcome.fired("input.malformed"))
        #expect(!story.act("page.view", in: .home, Self.habit(device: "laptop")).fired("input.malformed"))
    }

    // MARK: - Patience where nothing is enforced

    /// Three weeks of an intruder under rules that only report, seen by nobody; then they are enforced.
    @Test func objectionsOfAReportOnlyPipelineStayNews() throws {
        let story = Self.lived { plan in for index in plan.rules.indices { plan.rules[index].mode = .report } }
        let start = story.now
        var first: Story.Outcome?
        var last: Story.Outcome?
        for day in 0..<21 {
            story.now = start + Int64(day) * 86_400_000
            let own = with(Circumstances.home) { $0.session = "own-\(day)" }
            story.login(after: 0, in: own, Self.habit(device: "laptop"))
            for action in ["page.view", "account.read"] { story.act(action, after: 20, in: own, Self.habit(device: "laptop")) }
            let thief = with(Circumstances.attacker) { $0.session = "thief-\(day)" }
            last = story.login(after: 6 * 3_600, in: thief, Self.habit(device: "bot-1"))
            if first == nil { first = last }
            story.act("page.view", after: 20, in: thief, Self.habit(device: "bot-1"))
        }
        #expect(first?.decision == "allow" && last?.decision == "allow")
        #expect((first?.json["shadow"] as? [Any])?.isEmpty == false)
        #expect((last?.json["shadow"] as? [Any])?.isEmpty == false, "\(last?.score ?? 0) \(last?.reasons ?? [:])")
        let enforced = try Self.copy(story) { plan in for index in plan.rules.indices { plan.rules[index].mode = .enforce } }
        enforced.now += 86_400_000
        let thief = with(Circumstances.attacker) { $0.session = "thief" }
        #expect(enforced.login(in: thief, Self.habit(device: "bot-1")).decision == "step_up")
        #expect(enforced.login(after: 60, in: with(.home) { $0.session = "own" }, Self.habit(device: "laptop")).decision == "allow")
    }
}
