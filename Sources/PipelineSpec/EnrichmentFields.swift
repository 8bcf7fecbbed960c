import Enrichment
import Foundation

/// A path as written.
struct FilePath: Sendable, Equatable {
    var text = ""
    /// It may be repeated in a message: it did not come from the environment.
    var isShowable = true
}

/// The files of `enrichment` as written.
struct EnrichmentDraft: Sendable, Equatable {
    var geo: FilePath?
    var asn: FilePath?
    var anonymous: FilePath?
    var agents: FilePath?
    /// By the index of `NetworkList.allCases`.
    var lists = [FilePath?](repeating: nil, count: NetworkList.allCases.count)
}

enum EnrichmentFields {
    static var record: Record<EnrichmentDraft> {
        Record(EnrichmentDraft(), [
            Field("geo", \.geo, path("a path"), standard: "none",
                "Database of places, such as GeoLite2 City or Country: country, region, city, coordinates. Coordinates only where a city is known; a country's centre is no place."),
            Field("asn", \.asn, path("a path"), standard: "none", "Database of autonomous systems, such as GeoLite2 ASN."),
            Field("anonymous", \.anonymous, path("a path"), standard: "none",
                "Database of VPNs, proxies, Tor exits and hosting, such as GeoIP2 Anonymous IP."),
            Field("agents", \.agents, path("a path, or `\(EnrichmentOptions.automatic)`"), standard: "none",
                "Rules that take user agents apart, in the form of uap-core's `regexes.yaml`: family and version, operating system, class of device. `\(EnrichmentOptions.automatic)` stands for those of the Debian package `uap-core`. Without them `device.browser`, `device.os` and `device.type` say it."),
            Field("lists", \.self, Record(EnrichmentDraft(), NetworkList.allCases.enumerated().map { index, list in
                Field(list.rawValue, \.lists[index], path("a path"), standard: "none", doc(list))
            }).format, "Files of network prefixes, `192.0.2.0/24` or `2001:db8::/32`, one a line; `#` begins a comment."),
        ])
    }

    private static func doc(_ list: NetworkList) -> String {
        switch list {
        case .vpn: "VPNs, proxies and Tor exits."
        case .hosting: "Hosting providers."
        case .corporate: "Companies' ways out."
        case .mobile: "Gateways of mobile carriers."
        case .reputation: "Networks known to be hostile."
        }
    }

    static func path(_ type: String) -> Format<FilePath?> {
        let text = Format<String>.text(type, bytes: 1024)
        return Format<FilePath>(
            shape: text.shape,
            read: { node, value, reader in
                text.read(node, &value.text, &reader)
                value.isShowable = node.isShowable
            },
            show: { text.show($0.text) }).optional(FilePath())
    }
}

extension EnrichmentDraft {
    /// Opens the files, paths being relative to the pipeline file's directory, and reports those that can't be used. Nil
    /// when there are none.
    func open(for file: String, _ reader: inout Reader) -> EnrichmentSource? {
        var written: [String: FilePath] = [:]
        func resolved(_ option: String, _ path: FilePath?) -> String? {
            guard let path, !path.text.isEmpty else { return nil }
            written[option] = path
            if option == "agents", path.text == EnrichmentOptions.automatic {
                reader.files.append(EnrichmentOptions.standardAgents)
                return path.text
            }
            let place = URL(fileURLWithPath: path.text, relativeTo: URL(fileURLWithPath: file).deletingLastPathComponent()).path
            reader.files.append(place)
            return place
        }
        var options = EnrichmentOptions()
        options.geo = resolved("geo", geo)
        options.asn = resolved("asn", asn)
        options.anonymous = resolved("anonymous", anonymous)
        options.agents = resolved("agents", agents)
        for (index, list) in NetworkList.allCases.enumerated() {
            options.lists[list] = resolved("lists.\(list.rawValue)", lists[index])
        }
        guard !written.isEmpty else { return nil }
        do throws(EnrichmentFaults) {
            let source = try EnrichmentSource(options)
            if options.agents == EnrichmentOptions.automatic, !source.hasAgents {
                reader.report(
                    at: "enrichment.agents", "enrichment.none",
                    "`enrichment.agents` finds no rules: the Debian package uap-core, which has them, is not installed here",
                    severity: .warning)
            }
            return source
        } catch {
            for fault in error.all {
                let path = written[fault.option].flatMap { $0.isShowable ? "`\(printable($0.text))`: " : nil } ?? ""
                reader.report(
                    at: "enrichment." + fault.option, fault.cause == .missing ? "enrichment.missing" : "enrichment.unusable",
                    "`enrichment.\(fault.option)`: \(path)\(fault)")
            }
            return nil
        }
    }
}
