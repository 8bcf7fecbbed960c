import Events
import Foundation

/// The opened files of a pipeline, immutable and shared by all shards; each makes an `Enricher` of its own from it.
public final class EnrichmentSource: Sendable, Equatable {
    let databases: [GeoDatabase]
    let agents: AgentRules?
    let networks: NetworkTable?

    /// What enriching depends on, the content of every file: part of `EnginePlan.version`. The same files elsewhere have
    /// the same identity.
    public let identity: String

    /// Opens every file, and reports all that can't be used.
    /// - Complexity: O(*n*) in the files' bytes
    public init(_ options: EnrichmentOptions) throws(EnrichmentFaults) {
        var faults: [EnrichmentFault] = []
        func open<Opened>(_ option: String, _ body: () throws(EnrichmentFault.Cause) -> Opened) -> Opened? {
            do throws(EnrichmentFault.Cause) {
                return try body()
            } catch {
                faults.append(EnrichmentFault(option: option, cause: error))
                return nil
            }
        }
        var identities: [String] = []
        var databases: [GeoDatabase] = []
        for (kind, path) in [(GeoDatabase.Kind.geo, options.geo), (.asn, options.asn), (.anonymous, options.anonymous)] {
            guard let path else { continue }
            let database = open(kind.rawValue) { () throws(EnrichmentFault.Cause) in try GeoDatabase(path: path, kind: kind) }
            if let database {
                databases.append(database)
                identities.append(database.identity)
            }
        }
        var agents: AgentRules?
        if let path = Self.agents(options.agents) {
            agents = open("agents") { () throws(EnrichmentFault.Cause) in try AgentRules(path: path) }
            if let agents { identities.append("agents " + agents.identity) }
        }
        var lists: [(mask: UInt64, prefixes: [NetworkPrefix])] = []
        for list in NetworkList.allCases {
            guard let path = options.lists[list] else { continue }
            let read = open("lists.\(list.rawValue)") { () throws(EnrichmentFault.Cause) in try NetworkList.read(path: path) }
            if let read {
                lists.append((UInt64(list.traits.rawValue), read.prefixes))
                identities.append("\(list.rawValue) sha256:" + Digest.hex(read.digest))
            }
        }
        guard faults.isEmpty else { throw EnrichmentFaults(all: faults) }
        self.databases = databases
        self.agents = agents
        networks = lists.isEmpty ? nil : NetworkTable(lists)
        identity = identities.joined(separator: "\n")
    }

    private static func agents(_ option: String?) -> String? {
        guard option == EnrichmentOptions.automatic else { return option }
        let path = EnrichmentOptions.standardAgents
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// Whether there are rules for user agents.
    public var hasAgents: Bool { agents != nil }

    public static func == (a: EnrichmentSource, b: EnrichmentSource) -> Bool { a.identity == b.identity }
}
