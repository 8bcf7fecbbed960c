import Events
import Foundation
import Testing

@testable import PipelineSpec

/// What the steps of a test look like to the engine.
@Suite struct TestRecordTests {
    private static let occasion = TestOccasion(id: "test-7", time: Timestamp(milliseconds: 1_772_438_400_000), session: "now", number: 3)

    private func test(_ steps: String, sources: String = "") throws -> Pipeline {
        try parse("""
            name: a
            \(sources)
            tests:
              - name: t
                as: { user: alice, session: desk, ip: 192.0.2.1, device: { id: laptop, os: Linux }, auth: { amr: pwd, age: 2m } }
                steps: [\(steps)]
            """)
    }

    private func object(_ text: String) throws -> NSDictionary {
        try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
    }

    private func text(_ step: String, isHistory: Bool = false) throws -> NSDictionary {
        let test = try test(step).tests[0]
        return try object(test.text(of: test.steps[0], on: Self.occasion, isHistory: isHistory, mapping: []))
    }

    @Test func anEventHasItsCircumstancesUnlessItSaysOtherwise() throws {
        #expect(try text("{ action: pay, with: { amount: 12.5, asn: 7, device: { id: phone }, session: null, resource: \"r-{n}\" } }") == [
            "id": "test-7", "time": "2026-03-02T08:00:00.000Z", "type": "action", "action": "pay", "user": "alice", "ip": "192.0.2.1",
            "amount": 12.5, "asn": 7, "device": ["id": "phone"], "resource": "r-3",
            "auth": ["amr": ["pwd"], "time": "2026-03-02T07:58:00.000Z"],
        ])
        let login = try text("{ login: failure }")
        #expect(login["outcome"] as? String == "failure" && login["session"] as? String == "desk")
        #expect(try text("{ login: success }", isHistory: true)["session"] as? String == "now")
        #expect(try text("{ login: success, with: { session: own } }", isHistory: true)["session"] as? String == "own")
        #expect(try text("{ event: { type: erasure, id: mine } }")["id"] as? String == "mine")
    }

    @Test func aRecordGetsIdAndTimeWhereItsSourceLooks() throws {
        let sources = "sources: { proxy: { type: login, map: { id: meta.id, time: [meta.at, when], user: who, outcome: { default: success } } } }"
        let pipeline = try test("{ record: { who: alice, n: 5, off: null, meta: { x: [a, true] } } }, { record: { when: noon } }", sources: sources)
        let test = pipeline.tests[0]
        func text(_ step: Int) throws -> NSDictionary {
            try object(test.text(of: test.steps[step], on: Self.occasion, isHistory: false, mapping: pipeline.plan.inputs[0].decode.mapping))
        }
        #expect(try text(0)["meta"] as? NSDictionary == ["x": ["a", "true"], "id": "test-7", "at": "2026-03-02T08:00:00.000Z"])
        #expect(try text(0)["n"] as? String == "5")
        #expect(try text(1)["when"] as? String == "noon" && (text(1)["meta"] as? NSDictionary) == ["id": "test-7"])
    }

    @Test func answersAndVerdictsComeFromWhereTheEventCame() throws {
        let test = try test("""
            { id: first, action: pay, with: { ip: 192.0.2.9 } }, { answer: { to: first, result: failed, new_session: s-2 } },
            { answer: { method: totp, nonce: ff, from: { session: other, device: { id: phone } } } }, { feedback: { label: compromised, by: user, from: { session: other } } }
            """).tests[0]
        let subject = TestSubject(step: test.steps[0], decision: "d-1", tenant: "acme", user: "alice", session: "desk")
        let question = TestQuestion(challenge: "d-1", nonce: "00", method: "webauthn")
        func answer(_ step: Int) throws -> NSDictionary {
            try object(test.text(of: test.steps[step], to: question, of: subject, on: Self.occasion))
        }
        #expect(try answer(1) == [
            "id": "test-7", "time": "2026-03-02T08:00:00.000Z", "type": "challenge", "tenant": "acme", "user": "alice", "session": "desk",
            "ip": "192.0.2.9", "device": ["id": "laptop", "os": "Linux"],
            "challenge": ["decision": "d-1", "method": "webauthn", "result": "failed", "nonce": "00", "new_session": "s-2"],
        ])
        let other = try answer(2)
        #expect(other["session"] as? String == "other" && other["device"] as? NSDictionary == ["id": "phone"])
        #expect(other["challenge"] as? NSDictionary == ["decision": "d-1", "method": "totp", "result": "passed", "nonce": "ff"])
        let verdict = try object(test.text(of: test.steps[3], about: subject, on: Self.occasion))
        #expect(verdict["type"] as? String == "feedback" && verdict["session"] as? String == "other")
        #expect(verdict["feedback"] as? NSDictionary == ["decision": "d-1", "label": "compromised", "by": "user"])
    }
}
