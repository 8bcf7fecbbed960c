import Foundation
import Policy
import Risk
import Testing

@testable import Engine

/// How often a person is asked, and by what.
@Suite struct BudgetTests {
    typealias Circumstances = Story.Circumstances

    func lived(_ change: (inout EnginePlan) -> Void = { _ in }) -> Story {
        let story = Story { plan in
            plan.challenges.perHour = 6
            change(&plan)
        }
        story.live(days: 40)
        return story
    }

    func session(_ name: String, _ place: Circumstances = .home) -> Circumstances { with(place) { $0.session = name } }

    func transfer(_ story: Story, after seconds: Double = 20, in place: Circumstances) -> Story.Outcome {
        story.act("transfer.create", after: seconds, in: place, ["amount": 20_000, "currency": "EUR"])
    }

    func answer(_ story: Story, _ asked: Story.Outcome, _ result: String, by method: String = "webauthn", in place: Circumstances) {
        story.tell("challenge", after: 1, in: place, ["challenge": [
            "decision": asked.stepUp?["challenge"] as? String ?? "", "method": method, "result": result,
            "nonce": asked.stepUp?["nonce"] as? String ?? "",
        ]])
    }

    func methods(_ outcome: Story.Outcome) -> [String] { outcome.stepUp?["methods"] as? [String] ?? [] }

    //  questions   ?  ?  ?  ?  ?  ?  ×  ×        ?
    //  sessions    a  a  b  b  c  c  d  a   1 h  d
    @Test func theSeventhQuestionOfAnHourIsADenial() {
        let story = lived()
        for name in ["a", "a", "b", "b", "c", "c"] {
            let place = session(name)
            let asked = transfer(story, in: place)
            #expect(asked.decision == "step_up", "\(name)")
            answer(story, asked, "abandoned", in: place)
        }
        for name in ["d", "a"] {
            let refused = transfer(story, in: session(name))
            #expect(refused.decision == "deny" && refused.rule == "challenge-budget" && refused.stepUp == nil)
        }
        #expect(story.engine.counters.challengesRefused == 2)
        #expect(story.act(in: session("d")).decision == "allow", "only what needs an answer is refused")
        let later = transfer(story, after: 3600, in: session("d"))
        #expect(later.decision == "step_up")
        answer(story, later, "passed", in: session("d"))
        #expect(transfer(story, in: session("d")).decision == "allow", "a refusal is no verdict on the person")
    }

