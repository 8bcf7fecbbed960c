import Foundation
import Testing

@testable import PipelineSpec

@Suite struct SchemaTests {
    private static let script = """
        import json, sys, yaml, jsonschema
        schema = json.load(open(sys.argv[1]))
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for path in sys.argv[2:]:
            errors = list(validator.iter_errors(yaml.safe_load(open(path))))
            print(path.split("/")[-1], "bad" if errors else "good")
            for error in errors:
                print("  ", error.json_path, error.message[:200], file=sys.stderr)
        """

    private static func python(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    private static var hasValidator: Bool { (try? python(["-c", "import jsonschema, yaml"]).status == 0) ?? false }

    @Test(.enabled(if: hasValidator, "skipped: needs python3 with jsonschema and PyYAML"))
    func agreesWithTheParser() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("vigil-schema-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        func write(_ name: String, _ text: String) throws -> String {
            let url = directory.appendingPathComponent(name)
            try text.write(to: url, atomically: true, encoding: .utf8)
            return url.path
        }
        let good = [
            "name: a", "name: ${X}\nshards: ${N:2}\nwindows: {rate: \"${R}\"}",
            "name: a\npolicies: [{name: r, then: deny, when: {signals: device.new, amr: [pwd]}}]\nmodel:\n",
            "name: a\nlists: {l: [bob, 7]}\ngroups: {g: \"@l\"}\ntags: {t: [x]}\nconditions: {c: {group: g, asn: 64496}, d: [{tag: t}, {is: c}]}\n"
                + "policies: [{name: r, then: deny, when: {is: {any: [c, d]}, time_of_day: {from: \"09:00\", days: mon}}, unless: [{ip: 10.0.0.0/8}]}]\n"
                + "overrides: [{tenant: t, rules: {r: {enabled: false}}}]\nshadow: [{name: s, policies: [{name: q, then: deny}]}]\n",
        ]
        let bad = [
            "emit: all", "name: a\nemitt: all", "name: a\nshards: 0", "name: a\nwindows: {rate: 5}", "name: a\nemit: none",
            "name: a\npolicies: [{name: r, then: maybe}]", "name: a\npolicies: [{then: allow}]",
            "name: a\nconditions: {c: {levle: high}}", "name: a\npolicies: [{name: r, then: deny, unless: {nobody: x}}]",
            "name: a\nshadow: [{policies: []}]", "name: a\noverrides: [{tenants: x}]", "name: a\nlists: {l: {a: b}}",
            "name: a\npolicies: [{name: r, then: deny, when: {country: norway}}]",
            "name: a\nsources: {x: {map: {nobody: y}}}", "name: a\nmodel: {signals: {device.old: {}}}", "- a",
        ]
        var paths = shipped.map { repository.appendingPathComponent("pipelines/\($0).yaml").path }
        for (index, text) in good.enumerated() {
            #expect(diagnostics(text, environment: ["X": "x", "R": "1m"]).isEmpty)
            paths.append(try write("good\(index).yaml", text))
        }
        for (index, text) in bad.enumerated() {
            #expect(!diagnostics(text).isEmpty)
            paths.append(try write("bad\(index).yaml", text))
        }
        let run = try Self.python(["-c", Self.script, try write("schema.json", PipelineSchema.text)] + paths)
        #expect(run.status == 0, "\(run.output)")
        let expected = shipped.map { "\($0).yaml good" } + good.indices.map { "good\($0).yaml good" } + bad.indices.map { "bad\($0).yaml bad" }
        #expect(run.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }.map(String.init).sorted() == expected.sorted(), "\(run.output)")
    }
}
