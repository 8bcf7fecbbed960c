import Foundation
import Testing

/// A fenced block of a document. The first word after the fence is its language, the second says what the test does
/// with it.
struct DocumentBlock: CustomTestStringConvertible {
    var document: String
    var line: Int
    var language: String
    var role: String
    var text: String

    var testDescription: String { "\(document):\(line)" }

    /// Every document a person reads, the generated reference included.
    static let documents: [String] = ["README.md"] + ((try? FileManager.default.contentsOfDirectory(atPath: checkout + "/docs")) ?? [])
        .filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }

    static let all: [DocumentBlock] = documents.flatMap { document in
        var blocks: [DocumentBlock] = []
        var open: DocumentBlock?
        for (number, line) in read(document).components(separatedBy: "\n").enumerated() {
            if line.hasPrefix("```") {
                if let block = open {
                    blocks.append(block)
                    open = nil
                } else {
                    let words = line.dropFirst(3).split(separator: " ").map(String.init) + ["", ""]
                    open = DocumentBlock(
                        document: document, line: number + 1, language: words[0], role: words[1], text: "")
                }
            } else {
                open?.text += line + "\n"
            }
        }
        return blocks
    }

    static func of(_ language: String, _ roles: String...) -> [DocumentBlock] {
        all.filter { $0.language == language && roles.contains($0.role) }
    }

    static func read(_ document: String) -> String {
        (try? String(contentsOfFile: checkout + "/" + document, encoding: .utf8)) ?? ""
    }
}

/// Every example in the documents does what they say. Blocks by language and role:
///
/// - `sh run`: runs to its end; `json output` and `text output` after it are what it prints.
/// - `sh service`, then `sh kafka` and `python kafka`: run in order, on a service with an embedded broker.
/// - `sh form`: needs a cluster or takes long; its syntax, programs and options are checked.
/// - `yaml`: a pipeline file, or keys of one; `yaml form` names files that are not here. `json event`, `json decision`, `json receipt`: fit their schemas.
/// - `text sum`: adds up. `text drawing`: for the eye.
@Suite(.serialized, .enabled(if: binary != nil, Comment(rawValue: binaryMissing)))
struct DocumentationTests {
    /// A directory that looks like the checkout to the examples, and keeps what they write out of it.
    private func stage() throws -> Scratch {
        let scratch = try Scratch()
        for name in ["docs", "pipelines", "scripts", "benchmarks"] {
            try FileManager.default.createSymbolicLink(atPath: scratch.file(name), withDestinationPath: checkout + "/" + name)
        }
        return scratch
    }

