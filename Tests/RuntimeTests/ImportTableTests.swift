import Foundation
import Testing

/// The module table of the architecture: what each module may import, and nothing else.
@Suite struct ImportTableTests {
    static let system: Set<String> = ["Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Dispatch"]
    static let core = ["Events", "Behavior", "Risk", "Policy", "Engine"]
    static let table: [String: Set<String>] = {
        var table: [String: Set<String>] = [
            "Events": ["CSimdjson", "COpenSSL", "Glibc"],
            "Behavior": ["Events", "Glibc"],
            "Risk": ["Events", "Behavior", "Glibc"],
            "Policy": ["Events", "Behavior", "Risk", "Glibc"],
            "Engine": ["Events", "Behavior", "Risk", "Policy", "Glibc"],
            "Enrichment": ["Events", "CMaxMindDB", "CPCRE2", "Yams"],
            "PipelineSpec": Set(core + ["Enrichment", "Yams"]),
            "StateStore": Set(core + ["CSQLite"]),
            "Runtime": Set(core + ["Enrichment", "StateStore", "Logging"]),
            "Kafka": Set(core + ["Runtime", "CRdKafka", "Logging"]),
            "Lab": Set(core + ["PipelineSpec", "StateStore", "Runtime", "Logging"]),
            "Server": Set(core + ["StateStore", "Runtime", "Logging", "Hummingbird"]),
            "VigilTesting": Set(core + ["StateStore", "Runtime", "Logging"]),
            "simulate": ["Runtime", "VigilTesting", "Logging"],
        ]
        for module in table.keys where !core.contains(module) { table[module]?.formUnion(system) }
        return table
    }()

    @Test func everyImportIsAllowed() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var seen = 0
        for case let file as URL in files where file.pathExtension == "swift" {
            let parts = file.path.dropFirst(sources.path.count).split(separator: "/")
            let module = String(parts[0])
            if module == "vigil" { continue }
            let allowed = try #require(Self.table[module], "module \(module) is not in the table")
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                guard let imported = Self.imported(by: line) else { continue }
                seen += 1
                #expect(allowed.contains(imported), "\(parts.joined(separator: "/")) imports \(imported)")
            }
        }
        #expect(seen > 20)
    }

    /// The module named by an import line, attributes and access levels aside.
    static func imported(by line: Substring) -> String? {
        var words = line.split(separator: " ").map(String.init)
        while let first = words.first, first.hasPrefix("@") || ["public", "package", "internal", "private", "fileprivate"].contains(first) {
            words.removeFirst()
        }
        guard words.first == "import", words.count >= 2 else { return nil }
        let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
        return name.split(separator: ".").first.map(String.init)
    }

    @Test func importLinesAreRead() {
        #expect(Self.imported(by: "import Events") == "Events")
        #expect(Self.imported(by: "@testable import Runtime") == "Runtime")
        #expect(Self.imported(by: "public import struct Foundation.Data") == "Foundation")
        #expect(Self.imported(by: "// import Events") == nil)
    }
}
