import Behavior
import Events
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// What somebody tries who knows how the engine works.
@Suite struct HostileTests {
    typealias Circumstances = Story.Circumstances
    let transfer: [String: Any] = ["amount": 20_000, "currency": "EUR"]

    func answer(_ asked: Story.Outcome, _ result: String, newSession: String? = nil) -> [String: Any] {
        var challenge: [String: Any] = [
            "decision": asked.stepUp?["challenge"] as? String ?? "", "method": "webauthn", "result": result,
            "nonce": asked.stepUp?["nonce"] as? String ?? "",
        ]
        challenge["new_session"] = newSession
        return ["challenge": challenge]
    }

    func lived(_ change: (inout EnginePlan) -> Void = { _ in }) -> Story {
        let story = Story(change)
        story.live(days: 40)
        return story
    }

    // MARK: - Times and offsets

    @Test(arguments: [Int64.min, -1, -86_400_000_000, 0, 1, .max]) func aRecordsTimestampCanBeAnything(broker: Int64) {
        let story = Story()
        for time in [946_684_800_000, 1_772_442_000_000, 4_102_444_799_999] as [Int64] {
            for type in [#""login","outcome":"success""#, #""login","outcome":"failure""#, #""action","action":"a","amount":1"#] {
                let event = #"{"id":"e\#(story.offset)","type":\#(type),"time":\#(time),"user":"alice","session":"s"}"#
                let told = story.tell(raw: event, brokerTime: broker)
                #expect(["allow", "step_up"].contains(told.decision))
                #expect((told.json["time"] as? String ?? "") >= "2000")
            }
            story.tell(raw: #"{"id":"x","type":"action","time":"?","user":"alice"}"#, brokerTime: broker)
            story.tell(raw: #"{"id":"x","type":"action","time":\#(time),"user":"bob","amount":-1}"#, brokerTime: broker)
        }
    }

    @Test func theLastOffsetIsAnOffset() {
        let story = Story()
        let value = Array(#"{"id":"e","type":"action","action":"a","time":\#(story.now),"user":"alice"}"#.utf8)
        value.withUnsafeBufferPointer { bytes in
            let record = Record(
                input: 0, partition: .max, offset: .max, timestamp: nil, key: .absent,
                value: ByteView(base: bytes.baseAddress, count: bytes.count))
            story.engine.step(record, into: &story.effects)
        }
        #expect(story.effects.outputs.count == 1)
        #expect(story.engine.absorbed(tenant: "", user: "alice", input: 0) == .max)
    }

    @Test func aMalformedRecordFromTheFutureIsForgottenInTime() {
        let story = lived()
        let future = #"{"id":"x","type":"action","action":"a","time":4102444799999,"user":"alice","amount":-5}"#
        story.tell(raw: future, brokerTime: story.now)
        #expect(story.act().fired("input.malformed"))
        #expect(!story.act(after: 7200).fired("input.malformed"))
    }

    // MARK: - Sessions

    @Test func leavingOutTheContextDoesNotUnbindASession() {
        // The signals that would object are off, so that every event is trusted.
        let story = lived { plan in
            for signal in [Signal.deviceChangedInSession, .networkChangedInSession] {
                plan.model.signals[Int(signal.rawValue)].enabled = false
            }
        }
        story.login()
        story.act()
        let bare = #"{"id":"bare","type":"action","action":"page.view","time":\#(story.now),"user":"alice","session":"s-1"}"#
        #expect(story.tell(raw: bare).level == "low")
        #expect(story.act(after: 30, in: .attacker).fired("session.two_places"))
    }

    @Test func aTerminatedSessionIsNotRevivedByADuplicateId() {
        let story = lived()
        story.login()
        let id = "same"
        story.tell("action", id: id, ["action": "page.view"])
        let stolen = story.tell("action", in: .attacker, id: id, ["action": "page.view"])
        #expect(stolen.decision == "terminate_session")
        #expect(story.act().decision == "terminate_session")
    }

    @Test func aTerminatedSessionOutlivesThoseThatCrowdIt() {
        let story = lived()
        story.login()
        #expect(story.act(in: .attacker).decision == "terminate_session")
        for index in 0..<40 { story.login(in: with(.home) { $0.session = "crowd-\(index)" }) }
        #expect(story.act().decision == "terminate_session")
    }

    @Test func sessionsThatNobodyTrustsDoNotPushOutOneThatIs() {
        let story = lived()
        story.login()
        story.act()
        for index in 0..<20 { story.login(in: with(.attacker) { $0.session = "crowd-\(index)" }) }
        #expect(story.act(in: with(.home) { $0.device = "bot-1" }).fired("device.changed_in_session"))
    }

    @Test func notMeSticksToASessionThatWasForgotten() {
        let story = lived { $0.bounds.sessions = 1 }
        let place = with(Circumstances.home) { $0.session = "asked" }
        let asked = story.act("transfer.create", in: place, transfer)
        story.login(in: with(.home) { $0.session = "other" })
        #expect(story.tell("challenge", in: place, answer(asked, "denied")).decision == "terminate_session")
        #expect(story.act(in: place).decision == "terminate_session")
    }

    // MARK: - Challenges

    @Test func anAnswerFreesTheDeviceThatWasAskedAndNoOtherOfTheSession() {
        // Nothing terminates the session before it is answered.
        let story = lived { $0.rules.removeFirst() }
        story.login()
        let asked = story.act("transfer.create", transfer)
        let thief = with(Circumstances.home) { $0.device = "thief" }
        #expect(story.act("transfer.create", in: thief, transfer).decision != "allow")
        // The answer comes from a place that knows the session and no device.
        let passed = story.tell("challenge", in: with(.home) { $0.device = nil }, answer(asked, "passed"))
        #expect(passed.rule == "challenge-passed")
        #expect(story.act("transfer.create", in: thief, transfer).decision != "allow")
        #expect(story.act("transfer.create", transfer).decision == "allow")
    }

    @Test func withoutAProviderTheNetworkMustBeTheSame() {
        let story = lived()
        let home = with(Circumstances.home) { $0.asn = 0 }
        story.login(in: home)
        let asked = story.act("transfer.create", in: home, transfer)
        story.tell("challenge", in: home, answer(asked, "passed"))
        #expect(story.act("transfer.create", in: home, transfer).decision == "allow")
        #expect(story.act("transfer.create", in: with(home) { $0.ip = "192.0.2.66" }, transfer).decision == "step_up")
    }

    @Test func anAnswerCountsForARuleNoLongerThanThatRuleSays() {
        let story = lived { plan in
            var payout = Rule(name: "payout", verdict: .stepUp)
            payout.conditions.actions = ["payout"]
            payout.stepUp.validFor = 60_000
            var view = Rule(name: "view", verdict: .stepUp)
            view.conditions.actions = ["secret.view"]
            view.stepUp.validFor = 86_400_000
            var fresh = Rule(name: "fresh", verdict: .stepUp)
            fresh.conditions.actions = ["close"]
            fresh.stepUp.maxAge = 0
            plan.rules += [payout, view, fresh]
        }
        story.login()
        let asked = story.act("secret.view")
        story.tell("challenge", answer(asked, "passed"))
        #expect(story.act("payout").decision == "allow", "asked for the same a moment ago")
        #expect(story.act("close").decision == "allow", "an answer to a question is a fresh authentication")
        #expect(story.act("payout", after: 120).decision == "step_up", "this rule's answer has aged")
        #expect(story.act("secret.view").decision == "allow")
    }

    @Test func aPassedChallengeEndsTheDistrustOfADeniedSession() {
        let story = lived { plan in
            var block = Rule(name: "block", verdict: .deny)
            block.conditions.actions = ["forbidden"]
            plan.rules.insert(block, at: 0)
        }
        story.login()
        story.act("forbidden")
        let before = story.engine.withRow(tenant: "", user: "alice") { $0.header.pointee.actionTotal }!
        story.act()
        #expect(story.engine.withRow(tenant: "", user: "alice") { $0.header.pointee.actionTotal } == before, "denied once: nothing is learned")
        let asked = story.act("transfer.create", transfer)
        story.tell("challenge", answer(asked, "passed"))
        story.act()
        #expect(story.engine.withRow(tenant: "", user: "alice") { $0.header.pointee.actionTotal }! > before)
    }

    @Test func anAnswerGivenTooLateDoesNotReviveATerminatedSession() {
        let story = lived()
        story.login()
        let asked = story.act("transfer.create", transfer)
        #expect(story.act(in: .attacker).decision == "terminate_session")
        #expect(story.tell("challenge", answer(asked, "passed", newSession: "s-2")).rule != "challenge-passed")
        #expect(story.act().decision == "terminate_session")
        #expect(story.act("transfer.create", in: with(.home) { $0.session = "s-2" }, transfer).decision == "step_up")
    }

    @Test func aTerminatedNameCannotBeTakenByRotation() {
        let story = lived()
        story.login()
        #expect(story.act(in: .attacker).decision == "terminate_session")
        let other = with(Circumstances.home) { $0.session = "s-2" }
        story.login(in: other)
        let asked = story.act("transfer.create", in: other, transfer)
        #expect(story.tell("challenge", in: other, answer(asked, "passed", newSession: "s-1")).rule == "challenge-passed")
        #expect(story.act().decision == "terminate_session")
    }

    @Test func rotationOntoALivingNameIsRefused() {
        let story = lived { $0.bounds.sessions = 16 }
        story.login()
        let other = with(Circumstances.home) { $0.session = "s-2" }
        story.login(in: other)
        let asked = story.act("transfer.create", in: other, transfer)
        story.tell("challenge", in: other, answer(asked, "passed", newSession: "s-1"))
        #expect(story.act("transfer.create", transfer).decision == "step_up", "somebody may have planted it")
        #expect(story.act("transfer.create", in: other, transfer).decision == "allow", "the answer counts where it was given")
    }

    @Test func aNameSeenJustBeforeItWasGivenIsTheSessionsOwn() {
        let story = lived { $0.bounds.sessions = 16 }
        story.login()
        let asked = story.act("transfer.create", transfer)
        let renamed = with(Circumstances.home) { $0.session = "s-2" }
        story.act(in: renamed)
        let count = story.engine.profile(tenant: "", user: "alice")!.sessions
        story.tell("challenge", answer(asked, "passed", newSession: "s-2"))
        #expect(story.engine.profile(tenant: "", user: "alice")!.sessions == count - 1)
        #expect(story.act("transfer.create", in: renamed, transfer).decision == "allow")
        #expect(story.act(after: 60).rule == "session-rotated")
    }

    @Test func aReplayedAnswerCountsOnce() {
        let story = lived()
        story.login()
        let asked = story.act("transfer.create", transfer)
        #expect(story.tell("challenge", answer(asked, "passed")).rule == "challenge-passed")
        #expect(story.act("transfer.create", after: 700, transfer).decision == "step_up")
        #expect(story.tell("challenge", answer(asked, "passed")).rule != "challenge-passed")
        #expect(story.act("transfer.create", transfer).decision == "step_up")
    }

    // MARK: - Emission

    @Test func anInterventionIsToldWhateverIsEmitted() {
        for emit in Emission.allCases {
            let story = lived { $0.emit = emit }
            story.login()
            for _ in 0..<3 { #expect(story.act("transfer.create", transfer).decision == "step_up", "\(emit)") }
            #expect(story.act("transfer.create", in: with(.home) { $0.session = "s-2" }, transfer).decision == "step_up")
        }
    }

    // MARK: - Bounds

    @Test(arguments: [512, 1024, 4096, 65_535, 1 << 20]) func extremeBoundsBound(bytes: Int) {
        var random = SplitMix(UInt64(bytes))
        for (devices, few) in [(255, 1), (1000, 255), (1, 64), (0, 0)] {
            let story = Story { plan in
                plan.bounds.bytesPerUser = bytes
                (plan.bounds.devices, plan.bounds.networks, plan.bounds.places) = (devices, devices, devices)
                (plan.bounds.actions, plan.bounds.sessions, plan.bounds.challenges) = (devices + 1, few, few)
            }
            for index in 0..<700 {
                let place = with(Circumstances.home) {
                    ($0.device, $0.ip, $0.asn) = ("d\(index)", "10.\(index % 200).\(random.next() % 250).1", index)
                    ($0.city, $0.session) = ("c\(index)", "s\(random.next() % 400)")
                }
                story.act("a\(index)", after: 4000, in: place, ["amount": index % 3 == 0 ? 20_000 : 1])
                if index % 7 == 0 { story.login(after: 1, in: place, outcome: "failure") }
                if index % 5 == 0 { story.act("transfer.create", in: place, transfer) }
            }
            let most = max(bytes, UserTable.smallestRow(inputs: 1, identityBytes: 5))
            #expect(story.engine.profile(tenant: "", user: "alice")!.stateBytes <= min(most, 65_472))
        }
    }

    @Test func aCrowdedRowStillAsksAndCounts() {
        let smallest = UserTable.smallestRow(inputs: 1, identityBytes: 5)
        let story = Story { $0.bounds.bytesPerUser = smallest + 256 }
        for index in 0..<60 {
            let place = with(Circumstances.home) { ($0.device, $0.ip, $0.session) = ("d\(index)", "10.\(index).0.1", "s\(index)") }
            story.login(after: 4000, in: place)
            story.act("a\(index)", in: place)
        }
        let asked = story.act("transfer.create", transfer)
        #expect(asked.decision == "step_up")
        #expect(story.tell("challenge", answer(asked, "passed")).rule == "challenge-passed")
        #expect(story.act("transfer.create", transfer).decision == "allow")
        var last: Story.Outcome?
        for _ in 0..<6 { last = story.login(after: 1, outcome: "failure") }
        #expect(last?.fired("login.failures") == true)
    }

    @Test func theLongestNamesFit() {
        let id = String(repeating: "ü", count: 128)
        let story = Story()
        story.user = id
        for _ in 0..<30 {
            let told = story.tell("action", in: with(.home) { ($0.session, $0.token) = (id, id) }, ["action": "a", "tenant": id])
            #expect(told.decision == "allow")
        }
        #expect(story.engine.profile(tenant: id, user: id)?.stateBytes ?? 0 <= 4096)
    }

    // MARK: - State

    @Test func windowsCutUpOtherwiseDoNotHaunt() throws {
        let story = lived { ($0.windows.rate, $0.windows.rateHop) = (10_000, 1000) }
        story.login()
        let changed = Story { ($0.windows.rate, $0.windows.rateHop) = (60_000, 5000) }
        try story.copyState(to: changed.engine)
        (changed.now, changed.offset) = (story.now, story.offset)
        for _ in 0..<100 { #expect(!changed.act(after: 20).fired("action.rate")) }
    }

    @Test func impossibleSharedStateIsRefused() {
        let story = Story()
        for (watermark, greatest) in [(0, -5), (0, Int64.max), (Int64.max, 0), (0, .min + 1)] as [(Int64, Int64)] {
            let words: [Int64] = [1, 7, watermark, greatest]
            #expect(throws: StateError.self) { try words.withUnsafeBytes { try story.engine.restore(shared: $0) } }
        }
        story.login()
    }
}

extension Story {
    /// What a checkpoint and a restart do.
    func copyState(to other: Engine) throws {
        try engine.sharedImage().withUnsafeBytes { try other.restore(shared: $0) }
        try engine.forEachDirty { number, row in if let row { try other.restore(user: number, row: row) } }
    }
}
