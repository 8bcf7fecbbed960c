/// A network: the addresses that begin as `first` does. IPv4 addresses are held IPv4-mapped (RFC 4291 section 2.5.5.2).
public struct NetworkPrefix: Sendable, Hashable {
    public var first: UInt128
    public var last: UInt128

    /// Reads `address/bits`, or an address alone; nil for anything else. Bits behind the prefix don't count.
    public init?(_ text: Substring) {
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

    /// Whether every address of the other lies in it.
    public func holds(_ other: NetworkPrefix) -> Bool { first <= other.first && other.last <= last }

    private static func address(_ text: Substring) -> IPAddress? {
        var text = String(text)
        return text.withUTF8 { IPAddress(text: ByteView(base: $0.baseAddress, count: $0.count)) }
    }
}

extension IPAddress {
    /// Its place among all addresses of both families.
    public var key: UInt128 {
        family == .v4 ? 0xFFFF << 32 | UInt128(low) : UInt128(high) << 64 | UInt128(low)
    }
}
