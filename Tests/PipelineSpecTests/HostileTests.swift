import Foundation
import Testing

@testable import PipelineSpec

@Suite struct HostileTests {
    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func deepNestingIsRefused(opening: String) {
        for depth in [40, 900, 5000, 100_000] {
            let found = diagnostics("name: a\ntests: " + String(repeating: opening, count: depth))
            #expect(found.count == 1)
        }
        let closed = "name: a\ntests: " + String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(problems(closed).map { $0.split(separator: " ")[1] } == ["yaml.depth"])
    }

    @Test func aliasBombsAreRefused() {
        var bomb = "name: a\ntests:\n  - &a0 [x,x,x,x,x,x,x,x,x]\n"
        for level in 1...12 { bomb += "  - &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ",") + "]\n" }
        #expect(problems(bomb).map { $0.split(separator: " ")[1] } == ["yaml.aliases"])
        // As keys, where hashing would unfold them.
        for key in ["  - {*a12 : x}\n", "  - ? *a12\n    : x\n", "  - {[*a12]: x}\n", "  - {? *a12 : x}\n", "  - [*a12 : x]\n", "  - *a12 : x\n"] {
            #expect(problems(bomb + key).map { $0.split(separator: " ")[1] } == ["yaml.key"], "\(key)")
        }
    }

    @Test func hugeScalarsAreRefused() {
        let found = messages("name: " + String(repeating: "a", count: 10 << 20))
        #expect(found == ["p.yaml: error[file.too_large]: a pipeline file has at most 1 MiB, this one has 10485766 bytes"])
        #expect(problems("name: " + String(repeating: "a", count: 1 << 19)) == ["1:7 value.type"])
    }

    @Test func longKeysAndManyDuplicatesEnd() {
        let key = String(repeating: "k", count: 1 << 16)
        let found = messages("name: a\n\"\(key)\": 1\n")
        #expect(found.count == 1)
        #expect(found[0].utf8.count < 1000)
        #expect(diagnostics("name: a\n" + (0..<1000).map { "windowss\($0): 1\n" }.joined()).count == 1000)
        let many = "name: a\n" + (0..<200).map { "k\($0 % 100): 1\n" }.joined()
        #expect(!diagnostics(many).isEmpty)
    }

    @Test func byteOrderMarkAndLineEndings() throws {
        #expect(try parse("\u{FEFF}name: a\r\nshards: 2\r\n").shards == 2)
        #expect(problems("\u{FEFF}name: a\r\nshards: x\r\nemit: y\r\n") == ["2:9 value.type", "3:7 value.choice"])
        #expect(problems("name: a\r\nshards: 1\r\nshards: 2\r\n") == ["3:1 yaml.duplicate_key"])
    }

    @Test func columnsCountCharacters() {
        #expect(problems("name: a\npolicies: [{name: r, then: step_up, step_up: {prompt: \"Grüße 👋\", expires: x}}]\n") == ["2:75 value.type"])
    }

    @Test(arguments: ["name: \"a\\0b\"", "name: a\u{7}", "name: \u{0}", "name: \"a\\nb\"", "name: \"\\u202e\"", "name: ''"])
    func controlCharactersAreNoNames(text: String) {
        let found = messages(text)
        #expect(found.count == 1)
        #expect(found[0].unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 0x202E })
    }

    @Test func notUTF8() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("vigil-\(UUID()).yaml")
        try Data([0x6E, 0x61, 0x6D, 0x65, 0x3A, 0x20, 0xFF, 0xFE]).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        do {
            _ = try PipelineFile.load(path: path.path, environment: [:])
            Issue.record("accepted")
        } catch {
            #expect(error.all.map(\.code) == ["file.encoding"])
        }
    }

    @Test func severalDocumentsAreRefused() { #expect(problems("name: a\n---\nname: b\n") == ["2:1 yaml.syntax"]) }

    /// Whatever is cut, doubled or swapped in the default pipeline: an answer, never a trap.
    @Test func mutilatedFilesGetAnAnswer() throws {
        var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((seed >> 33) % UInt64(bound))
        }
        let original = Array(try contents("pipelines/banking.yaml").unicodeScalars)
        let marks: [Unicode.Scalar] = ["{", "}", "[", "]", ":", "-", "*", "&", "!", "?", "\"", "'", "\n", " ", "$", "#", "\t", "|", ">", "%", "@", "\u{FEFF}"]
        for _ in 0..<300 {
            var scalars = original
            for _ in 0...random(4) {
                let at = random(scalars.count)
                switch random(4) {
                case 0: scalars.remove(at: at)
                case 1: scalars.insert(marks[random(marks.count)], at: at)
                case 2: scalars[at] = marks[random(marks.count)]
                default: scalars.removeSubrange(at..<min(scalars.count, at + random(80)))
                }
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            for diagnostic in diagnostics(text) { #expect(diagnostic.line >= 0) }
        }
    }
}
