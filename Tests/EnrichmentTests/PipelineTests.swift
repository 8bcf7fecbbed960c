import Events
import Foundation
import Testing

@testable import Enrichment
@testable import PipelineSpec

/// The section `enrichment` of a pipeline file.
@Suite struct PipelineTests {
    /// A directory with a pipeline file and what it names.
    private final class Directory {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("vigil-pipeline-\(UUID().uuidString)")
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: url) }

        func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: url.appendingPathComponent(name)) }

        func load(_ text: String, environment: [String: String] = [:]) throws -> Pipeline {
            try write("p.yaml", Array(text.utf8))
            return try PipelineFile.load(path: url.appendingPathComponent("p.yaml").path, environment: environment)
        }

        func problems(_ text: String, environment: [String: String] = [:]) throws -> [String] {
            do {
                return try load(text, environment: environment).warnings.map(\.description)
            } catch let error as Diagnostics {
                return error.all.map { "\($0.line):\($0.column) \($0.code) \($0.message)" }
            }
        }
    }

    @Test func filesAreFoundBesideThePipelineAndTheirContentIsItsMeaning() throws {
        let directory = try Directory()
        try directory.write("cities.mmdb", GeoDatabaseTests.cities().bytes)
        try directory.write("vpn.txt", Array("10.0.0.0/8\n".utf8))
        let plain = try directory.load("name: p")
        #expect(plain.enrichment == nil)
        let text = "name: p\nenrichment:\n  geo: cities.mmdb\n  lists: {vpn: vpn.txt}\n"
        let one = try directory.load(text)
        let event = Enriched(one.makeEnrichment(), ip: "192.0.2.7").event
        #expect(event.city.string == "Oslo")
        #expect(Enriched(one.makeEnrichment(), ip: "10.0.0.1").event.networkTraits == .anonymiser)
        #expect(one.plan.version != plain.plan.version)

        try directory.write("copy.mmdb", GeoDatabaseTests.cities().bytes)
        #expect(try directory.load(text.replacingOccurrences(of: "cities", with: "copy")).plan.version == one.plan.version)
        var other = GeoDatabaseTests.cities()
        other.insert([10, 1, 0, 0], bits: 16, .place("FR"))
        try directory.write("cities.mmdb", other.bytes)
        #expect(try directory.load(text).plan.version != one.plan.version)
    }

    @Test func faultsHaveAPositionAndAllAreTold() throws {
        let directory = try Directory()
        try directory.write("broken", Array("broken".utf8))
        let problems = try directory.problems("""
            name: p
            enrichment:
              geo: broken
              asn: absent.mmdb
              agents: broken
              lists:
                vpn: broken
                spam: broken
            windows: {idle: nonsense}
            """)
        #expect(problems.count == 6)
        #expect(problems.first == "3:8 enrichment.unusable `enrichment.geo`: `broken`: it is no database in MaxMind's format, or is damaged: the maxmind db file contains invalid metadata")
        #expect(problems.dropFirst().first == "4:8 enrichment.missing `enrichment.asn`: `absent.mmdb`: there is no such file")
        #expect(problems.contains { $0.hasPrefix("5:11 enrichment.unusable") })
        #expect(problems.contains { $0.hasPrefix("7:10 enrichment.unusable `enrichment.lists.vpn`: `broken`: line 1 is no network prefix") })
        #expect(problems.contains { $0.hasPrefix("8:5 key.unknown") })
        #expect(problems.contains { $0.hasPrefix("9:") })
    }

    @Test func pathsOfTheEnvironmentAreNotRepeated() throws {
        let problems = try Directory().problems("name: p\nenrichment: {geo: \"${WHERE}\"}", environment: ["WHERE": "/hidden/place"])
        #expect(problems.count == 1)
        #expect(problems.allSatisfy { !$0.contains("hidden") })
    }

    @Test func automaticMeansWhatIsInstalled() throws {
        let pipeline = try Directory().load("name: p\nenrichment: {agents: auto}")
        #expect((pipeline.enrichment?.hasAgents ?? false) == (installedRules != nil))
        #expect(pipeline.warnings.map(\.code) == (installedRules == nil ? ["enrichment.none"] : []))
    }
}
