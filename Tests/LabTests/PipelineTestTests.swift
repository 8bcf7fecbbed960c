import Foundation
import PipelineSpec
import Testing

@testable import Lab

/// The runner behind `vigil test`.
@Suite struct PipelineTestTests {
    private static let rules = """
        name: p
        sources:
          logins: {}
          proxy: { type: login, map: { id: meta.id, time: meta.at, user: who, outcome: { default: success }, geo.country: land } }
        policies:
          - { name: watched, when: { amount: { at_least: 10 } }, then: deny, mode: report }
          - { name: large, when: { action: "transfer.*", amount: { at_least: 1000 } }, then: step_up, step_up: { acr_values: phr, methods: [webauthn, totp], prompt: "Sure?" } }
          - { name: gone, when: { action: account.close }, then: deny }
        tests:

        """

    private func outcomes(_ tests: String) throws -> [TestOutcome] {
        var pipeline = try PipelineFile.parse(text: Self.rules + tests, file: "p.yaml", environment: [:])
        pipeline.plan.secret = Array("a secret for tests only".utf8)
        return TestRunner(pipeline).run()
    }

    private func failures(_ steps: String, as circumstances: String = "{ user: alice }") throws -> [TestOutcome.Failure] {
        let lines = steps.split(separator: "\n").map { "      - \($0)\n" }.joined()
        return try outcomes("  - name: t\n    as: \(circumstances)\n    steps:\n" + lines).flatMap(\.failures)
    }

    private func fields(_ steps: String) throws -> [[String]] {
        try failures(steps).map { $0.differences.map { "\($0.field): \($0.expected) / \($0.got)" } }
    }

