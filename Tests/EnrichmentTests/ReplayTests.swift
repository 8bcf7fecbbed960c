import Foundation
import Testing

/// The program that people run; scripts/test sets it.
private let binary = ProcessInfo.processInfo.environment["VIGIL_BINARY"]

/// From a database to a decision.
@Suite(.enabled(if: binary != nil, "skipped: VIGIL_BINARY does not name the vigil binary")) struct ReplayTests {
    private let directory = FileManager.default.temporaryDirectory.appendingPathComponent("vigil-replay-\(UUID().uuidString)")

    private func vigil(_ arguments: String...) throws -> (status: Int32, error: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(binary))
        process.arguments = arguments
        process.environment = ["VIGIL_SECRET": "a secret for tests only", "NO_COLOR": "1"]
        let log = directory.appendingPathComponent("stderr")
        FileManager.default.createFile(atPath: log.path, contents: nil)
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: log, encoding: .utf8))
    }

    /// A login in Oslo, and half an hour later one from an address in New York; the events claim Oslo for both.
    @Test func aDerivedPlaceIsTravelledTo() throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var cities = GeoDatabaseTests.cities()
        cities.insert([203, 0, 114, 0], bits: 24, .place("US", region: "New York", city: "New York", at: (40.71, -74)))
        try Data(cities.bytes).write(to: directory.appendingPathComponent("cities.mmdb"))
        let claim = #""geo":{"country":"NO","city":"Oslo","lat":59.91,"lon":10.75}"#
        let events = (0..<20).map { index in
            let ip = index < 19 ? "192.0.2.7" : "203.0.114.9"
            let time = 1_767_225_600_000 + index * 86_400_000 - (index == 19 ? 84_600_000 : 0)
            return #"{"id":"e\#(index)","type":"login","time":\#(time),"user":"alice","outcome":"success","ip":"\#(ip)",\#(claim)}"#
        }
        try (events.joined(separator: "\n") + "\n").write(
            to: directory.appendingPathComponent("events"), atomically: false, encoding: .utf8)

        var last: [String: String] = [:]
        for (name, section) in [("without", ""), ("with", "enrichment: {geo: cities.mmdb}\n")] {
            let pipeline = directory.appendingPathComponent("\(name).yaml")
            try "name: p\nemit: all\n\(section)".write(to: pipeline, atomically: false, encoding: .utf8)
            let output = directory.appendingPathComponent("\(name).decisions")
            let result = try vigil(
                "replay", pipeline.path, "--input", directory.appendingPathComponent("events").path, "--output", output.path)
            #expect(result.status == 0, "\(result.error)")
            let decisions = try String(contentsOf: output, encoding: .utf8).split(separator: "\n")
            #expect(decisions.count == 20)
            last[name] = try #require(decisions.first { $0.contains(#""event":"e19""#) }.map(String.init))
        }
        #expect(last["without"]?.contains("travel.impossible") == false)
        #expect(last["with"]?.contains("travel.impossible") == true, "\(last["with"] ?? "")")
    }

    @Test func validateNamesTheFileThatCantBeUsed() throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let pipeline = directory.appendingPathComponent("p.yaml")
        try "name: p\nenrichment:\n  asn: absent.mmdb\n".write(to: pipeline, atomically: false, encoding: .utf8)
        let result = try vigil("validate", pipeline.path)
        #expect(result.status == 78)
        #expect(result.error.hasSuffix("p.yaml:3:8: error[enrichment.missing]: `enrichment.asn`: `absent.mmdb`: there is no such file\n"))
    }
}
