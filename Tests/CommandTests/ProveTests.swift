import Foundation
import Testing

/// `vigil test` and `vigil backtest` as a person runs them.
@Suite(.enabled(if: binary != nil, Comment(rawValue: binaryMissing)))
struct ProveTests {
    private let good = checkout + "/pipelines/continuous-authorization.yaml"

    private func pipeline(_ scratch: Scratch, expecting decision: String, name: String = "p.yaml") throws -> String {
        try scratch.write(
            """
            name: p
            policies: [{ name: closing, when: { action: account.close }, then: deny }, { name: idle, when: { action: x }, then: deny }]
            tests:
              - { name: closing is refused, as: { user: alice }, steps: [{ action: account.close, expect: \(decision) }] }
              - { name: looking is not, as: { user: alice }, steps: [{ action: account.view, expect: allow }] }

            """, to: name)
    }

    @Test func passingTestsExitWithZero() throws {
        let scratch = try Scratch()
        let file = try pipeline(scratch, expecting: "deny")
        let result = try vigil("test", file)
        #expect(result.status == 0 && result.error.isEmpty, "\(result.error)")
        #expect(result.output.contains("  ok      closing is refused\n"))
        #expect(result.output.contains("2 tests, 0 failed; rules never shown at work: idle\n"))
        #expect(try vigil("test", file, "--strict").status == 1)
        #expect(try vigil("test", good, "--strict").status == 0)
    }

    @Test func failuresShowWhatCame() throws {
        let scratch = try Scratch()
        let file = try pipeline(scratch, expecting: "allow")
        let result = try vigil("test", file)
        #expect(result.status == 1)
        #expect(result.output.contains("  FAILED  closing is refused\n"))
        #expect(result.output.contains("\(file):4:95: step 1, action at 2026-03-02T08:00:00.000Z\n"), "\(result.output)")
        #expect(result.output.contains("decision  expected allow  got deny\n"))
        #expect(result.output.contains("rule closing\n"))
        let some = try vigil("test", file, "--filter", "looking")
        #expect(some.status == 0 && some.output.contains("1 test, 0 failed\n"), "\(some.output)")
        let json = try JSONSerialization.jsonObject(with: Data(try vigil("test", file, "--format", "json").output.utf8))
        let report = try #require((json as? [[String: Any]])?.first)
        #expect(Set(report.keys) == ["file", "passed", "failed", "unmatched", "tests"])
        #expect(report["failed"] as? Int == 1 && report["unmatched"] as? [String] == ["idle"])
        let test = try #require((report["tests"] as? [[String: Any]])?.first)
        let failure = try #require((test["failures"] as? [[String: Any]])?.first)
        #expect(failure["line"] as? Int == 4)
        #expect((failure["differences"] as? [[String: Any]])?.first as? [String: String] == ["field": "decision", "expected": "allow", "got": "deny"])
        #expect((failure["decision"] as? [String: Any])?["rule"] as? String == "closing")
    }

    @Test func exitCodesOfTest() throws {
        let scratch = try Scratch()
        let bare = try scratch.write("name: p\n", to: "bare.yaml")
        let empty = try vigil("test", bare)
        #expect(empty.status == 0 && empty.error.contains("there are no tests in it"))
        let typo = try scratch.write("name: p\ntests: [{ name: t, stesp: [] }]\n", to: "typo.yaml")
        let wrong = try vigil("test", typo, try pipeline(scratch, expecting: "deny"))
        #expect(wrong.status == 78 && wrong.error.contains("typo.yaml:2:20: error[key.unknown]") && wrong.output.contains("2 tests, 0 failed"))
        #expect(try vigil("test", scratch.file("none.yaml")).status == 78)
        #expect(try vigil("test", good, "--filter", "no such test").status == 64)
        #expect(try vigil("test", good, "--filter", "a", "--strict").status == 64)
        #expect(try vigil("test").status == 64)
    }

    @Test func aBacktestHasItsTables() throws {
        let scratch = try Scratch()
        let events = scratch.file("history.ndjson")
        #expect(try vigil("generate", "--events", "6000", "--seed", "5", "--output", events).status == 0)
        let stricter = try scratch.pipeline("stricter.yaml", replacing: ["medium: 30": "medium: 20", "level: medium\n": "level: [low, medium]\n"])
        let text = try vigil("backtest", good, stricter, "--input", events, "--warmup", "0.1")
        #expect(text.status == 0, "\(text.error)")
        for title in ["decisions", "decided differently", "challenges", "per 1,000 users a day", "interventions by rule", "attacks", "differing decisions"] {
            #expect(text.output.contains(title), "\(title): \(text.output)")
        }
        let found = try object(try vigil("backtest", good, stricter, "--input", events, "--format", "json", "--sample", "3").output)
        let keys: Set = [
            "pipelines", "versions", "answers", "counts", "verdicts", "changes", "challenges", "challengesPer1000UsersADay", "rules",
            "scoredApart", "attacks", "burden", "unlabelled", "sample",
        ]
        #expect(Set(found.keys) == keys)
        #expect((found["sample"] as? [Any])?.count == 3)
        // From standard input the same comes out.
        let piped = try Started(
            "/bin/sh", ["-c", "exec \"$0\" backtest \"$1\" \"$2\" --input - --format json --sample 3 < \"$3\"", binary ?? "", good, stricter, events]).wait()
        #expect(try object(piped.output) as NSDictionary == found as NSDictionary)
    }

    @Test func exitCodesOfBacktest() throws {
        let scratch = try Scratch()
        let empty = try scratch.write("\n", to: "empty.ndjson")
        #expect(try vigil("backtest", good, good, "--input", empty).status == 65)
        #expect(try vigil("backtest", good, good, "--input", scratch.file("none")).status == 66)
        let first = try scratch.write("name: a\nemitt: all\n", to: "first.yaml")
        let second = try scratch.write("name: a\nshards: none\n", to: "second.yaml")
        let both = try vigil("backtest", first, second, "--input", empty)
        #expect(both.status == 78 && both.error.contains("first.yaml:2:1") && both.error.contains("second.yaml:2:9"), "\(both.error)")
        #expect(try vigil("backtest", good, good, "--input", "-", "--warmup", "0.5").status == 64)
        #expect(try vigil("backtest", good, good, "--input", empty, "--answers", "sometimes").status == 64)
        #expect(try vigil("backtest", good).status == 64)
    }
}
