import Engine
import Events
import Foundation
import PipelineSpec
import Policy
import Risk
import Testing

@testable import Lab

/// A run written by hand: what the rules did, and what is counted as one.
@Suite struct EvaluationTests {
    /// An event of a run: user, session, label, score, and what was decided.
    private func event(
        _ id: Int, user: UInt32 = 0, session: Int32 = 0, kind: UInt16 = 0, scenario: Int32 = -1, second: Int = 0,
        logit: Float = 0, login: Bool = false, verdict: Verdict = .allow, repeats: Bool = false,
        confidence: Confidence = .established, logins: UInt32 = 9
    ) -> JudgedEvent {
        JudgedEvent(
            id: UInt64(id), user: user, session: session, kind: kind, twin: 0, occurrence: -1, scenario: scenario,
            time: Timestamp(milliseconds: Int64(second) * 1_000), logit: logit, logins: logins, events: UInt32(id),
            verdict: verdict, level: .low, confidence: confidence, isLogin: login, isSuccess: login,
            repeatsQuestion: repeats)
    }

    private func run(_ events: [JudgedEvent], users: Int = 4, sessions: Int = 6) -> LabelledRun {
        var run = LabelledRun()
        run.kinds = ["legitimate", "hijack", "naive"]
        run.userNames = (0..<UInt64(users)).map { $0 }
        run.sessions = sessions
        run.events = events
        for (index, event) in events.enumerated() where event.isHostile && Int(event.scenario) == run.scenarios.count {
            run.scenarios.append(JudgedScenario(kind: event.kind, user: event.user, start: event.time, firstEvent: index))
        }
        return run
    }

    /// user 0  login ─ a ─ a ─ ▲hijack(−) ─ ▲(ask) ─ ▲(ask again)      user 1  login(ask) ─ a(ask again) ─ a(deny)
    @Test func interventionsAreCountedFromTheOnset() {
        let run = run([
            event(1, login: true), event(2), event(3, user: 1, session: 1, login: true, verdict: .stepUp),
            event(4, kind: 1, scenario: 0, second: 10), event(5, kind: 1, scenario: 0, second: 14, verdict: .stepUp),
            event(6, kind: 1, scenario: 0, second: 15, verdict: .stepUp, repeats: true),
            event(7, user: 1, session: 1, verdict: .stepUp, repeats: true), event(8, user: 1, session: 1, verdict: .deny),
            event(9, user: 0, session: 0, verdict: .terminateSession),
            event(10, user: 2, session: 2, kind: 2, scenario: 1, second: 20, login: true),
        ])
        let policy = PolicyMeasures(run)
        let weights = UserWeights(users: 4)
        #expect(policy.base == .login)
        #expect(policy.attacks(kind: 1, weights) == [1, 2, 2, 4, 4])
        #expect(policy.attacks(kind: 0, weights).first == 0.5)
        #expect(policy.attacks(kind: 2, weights).first == 0)
        // Two legitimate logins, one question and one denial; the denial after the theft is counted apart.
        #expect(policy.legitimate(.everybody) == 2)
        #expect(policy.burden(.everybody, weights) == [500, 500])
        #expect(policy.burden(.known(.established), weights) == [500, 500])
        #expect(policy.burden(.known(.learning), weights).allSatisfy { $0.isNaN })
        #expect(policy.burden(.shared, weights) == [0, 500])
    }

    @Test func sessionsAreTheirLoginAndFirstActions() {
        let run = run([
            event(1, logit: -3, login: true), event(2, logit: 1), event(3, logit: 5),
            event(4, user: 1, session: 1, logit: -2, login: true), event(5, user: 1, session: 1, logit: 4),
            event(6, user: 1, session: 1, kind: 1, scenario: 0, logit: 2),
            event(7, user: 1, session: 1, kind: 1, scenario: 0, logit: 3),
            event(8, user: 2, session: 2, kind: 2, scenario: 1, logit: 7, login: true),
            event(9, user: 3, session: -1, logit: 9, login: true),
        ])
        let scores = run.events.map(\.logit)
        func units(first: Int, _ score: SessionScore) -> [[Float]] {
            UnitPlan(run, first: first, sessionScore: score).units(.session, scores: scores).map { [Float($0.kind), $0.score] }
        }
        // Session 1 was stolen: what is left of it is no legitimate unit, and its login isn't the attack's.
        #expect(units(first: 10, .max) == [[0, 5], [1, 3], [2, 7]])
        #expect(units(first: 1, .max) == [[0, 1], [1, 2], [2, 7]])
        #expect(units(first: 10, .mean) == [[0, 1], [1, 2.5], [2, 7]])
        #expect(units(first: 10, .last) == [[0, 5], [1, 3], [2, 7]])
        let plan = UnitPlan(run, first: 10, sessionScore: .max)
        #expect(plan.units(.login, scores: scores).map(\.score) == [-3, -2, 7, 9])
        #expect(plan.units(.event, scores: scores).count == 9)
        var gaps = scores
        gaps[1] = .nan
        gaps[7] = .nan
        let scored = plan.units(.session, scores: gaps)
        #expect(scored[0].score == 5)
        #expect(scored[2].score.isNaN)
    }

