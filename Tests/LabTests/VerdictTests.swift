import Engine
import Events
import Foundation
import Risk
import Testing

@testable import Lab

/// Labels that a history holds itself, and the calibration fitted to them.
@Suite struct VerdictTests {
    /// A file that goes with the value.
    private final class Lines {
        let path = NSTemporaryDirectory() + "/vigil-verdicts-\(UUID().uuidString).ndjson"
        init(_ lines: [String]) throws {
            try lines.map { $0 + "\n" }.joined().write(toFile: path, atomically: false, encoding: .utf8)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private static var plan: EnginePlan {
        var plan = EnginePlan()
        plan.secret = Array("a secret for tests".utf8)
        plan.inputs = [InputPlan(topic: "events")]
        plan.inputs[0].decode.requiresKey = false
        return plan
    }

    private static func id(_ number: Int) -> String { "018f0000-0000-8000-8000-" + String(format: "%012x", number) }

    /// A history day by day, one event of alice's each, and what was decided of it: event n has decision n.
    private struct History {
        var events: [String] = []
        var decisions: [String] = []

        mutating func add(_ fields: String, session: String = "s", rule: String = "default") {
            let number = events.count
            let time = 1_772_442_000_000 + number * 86_400_000
            events.append(
                #"{"id":"e\#(number)","time":\#(time),"user":"alice","session":"\#(session)",\#(fields)}"#)
            decisions.append(
                #"{"id":"\#(id(number))","event":"e\#(number)","user":"alice","session":"\#(session)","decision":"allow","policy":{"rule":"\#(rule)"}}"#)
        }

        mutating func act(session: String = "s") { add(#""type":"action","action":"a""#, session: session) }

        mutating func feedback(_ label: String, on number: Int, by: String, rule: String = "default") {
            add(#""type":"feedback","feedback":{"decision":"\#(id(number))","label":"\#(label)","by":"\#(by)"}"#, rule: rule)
        }

        mutating func answer(_ result: String, to number: Int, method: String, rule: String) {
            add(#""type":"challenge","challenge":{"decision":"\#(id(number))","method":"\#(method)","result":"\#(result)","nonce":"n"}"#, rule: rule)
        }

        /// What events became, in order; nil: no part of it.
        func labels(_ unjudged: RecordedVerdicts.Unjudged = .skip, window: Int64? = nil) throws -> (
            run: LabelledRun, kinds: [String: String], leftOut: RecordedVerdicts.LeftOut
        ) {
            let (history, decided) = (try Lines(events), try Lines(decisions))
            let verdicts = try RecordedVerdicts(
                history: history.path, decisions: decided.path, plan: plan, unjudged: unjudged, window: window)
            var kinds: [String: String] = [:]
            let run = try LabelledRun(judging: history.path, plan: plan, answers: false, recorded: verdicts) { _, kind, event, _ in
                kinds[event.id.string] = kind
            }
            return (run, kinds, verdicts.leftOut)
        }
    }

    @Test func verdictsBecomeLabelsOfWhatTheyAreAbout() throws {
        var history = History()
        for number in 0..<8 { history.act(session: "s\(number)") }
        history.feedback("compromised", on: 0, by: "analyst")
        history.feedback("legitimate", on: 1, by: "analyst")
        history.answer("passed", to: 2, method: "webauthn", rule: "challenge-passed")
        history.answer("passed", to: 3, method: "totp", rule: "challenge-passed")
        history.answer("denied", to: 4, method: "push", rule: "challenge-denied")
        history.answer("denied", to: 5, method: "push", rule: "challenge-forged")
        history.feedback("legitimate", on: 6, by: "user", rule: "feedback-unheeded")
        history.feedback("compromised", on: 7, by: "user", rule: "feedback-compromised")
        history.feedback("compromised", on: 400, by: "analyst")
        let found = try history.labels()
        #expect(found.kinds == [
            "e0": "compromised", "e1": "legitimate", "e2": "legitimate", "e4": "compromised", "e7": "compromised",
        ])
        #expect(found.leftOut.unheeded == 2 && found.leftOut.weakMethod == 1 && found.leftOut.unknown == 1)
        let counts = found.run.verdicts
        #expect(counts.analyst == VerdictCounts.Count(legitimate: 1, hostile: 1))
        #expect(counts.user == VerdictCounts.Count(legitimate: 0, hostile: 1))
        #expect(counts.challenge == VerdictCounts.Count(legitimate: 1, hostile: 1))
        #expect(counts.unjudged == 0 && counts.hostileShare == 0.6)
    }

    @Test func anAnalystOverrulesAUserAndAUserAChallenge() throws {
        var history = History()
        for _ in 0..<3 { history.act() }
        history.feedback("compromised", on: 0, by: "analyst")
        history.feedback("legitimate", on: 0, by: "user", rule: "feedback-legitimate")
        history.feedback("compromised", on: 1, by: "user", rule: "feedback-compromised")
        history.answer("passed", to: 1, method: "webauthn", rule: "challenge-passed")
        history.feedback("compromised", on: 2, by: "analyst")
        history.feedback("legitimate", on: 2, by: "analyst")
        #expect(try history.labels().kinds == ["e0": "compromised", "e1": "compromised", "e2": "legitimate"])
    }

    @Test func eventsWithoutAVerdictAreLeftOutOrLegitimate() throws {
        var history = History()
        history.act(session: "mine")
        history.act(session: "stolen")
        history.act(session: "stolen")
        history.feedback("compromised", on: 2, by: "analyst")
        #expect(try history.labels().kinds == ["e2": "compromised"])
        let found = try history.labels(.legitimate)
        #expect(found.kinds == ["e0": "legitimate", "e2": "compromised"], "what else was done in that session says nothing")
        #expect(found.run.verdicts.unjudged == 1)
        // The newest event is three days after the first.
        #expect(try history.labels(.legitimate, window: 2 * 86_400_000).kinds == ["e2": "compromised"])
        #expect(try history.labels(.legitimate, window: 3 * 86_400_000).kinds.count == 2)
    }

    @Test func aVerdictOnSomebodyElsesDecisionSaysNothing() throws {
        var history = History()
        history.act()
        history.feedback("compromised", on: 0, by: "analyst")
        history.events[1] = history.events[1].replacing("alice", with: "mallory")
        let found = try history.labels(.legitimate)
        #expect(found.kinds == ["e0": "legitimate"] && found.leftOut.unknown == 1)
    }

    @Test func structuredDecisionsAreReadAndOthersAreNone() throws {
        var history = History()
        history.act()
        history.feedback("compromised", on: 0, by: "analyst")
        history.decisions = history.decisions.map { #"{"specversion":"1.0","id":"x","data":\#($0)}"# }
        #expect(try history.labels().kinds == ["e0": "compromised"])
        history.decisions.append("{}")
        #expect(throws: LedgerFileError.self) { try history.labels() }
    }

    // MARK: - Calibration

    /// Scores that promise too much: the true log-odds are half of what stands beyond the base, which is −4.
    private static func overconfident(_ random: inout Random, count: Int) -> LabelledRun {
        var run = LabelledRun()
        run.kinds = ["legitimate", "compromised"]
        run.userNames = (0..<400).map { _ in random.next() }
        for number in 0..<count {
            let logit = -4 + 3 * random.normal()
            let isHostile = random.chance(1 / (1 + exp(-(-4 + 0.5 * (logit + 4)))))
            var event = JudgedEvent(
                id: UInt64(number), user: UInt32(number % 400), session: -1, kind: isHostile ? 1 : 0, twin: 0, occurrence: -1,
                scenario: -1, time: Timestamp(milliseconds: Int64(number)), logit: Float(logit), logins: 0, events: 0,
                verdict: .allow, level: .low, confidence: .learning, isLogin: false, isSuccess: false, repeatsQuestion: false)
            event.scenario = isHostile ? Int32(number) : -1
            run.events.append(event)
        }
        return run
    }

    @Test func aCalibrationIsFoundAndLessensTheError() throws {
        let seed = UInt64.random(in: 1...1_000_000)
        print("seed \(seed)")
        var random = Random(seed: seed)
        let run = Self.overconfident(&random, count: 60_000)
        let fit = try CalibrationFit(run, base: -40, keepsBase: false, heldOut: 0.25)
        #expect(abs(fit.slope - 0.5) < 0.08 && abs(fit.offset - -2) < 0.3, "seed \(seed): \(fit.slope), \(fit.offset)")
        #expect(fit.after.expectedError < fit.before.expectedError / 2, "seed \(seed): \(fit)")
        #expect(fit.after.logLoss < fit.before.logLoss, "seed \(seed)")
    }

    /// All that is hostile was judged and one in forty of what isn't: how many are hostile among them says nothing, how
    /// odds grow with the score still does.
    @Test func whoIsJudgedMovesTheBaseButNotTheSlope() throws {
        let seed = UInt64.random(in: 1...1_000_000)
        print("seed \(seed)")
        var random = Random(seed: seed)
        var run = Self.overconfident(&random, count: 120_000)
        run.events.removeAll { !$0.isHostile && !random.chance(0.025) }
        let fit = try CalibrationFit(run, base: -40, keepsBase: true, heldOut: 0.25)
        #expect(abs(fit.slope - 0.5) < 0.08, "seed \(seed): \(fit.slope)")
        // At the base, the log-odds stay what they were.
        #expect(abs(fit.slope * -4 + fit.offset - -4) < 1e-9)
        #expect(fit.after.logLoss < fit.before.logLoss, "seed \(seed)")
        let naive = try CalibrationFit(run, base: -40, keepsBase: false, heldOut: 0.25)
        #expect(naive.slope * -4 + naive.offset > -2, "seed \(seed)")
    }

    @Test func fewVerdictsPromiseNoCertainty() throws {
        var random = Random(seed: 3)
        var run = Self.overconfident(&random, count: 400)
        for index in run.events.indices { run.events[index].kind = run.events[index].logit > -2 ? 1 : 0 }
        let fit = try CalibrationFit(run, base: -40, keepsBase: false, heldOut: 0.5)
        #expect(fit.slope < 4 && fit.slope > 1, "\(fit.slope)")
        for index in run.events.indices { run.events[index].kind = 0 }
        #expect(throws: FitProblem.self) { try CalibrationFit(run, base: -40, keepsBase: false, heldOut: 0.5) }
    }

    @Test func aCalibrationGoesOnWhereAnotherStands() throws {
        var random = Random(seed: 5)
        let fit = try CalibrationFit(Self.overconfident(&random, count: 20_000), base: -40, keepsBase: false, heldOut: 0.25)
        var model = ModelOptions()
        model.base = -40
        let text = fit.yaml(model: model, former: (slope: 0.8, offset: -0.5))
        // −40 = 0.8 · b + 10 · −0.5
        #expect(text.contains("base: -43.75\n"))
        let slope = try #require(text.firstMatch(of: /slope: ([0-9.]+),/).flatMap { Double($0.1) })
        #expect(abs(slope - fit.slope * 0.8) < 0.001)
        #expect(text.contains("  network.reputation: 1.25\n"))
    }
}
