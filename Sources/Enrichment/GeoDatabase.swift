import CMaxMindDB
import Events
import Foundation

/// What is known of an address. Texts are valid UTF-8 and live as long as the database they come from.
struct AddressFacts {
    /// As `Event.country`; 0 when unknown.
    var country: UInt16 = 0
    var region = ByteView.absent
    var city = ByteView.absent
    /// Degrees; NaN when unknown. Only with a city: a country's centre is no place.
    var latitude = Float.nan
    var longitude = Float.nan
    /// Number of the autonomous system; 0 when unknown.
    var system: UInt32 = 0
    var traits: NetworkTraits = []
    /// Length of the network's prefix in the database that knew the place, of 32 or 128 bits; 0 when unknown.
    var prefixBits: UInt8 = 0
}

/// One database in MaxMind's format (MaxMind DB File Format Specification 2.0), mapped into memory: of places (GeoIP2 or
/// GeoLite2 City, Country, Enterprise), of autonomous systems (ASN, ISP), of anonymisers (Anonymous IP), of connection
/// types, or of several of these. Lookups are safe from any thread.
///
/// A file is replaced by renaming another over it. One that is cut short while it is mapped ends the process.
final class GeoDatabase: @unchecked Sendable {
    /// Which facts are taken from a database.
    enum Kind: String, Sendable { case geo, asn, anonymous }

    /// Texts of a database that are longer than this count as absent.
    static let textBytes = 256

    let kind: Kind
    /// `sha256:…` of the file and its build time: what its answers depend on.
    let identity: String
    private let database: UnsafeMutablePointer<MMDB_s>

    /// Throws what keeps the file from being used: unreadable, not of the format, damaged in its search tree, or of
    /// another kind.
    /// - Complexity: O(*n*) in the file's bytes
    init(path: String, kind: Kind) throws(EnrichmentFault.Cause) {
        guard FileManager.default.fileExists(atPath: path) else { throw .missing }
        var opened: UnsafeMutablePointer<MMDB_s>?
        let status = vm_open(path, &opened)
        guard let opened else {
            throw status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR
                ? .unreadable("it can't be read") : .damaged(Self.reason(status))
        }
        database = opened
        self.kind = kind
        let content = ByteView(base: opened.pointee.file_content, count: opened.pointee.file_size)
        identity = "\(kind.rawValue) \(opened.pointee.metadata.build_epoch) sha256:" + Digest.hex(Digest.sha256(content))
        if let fault = check() { throw fault }
    }

    deinit { vm_close(database) }

    private static func reason(_ status: Int32) -> String {
        "it is no database in MaxMind's format, or is damaged: " + String(cString: MMDB_strerror(status)).lowercased()
    }

    /// What is wrong with the search tree, or with what its first answers say.
    /// - Complexity: O(*n*) in the nodes
    private func check() -> EnrichmentFault.Cause? {
        var node = MMDB_search_node_s()
        var samples = 0
        var known = 0
        for number in 0..<database.pointee.metadata.node_count {
            let status = MMDB_read_node(database, number, &node)
            guard status == MMDB_SUCCESS else { return .damaged(Self.reason(status)) }
            for (type, entry) in [
                (node.left_record_type, node.left_record_entry), (node.right_record_type, node.right_record_entry),
            ] {
                guard Int32(type) != MMDB_RECORD_TYPE_INVALID else {
                    return .damaged(Self.reason(MMDB_CORRUPT_SEARCH_TREE_ERROR))
                }
                guard Int32(type) == MMDB_RECORD_TYPE_DATA, samples < 1000 else { continue }
                samples += 1
                if holds(MMDB_lookup_result_s(found_entry: true, entry: entry, netmask: 0)) { known += 1 }
            }
        }
        guard samples == 0 || known > 0 else {
            return .wrongKind("it is a database of type \(type), which says nothing that `\(kind.rawValue)` is asked for")
        }
        return nil
    }

    private var type: String {
        database.pointee.metadata.database_type.map { String(cString: $0) } ?? "unknown"
    }

    /// Whether an entry says anything that this kind of database is asked for.
    private func holds(_ found: MMDB_lookup_result_s) -> Bool {
        var facts = AddressFacts()
        add(found, to: &facts)
        return switch kind {
        case .geo: facts.country != 0 || facts.city.isPresent
        case .asn: facts.system != 0
        case .anonymous: !facts.traits.isEmpty
        }
    }