    private func environment(brokers: String? = nil) -> [String: String] {
        let directory = (binary ?? "").split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        var environment = ["VIGIL_SECRET": "", "PATH": directory + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")]
        if let brokers { environment["VIGIL_BROKERS"] = brokers }
        return environment
    }

    private func bash(_ text: String, in scratch: Scratch, brokers: String? = nil) throws -> Started {
        try Started(
            "/bin/bash", ["-c", "set -euo pipefail; cd '\(scratch.path)'\n" + text], environment: environment(brokers: brokers))
    }

    @Test func everyBlockSaysWhatItIs() {
        let known: Set = [
            "sh run", "sh service", "sh kafka", "sh form", "python kafka", "yaml ", "yaml form", "json output", "json event",
            "json decision", "json receipt", "text output", "text sum", "text drawing",
        ]
        for block in DocumentBlock.all {
            #expect(known.contains(block.language + " " + block.role), "\(block.testDescription)")
        }
        #expect(DocumentBlock.all.contains { $0.language == "json" && $0.role == "output" })
    }

    @Test func commandsRunAndPrintWhatIsShown() throws {
        let scratch = try stage()
        var last = Finished(status: 0, output: "", error: "")
        for block in DocumentBlock.all {
            switch (block.language, block.role) {
            case ("sh", "run"):
                last = try bash(block.text, in: scratch).wait(seconds: 120)
                #expect(last.status == 0, "\(block.testDescription): \(last.error)")
            case ("text", "output"):
                for line in block.text.split(separator: "\n") {
                    let printed = (last.output + last.error).contains(line.trimmingCharacters(in: .whitespaces))
                    #expect(printed, "\(block.testDescription): not printed: \(line)")
                }
            case ("json", "output"):
                let shown = try comparable(block.text)
                let printed = try comparable(String(last.output.split(separator: "\n").last ?? "{}"))
                #expect(shown == printed, "\(block.testDescription): it prints \(last.output)")
            default: continue
            }
        }
    }

    /// The pipeline's version is left out: it changes with every word of its file that means something.
    private func comparable(_ text: String) throws -> NSDictionary {
        var decision = try object(text)
        var policy = decision["policy"] as? [String: Any]
        policy?["version"] = nil
        decision["policy"] = policy
        return decision as NSDictionary
    }

    @Test func sumsAddUp() throws {
        let decision = try object(try #require(DocumentBlock.of("json", "output").first).text)
        let reasons = try #require(decision["reasons"] as? [[String: Any]])
        let points = [try #require(decision["base"] as? Double)] + reasons.compactMap { $0["points"] as? Double }
        let sum = try #require(DocumentBlock.of("text", "sum").first).text
        let sides = sum.trimmingCharacters(in: .newlines).components(separatedBy: " = ")
        #expect(sides[0].components(separatedBy: " + ").compactMap(Double.init) == points)
        let total = try #require(Double(sides[1]))
        #expect(abs(points.reduce(0, +) - total) < 0.01)
        #expect(abs(total / 10 - (decision["logit"] as? Double ?? 0)) < 0.01)
        #expect(abs(100 / (1 + exp(-total / 10)) - (decision["score"] as? Double ?? 0)) < 0.06)
    }

    @Test(.enabled(if: find("kcat") != nil, "skipped: kcat is missing"))
    func clientsWorkAsShown() throws {
        let scratch = try stage()
        let start = try #require(DocumentBlock.of("sh", "service").first)
        let service = try bash("exec " + start.text.replacingOccurrences(of: "--port 9092", with: "--port 0"), in: scratch)
        let broker = try service.line("broker: ")
        for block in DocumentBlock.all where block.role == "kafka" {
            let text = block.text.replacingOccurrences(of: "127.0.0.1:9092", with: broker)
            if block.language == "python" {
                try expectDecisions(from: text, broker, "\(block.testDescription)")
                continue
            }
            let result = try bash(text, in: scratch, brokers: broker).wait(seconds: 60)
            #expect(result.status == 0, "\(block.testDescription): \(result.error)")
        }
        let tail = try Started(
            find("kcat") ?? "", ["-C", "-u", "-b", broker, "-t", "decisions", "-o", "beginning", "-f", "%h %s\n"])
        try until(30, "the answered challenge; decisions: \(tail.output)") { tail.output.contains("\"rule\":\"challenge-passed\"") }
        #expect(tail.output.contains("ce_type=dev.vigil.decision.v1"))
        tail.kill(SIGKILL)
        service.kill(SIGTERM)
        #expect(try service.wait().status == 0)
    }

    /// A subscriber runs until it has printed a step-up; where its library is missing, it is at least Python.
    private func expectDecisions(from text: String, _ broker: String, _ place: String) throws {
        let pythons = ["/usr/bin/python3", find("python3")].compactMap { $0 }
        let able = try pythons.first { try Started($0, ["-c", "import confluent_kafka"]).wait().status == 0 }
        guard let able else {
            let python = try #require(pythons.first)
            let parsed = try Started(python, ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], input: text).wait()
            #expect(parsed.status == 0, "\(place): \(parsed.error)")
            return
        }
        let subscriber = try Started(able, ["-u", "-c", text], environment: environment(brokers: broker))
        try until(60, "\(place) to print a decision; \(subscriber.error)") {
            subscriber.output.contains("step_up") || !subscriber.process.isRunning
        }
        #expect(subscriber.output.contains("step_up"), "\(place): \(subscriber.error)")
        subscriber.kill(SIGKILL)
    }

    @Test func commandsForAClusterAreWellFormed() throws {
        for block in DocumentBlock.of("sh", "form", "service") {
            let syntax = try Started("/bin/bash", ["-n", "-c", block.text]).wait()
            #expect(syntax.status == 0, "\(block.testDescription): \(syntax.error)")
            for line in block.text.split(separator: "\n") {
                let words = line.prefix(while: { $0 != "#" }).split(separator: " ").map(String.init)
                guard let program = words.first else { continue }
                if program == "vigil" {
                    let help = try vigil("help", words.dropFirst().first ?? "").output
                    for option in words where option.hasPrefix("-") {
                        #expect(help.contains(option + " ") || help.contains(option + "\n"), "\(block.testDescription): \(option)")
                    }
                } else if program.contains("/") {
                    #expect(FileManager.default.isExecutableFile(atPath: checkout + "/" + program), "\(block.testDescription)")
                }
                for word in words where word.hasPrefix("pipelines/") || word.hasPrefix("docs/") {
                    #expect(FileManager.default.fileExists(atPath: checkout + "/" + word), "\(block.testDescription): \(word)")
                }
            }
        }
    }

    @Test func pipelinesAreValid() throws {
        let scratch = try Scratch()
        for block in DocumentBlock.of("yaml", "") {
            let named = block.text.hasPrefix("name:") || block.text.contains("\nname:")
            let file = try scratch.write((named ? "" : "name: example\n") + block.text, to: "pipeline.yaml")
            let result = try vigil(
                "validate", file,
                environment: ["VIGIL_BROKERS": "kafka:9093", "KAFKA_USER": "vigil", "KAFKA_PASSWORD": "secret"])
            #expect(result.status == 0, "\(block.testDescription): \(result.error)")
        }
    }

    /// Nothing is wrong with it but that its files are missing.
    @Test func formsOfPipelinesAreWellFormed() throws {
        let scratch = try Scratch()
        for block in DocumentBlock.of("yaml", "form") {
            let file = try scratch.write("name: example\n" + block.text, to: "pipeline.yaml")
            let problems = try vigil("validate", file).error.split(separator: "\n")
            #expect(!problems.isEmpty)
            for line in problems where line.contains(": error") {
                #expect(line.contains("error[enrichment.missing]"), "\(block.testDescription): \(line)")
            }
        }
    }

    @Test func recordsFitTheirSchemas() throws {
        let python = try #require(find("python3"), "python3 with jsonschema is needed")
        let check = """
            import json, sys
            from jsonschema import Draft202012Validator
            error = next(Draft202012Validator(json.load(open(sys.argv[1]))).iter_errors(json.load(open(sys.argv[2]))), None)
            if error: sys.exit(f"{error.message} at {list(error.path)}")
            """
        let scratch = try Scratch()
        for (role, name) in [("output", "decision"), ("decision", "decision"), ("event", "event"), ("receipt", "receipt")] {
            let schema = try scratch.write(try vigil("schema", name).output, to: "schema.json")
            for block in DocumentBlock.of("json", role) {
                let result = try Started(python, ["-c", check, schema, try scratch.write(block.text, to: "record.json")]).wait()
                #expect(result.status == 0, "\(block.testDescription): \(result.error)")
            }
        }
    }

    @Test func everyCommandIsInTheTable() throws {
        let help = try vigil("--help").output.components(separatedBy: "SUBCOMMANDS:").last ?? ""
        let commands = help.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }.filter { $0 != "See" }
        let rows = DocumentBlock.read("README.md").split(separator: "\n").filter { $0.hasPrefix("| `vigil ") }
            .map { String($0.dropFirst("| `vigil ".count).prefix { $0.isLetter || $0 == "-" }) }
        #expect(commands.count > 5)
        #expect(rows.sorted() == commands.sorted())
    }

    /// Links and paths in backticks lead somewhere.
    @Test(arguments: DocumentBlock.documents) func pathsExist(_ document: String) throws {
        let text = DocumentBlock.read(document)
        let base = URL(fileURLWithPath: checkout + "/" + document).deletingLastPathComponent()
        for match in text.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/) {
            let path = base.appendingPathComponent(String(match.1)).path
            #expect(FileManager.default.fileExists(atPath: path), "\(document) links to \(match.1)")
        }
        for match in text.matches(of: /`((Sources|Tests|scripts|benchmarks|pipelines|docs)\/[A-Za-z0-9_\/.+-]+)`/) {
            #expect(FileManager.default.fileExists(atPath: checkout + "/" + match.1), "\(document) names \(match.1)")
        }
    }
}
