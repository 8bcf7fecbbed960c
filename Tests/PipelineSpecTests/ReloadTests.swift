import Foundation
import Testing

@testable import PipelineSpec

/// What a running pipeline may become, and what it is read from.
@Suite struct ReloadTests {
    private func obstacles(_ before: String, _ after: String) throws -> [String] {
        try parse(after).obstacles(after: try parse(before)).map { "\($0.line):\($0.column) \($0.message)" }
    }

    @Test func meaningMayChange() throws {
        let before = "name: p\n"
        let after = """
            # The same name, and much else.
            name: "p"
            emit: all
            windows: { session_gap: 10m, allowed_lateness: 5s, half_life: 30d }
            model: { levels: { medium: 20 } }
            policies: [{ name: r, when: { action: x }, then: deny }]
            otherwise: deny
            sources: { logins: {}, actions: { topic: actions }, challenges: {}, feedback: { type: feedback } }
            tests: []
            """
        #expect(try obstacles(before, after) == [])
        #expect(try parse(before).plan.version != parse(after).plan.version)
    }

    @Test func whatNeedsARestartIsNamedAllAtOnce() throws {
        let before = "name: p\nkafka: { client.id: a }\nsources: { logins: {}, actions: {} }\nsecret: sixteen letters a\n"
        let after = """
            name: q
            secret: sixteen letters b
            sources:
              logins: { topic: other }
            sinks: { decisions: { topic: d } }
            bounds: { user: 16KiB }
            windows:
              rate_hop: 10s
            model: { signals: {}, levels: { medium: 30 } }
            state: { memory: 1GiB }
            delivery: { batch: 5 }
            group: g
            instance: i
            shards: 3
            topics: { partitions: 9 }
            kafka: { client.id: b }
            """
        let wanted = [
            "1:7 name", "2:9 secret", "4:11 sources.logins", "4:11 sources.actions", "5:30 sinks.decisions.topic",
            "6:17 bounds.user", "8:13 windows.rate_hop", "10:18 state.memory", "11:20 delivery.batch", "12:8 group",
            "13:11 instance", "14:9 shards", "15:23 topics.partitions", "16:21 kafka.client.id",
        ]
        let found = try obstacles(before, after)
        #expect(found == wanted.map { place in
            let parts = place.split(separator: " ")
            return "\(parts[0]) `\(parts[1])` can't change while Vigil runs: restart to change it"
        })
        #expect(!found.joined().contains("sixteen"))
    }

    /// Every key of the file is either meaning or needs a restart: none is taken up in part.
    @Test func everyKeyIsOneOrTheOther() {
        let fixed = PipelineFields.root.parts(of: Draft()).filter(\.isFixed).map(\.path)
        for key in PipelineFields.root.fields where !key.hasMeaning {
            guard !["enrichment", "lists", "tests"].contains(key.shape.name) else { continue }
            #expect(key.isFixed, "\(key.shape.name)")
        }
        #expect(fixed.contains("windows.pane") && fixed.contains("model.signals.action.breadth.window") && !fixed.contains("windows.idle"))
    }

    @Test func allFilesAreNamedEvenWhereOneIsMissing() throws {
        let folder = NSTemporaryDirectory() + "/vigil-reload-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/p.yaml"
        try "name: p\nmodel: { weights: w.yaml }\nenrichment: { lists: { vpn: vpn.txt } }\n"
            .write(toFile: path, atomically: true, encoding: .utf8)
        try "192.0.2.0/24\n".write(toFile: folder + "/vpn.txt", atomically: true, encoding: .utf8)
        var files: [String] = []
        #expect(throws: Diagnostics.self) { try PipelineFile.load(path: path, environment: [:], files: &files) }
        #expect(files == [path, folder + "/w.yaml", folder + "/vpn.txt"])
        try "base: -40\n".write(toFile: folder + "/w.yaml", atomically: true, encoding: .utf8)
        files = []
        _ = try PipelineFile.load(path: path, environment: [:], files: &files)
        #expect(files.count == 3)
    }
}
