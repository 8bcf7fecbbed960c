import Foundation
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

    /// Not knowing somebody is not the same as danger.
    @Test(arguments: shipped) func nobodyIsDeniedForBeingNew(name: String) throws {
        for rule in try parse(contents("pipelines/\(name).yaml")).plan.rules where rule.verdict == .deny {
            #expect(!rule.conditions.confidence.isEmpty && !rule.conditions.confidence.contains(.learning), "\(rule.name)")
        }
    }

    @Test func theDefaultFileIsTheBuiltInDefaults() throws {
        var file = try parse(contents("pipelines/continuous-authorization.yaml"))
        let least = try parse("name: continuous-authorization")
        file.plan.rules = []
        file.plan.version = least.plan.version
        #expect(file == least)
    }

    @Test func theDefaultFileShowsEveryKey() throws {
        let file = try contents("pipelines/continuous-authorization.yaml")
        var yaml = YAMLReader(file: "p.yaml")
        let tree = yaml.read(file)
        let root = try #require(tree)
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
        func check(_ fields: [FieldShape], _ path: String) {
            for field in fields {
                #expect(given.contains(path + field.name), "\(path + field.name) is not shown")
                switch field.shape {
                case .map(_, _, _, let value) where field.name == "sources": check(value.fields, path + "sources/logins/")
                case .map: break
                default:
                    let isInterval = field.shape.fields.map(\.name) == ["at_least", "at_most"]
                    if !isInterval { check(field.shape.fields, path + field.name + "/") }
                }
            }
        }
        check(PipelineFields.root.shapes, "")
    }

    /// `VIGIL_WRITE_REFERENCE=1 swift test --filter theReferenceIsGenerated` writes it anew.
    @Test func theReferenceIsGenerated() throws {
        let text = PipelineReference.markdown
        if ProcessInfo.processInfo.environment["VIGIL_WRITE_REFERENCE"] != nil {
            try text.write(to: repository.appendingPathComponent("docs/pipeline.md"), atomically: true, encoding: .utf8)
        }
        #expect(try contents("docs/pipeline.md") == text, "docs/pipeline.md is out of date")
    }
}
