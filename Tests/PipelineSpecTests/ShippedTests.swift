import Foundation
import Policy
import Risk
import Testing

@testable import PipelineSpec

@Suite struct ShippedTests {
    @Test(arguments: shipped) func isValidWithoutAWarning(name: String) throws {
        let path = repository.appendingPathComponent("pipelines/\(name).yaml").path
        let pipeline = try PipelineFile.load(path: path, environment: [:])
        #expect(pipeline.warnings.isEmpty, "\(pipeline.warnings)")
        #expect(pipeline.plan.name == name)
        #expect(!pipeline.plan.rules.isEmpty)
    }

    /// Not knowing somebody is not the same as danger. What is forbidden to everybody from a country has nothing to do with risk.
    @Test(arguments: shipped) func nobodyIsDeniedForBeingNew(name: String) throws {
        for rule in try parse(contents("pipelines/\(name).yaml")).plan.rules where rule.verdict == .deny {
            var others = rule.conditions
            (others.countries, others.actions) = ([], [])
            if others == RuleConditions(), !rule.conditions.countries.isEmpty { continue }
            #expect(!rule.conditions.confidence.isEmpty && !rule.conditions.confidence.contains(.learning), "\(rule.name)")
        }
    }

    @Test func theDefaultFileIsTheBuiltInDefaults() throws {
        var file = try parse(contents("pipelines/continuous-authorization.yaml"))
        let least = try parse("name: continuous-authorization")
        (file.plan.rules, file.plan.vocabulary) = ([], least.plan.vocabulary)
        file.tests = []
        file.plan.version = least.plan.version
        #expect(file == least)
    }

    @Test func theDefaultFileShowsEveryKey() throws {
        let file = try contents("pipelines/continuous-authorization.yaml")
        let root = try #require(Self.tree(file))
        var given: Set<String> = []
        func walk(_ node: Node, _ path: String) {
            switch node.content {
            case .mapping(let entries):
                for entry in entries {
                    given.insert(path + entry.key)
                    walk(entry.value, path + entry.key + "/")
                }
            case .list(let items): items.forEach { walk($0, path) }
            case .nothing, .scalar: break
            }
        }
        walk(root, "")
        // Shadow policies would show in decisions: the example stands in a comment.
        let comment = try #require(file.firstRange(of: "# shadow:\n"))
        let example = file[comment.lowerBound...].components(separatedBy: "\n\n")[0].components(separatedBy: "\n").map { $0.dropFirst(2) }
        #expect(try parse("name: a\n" + example.joined(separator: "\n").replacing("file: stricter.yaml", with: "policies: []")).plan.shadows.count == 2)
        walk(try #require(Self.tree(example.joined(separator: "\n"))), "")
        func check(_ fields: [FieldShape], _ path: String) {
            for field in fields {
                let isShown = given.contains(path + field.name)
                #expect(isShown, "\(path + field.name) is not shown")
                switch field.shape {
                case .map(_, _, _, let value) where field.name == "sources": check(value.fields, path + "sources/logins/")
                case .map: break
                // Nothing in a test has a default to show; docs/evaluation.md has its keys.
                case _ where path.isEmpty && field.name == "tests": break
                default:
                    let isInterval = field.shape.fields.map(\.name) == ["at_least", "at_most"]
                    if !isInterval { check(field.shape.fields, path + field.name + "/") }
                }
            }
        }
        check(PipelineFields.root.shapes, "")
    }

    private static func tree(_ text: String) -> Node? {
        var yaml = YAMLReader(file: "p.yaml")
        return yaml.read(text)
    }

    /// Everything that is generated from the code: path, and what it should hold, given what it holds.
    static let generated: [(path: String, text: @Sendable (String) -> String)] = [
        ("docs/pipeline.md", { _ in PipelineReference.markdown }),
        ("docs/signals.md", { _ in SignalReference.markdown }),
        ("pipelines/continuous-authorization.yaml", { ModelExample.written(into: $0) ?? "" }),
    ]

    /// `VIGIL_WRITE_REFERENCE=1 swift test --filter theReferenceIsGenerated` writes them anew.
    @Test(arguments: generated.map(\.path)) func theReferenceIsGenerated(path: String) throws {
        let known = (try? contents(path)) ?? ""
        let text = try #require(Self.generated.first { $0.path == path }).text(known)
        #expect(!text.isEmpty)
        if ProcessInfo.processInfo.environment["VIGIL_WRITE_REFERENCE"] != nil, !text.isEmpty {
            try text.write(to: repository.appendingPathComponent(path), atomically: true, encoding: .utf8)
        }
        #expect(try contents(path) == text, "\(path) is out of date")
    }

    @Test func theReferenceSaysWhatTheCodeDoes() throws {
        let list = try #require(
            JSONSerialization.jsonObject(with: Data(SignalReference.json.utf8)) as? [[String: Any]])
        #expect(list.compactMap { $0["name"] as? String } == Signal.allCases.map(\.name.description))
        for (entry, signal) in zip(list, Signal.allCases) {
            #expect(entry["weight"] as? Double == signal.defaultWeight && entry["cap"] as? Double == signal.defaultCap)
            #expect(entry["group"] as? String == "\(signal.group)" && entry["family"] as? String == signal.family)
            #expect(entry["group_cap"] as? Double == signal.group.defaultCap)
            for (key, text) in [
                ("sees", signal.documentation.sees), ("formula", signal.documentation.formula),
                ("source", signal.documentation.source), ("false_positives", signal.documentation.falsePositives),
            ] {
                #expect(entry[key] as? String == text && !text.isEmpty, "\(signal.name): \(key)")
            }
            let line = "name: p\nmodel: {signals: {\(signal.name): {"
            for option in try #require(entry["options"] as? [[String: Any]]) {
                let (name, value) = (option["name"] as? String ?? "", option["default"] as? String ?? "")
                #expect(try parse(line + "\(name): \(value)}}}").plan == parse("name: p").plan, "\(signal.name).\(name)")
                #expect(SignalReference.markdown.contains("| `\(name)` |"))
            }
            #expect(SignalReference.text.contains("\(signal.name)\n"))
        }
    }
}
