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
        #expect(outcomes.filter { !$0.isPassed }.map { "\($0.name): \($0.failures)" } == [])
        #expect(runner.unmatched(in: outcomes) == [])
        #expect(outcomes.count >= pipeline.plan.rules.count)
    }

    @Test(arguments: shipped) func everyBrokenRuleIsNoticed(name: String) async throws {
        let pipeline = try Self.pipeline(name)
        let outcomes = TestRunner(pipeline).run()
        let missed = await withTaskGroup(of: [String].self, returning: [String].self) { group in
            for mutants in Dictionary(grouping: Mutant.all(of: pipeline), by: \.place).values {
                group.addTask { Self.missed(mutants, outcomes) }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        let expected = Self.indistinguishable[name, default: []]
        #expect(Set(missed).subtracting(expected) == [], "nobody notices these")
        #expect(Set(expected).subtracting(missed) == [], "somebody notices these")
    }

    /// What overrides, conditions and shadow policies say is broken as well, and noticed where a test asks for it.
    @Test func whatRulesNameIsBrokenToo() throws {
        let rules = """
            name: p
            groups: { staff: [bob] }
            conditions: { night: { time_of_day: { from: "22:00", to: "06:00", days: mon } } }
            policies:
              - { name: exports, when: { action: "*.export" }, unless: { is: night }, then: step_up }
            overrides:
              - { group: staff, rules: { exports: { mode: report } } }
            shadow:
              - { name: strict, policies: [{ name: views, when: { action: "*.view" }, then: deny }], otherwise: deny }
            tests:
              - name: t
                as: { user: alice }
                steps:
            """ + "\n"
        func missed(_ steps: [String]) throws -> [String] {
            let text = rules + steps.map { "      - \($0)\n" }.joined()
            var pipeline = try PipelineFile.parse(text: text, file: "p.yaml", environment: [:])
            pipeline.plan.secret = Array("a secret for tests only".utf8)
            let outcomes = TestRunner(pipeline).run()
            #expect(outcomes.flatMap(\.failures).map { "\($0)" } == [])
            return Dictionary(grouping: Mutant.all(of: pipeline), by: \.place).values.flatMap { Self.missed($0, outcomes) }.sorted()
        }
        let views = "{ action: a.view, expect: { decision: allow, shadow: { strict/views: deny } } }"
        let others = "{ action: a.view, with: { user: bob }, expect: { decision: allow, shadow: strict/views } }"
        let exports = "{ action: a.export, expect: { decision: step_up, rule: exports, shadow: strict/otherwise, methods: webauthn } }"
        let copies = "{ action: a.export, with: { user: bob }, expect: { decision: allow, shadow: { exports: step_up, strict/otherwise: deny } } }"
        let nights = "{ action: a.export, at: \"22:30\", expect: allow }"
        let theirs = "{ action: a.export, at: \"22:40\", with: { user: bob }, expect: { decision: allow, shadow: [strict/otherwise] } }"
        let tuesdays = "{ action: a.export, at: \"2026-03-03T22:30:00Z\", expect: step_up }"
        let none = try missed([views, others, exports, copies, nights, theirs, tuesdays])
        #expect(none == [])
        let most = try missed([exports])
        #expect(Set(most).isSuperset(of: [
            "exports for some is gone", "exports lacks exception 1", "the group staff lacks bob",
            "the condition night takes any day", "strict/views is gone",
        ]))
    }

    /// No event tells these from what they were, or only one that nobody sends.
    private static let indistinguishable = [
        "continuous-authorization": [
            // Rules before them take the other levels.
            "try-fresh-authentication takes any level", "try-admins-at-night takes any level",
            // It names all there are, to show the keys.
            "try-fresh-authentication takes any score", "try-fresh-authentication takes any assurance",
        ],
    ]

    /// Those of one place that pass every test.
    private static func missed(_ mutants: [Mutant], _ outcomes: [TestOutcome]) -> [String] {
        // Those that show the rule at work are the likeliest to notice, then whichever noticed last.
        let likely = outcomes.filter { !$0.matched.isDisjoint(with: mutants[0].rules) }.map(\.name)
        var order = likely + outcomes.map(\.name).filter { !likely.contains($0) }
        return mutants.filter { mutant in
            let runner = TestRunner(mutant.pipeline)
            let noticing = order.firstIndex { test in runner.run { $0 == test }.contains { !$0.isPassed } }
            guard let noticing else { return true }
            order.insert(order.remove(at: noticing), at: 0)
            return false
        }.map(\.name)
    }
}
