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

extension NetworkTable {
    /// What lists that were entered with their traits say of an address.
    func traits(of address: IPAddress) -> NetworkTraits { NetworkTraits(rawValue: UInt16(truncatingIfNeeded: mask(of: address))) }
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
