/// Where an event comes from on the network: an address, its autonomous system and its city always agree.
///
/// Each city has eight providers, numbered by slot. Their prefixes lie in 240.0.0.0/4 (reserved, RFC 1112 section 4)
/// and 3fff::/20 (documentation, RFC 9637), their AS numbers are for private use (RFC 6996): no real network is named.
struct Network: Sendable, Equatable {
    /// What a provider's slot is for.
    enum Slot {
        /// Shares of a country's households.
        static let residential: [Double] = [0.62, 0.22, 0.10, 0.06]
        static let firstMobile = 4
        static let office = 6
        static let hosting = 7
    }

    var city: UInt8
    var slot: UInt8
    /// Host within the provider's /16 of that city; for IPv6 the household's /48.
    var host: UInt16
    var isIPv6 = false
    /// Interface identifier's low bits, for IPv6.
    var interface: UInt32 = 0

    var asn: UInt32 { 64_512 + UInt32(Place.countryOfCity[Int(city)]) * 8 + UInt32(slot) }
    /// Number of the provider's prefix in this city.
    private var site: UInt32 { UInt32(city) * 8 + UInt32(slot) }
    var ipv4: UInt32 { 0xF000_0000 | site << 16 | UInt32(host) }
    /// The eight groups of the IPv6 address: 3fff:site:household::1:interface.
    var ipv6Groups: (UInt32, UInt32, UInt32, UInt32, UInt32) {
        (0x3FFF, site, UInt32(host), interface >> 16, interface & 0xFFFF)
    }
}
