import Engine
import Events
import Foundation
import PipelineSpec
import Policy
import Testing

@testable import Lab

/// Two pipelines side by side, on generated traffic and on histories written by hand.
@Suite struct BacktestTests {
    private static func plan(_ change: (inout EnginePlan) -> Void = { _ in }) throws -> EnginePlan {
        let text = """
            name: p
            policies:
              - { name: stolen, when: { level: critical, signals: [session.two_places] }, then: terminate_session }
              - { name: risky, when: { level: [high, critical] }, then: step_up }
            """
        var plan = try PipelineFile.parse(text: text, file: "p.yaml", environment: [:]).plan
        var input = InputPlan(topic: "events")
        input.decode.requiresKey = false
        plan.inputs = [input]
        plan.secret = Array("a secret for tests only".utf8)
        change(&plan)
        return plan
    }

    private static func contender(_ name: String, _ change: (inout EnginePlan) -> Void = { _ in }) throws -> Backtest.Contender {
        Backtest.Contender(name: name, plan: try plan(change), enrichment: EventEnrichment())
    }

    private static func stricter(_ plan: inout EnginePlan) { plan.rules[1].conditions.levels = [.medium, .high, .critical] }

    /// A file of its own that goes with the value.
    private final class History {
        let path = NSTemporaryDirectory() + "/vigil-history-\(UUID().uuidString).ndjson"
        init(_ lines: some Sequence<String>) throws {
            try lines.map { $0 + "\n" }.joined().write(toFile: path, atomically: false, encoding: .utf8)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private static func generated(events: Int = 4_000) throws -> History {
        var options = TrafficOptions()
        options.seed = 5
        options.events = events
        var generator = TrafficGenerator(options)
        var buffer = OutputBuffer()
        var lines: [String] = []
        while let event = generator.next(into: &buffer) {
            lines.append(buffer.view(event.value).string)
            buffer.removeAll()
        }
        return try History(lines)
    }

    private static func event(_ id: String, at minute: Int, user: String = "alice", session: String = "s", _ more: String) -> String {
        let time = 1_772_442_000_000 + minute * 60_000
        return #"{"id":"\#(id)","time":\#(time),"user":"\#(user)","session":"\#(session)",\#(more)}"#
    }

    @Test func aPipelineDiffersFromItselfInNothing() throws {
        let history = try Self.generated()
        let found = try Backtest(of: Self.contender("a"), against: Self.contender("b"), over: history.path)
        #expect(found.counts.events > 3_000 && found.changes.isEmpty && found.scoredApart == 0 && found.sample.isEmpty)
        #expect(found.challenges.a == found.challenges.b && found.challenges.a > 0)
        #expect(found.attacks.allSatisfy { $0.caught.a == $0.caught.b && $0.auc.a == $0.auc.b && $0.caughtAlone.a == 0 })
        #expect(found.lines.contains("no event is decided differently"))
        #expect(found.lines.contains("both give every event the same score"))
    }

    /// Every table counts the same events.
    @Test func aStricterCopyAsksMoreAndTheNumbersAgree() throws {
        let history = try Self.generated(events: 10_000)
        let found = try Backtest(of: Self.contender("a"), against: Self.contender("b", Self.stricter), over: history.path)
        #expect(found.challenges.b > found.challenges.a)
        #expect(found.challengesPer1000UsersADay.b > found.challengesPer1000UsersADay.a)
        for side in 0...1 { #expect(found.verdicts.reduce(0) { $0 + $1.events[side] } == found.counts.events) }
        for row in found.verdicts {
            let away = found.changes.filter { $0.a == row.decision }.reduce(0) { $0 + $1.events }
            let here = found.changes.filter { $0.b == row.decision }.reduce(0) { $0 + $1.events }
            #expect(row.events.b - row.events.a == here - away, "\(row.decision)")
        }
        #expect(found.rules.reduce(0) { $0 + $1.challenges.a } == found.challenges.a)
        #expect(found.rules.reduce(0) { $0 + $1.challenges.b } == found.challenges.b)
        let burden = try #require(found.burden)
        #expect(burden.events + found.attacks.reduce(0) { $0 + $1.events } == found.counts.events)
        #expect(burden.challenges.b > burden.challenges.a)
        #expect(found.attacks.allSatisfy { $0.caught.b - $0.caught.a == $0.caughtAlone.b - $0.caughtAlone.a })
        #expect(found.attacks.contains { $0.caught.b > $0.caught.a })
        #expect(found.attacks.allSatisfy { (0...1).contains($0.auc.a ?? 0) && ($0.recallAt01Percent.a ?? 0) <= ($0.recallAt5Percent.a ?? 0) })
        #expect(found.unlabelled == 0)
    }

    @Test func theSameHistoryGivesTheSameReport() throws {
        let history = try Self.generated(events: 4_000)
        func report() throws -> Data {
            let found = try Backtest(of: Self.contender("a"), against: Self.contender("b", Self.stricter), over: history.path)
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return try encoder.encode(found)
        }
        #expect(try report() == report())
    }

    @Test func theSampleIsSpreadOverWhatDiffers() throws {
        let history = try Self.generated()
        var options = BacktestOptions()
        options.sample = 4
        let found = try Backtest(
            of: Self.contender("a"), against: Self.contender("b", Self.stricter), over: history.path, options: options)
        #expect(found.sample.count == 4 && found.sample.allSatisfy { $0.a.decision != $0.b.decision })
        let shown = Set(found.sample.map { "\($0.a.decision) \($0.b.decision)" })
        #expect(shown.count == min(4, found.changes.count))
        #expect(Set(found.sample.map { "\($0.user) \($0.a.decision) \($0.b.decision)" }).count == 4)
        let text = try String(decoding: JSONEncoder().encode(found.sample), as: UTF8.self)
        #expect(!text.contains("nonce") && text.contains("reasons"))
        options.sample = 0
        #expect(try Backtest(of: Self.contender("a"), against: Self.contender("b", Self.stricter), over: history.path, options: options).sample.isEmpty)
    }

    @Test func scoresAreComparedWhereModelsDiffer() throws {
        let history = try Self.generated(events: 4_000)
        let found = try Backtest(of: Self.contender("a"), against: Self.contender("b") { $0.model.base += 5 }, over: history.path)
        #expect(found.scoredApart == found.counts.events)
        #expect(found.lines.contains { $0.hasPrefix("scores by event") })
    }

    /// A transfer is asked about by both; what is asked later depends on what came of the first question.
    private func transfers(_ answers: BacktestAnswers, _ result: String?) throws -> Backtest {
        func rules(_ name: String) throws -> Backtest.Contender {
            try Self.contender(name) { plan in
                var rule = Rule(name: "transfers", verdict: .stepUp)
                rule.conditions.actions = ["transfer.*"]
                plan.rules = [rule]
            }
        }
        var lines = [Self.event("e1", at: 0, #""type":"login","outcome":"success""#)]
        lines.append(Self.event("e2", at: 1, #""type":"action","action":"transfer.create""#))
        if let result {
            lines.append(Self.event("e3", at: 2, #""type":"challenge","challenge":{"decision":"another","method":"webauthn","result":"\#(result)","nonce":"another"}"#))
        }
        lines.append(Self.event("e4", at: 3, #""type":"action","action":"transfer.create""#))
        lines.append(Self.event("e5", at: 4, #""type":"feedback","feedback":{"decision":"another","label":"legitimate","by":"analyst"}"#))
        let history = try History(lines)
        var options = BacktestOptions()
        options.answers = answers
        return try Backtest(of: rules("a"), against: rules("b"), over: history.path, options: options)
    }

    @Test func questionsAreAnsweredAsAssumed() throws {
        func decisions(_ answers: BacktestAnswers, _ result: String?) throws -> [Int] {
            try transfers(answers, result).verdicts.map(\.events.a)
        }
        // Allowed, asked, denied, terminated.
        #expect(try decisions(.passed, nil) == [2, 1, 0, 0])
        #expect(try decisions(.passed, "denied") == [2, 1, 0, 0])
        #expect(try decisions(.none, "passed") == [1, 2, 0, 0])
        #expect(try decisions(.recorded, "passed") == [2, 1, 0, 0])
        #expect(try decisions(.recorded, "denied") == [1, 1, 0, 1])
        #expect(try decisions(.recorded, nil) == [1, 2, 0, 0])
        let found = try transfers(.recorded, "passed")
        #expect(found.counts.recordedChallenges == 1 && found.counts.recordedFeedback == 1)
        #expect(found.counts.answered.a == 1 && found.counts.answered.b == 1)
        #expect(found.challenges.a == 1 && found.burden == nil && found.attacks.isEmpty)
    }

    @Test func whatWarmsUpIsNotMeasured() throws {
        let lines = (0..<10).map { Self.event("e\($0)", at: $0 * 1_440, user: "u\($0)", #""type":"action","action":"a""#) }
        let history = try History(lines + ["not json"])
        var options = BacktestOptions()
        options.warmUp = .days(3)
        let found = try Backtest(of: Self.contender("a"), against: Self.contender("b"), over: history.path, options: options)
        #expect(found.counts.events == 7 && found.counts.warmedUp == 3 && found.counts.users == 7 && found.counts.userDays == 7)
        #expect(found.counts.rejected.a == 1 && found.counts.rejected.b == 1 && found.counts.lines == 11)
        options.warmUp = .share(0.5)
        #expect(try Backtest(of: Self.contender("a"), against: Self.contender("b"), over: history.path, options: options).counts.events == 5)
        options.limit = 4
        #expect(try Backtest(of: Self.contender("a"), against: Self.contender("b"), over: history.path, options: options).counts.lines == 4)
    }

    @Test func areasAndRecallsAreThoseOfTheRanks() {
        var (hostile, legitimate) = (ScoreHistogram(), ScoreHistogram())
        for logit in [3.0, 1.0, -1.0] { hostile.add(logit) }
        for logit in [2.0, 1.0, -2.0, -3.0] { legitimate.add(logit) }
        // 4 + (2 + ½) + 2 of 12 pairs.
        #expect(abs((hostile.area(over: legitimate) ?? 0) - 8.5 / 12) < 1e-12)
        #expect(hostile.recall(suspecting: 0, of: legitimate) == 1.0 / 3)
        #expect(hostile.recall(suspecting: 0.5, of: legitimate) == 1)
        #expect(ScoreHistogram().area(over: legitimate) == nil)
    }

    /// A stream is cut into the same lines as a file, however long they are.
    @Test func streamsAreReadInLines() throws {
        let long = String(repeating: "x", count: 300_000)
        let texts = ["a", "", long, "b" + long, "", "last"]
        let path = NSTemporaryDirectory() + "/vigil-pipe-\(UUID().uuidString)"
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let writer = Thread {
            guard let file = FileHandle(forWritingAtPath: path) else { return }
            try? file.write(contentsOf: Data(texts.joined(separator: "\n").utf8))
            try? file.close()
        }
        writer.start()
        var lines = try LabelledLines(path: path)
        var read: [String] = []
        var numbers: [Int] = []
        while let line = lines.next() {
            read.append(line.string)
            numbers.append(lines.number)
        }
        #expect(read == texts.filter { !$0.isEmpty })
        #expect(numbers == [1, 3, 4, 6])
        #expect(lines.share == nil)
    }
}
