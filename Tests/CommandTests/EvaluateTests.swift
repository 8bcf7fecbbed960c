import Foundation
import FoundationXML
import Testing

/// `vigil evaluate` and `vigil fit` on a small generated stream.
@Suite(.enabled(if: binary != nil, Comment(rawValue: binaryMissing)))
struct EvaluateTests {
    private let good = checkout + "/pipelines/continuous-authorization.yaml"

    private func stream(_ scratch: Scratch) throws -> String {
        let path = scratch.file("labelled.ndjson")
        #expect(try vigil("generate", "--events", "12000", "--seed", "5", "--output", path).status == 0)
        return path
    }

    private func report(_ text: String) throws -> [String: Any] { try object(text) }

    private func keys(_ value: Any?) -> Set<String> { Set((value as? [String: Any] ?? [:]).keys) }

    /// Programs read the report by these keys.
    @Test func theReportHasItsKeys() throws {
        let scratch = try Scratch()
        let events = try stream(scratch)
        let scores = scratch.file("own.ndjson")
        let first = try vigil("evaluate", good, "--input", events, "--rounds", "20", "--scores", scores)
        #expect(first.status == 0, "\(first.error)")
        for title in ["by login", "by session", "by event", "AUC by history", "attacks at this policy", "benign twins", "calibration"] {
            #expect(first.output.contains(title), "\(title)")
        }
        let arguments = [
            "evaluate", good, "--input", events, "--rounds", "20", "--format", "json", "--with", scores,
            "--roc", scratch.file("curves.svg"), "--warmup", "0.1",
        ]
        let json = try Started(binary ?? "", arguments).wait()
        #expect(json.status == 0, "\(json.error)")
        let found = try report(json.output)
        #expect(Set(found.keys) == ["counts", "scorers", "ranking", "attacks", "burdenPer", "burden", "twins", "calibration"])
        #expect(found["scorers"] as? [String] == ["vigil", "own"])
        let ranking = try #require(found["ranking"] as? [[String: Any]])
        let whole: Set = [
            "scorer", "unit", "kind", "history", "attacks", "legitimate", "auc", "recallAt1Percent", "recallAt01Percent",
            "suspectedPer1000At90", "suspectedPer1000At99",
        ]
        let own = try #require(ranking.first { $0["scorer"] as? String == "vigil" && $0["kind"] as? String == "all" })
        #expect(Set(own.keys) == whole)
        #expect(keys(own["auc"]) == ["value", "low", "high"])
        let other = try #require(ranking.first { $0["scorer"] as? String == "own" && $0["kind"] as? String == "all" })
        #expect(Set(other.keys) == whole.union(["vigilAhead"]))
        #expect((other["auc"] as? NSDictionary) == (own["auc"] as? NSDictionary))
        let attacks = try #require(found["attacks"] as? [[String: Any]])
        #expect(attacks.allSatisfy { keys($0).isSuperset(of: ["kind", "attacks", "stopped"]) })
        let burden = (found["burden"] as? [[String: Any]])?.compactMap { $0["confidence"] as? String }
        #expect(burden == ["all", "learning", "partial", "established", "shared"])
        #expect(keys(found["calibration"]) == ["bins", "expectedError", "brier", "logLoss", "events"])

        // The same input, the same report.
        #expect(try Started(binary ?? "", arguments).wait().output == json.output)

        let svg = try Data(contentsOf: URL(fileURLWithPath: scratch.file("curves.svg")))
        let parser = XMLParser(data: svg)
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        let line = try object(try #require(try lines(scores).first))
        #expect(Set(line.keys).isSuperset(of: ["id", "user", "kind", "type", "verdict", "level", "confidence", "score"]))
    }

    @Test func weightsAreFittedAndUsed() throws {
        let scratch = try Scratch()
        let events = try stream(scratch)
        let weights = scratch.file("weights.yaml")
        let fit = try vigil("fit", good, "--input", events, "--output", weights, "--held-out", "0.4", "--format", "json")
        #expect(fit.status == 0, "\(fit.error)")
        let found = try report(fit.output)
        let before = try #require(found["logLossBefore"] as? Double)
        let after = try #require(found["logLossAfter"] as? Double)
        #expect(after < before)
        let pipeline = try scratch.write("name: fitted\nmodel: { weights: weights.yaml }\n", to: "fitted.yaml")
        #expect(try vigil("validate", pipeline).status == 0)
        let evaluated = try vigil("evaluate", pipeline, "--input", events, "--rounds", "0")
        #expect(evaluated.status == 0, "\(evaluated.error)")
    }

    /// An analyst looks at every intervention and at some of the rest; calibration is fitted to what is said.
    @Test func calibrationIsFittedToVerdicts() throws {
        let scratch = try Scratch()
        let events = try stream(scratch)
        let pipeline = try scratch.pipeline()
        let decisions = scratch.file("decisions.ndjson")
        #expect(try vigil("replay", pipeline, "--input", events, "--output", decisions).status == 0)
        var kinds: [String: String] = [:]
        let history = try lines(events)
        for line in history {
            let event = try object(line)
            kinds[event["id"] as? String ?? ""] = (event["label"] as? [String: Any])?["kind"] as? String
        }
        var verdicts: [String] = []
        for (number, line) in try lines(decisions).enumerated() {
            let decision = try object(line)
            guard decision["decision"] as? String != "allow" || number % 10 == 0 else { continue }
            let label = kinds[decision["event"] as? String ?? ""] == "legitimate" ? "legitimate" : "compromised"
            var verdict: [String: Any] = [
                "id": "verdict-\(number)", "type": "feedback", "feedback": ["decision": decision["id"], "label": label, "by": "analyst"],
            ]
            for key in ["time", "tenant", "user"] { verdict[key] = decision[key] }
            verdicts.append(String(decoding: try JSONSerialization.data(withJSONObject: verdict), as: UTF8.self))
        }
        let judged = try scratch.write((history + verdicts).map { $0 + "\n" }.joined(), to: "judged.ndjson")
        let weights = scratch.file("weights.yaml")
        let arguments = [
            "fit", pipeline, "--input", judged, "--labels", "recorded", "--decisions", decisions, "--calibration-only",
            "--held-out", "0.4", "--output", weights, "--format", "json",
        ]
        func report(_ more: String...) throws -> [String: Any] {
            let result = try Started(binary ?? "", arguments + more).wait()
            #expect(result.status == 0, "\(result.error)")
            return try object(result.output)
        }
        let found = try report()
        #expect(Set(found.keys) == ["verdicts", "leftOut", "fit"])
        let analyst = (found["verdicts"] as? [String: Any])?["analyst"] as? [String: Int]
        #expect((analyst?["legitimate"] ?? 0) + (analyst?["hostile"] ?? 0) == verdicts.count)
        #expect((found["leftOut"] as? [String: Int])?["unknown"] == 0)
        #expect(keys(found["fit"]).isSuperset(of: ["slope", "offset", "before", "after", "keepsBase"]))
        #expect((found["fit"] as? [String: Any])?["keepsBase"] as? Bool == true)
        #expect(try String(contentsOfFile: weights, encoding: .utf8).contains("base: -47.9\n"))
        let whole = try report("--unjudged", "legitimate", "--window", "300d")
        #expect((whole["fit"] as? [String: Any])?["keepsBase"] as? Bool == false)
        #expect(((whole["verdicts"] as? [String: Any])?["unjudged"] as? Int ?? 0) > verdicts.count)
        let fitted = try scratch.write("name: fitted\nmodel: { weights: weights.yaml }\n", to: "fitted.yaml")
        #expect(try vigil("validate", fitted).status == 0)

        let bare = ["fit", pipeline, "--input", judged, "--output", weights]
        func status(_ more: String...) throws -> Int32 { try Started(binary ?? "", bare + more).wait().status }
        #expect(try status("--labels", "recorded") == 64)
        #expect(try status("--decisions", decisions) == 64)
        #expect(try status("--labels", "recorded", "--decisions", decisions, "--window", "0.5") == 64)
        #expect(try status("--labels", "recorded", "--decisions", scratch.file("none")) == 66)
        #expect(try status("--labels", "recorded", "--decisions", scratch.write("{}\n", to: "no.ndjson")) == 65)
        #expect(try status("--labels", "recorded", "--decisions", scratch.write("", to: "empty.ndjson")) == 65)
    }

    @Test func exitCodesSayWhatIsWrong() throws {
        let scratch = try Scratch()
        let unlabelled = try scratch.write(
            #"{"id":"e1","type":"action","time":"2026-11-23T10:00:00Z","user":"alice","action":"a"}"# + "\n", to: "bare.ndjson")
        let legitimate = try scratch.write(
            #"{"id":"e1","type":"action","time":"2026-11-23T10:00:00Z","user":"alice","action":"a","label":{"kind":"legitimate"}}"#
                + "\n", to: "legitimate.ndjson")
        let bare = try vigil("evaluate", good, "--input", unlabelled)
        #expect(bare.status == 65)
        #expect(bare.error.contains("bare.ndjson:1:"))
        #expect(try vigil("evaluate", good, "--input", legitimate).status == 0)
        #expect(try vigil("fit", good, "--input", legitimate, "--output", scratch.file("w.yaml")).status == 65)
        #expect(try vigil("evaluate", good, "--input", scratch.file("none")).status == 66)
        #expect(try vigil("evaluate", good, "--input", legitimate, "--with", scratch.file("none")).status == 66)
        #expect(try vigil("evaluate", good, "--input", legitimate, "--with", unlabelled).status == 65)
        #expect(try vigil("evaluate", scratch.file("none.yaml"), "--input", legitimate).status == 78)
        #expect(try vigil("evaluate", good, "--input", legitimate, "--roc", scratch.file("no/such/place")).status == 74)
        #expect(try vigil("evaluate", good, "--input", legitimate, "--warmup", "half").status == 64)
        #expect(try vigil("evaluate", good, "--input", "-", "--rounds", "0").status == 65)
        #expect(try vigil("fit", good, "--input", legitimate).status == 64)
    }
}
