import Events
import Foundation
import PipelineSpec
import Policy
import Testing

@testable import Lab

/// The shipped pipelines' tests pass, and fail when any rule is broken by hand: a test that can't fail proves nothing.
@Suite struct MutationTests {
    static let shipped = ["continuous-authorization", "banking", "admin-console"]

    static func pipeline(_ name: String) throws -> Pipeline {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        var pipeline = try PipelineFile.load(path: root.appendingPathComponent("pipelines/\(name).yaml").path, environment: [:])
        pipeline.plan.secret = Array("a secret for tests only".utf8)
        return pipeline
    }

    @Test(arguments: shipped) func theirTestsPass(name: String) throws {
        let pipeline = try Self.pipeline(name)
        let runner = TestRunner(pipeline)
        let outcomes = runner.run()
        for outcome in outcomes { #expect(outcome.isPassed, "\(name): \(outcome.name): \(outcome.failures)") }
        #expect(runner.unmatched(in: outcomes) == [])
        #expect(outcomes.count >= pipeline.plan.rules.count)
    }

    @Test(arguments: shipped) func everyBrokenRuleIsNoticed(name: String) throws {
        let pipeline = try Self.pipeline(name)
        let outcomes = TestRunner(pipeline).run()
        for index in pipeline.plan.rules.indices {
            // Those that show the rule at work are the likeliest to notice.
            let likely = outcomes.filter { $0.matched.contains(pipeline.plan.rules[index].name) }.map(\.name)
            let order = likely + outcomes.map(\.name).filter { !likely.contains($0) }
            for mutant in Self.mutants(of: pipeline.plan.rules, at: index) {
                if Self.indistinguishable.contains("\(name): \(pipeline.plan.rules[index].name) \(mutant.what)") { continue }
                var broken = pipeline
                broken.plan.rules = mutant.rules
                #expect(Self.fails(broken, order), "\(name): nobody notices that \(pipeline.plan.rules[index].name) \(mutant.what)")
            }
        }
    }

    /// No event tells these from what they were: rules before them take the rest.
    private static let indistinguishable: Set = [
        "continuous-authorization: try-fresh-authentication takes any level",
    ]

    /// One failing test is enough.
    private static func fails(_ pipeline: Pipeline, _ order: [String]) -> Bool {
        let runner = TestRunner(pipeline)
        return order.contains { test in runner.run { $0 == test }.contains { !$0.isPassed } }
    }

    /// The rules with one of them broken, each time in another way.
    private static func mutants(of rules: [Rule], at index: Int) -> [(what: String, rules: [Rule])] {
        var mutants: [(what: String, rules: [Rule])] = []
        func add(_ what: String, _ change: (inout Rule) -> Void) {
            var copy = rules
            change(&copy[index])
            if copy != rules { mutants.append((what, copy)) }
        }
        var without = rules
        without.remove(at: index)
        mutants.append(("is gone", without))
        add("lets pass") { $0.verdict = .allow }
        add("is harsher") { $0.verdict = $0.verdict == .terminateSession ? .deny : .terminateSession }
        add("has another mode") { $0.mode = $0.mode == .report ? .enforce : .report }
        add("asks otherwise") { if $0.verdict == .stepUp, $0.mode == .enforce { $0.stepUp.methods = [.biometric] } }
        let levels = rules[index].conditions.levels
        if let least = levels.min() {
            if levels.count > 1 { add("needs a higher level") { $0.conditions.levels = levels.filter { $0 != least } } }
            if let below = RiskLevel(rawValue: least.rawValue &- 1) { add("takes a lower level") { $0.conditions.levels.append(below) } }
        }
        add("takes any level") { $0.conditions.levels = [] }
        add("takes any action") { $0.conditions.actions = [] }
        let saysOfWhat = !rules[index].conditions.actions.isEmpty || !rules[index].conditions.allSignals.isEmpty
        if !saysOfWhat { add("takes any event") { $0.conditions.types = [] } }
        add("takes any amount") { $0.conditions.amount = nil }
        add("takes any currency") { $0.conditions.currencies = [] }
        add("takes any confidence") { $0.conditions.confidence = [] }
        add("needs no signal") { ($0.conditions.anySignals, $0.conditions.allSignals) = ([], []) }
        add("takes any methods") { ($0.conditions.anyMethods, $0.conditions.noMethods) = ([], []) }
        add("takes any age") { $0.conditions.authAge = nil }
        return mutants
    }
}