    @Test func whatIsAsExpectedPasses() throws {
        #expect(try failures("""
            { login: success, expect: allow }
            { action: transfer.create, with: { amount: 5 }, expect: { decision: allow, rule: otherwise, shadow: [], level: low } }
            { action: transfer.create, with: { amount: 50 }, expect: { decision: allow, shadow: watched, confidence: [learning, partial] } }
            { action: transfer.create, with: { amount: 5000 }, expect: { decision: [step_up, deny], rule: large, methods: [webauthn, totp], acr_values: phr, question: new } }
            { action: transfer.create, with: { amount: 5000 }, expect: { decision: step_up, question: open } }
            { action: account.close, expect: { decision: deny, rule: gone, score: { at_least: 0, at_most: 50 } } }
            """).isEmpty)
    }

    @Test func everyDifferenceIsToldWithItsPlace() throws {
        let found = try failures("""
            { login: success, expect: { decision: deny, reasons: [device.new], level: [high, critical] } }
            { action: account.view, expect: step_up }
            """)
        #expect(found.map(\.step) == [1, 2])
        #expect(found.map(\.line) == [13, 14])
        #expect(found.map(\.column) == [35, 41])
        #expect(found[0].differences.map(\.field) == ["decision", "level", "reasons"])
        #expect(found[0].differences[0] == TestDifference("decision", expected: "deny", got: "allow"))
        #expect(found[0].differences[1].expected == "high or critical")
        #expect(found[0].decision?.level == "low")
        #expect(found[1].event == "action at 2026-03-02T08:00:10.000Z")
    }

    /// Each kind of expectation fails when it is not met: a check that can't fail proves nothing.
    @Test(arguments: [
        ("decision: deny", "decision"), ("rule: gone", "rule"), ("level: critical", "level"), ("confidence: established", "confidence"),
        ("score: { at_least: 99 }", "score"), ("score: { at_most: 0 }", "score"), ("reasons: travel.impossible", "reasons"),
        ("not_reasons: amount.unusual", ""), ("not_reasons: action.sensitive", "not_reasons"), ("shadow: []", "shadow"), ("shadow: watched", ""), ("shadow: { watched: deny }", ""), ("shadow: { watched: step_up }", "shadow"),
        ("methods: [totp, webauthn]", "methods"), ("acr_values: [phrh]", "acr_values"), ("question: open", "question"),
        ("dead_letter: not_json", "dead_letter"),
    ])
    func everyExpectationCanFail(expectation: String, field: String) throws {
        let found = try failures("{ action: transfer.create, with: { amount: 5000 }, expect: { \(expectation) } }")
        #expect(found.flatMap(\.differences).map(\.field) == (field.isEmpty ? [] : [field]), "\(found)")
    }

    @Test func questionsAreAnsweredByName() throws {
        #expect(try failures("""
            { login: success }
            { id: first, action: transfer.create, with: { amount: 5000 }, expect: step_up }
            { answer: { to: first, method: webauthn }, expect: { decision: allow, rule: challenge-passed } }
            { action: transfer.create, with: { amount: 6000 }, expect: allow }
            """).isEmpty)
        #expect(try failures("""
            { login: success }
            { action: transfer.create, with: { amount: 5000 }, expect: step_up }
            { answer: denied, expect: { decision: terminate_session, rule: challenge-denied } }
            { action: account.view, expect: { decision: terminate_session, rule: session-terminated } }
            """).isEmpty)
    }

    @Test func forgedAnswersCountForNothing() throws {
        #expect(try failures("""
            { login: success }
            { action: transfer.create, with: { amount: 5000 }, expect: step_up }
            { answer: { nonce: "00000000000000000000000000000000" } }
            { action: transfer.create, with: { amount: 5000 }, expect: { decision: step_up, question: open } }
            { answer: { from: { session: another } } }
            { action: transfer.create, with: { amount: 5000 }, expect: { decision: step_up, question: open } }
            """).isEmpty)
    }

    @Test func aSessionIsRenamedByItsAnswer() throws {
        #expect(try failures("""
            { login: success }
            { action: transfer.create, with: { amount: 5000 }, expect: step_up }
            { answer: { new_session: fresh } }
            { action: transfer.create, with: { amount: 5000, session: fresh }, expect: allow }
            """).isEmpty)
    }

    @Test func verdictsAreAboutTheStepTheyName() throws {
        #expect(try failures("""
            { login: success }
            { id: look, action: account.view, expect: allow }
            { login: success, with: { session: other } }
            { feedback: { to: look, label: compromised }, expect: { decision: terminate_session, rule: feedback-compromised } }
            { action: account.view, expect: { decision: terminate_session, rule: session-terminated } }
            """).isEmpty)
        #expect(try failures("{ feedback: compromised }").flatMap(\.differences).map(\.field) == ["feedback"])
    }

    @Test func anAnswerNeedsAQuestion() throws {
        #expect(try fields("{ id: in, login: success }\n{ answer: { to: in } }") == [["answer: a question to answer / there was none"]])
        #expect(try fields("{ answer: passed }") == [["answer: a question to answer / there was none"]])
    }

    @Test func deadLettersFailUnlessExpected() throws {
        #expect(try failures("{ event: { type: nonsense }, expect: { dead_letter: unknown_type } }").isEmpty)
        let found = try fields("{ event: { type: nonsense } }\n{ login: success, expect: { dead_letter: not_json } }")
        #expect(found.count == 2 && found[0][0].hasPrefix("decision: a decision / a dead letter, unknown_type"), "\(found)")
        let inHistory = try outcomes("""
              - name: t
                as: { user: alice }
                given: [{ times: 5, steps: [{ event: { type: nonsense } }] }]
            """)
        #expect(inHistory[0].failures.map(\.step) == [0])
        #expect(inHistory[0].events == 5)
    }

    @Test func recordsGoThroughTheirSourcesMapping() throws {
        #expect(try failures("""
            { record: { who: alice, land: "NO", meta: { other: 1 } }, expect: allow }
            { source: proxy, record: { who: "", land: "NO" }, expect: { dead_letter: missing_field } }
            { record: { meta: { id: own, at: yesterday }, who: alice }, expect: { dead_letter: time_invalid } }
            """).isEmpty)
    }

    @Test func habitsAreLearnedBeforeTheStepsBegin() throws {
        let test = """
              - name: t
                start: "2026-03-06T23:00:00Z"
                as: { user: alice, session: desk, device: { id: laptop }, geo: { country: "NO" } }
                given:
                  - { times: 25, days: weekdays, at: "09:00", steps: [{ login: success }, { action: account.view, times: 3, every: 1m }] }
                steps:
                  - { login: success, at: "09:00", expect: { confidence: established, level: low, not_reasons: [device.new] } }
                  - { login: success, with: { device: { id: phone } }, expect: { reasons: [device.new] } }

            """
        let found = try outcomes(test)[0]
        #expect(found.failures.isEmpty, "\(found.failures)")
        #expect(found.events == 25 * 4 + 2)
        // Friday 23:00 → the first Monday, 25 weekdays later a Monday is due: steps begin the day after the last Friday.
        let late = try outcomes(test.replacingOccurrences(of: "level: low,", with: "level: critical,"))[0]
        #expect(late.failures.map(\.event) == ["login at 2026-04-11T09:00:00.000Z"])
    }

    @Test func repetitionsAreNumbered() throws {
        #expect(try failures("""
            { login: failure, times: 60, every: 1s, with: { user: "victim-{n}", ip: 192.0.2.1 } }
            { login: success, after: 1m, with: { ip: 192.0.2.1 }, expect: { reasons: network.stuffing } }
            """).isEmpty)
    }

    @Test func onlyExpectationsCoverRules() throws {
        var pipeline = try PipelineFile.parse(
            text: Self.rules + """
                  - name: t
                    as: { user: alice }
                    steps:
                      - { action: account.close }
                      - { action: transfer.create, with: { amount: 20 }, expect: allow }

                """, file: "p.yaml", environment: [:])
        pipeline.plan.secret = [1]
        let runner = TestRunner(pipeline)
        #expect(runner.unmatched(in: runner.run()) == ["large", "gone"])
        #expect(runner.run { $0 == "none" }.isEmpty)
        pipeline.plan.rules += pipeline.plan.rules
        #expect(TestRunner(pipeline).unmatched(in: []) == ["watched", "large", "gone"], "copies that overrides make are told once")
    }
}
