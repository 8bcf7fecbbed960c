import Events
import Foundation

/// What a list of networks says of those on it.
public enum NetworkList: String, Sendable, CaseIterable {
    case vpn, hosting, corporate, mobile, reputation

    /// What an address on it has.
    public var traits: NetworkTraits {
        switch self {
        case .vpn: .anonymiser
        case .hosting: .hosting
        case .corporate: .corporate
        case .mobile: .mobileGateway
        case .reputation: .reputation
        }
    }
}

/// A network: the addresses that begin as `first` does. IPv4 addresses are held IPv4-mapped (RFC 4291 section 2.5.5.2).
struct NetworkPrefix: Equatable {
    var first: UInt128
    var last: UInt128

    /// Reads `address/bits`, or an address alone; nil for anything else. Bits behind the prefix don't count.
    init?(_ text: Substring) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = Self.address(parts[0]) else { return nil }
        let width = address.family == .v4 ? 32 : 128
        var bits = width
        if parts.count == 2 {
            guard !parts[1].isEmpty, parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
                let given = Int(parts[1]), given <= width
            else { return nil }
            bits = given
        }
        let host: UInt128 = bits == 0 && width == 128 ? .max : (1 << UInt128(width - bits)) - 1
        first = address.key & ~host
        last = first | host
    }

    private static func address(_ text: Substring) -> IPAddress? {
        var text = String(text)
        return text.withUTF8 { IPAddress(text: ByteView(base: $0.baseAddress, count: $0.count)) }
    }
}

extension IPAddress {
    /// Its place among all addresses of both families.
    var key: UInt128 {
        family == .v4 ? 0xFFFF << 32 | UInt128(low) : UInt128(high) << 64 | UInt128(low)
    }
}

extension NetworkList {
    /// Bytes of the longest file that is read.
    static let mostBytes = 256 << 20

    /// Reads a file: a prefix on each line, `#` begins a comment, empty lines don't count.
    /// - Complexity: O(*n*) in the file's bytes
    static func read(path: String) throws(EnrichmentFault.Cause) -> (prefixes: [NetworkPrefix], digest: [UInt8]) {
        let bytes = try readFile(path, atMost: mostBytes)
        var prefixes: [NetworkPrefix] = []
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let content = line.prefix { $0 != UInt8(ascii: "#") }
            guard let text = String(validating: content, as: UTF8.self) else { throw .damaged("line \(number) is not UTF-8") }
            let prefix = text.trimmingCharacters(in: .whitespacesAndNewlines)
            if prefix.isEmpty { continue }
            guard let network = NetworkPrefix(prefix[...]) else {
                throw .damaged("line \(number) is no network prefix such as 192.0.2.0/24 or 2001:db8::/32")
            }
            prefixes.append(network)
        }
        return (prefixes, bytes.withUnsafeBufferPointer { Digest.sha256(ByteView(base: $0.baseAddress, count: $0.count)) })
    }
}

/// The bytes of a file.
func readFile(_ path: String, atMost most: Int) throws(EnrichmentFault.Cause) -> [UInt8] {
    guard FileManager.default.fileExists(atPath: path) else { throw .missing }
    guard let file = fopen(path, "rb") else { throw .unreadable("it can't be opened: \(String(cString: strerror(errno)))") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&piece, 1, piece.count, file)
        bytes += piece[..<count]
        if ferror(file) != 0 { throw .unreadable("it can't be read: \(String(cString: strerror(errno)))") }
        guard bytes.count <= most else { throw .damaged("it has more than \(most >> 20) MiB") }
        if count < piece.count { return bytes }
    }
}
