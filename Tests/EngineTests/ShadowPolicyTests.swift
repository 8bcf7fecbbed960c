import Behavior
import Events
import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// Policies that are tried beside the one that decides.
@Suite struct ShadowPolicyTests {
    static func strict(_ name: String = "strict") -> ShadowPolicy {
        var large = Rule(name: "large", verdict: .stepUp)
        large.conditions.actions = ["transfer.*"]
        var hostile = Rule(name: "hostile", verdict: .deny)
        hostile.conditions.levels = [.medium, .high, .critical]
        return ShadowPolicy(name: name, rules: [hostile, large])
    }

    @Test func aDifferenceIsTold() {
        let story = Story { plan in
            (plan.shadows, plan.emit) = ([Self.strict(), ShadowPolicy(name: "closed", rules: [], fallback: .deny)], .interventions)
        }
        story.live(days: 20)
        story.login()
        let transfer = story.act("transfer.create", ["amount": 90, "currency": "EUR"])
        #expect(transfer.decision == "allow")
        let shadow = (transfer.json["shadow"] as? [[String: String]]) ?? []
        #expect(shadow == [
            ["policy": "strict", "rule": "large", "decision": "step_up"],
            ["policy": "closed", "rule": "otherwise", "decision": "deny"],
        ])
        let view = story.act("page.view")
        #expect((view.json["shadow"] as? [[String: String]])?.map { $0["policy"] } == ["closed"], "emitted for that alone")
        #expect(story.engine.counters.shadowDifferences[0] >= 20 && story.engine.counters.shadowDifferences[2] == 0)
    }

    @Test func agreementIsSilent() {
        let story = Story { plan in
            plan.emit = .interventions
            plan.shadows = [ShadowPolicy(name: "same", rules: plan.rules)]
        }
        story.live(days: 10)
        #expect(story.act("page.view").json.isEmpty)
        let asked = story.act("transfer.create", ["amount": 20_000])
        #expect(asked.decision == "step_up" && asked.json["shadow"] == nil)
        #expect(story.engine.counters.shadowDifferences == .zero)
    }

    /// What the person has proven counts for a shadow policy as it does for the policy that asked.
    @Test func aProofCounts() {
        let story = Story { plan in
            var same = plan.rules
            var fresh = Rule(name: "fresh", verdict: .stepUp)
            fresh.conditions.actions = ["transfer.*"]
            fresh.stepUp.methods = [.hardware_key]
            same.removeAll { $0.name == "large-transfer" }
            plan.shadows = [ShadowPolicy(name: "same", rules: plan.rules), ShadowPolicy(name: "other", rules: [fresh])]
        }
        story.live(days: 20)
        story.login()
        let asked = story.act("transfer.create", ["amount": 20_000])
        let question = asked.stepUp ?? [:]
        story.tell("challenge", [
            "challenge": ["decision": question["challenge"] ?? "", "method": "webauthn", "result": "passed", "nonce": question["nonce"] ?? ""]
        ])
        let done = story.act("transfer.create", ["amount": 20_000])
        #expect(done.decision == "allow")
        #expect((done.json["shadow"] as? [[String: String]])?.map { $0["policy"] } == ["other"], "another question was never answered")
    }

    /// Decisions, what is learned and what is kept are the same to the byte, whatever is tried beside.
    @Test(arguments: [31, 32, 33]) func nothingElseChanges(seed: UInt64) {
        let plain = PropertyTests.plan(seed)
        var tried = plain
        tried.shadows = [Self.strict(), ShadowPolicy(name: "closed", rules: plain.rules, fallback: .deny)]
        var counting = Rule(name: "counting", verdict: .deny)
        counting.conditions.counts = RecentCount.allCases.map { CountRange($0, Interval(atLeast: 2)) }
        tried.shadows.append(ShadowPolicy(name: "counting", rules: [counting]))
        let (engine, other) = (Engine(plan: plain), Engine(plan: tried))
        var stream = PropertyTests.Stream(seed: seed)
        var effects = Effects()
        var others = Effects()
        var differences = 0
        for place in 0..<900 {
            let line = stream.next()
            effects.removeAll()
            others.removeAll()
            PropertyTests.step(engine, line, at: place, into: &effects)
            PropertyTests.step(other, line, at: place, into: &others)
            #expect(effects.outputs.count == others.outputs.count, "seed \(seed), record \(place)")
            for (a, b) in zip(effects.outputs, others.outputs) {
                guard a.kind == .decision else { continue }
                let (first, second) = (effects.view(a.value ?? 0..<0).string, others.view(b.value ?? 0..<0).string)
                if let json = try? JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any] { stream.saw(json) }
                differences += first == second ? 0 : 1
                #expect(Self.withoutShadows(first) == Self.withoutShadows(second), "seed \(seed), record \(place)")
            }
        }
        #expect(differences > 100)
        #expect(Self.people(engine) == Self.people(other), "seed \(seed)")
    }

    private static func withoutShadows(_ text: String) -> String { text.replacing(/,"shadow":\[[^\]]*\]/, with: "") }

    private static func people(_ engine: Engine) -> [String: [UInt8]] {
        var people: [String: [UInt8]] = [:]
        engine.forEachUser { people[$0 + "/" + $1] = $2 }
        return people
    }
}
