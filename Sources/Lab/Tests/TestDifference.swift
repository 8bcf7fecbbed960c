import Events
import PipelineSpec
import Policy
import Risk

/// One thing that was to be otherwise.
public struct TestDifference: Sendable, Equatable, Encodable {
    /// The expectation's key.
    public var field: String
    public var expected: String
    public var got: String

    init(_ field: String, expected: String, got: String) {
        self.field = field
        self.expected = expected
        self.got = got
    }
}

extension TestExpectation {
    /// All that the decision is not, in the order of the keys; empty when it is as expected.
    func differences(from decision: DecisionSummary) -> [TestDifference] {
        var found: [TestDifference] = []
        func compare(_ field: String, _ expected: [String], _ got: String?) {
            guard !expected.isEmpty, !expected.contains(got ?? "") else { return }
            found.append(TestDifference(field, expected: expected.joined(separator: " or "), got: got ?? "none"))
        }
        func compare(list field: String, _ expected: [String]?, _ got: [String]) {
            guard let expected, expected != got else { return }
            found.append(TestDifference(field, expected: Self.text(expected), got: Self.text(got)))
        }
        if let deadLetter {
            found.append(TestDifference("dead_letter", expected: deadLetter.rawValue, got: "a decision: \(decision.decision)"))
        }
        compare("decision", verdicts.map(\.name.description), decision.decision)
        compare("rule", rule.map { [$0] } ?? [], decision.policy.rule)
        compare("level", levels.map(\.name.description), decision.level)
        compare("confidence", confidence.map(\.name.description), decision.confidence)
        if let score, decision.score < score.atLeast ?? 0 || decision.score > score.atMost ?? 100 {
            let ends = (score.atLeast.map { ["at least \($0)"] } ?? []) + (score.atMost.map { ["at most \($0)"] } ?? [])
            found.append(TestDifference("score", expected: ends.joined(separator: ", "), got: "\(decision.score)"))
        }
        let signals = decision.reasons.filter { $0.points > 0 }.map(\.signal)
        let missing = reasons.map(\.name.description).filter { !signals.contains($0) }
        if !missing.isEmpty {
            found.append(TestDifference("reasons", expected: Self.text(missing), got: "not among the reasons"))
        }
        let unwanted = notReasons.map(\.name.description).filter { signals.contains($0) }
        if !unwanted.isEmpty {
            found.append(TestDifference("not_reasons", expected: "none of these", got: Self.text(unwanted)))
        }
        compare(list: "shadow", shadow?.map(\.name).sorted(), (decision.shadow ?? []).map(\.name).sorted())
        for objection in shadow ?? [] {
            let got = decision.shadow?.first { $0.name == objection.name }
            if let verdict = objection.verdict, let got, got.decision != verdict.name.description {
                found.append(TestDifference("shadow", expected: "\(objection.name): \(verdict.name)", got: got.decision))
            }
        }
        compare(list: "methods", methods?.map(\.rawValue), decision.step_up?.methods ?? [])
        compare(list: "acr_values", acrValues, decision.step_up?.acr_values ?? [])
        if let question {
            let got = decision.step_up.map { $0.prompt == nil ? "open" : "new" }
            compare("question", [question.rawValue], got)
        }
        return found
    }

    private static func text(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }
}