    @Test func repeatingAQuestionCostsNothing() {
        let story = lived()
        let first = transfer(story, in: session("a"))
        for _ in 0..<20 {
            let again = transfer(story, after: 5, in: session("a"))
            #expect(again.stepUp?["challenge"] as? String == first.stepUp?["challenge"] as? String)
        }
        for name in ["b", "c", "d", "e", "f"] { #expect(transfer(story, in: session(name)).decision == "step_up") }
        #expect(transfer(story, in: session("g")).decision == "deny")
    }

    @Test func anIntruderDoesNotUseUpTheOwnersBudget() {
        // With a stolen cookie: half at most.
        let story = lived()
        for round in 0..<5 {
            let asked = transfer(story, in: session("stolen"))
            #expect(asked.decision == (round < 3 ? "step_up" : "deny"), "\(round)")
            if round < 3 { answer(story, asked, "failed", in: session("stolen")); answer(story, asked, "abandoned", in: session("stolen")) }
        }
        #expect(transfer(story, in: session("own")).decision == "step_up")
        // With a password, in as many sessions and on as many devices as he likes: half as well.
        let phished = lived()
        let decisions = (0..<9).map { round in
            phished.login(in: with(Circumstances.attacker) { ($0.session, $0.device) = ("t-\(round)", "bot-\(round)") }).rule
        }
        #expect(decisions.filter { $0 == "challenge-budget" }.count == 6, "\(decisions)")
        #expect(transfer(phished, in: session("own")).decision == "step_up")
    }

    /// Whatever happens, in no hour are there more new questions than the budget has, and none beyond it is an allow.
    @Test(arguments: [51, 52, 53] as [UInt64]) func noHourHasMore(seed: UInt64) {
        var random = SplitMix(seed)
        let most = Int(random.next() % 8) + 1
        let story = lived { $0.challenges.perHour = most }
        var asked: [(time: Int64, session: String)] = []
        var refused = 0
        for _ in 0..<900 {
            let number = random.next() % 5
            let place = with(Circumstances.home) { ($0.session, $0.device) = ("s\(number)", number == 4 ? "phone" : "laptop") }
            let outcome = transfer(story, after: Double(random.next() % 400), in: place)
            if outcome.stepUp?["prompt"] != nil { asked.append((story.now, place.session!)) }
            if outcome.rule == "challenge-budget" { refused += 1 }
            #expect(outcome.decision == "step_up" || outcome.decision == "deny", "seed \(seed)")
            if random.next() % 2 == 0, outcome.decision == "step_up" { answer(story, outcome, "timed_out", in: place) }
        }
        for (index, last) in asked.enumerated() {
            let hour = asked[...index].filter { last.time - $0.time < 3_599_000 }
            #expect(hour.count <= most, "seed \(seed)")
            #expect(hour.filter { $0.session == last.session }.count <= max(most / 2, 1), "seed \(seed)")
        }
        #expect(refused > 10 && asked.count > 30, "seed \(seed): \(refused), \(asked.count)")
    }

    // MARK: - What is offered

    func offering(_ methods: [ChallengeMethod], _ noMethod: NoMethod = .ask) -> Story {
        let story = Story { plan in
            plan.challenges.noMethod = noMethod
            for index in plan.rules.indices { plan.rules[index].stepUp.methods = methods }
        }
        story.live(days: 40)
        return story
    }

    @Test func onlyWhatIsEnrolledIsOffered() {
        let story = offering([.webauthn, .push, .totp])
        #expect(methods(transfer(story, in: session("a"))) == ["webauthn", "push", "totp"], "not known: everything")
        story.login(in: session("b"), ["auth": ["enrolments": ["totp", "push", "carrier pigeon"]]])
        #expect(methods(transfer(story, in: session("b"))) == ["push", "totp"])
        story.login(in: session("c"), ["auth": ["enrolments": ["totp"]]])
        #expect(methods(transfer(story, in: session("c"))) == ["totp"])
        #expect(methods(transfer(story, in: session("d"))) == ["totp"], "events that don't say change nothing")
    }

    @Test func nobodyEnrolsAnythingWhereHeIsNotTrusted() {
        let story = offering([.webauthn, .totp])
        story.login(in: session("a"), ["auth": ["enrolments": ["totp"]]])
        let thief = session("t", .attacker)
        let asked = story.login(in: thief, ["auth": ["enrolments": ["totp", "webauthn"]]])
        #expect(asked.decision == "step_up" && methods(asked) == ["totp"])
        story.act("factor.add", in: thief, ["auth": ["enrolments": ["webauthn"]]])
        #expect(methods(transfer(story, in: session("b"))) == ["totp"])
    }

    @Test func withNothingThatSufficesOneIsAskedOrDenied() {
        let asks = offering([.webauthn])
        asks.login(in: session("a"), ["auth": ["enrolments": ["totp"]]])
        let asked = transfer(asks, in: session("a"))
        #expect(asked.decision == "step_up" && methods(asked) == ["webauthn"])
        let denies = offering([.webauthn], .deny)
        #expect(transfer(denies, in: session("b")).decision == "step_up", "not known is not nothing")
        denies.login(in: session("a"), ["auth": ["enrolments": []]])
        let denied = transfer(denies, in: session("a"))
        #expect(denied.decision == "deny" && denied.rule == "no-method")
        denies.login(in: session("c"), ["auth": ["enrolments": ["webauthn"]]])
        #expect(transfer(denies, in: session("c")).decision == "step_up")
    }

    @Test func whatWasIgnoredComesLastUntilSomethingIsPassed() {
        let story = offering([.webauthn, .totp])
        let first = transfer(story, in: session("a"))
        #expect(methods(first) == ["webauthn", "totp"])
        answer(story, first, "abandoned", in: session("a"))
        let second = transfer(story, in: session("a"))
        #expect(methods(second) == ["totp", "webauthn"])
        answer(story, second, "passed", by: "totp", in: session("a"))
        #expect(methods(transfer(story, in: session("b"))) == ["webauthn", "totp"])
        // What runs out is ignored too.
        #expect(methods(transfer(story, after: 700, in: session("b"))) == ["totp", "webauthn"])
    }
}