    /// Adds what the database knows of an address. Damaged entries say nothing.
    /// - Complexity: O(128 + the entry), no allocation
    func look(up address: IPAddress, into facts: inout AddressFacts) {
        var found = MMDB_lookup_result_s()
        guard vm_lookup(database, address.family == .v4, address.high, address.low, &found) == MMDB_SUCCESS,
            found.found_entry
        else { return }
        add(found, to: &facts)
        // The library counts an IPv4 address's bits in a tree of IPv6 from the IPv6 root.
        if kind == .geo, facts.country != 0 {
            let skipped: UInt16 = address.family == .v4 && database.pointee.metadata.ip_version == 6 ? 96 : 0
            facts.prefixBits = UInt8(clamping: Int(found.netmask) - Int(found.netmask >= skipped ? skipped : 0))
        }
    }

    private func add(_ found: MMDB_lookup_result_s, to facts: inout AddressFacts) {
        withUnsafePointer(to: found) { found in
            switch kind {
            case .geo:
                facts.country = Self.country(Self.text(found, VM_COUNTRY))
                facts.region = Self.text(found, VM_REGION_NAME)
                if !facts.region.isPresent { facts.region = Self.text(found, VM_REGION_CODE) }
                facts.city = Self.text(found, VM_CITY)
                if facts.city.isPresent { Self.coordinates(found, &facts) }
                facts.system = Self.system(found, VM_SYSTEM_TRAIT)
                facts.traits.formUnion(Self.traits(found))
            case .asn:
                let system = Self.system(found, VM_SYSTEM)
                if system != 0 { facts.system = system }
                facts.traits.formUnion(Self.traits(found))
            case .anonymous:
                facts.traits.formUnion(Self.traits(found))
            }
        }
    }

    private static func text(_ found: UnsafePointer<MMDB_lookup_result_s>, _ field: vm_field) -> ByteView {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        guard vm_text(found, field, &bytes, &count), count > 0, count <= textBytes else { return .absent }
        let view = ByteView(base: bytes, count: Int(count))
        return view.isText ? view : .absent
    }

    private static func country(_ code: ByteView) -> UInt16 {
        guard code.count == 2, code.bytes.allSatisfy({ $0 >= 65 && $0 <= 90 }) else { return 0 }
        return UInt16(code[0]) << 8 | UInt16(code[1])
    }

    private static func coordinates(_ found: UnsafePointer<MMDB_lookup_result_s>, _ facts: inout AddressFacts) {
        var (latitude, longitude) = (Double.nan, Double.nan)
        guard vm_number(found, VM_LATITUDE, &latitude), vm_number(found, VM_LONGITUDE, &longitude),
            (-90...90).contains(latitude), (-180...180).contains(longitude)
        else { return }
        facts.latitude = Float(latitude)
        facts.longitude = Float(longitude)
    }

    private static func system(_ found: UnsafePointer<MMDB_lookup_result_s>, _ field: vm_field) -> UInt32 {
        var number = 0.0
        guard vm_number(found, field, &number), number >= 1, number <= Double(UInt32.max) else { return 0 }
        return UInt32(number)
    }

    private static func traits(_ found: UnsafePointer<MMDB_lookup_result_s>) -> NetworkTraits {
        var traits: NetworkTraits = []
        if vm_flag(found, VM_ANONYMOUS) || vm_flag(found, VM_ANONYMOUS_TRAIT) || vm_flag(found, VM_ANONYMOUS_PROXY_TRAIT)
            || vm_flag(found, VM_ANONYMOUS_VPN) || vm_flag(found, VM_PUBLIC_PROXY) || vm_flag(found, VM_RESIDENTIAL_PROXY)
            || vm_flag(found, VM_TOR_EXIT)
        {
            traits.insert(.anonymiser)
        }
        if vm_flag(found, VM_HOSTING) || vm_flag(found, VM_HOSTING_TRAIT) { traits.insert(.hosting) }
        if vm_flag(found, VM_SATELLITE_TRAIT) { traits.insert(.satellite) }
        var connection = text(found, VM_CONNECTION)
        if !connection.isPresent { connection = text(found, VM_CONNECTION_TRAIT) }
        if connection == "Cellular" { traits.insert(.mobileGateway) }
        if connection == "Corporate" { traits.insert(.corporate) }
        if connection == "Satellite" { traits.insert(.satellite) }
        let user = text(found, VM_USER_TYPE)
        if user == "cellular" { traits.insert(.mobileGateway) }
        if user == "business" { traits.insert(.corporate) }
        if user == "hosting" { traits.insert(.hosting) }
        return traits
    }
}

extension ByteView {
    /// Valid UTF-8 without control characters.
    var isText: Bool {
        var decoder = UTF8()
        var bytes = bytes.makeIterator()
        while true {
            switch decoder.decode(&bytes) {
            case .scalarValue(let scalar): if scalar.value < 0x20 || scalar.value == 0x7F { return false }
            case .emptyInput: return true
            case .error: return false
            }
        }
    }
}