    @Test func whatOnlyTrainsIsNotMeasured() {
        var run = run([
            event(1, login: true, verdict: .stepUp), event(2, user: 1, session: 1, kind: 1, scenario: 0),
            event(3, user: 1, session: 1, kind: 1, scenario: 0, second: 86_400), event(4, second: 86_400),
            event(5, user: 2, session: 2, second: 86_401, login: true),
            event(6, user: 2, session: 2, kind: 1, scenario: 1, second: 86_402),
        ])
        run.warmUp(.share(0.34))
        #expect(run.firstMeasured == 2)
        run.warmUp(.days(1))
        #expect(run.firstMeasured == 2)
        let plan = UnitPlan(run, first: 10, sessionScore: .max)
        let scores = run.events.map(\.logit)
        #expect(plan.units(.event, scores: scores).count == 3)
        // The session and the scenario that began before are left out whole; session 2 is touched.
        #expect(plan.units(.session, scores: scores).map(\.kind) == [1])
        let policy = PolicyMeasures(run)
        #expect(policy.scenarios(kind: 1) == 1)
        #expect(policy.burden(.everybody, UserWeights(users: 4)) == [0, 0])
    }

    @Test func historyIsCountedInLoginsOrWithoutAnyInEvents() {
        let logins = run([event(1, login: true, logins: 0), event(2, user: 1, session: 1, login: true, logins: 4)])
        #expect(UnitPlan(logins, first: 1, sessionScore: .max).units(.login, scores: [0, 0]).map(\.history) == [.none, .some])
        let actions = run([event(0, logins: 0), event(5, user: 1, session: 1, logins: 0)])
        #expect(UnitPlan(actions, first: 1, sessionScore: .max).units(.event, scores: [0, 0]).map(\.history) == [.none, .much])
    }

    @Test func twinsAreCountedByCase() {
        var run = run([event(1, verdict: .stepUp), event(2, verdict: .stepUp), event(3, verdict: .stepUp, repeats: true), event(4)])
        run.twins = ["", "trip"]
        for (index, occurrence) in [0, 0, 0, 1].enumerated() {
            run.events[index].twin = 1
            run.events[index].occurrence = Int32(occurrence)
        }
        #expect(run.twinRows == [
            TwinRow(twin: "trip", events: 4, cases: 2, challenges: 2, denials: 0, mostChallenges: 2, casesBeyondOne: 1)
        ])
    }
}

