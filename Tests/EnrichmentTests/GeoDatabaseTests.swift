import Events
import Foundation
import Testing

@testable import Enrichment

@Suite struct GeoDatabaseTests {
    static func cities(isV6: Bool = true, recordBits: Int = 24) -> DatabaseWriter {
        var writer = DatabaseWriter(isV6: isV6, recordBits: recordBits)
        writer.insert([192, 0, 2, 0], bits: 24, .place("NO", region: "Oslo", city: "Oslo", at: (59.91, 10.75)))
        writer.insert([192, 0, 2, 128], bits: 25, .place("SE", city: "Malmö", at: (55.6, 13)))
        writer.insert([198, 51, 100, 0], bits: 24, .place("US", at: (37.75, -97.82)))
        writer.insert([203, 0, 113, 7], bits: 32, .place(nil, traits: [("is_anonymous_proxy", .flag(true))]))
        if isV6 {
            let documentation: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 12)
            writer.insert(documentation, bits: 48, .place("DE", region: "Berlin", city: "Berlin", at: (52.5, 13.4)))
        }
        return writer
    }

    static func facts(_ address: StaticString, in database: GeoDatabase) -> AddressFacts {
        var facts = AddressFacts()
        database.look(up: IPAddress(text: ByteView(staticText: address))!, into: &facts)
        return facts
    }

    static func code(_ text: String) -> UInt16 { text.utf8.reduce(0) { $0 << 8 | UInt16($1) } }

    @Test(arguments: [24, 28, 32], [true, false]) func placesAreFound(_ bits: Int, _ isV6: Bool) throws {
        let file = try Scratch(bytes: Self.cities(isV6: isV6, recordBits: bits).bytes)
        let database = try GeoDatabase(path: file.path, kind: .geo)
        let oslo = Self.facts("192.0.2.7", in: database)
        #expect(oslo.country == Self.code("NO"))
        #expect(oslo.region.string == "Oslo")
        #expect(oslo.city.string == "Oslo")
        #expect(oslo.latitude == 59.91 && oslo.longitude == 10.75)
        #expect(oslo.prefixBits == 25)
        let malmo = Self.facts("192.0.2.200", in: database)
        #expect(malmo.country == Self.code("SE"))
        #expect(malmo.city.string == "Malmö")
        #expect(!malmo.region.isPresent)
        let berlin = Self.facts("2001:db8::1", in: database)
        #expect(berlin.country == (isV6 ? Self.code("DE") : 0))
        #expect(berlin.prefixBits == (isV6 ? 48 : 0))
        #expect(Self.facts("10.0.0.1", in: database).country == 0)
        #expect(Self.facts("203.0.113.7", in: database).traits == .anonymiser)
    }

    @Test func aCountrysCentreIsNoPlace() throws {
        let file = try Scratch(bytes: Self.cities().bytes)
        let facts = Self.facts("198.51.100.1", in: try GeoDatabase(path: file.path, kind: .geo))
        #expect(facts.country == Self.code("US"))
        #expect(!facts.city.isPresent)
        #expect(facts.latitude.isNaN && facts.longitude.isNaN)
    }

    @Test func oddEntriesSayNothing() throws {
        var writer = DatabaseWriter()
        let odd: [DatabaseWriter.Value] = [
            .text("NO"), .list([]), .map([("country", .text("NO"))]), .place("no"), .place("NOR"), .place(""),
            .map([("country", .map([("iso_code", .uint32(7))]))]),
            .map([("country", .map([("iso_code", .raw([0x42, 0xFF, 0xFE]))]))]),
        ]
        for (index, value) in odd.enumerated() { writer.insert([10, 0, 0, UInt8(index)], bits: 32, value) }
        writer.insert([10, 0, 1, 0], bits: 32, .place("NO", city: "Os\u{1}lo", at: (1, 1)))
        writer.insert([10, 0, 1, 1], bits: 32, .place("NO", city: String(repeating: "x", count: 300), at: (1, 1)))
        writer.insert([10, 0, 1, 2], bits: 32, .place("NO", city: "Oslo", at: (91, 1)))
        writer.insert([10, 0, 1, 3], bits: 32, .place("NO", city: "Oslo", at: (.nan, 1)))
        let file = try Scratch(bytes: writer.bytes)
        let database = try GeoDatabase(path: file.path, kind: .geo)
        for index in odd.indices {
            var facts = AddressFacts()
            database.look(up: IPAddress(family: .v4, high: 0, low: 0x0A00_0000 | UInt64(index)), into: &facts)
            #expect(facts.country == 0, "\(odd[index])")
        }
        for address in ["10.0.1.0", "10.0.1.1"] as [StaticString] {
            #expect(!Self.facts(address, in: database).city.isPresent)
        }
        for address in ["10.0.1.2", "10.0.1.3"] as [StaticString] {
            #expect(Self.facts(address, in: database).city.string == "Oslo")
            #expect(Self.facts(address, in: database).latitude.isNaN)
        }
    }

    @Test func systemsAndTraits() throws {
        var systems = DatabaseWriter(type: "Test-ASN")
        systems.insert([192, 0, 2, 0], bits: 24, .map([("autonomous_system_number", .uint32(4_200_000_000))]))
        let asn = try Scratch(bytes: systems.bytes)
        #expect(Self.facts("192.0.2.1", in: try GeoDatabase(path: asn.path, kind: .asn)).system == 4_200_000_000)

        var anonymous = DatabaseWriter(type: "Test-Anonymous-IP")
        let entries: [([(String, DatabaseWriter.Value)], NetworkTraits)] = [
            ([("is_anonymous", .flag(true)), ("is_anonymous_vpn", .flag(true))], .anonymiser),
            ([("is_anonymous", .flag(false))], []),
            ([("is_hosting_provider", .flag(true))], .hosting),
            ([("is_tor_exit_node", .flag(true))], .anonymiser),
            ([("connection_type", .text("Cellular"))], .mobileGateway),
            ([("traits", .map([("user_type", .text("business"))]))], .corporate),
            ([("traits", .map([("connection_type", .text("Corporate")), ("is_satellite_provider", .flag(true))]))], [.corporate, .satellite]),
            ([("is_anonymous", .text("true"))], []),
        ]
        for (index, entry) in entries.enumerated() { anonymous.insert([192, 0, 2, UInt8(index)], bits: 32, .map(entry.0)) }
        let file = try Scratch(bytes: anonymous.bytes)
        let database = try GeoDatabase(path: file.path, kind: .anonymous)
        for (index, entry) in entries.enumerated() {
            var facts = AddressFacts()
            database.look(up: IPAddress(family: .v4, high: 0, low: 0xC000_0200 | UInt64(index)), into: &facts)
            #expect(facts.traits == entry.1, "entry \(index)")
        }
    }

    @Test func whatCantBeUsedIsRefused() throws {
        func cause(_ path: String, _ kind: GeoDatabase.Kind = .geo) -> EnrichmentFault.Cause? {
            do throws(EnrichmentFault.Cause) {
                _ = try GeoDatabase(path: path, kind: kind)
                return nil
            } catch {
                return error
            }
        }
        let good = Self.cities().bytes
        #expect(cause("/nowhere/at/all.mmdb") == .missing)
        #expect(cause(FileManager.default.temporaryDirectory.path) != nil)
        #expect(cause(try Scratch(bytes: []).path) != nil)
        for bytes in [Array("not a database".utf8), Array(good.prefix(good.count / 2)), Array(good.suffix(200))] {
            let file = try Scratch(bytes: bytes)
            guard case .damaged? = cause(file.path) else {
                Issue.record("\(bytes.count) bytes: \(String(describing: cause(file.path)))")
                continue
            }
        }
        let file = try Scratch(bytes: good)
        #expect(cause(file.path) == nil)
        #expect(cause(file.path, .asn) == .wrongKind("it is a database of type Test-City, which says nothing that `asn` is asked for"))
    }

    /// Whatever byte is wrong, opening fails or lookups say something or nothing; nothing traps.
    @Test func damageNeverTraps() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        for round in 0..<500 {
            var bytes = Self.cities(isV6: round % 2 == 0, recordBits: [24, 28, 32][round % 3]).bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if round % 5 == 0 { bytes.removeSubrange(Int.random(in: 0..<bytes.count, using: &random)...) }
            if round % 7 == 0 { bytes.removeFirst(Int.random(in: 0..<max(1, bytes.count), using: &random)) }
            let file = try Scratch(bytes: bytes)
            guard let database = try? GeoDatabase(path: file.path, kind: .geo) else { continue }
            for address in ["192.0.2.7", "192.0.2.200", "198.51.100.1", "203.0.113.7", "2001:db8::1"] as [StaticString] {
                let facts = Self.facts(address, in: database)
                #expect(facts.city.isText, "seed \(seed)")
            }
        }
    }
}
