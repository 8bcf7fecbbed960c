import Events
import Foundation
import Testing

@testable import Enrichment

/// An event of texts that live as long as it does, enriched.
final class Enriched {
    var event = Event()
    let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: EventEnrichment.scratchBytes)
    private var kept: [UnsafeMutableBufferPointer<UInt8>] = []

    init(_ enricher: EventEnrichment, ip: String? = nil, agent: String? = nil, _ claim: (inout Event) -> Void = { _ in }) {
        if let ip { event.ip = IPAddress(text: keep(ip)) ?? .absent }
        if let agent { event.userAgent = keep(agent) }
        claim(&event)
        enricher.enrich(&event, scratch: scratch)
    }

    private func keep(_ text: String) -> ByteView {
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(text.utf8.count, 1))
        _ = copy.initialize(from: text.utf8)
        kept.append(copy)
        return ByteView(base: UnsafePointer(copy.baseAddress), count: text.utf8.count)
    }

    deinit {
        scratch.deallocate()
        for text in kept { text.deallocate() }
    }

    var agent: ReadAgent {
        ReadAgent(event.agentFamilyText.string, Int(event.agentMajor), event.osFamilyText.string, event.deviceClass)
    }
}

@Suite struct EnricherTests {
    static func claim(_ event: inout Event) {
        event.country = GeoDatabaseTests.code("RU")
        event.region = ByteView(staticText: "Moscow")
        event.city = ByteView(staticText: "Moscow")
        event.latitude = 55.75
        event.longitude = 37.62
        event.asn = 64_500
        event.browser = ByteView(staticText: "Netscape 4")
        event.os = ByteView(staticText: "Windows 98")
        event.deviceType = ByteView(staticText: "desktop")
    }

    private func source(_ configure: (inout EnrichmentOptions) -> Void) throws -> EnrichmentSource {
        var options = EnrichmentOptions()
        configure(&options)
        return try EnrichmentSource(options)
    }

    @Test func whatIsDerivedOverridesWhatIsClaimed() throws {
        let cities = try Scratch(bytes: GeoDatabaseTests.cities().bytes)
        let enricher = Enricher(try source { $0.geo = cities.path })
        let oslo = Enriched(enricher, ip: "192.0.2.7", Self.claim).event
        #expect(oslo.geoIsDerived)
        #expect(oslo.country == GeoDatabaseTests.code("NO"))
        #expect(oslo.city.string == "Oslo" && oslo.region.string == "Oslo")
        #expect(oslo.latitude == 59.91 && oslo.longitude == 10.75)
        #expect(oslo.asn == 64_500, "no database knows better")

        let somewhere = Enriched(enricher, ip: "198.51.100.9", Self.claim).event
        #expect(somewhere.geoIsDerived)
        #expect(somewhere.country == GeoDatabaseTests.code("US"))
        #expect(!somewhere.city.isPresent && somewhere.latitude.isNaN, "a claimed city in another country is not kept")

        for ip in ["10.0.0.1", nil] {
            let unknown = Enriched(enricher, ip: ip, Self.claim).event
            #expect(!unknown.geoIsDerived)
            #expect(unknown.country == GeoDatabaseTests.code("RU") && unknown.city.string == "Moscow")
        }
    }

    @Test func databasesAndListsAddUp() throws {
        let cities = try Scratch(bytes: GeoDatabaseTests.cities().bytes)
        var systems = DatabaseWriter(type: "Test-ASN")
        systems.insert([192, 0, 2, 0], bits: 24, .map([("autonomous_system_number", .uint32(29_695))]))
        let asn = try Scratch(bytes: systems.bytes)
        var proxies = DatabaseWriter(type: "Test-Anonymous-IP")
        proxies.insert([192, 0, 2, 7], bits: 32, .map([("is_anonymous_vpn", .flag(true))]))
        let anonymous = try Scratch(bytes: proxies.bytes)
        let hostile = try Scratch("192.0.2.0/25\n")
        let enricher = Enricher(try source {
            $0.geo = cities.path
            $0.asn = asn.path
            $0.anonymous = anonymous.path
            $0.lists[.reputation] = hostile.path
            $0.lists[.mobile] = hostile.path
        })
        for _ in 0..<2 {
            let event = Enriched(enricher, ip: "192.0.2.7", Self.claim).event
            #expect(event.asn == 29_695)
            #expect(event.networkTraits == [.anonymiser, .reputation, .mobileGateway])
            #expect(Enriched(enricher, ip: "192.0.2.200").event.networkTraits == [])
        }
    }