/// The engine over a small generated stream.
@Suite struct JudgingTests {
    private func stream(_ name: String, transform: (String) -> String = { $0 }) throws -> String {
        var options = TrafficOptions.sized(events: 4_000, seed: 3)
        options.users = 20
        var traffic = TrafficGenerator(options)
        var buffer = OutputBuffer()
        var text = ""
        while let event = traffic.next(into: &buffer) {
            text += transform(buffer.view(event.value).string) + "\n"
            buffer.removeAll()
        }
        let path = NSTemporaryDirectory() + "/vigil-\(name)-\(UUID().uuidString).ndjson"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    private func plan() throws -> EnginePlan {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("pipelines/continuous-authorization.yaml").path
        var plan = try PipelineFile.load(path: file, environment: ["VIGIL_SECRET": "a secret for tests only"]).plan
        var input = InputPlan(topic: "events")
        input.decode.requiresKey = false
        plan.inputs = [input]
        return plan
    }

    @Test func theLabelNeverReachesTheEngine() throws {
        let labelled = try stream("labelled")
        let blind = try stream("blind") {
            $0.replacing(/"label":\{"kind":"[a-z_]+"/, with: "\"label\":{\"kind\":\"legitimate\"")
        }
        defer { for path in [labelled, blind] { unlink(path) } }
        let first = try LabelledRun(judging: labelled, plan: plan(), answers: false)
        let second = try LabelledRun(judging: blind, plan: plan(), answers: false)
        #expect(first.events.contains { $0.isHostile })
        #expect(!second.events.contains { $0.isHostile })
        #expect(first.events.map(\.logit) == second.events.map(\.logit))
        #expect(first.events.map(\.verdict) == second.events.map(\.verdict))
    }

    /// A person who is asked answers before going on, so the question doesn't stand any more; without answers it does.
    @Test func simulatedUsersPassWhatTheyAreAsked() throws {
        let path = try stream("answers")
        defer { unlink(path) }
        var plan = try plan()
        // Everything is asked once for each session and half an hour.
        var rule = Rule(name: "ask", verdict: .stepUp)
        rule.stepUp.methods = [.webauthn]
        plan.rules = [rule]
        let answered = try LabelledRun(judging: path, plan: plan, answers: true)
        let silent = try LabelledRun(judging: path, plan: plan, answers: false)
        #expect(answered.answered > 100)
        #expect(silent.answered == 0)
        func allowed(_ run: LabelledRun, hostile: Bool) -> Double {
            let events = run.events.filter { $0.isHostile == hostile && $0.session >= 0 }
            return Double(events.count { $0.verdict == .allow }) / Double(events.count)
        }
        #expect(allowed(answered, hostile: false) > 0.5)
        #expect(allowed(silent, hostile: false) == 0)
        // A stranger walks away; only in a session its owner has proven is he let through.
        #expect(allowed(answered, hostile: true) < 0.5)
        // Who is asked too often is denied for a while.
        #expect(!silent.events.contains { $0.verdict == .allow })
    }

    @Test func linesWithoutLabelsAreNamed() throws {
        let path = try stream("unlabelled")
        defer { unlink(path) }
        var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        lines[2] = lines[2].replacing(/"label"/, with: "\"lable\"")
        try lines.joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
        let plan = try plan()
        do {
            _ = try LabelledRun(judging: path, plan: plan, answers: true)
            Issue.record("it was read")
        } catch {
            #expect(error.line == 3)
        }
        #expect(throws: LedgerFileError.self) { try LabelledRun(judging: path + ".none", plan: plan, answers: true) }
    }

    /// Scores of one's own, given as somebody else's, are one's equal.
    @Test func othersAreMeasuredByTheSameCode() throws {
        let path = try stream("others")
        let scores = path + ".scores"
        defer { for path in [path, scores] { unlink(path) } }
        var writer = ScoreWriter()
        let run = try LabelledRun(judging: path, plan: plan(), answers: true) { judged, kind, event, _ in
            writer.add(judged, kind: kind, event)
        }
        var text = ""
        #expect(writer.drain { text += String(decoding: $0, as: UTF8.self); return true })
        text += "{\"score\" : -1.5, \"id\":\"nobody\"}\n"
        try text.write(toFile: scores, atomically: false, encoding: .utf8)
        let other = try OtherScores(file: scores, of: run)
        #expect(other.unknown == 1)
        #expect(zip(other.scores, run.events).allSatisfy { abs($0 - $1.logit) < 1e-3 })

        var options = EvaluationOptions()
        options.rounds = 20
        let found = Evaluation(run, others: [other], options: options)
        for row in found.ranking where row.scorer != Evaluation.vigil {
            #expect(abs(row.vigilAhead?.value ?? 1) < 1e-9)
            let own = found.ranking.first {
                $0.scorer == Evaluation.vigil && $0.unit == row.unit && $0.kind == row.kind && $0.history == row.history
            }
            #expect(own?.auc == row.auc && own?.recallAt1Percent == row.recallAt1Percent)
        }
        #expect(found.scorers.count == 2 && found.ranking.contains { $0.scorer != Evaluation.vigil })

        // Without a score on the legitimate side a scorer would look better than it is: it has no numbers.
        var partial = other
        for (index, event) in run.events.enumerated() where !event.isHostile && index % 5 == 0 { partial.scores[index] = .nan }
        let rows = Evaluation(run, others: [partial], options: options).ranking
        #expect(rows.contains { $0.scorer != Evaluation.vigil && $0.unit == .event })
        #expect(rows.allSatisfy { $0.scorer == Evaluation.vigil || $0.unit != .event || $0.auc == nil })

        for bad in ["{\"id\":\"a\"}", "{\"id\":\"a\",\"score\":null}", "{\"id\":\"score\",\"x\":1}", "[1]", "{\"id\":\"a\",\"score\":1"] {
            try bad.write(toFile: scores, atomically: false, encoding: .utf8)
            #expect(throws: LedgerFileError.self, "\(bad)") { try OtherScores(file: scores, of: run) }
        }
    }

    /// The fusion weights are fitted through is the engine's.
    @Test func fusionIsTheEngines() throws {
        let path = try stream("fusion")
        defer { unlink(path) }
        let plan = try plan()
        var table = EvidenceTable()
        let run = try LabelledRun(judging: path, plan: plan, answers: true) { _, _, _, engine in table.append(from: engine) }
        let fusion = Fusion(plan.model)
        var gradient: [(signal: Int, slope: Double)] = []
        for (index, event) in run.events.enumerated() {
            let points = fusion.points(table, index, weights: plan.model.signals.map(\.weight), gradient: &gradient)
            // Each signal's points are rounded to tenths.
            #expect(abs(plan.model.base + points - Double(event.logit) * 10) < 0.05 * Double(Signal.count))
        }
        #expect(table.count == run.events.count)
    }
}