    @Test(.enabled(if: installedRules != nil)) func agentsOverrideClaimsOnlyWhereTheySaySomething() throws {
        let enricher = Enricher(try source { $0.agents = EnrichmentOptions.standardAgents })
        let phone = realAgents.first { $0.1.device == .mobile }!
        #expect(Enriched(enricher, agent: phone.0, Self.claim).agent == phone.1)
        #expect(Enriched(enricher, agent: "no agent", Self.claim).agent == ReadAgent("Netscape", 4, "Windows", .desktop))
        #expect(Enriched(enricher, Self.claim).agent == ReadAgent("Netscape", 4, "Windows", .desktop))
        #expect(Enriched(EventEnrichment(), agent: phone.0, Self.claim).agent == ReadAgent("Netscape", 4, "Windows", .desktop))
    }

    /// With four slots nearly everything collides, and nothing is another's.
    @Test(.enabled(if: installedRules != nil)) func slotsAreNeverAnothers() throws {
        let cities = try Scratch(bytes: GeoDatabaseTests.cities().bytes)
        let source = try source {
            $0.geo = cities.path
            $0.agents = EnrichmentOptions.standardAgents
        }
        let small = Enricher(source, addressSlots: 4, agentSlots: 4)
        let large = Enricher(source)
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        let addresses = ["192.0.2.7", "192.0.2.200", "198.51.100.1", "10.0.0.1", "2001:db8::1", "::", "0.0.0.0"]
        var held: [(Enriched, ReadAgent)] = []
        for _ in 0..<400 {
            let (agent, expected) = realAgents.randomElement(using: &random)!
            let ip = addresses.randomElement(using: &random)!
            let first = Enriched(small, ip: ip, agent: agent)
            let second = Enriched(large, ip: ip, agent: agent)
            #expect(first.agent == expected, "seed \(seed)")
            #expect(second.agent == expected, "seed \(seed)")
            #expect(first.event.country == second.event.country, "seed \(seed)")
            #expect(first.event.city.string == second.event.city.string, "seed \(seed)")
            held.append((first, expected))
        }
        // As with records that wait for those of another input.
        for (event, expected) in held { #expect(event.agent == expected, "seed \(seed): changed while it was held") }
    }

    @Test func aSlotIsKnownUntilItsFourAreAskedForAnew() {
        let finder = SlotFinder(atLeast: 1000)
        #expect(finder.count == 1024)
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        let hashes = (0..<256).map { _ in random.next() }
        for hash in hashes { #expect(!finder.slot(of: hash).isKnown, "seed \(seed)") }
        let known = hashes.filter { finder.slot(of: $0).isKnown }
        #expect(known.count >= 245, "seed \(seed): direct mapping would lose some 30 of these")
        // All of one set: the last asked for is always there.
        for number in 0..<100 as Range<UInt64> {
            let hash = number << 56 | 7
            _ = finder.slot(of: hash)
            let (index, isKnown) = finder.slot(of: hash)
            #expect(isKnown && (28..<32).contains(index))
        }
    }

    @Test func identityIsWhatTheFilesHold() throws {
        let cities = GeoDatabaseTests.cities()
        let one = try Scratch(bytes: cities.bytes)
        let copy = try Scratch(bytes: cities.bytes)
        var more = cities
        more.insert([10, 1, 0, 0], bits: 16, .place("FR"))
        let other = try Scratch(bytes: more.bytes)
        let list = try Scratch("10.0.0.0/8\n")
        let identity = try source { $0.geo = one.path }.identity
        #expect(try source { $0.geo = copy.path }.identity == identity)
        #expect(try source { $0.geo = other.path }.identity != identity)
        let vpn = try source { $0.lists[.vpn] = list.path }.identity
        #expect(try source { $0.lists[.hosting] = list.path }.identity != vpn)
        #expect(try source { _ in }.identity.isEmpty)
    }

    @Test func everyFaultIsReported() throws {
        let broken = try Scratch("nothing of use")
        do throws(EnrichmentFaults) {
            var options = EnrichmentOptions()
            options.geo = broken.path
            options.asn = broken.path + "-not"
            options.agents = broken.path
            options.lists[.vpn] = broken.path
            _ = try EnrichmentSource(options)
            Issue.record("nothing was refused")
        } catch {
            #expect(error.all.map(\.option) == ["geo", "asn", "agents", "lists.vpn"])
        }
    }
}
