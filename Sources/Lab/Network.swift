/// Where an event comes from on the network: an address, its autonomous system and its city always agree.
///
/// Each city has eight providers, numbered by slot, of which those of households move to other prefixes now and then.
/// Their prefixes lie in 240.0.0.0/4 (reserved, RFC 1112 section 4)
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
    /// Which of the provider's prefixes is in use in that city: another one after each renumbering.
    var plan: UInt8 = 0
    var isIPv6 = false
    /// Interface identifier's low bits, for IPv6.
    var interface: UInt32 = 0

    var asn: UInt32 { 64_512 + UInt32(Place.countryOfCity[Int(city)]) * 8 + UInt32(slot) }
    /// Number of the provider's prefix in this city.
    private var site: UInt32 { (UInt32(plan) * UInt32(Place.cities.count) + UInt32(city)) * 8 + UInt32(slot) }
    var ipv4: UInt32 { 0xF000_0000 | site << 16 | UInt32(host) }
    /// The eight groups of the IPv6 address: 3fff:site:household::1:interface.
    var ipv6Groups: (UInt32, UInt32, UInt32, UInt32, UInt32) {
        (0x3FFF, site, UInt32(host), interface >> 16, interface & 0xFFFF)
    }
}

extension Network {
    /// Prefixes that a provider has for a city, taken in turn: as many as fit in 240.0.0.0/4.
    static let plans = 4_096 / 8 / Place.cities.count
    private static let period: Int64 = 30

    /// How often a household's provider in a city has moved to another prefix until a moment of the stream, and how
    /// many days ago the last time. It moves at three o'clock at night.
    static func renumberings(city: Int, slot: Int, at milliseconds: Int64, _ options: TrafficOptions) -> (count: Int, daysAgo: Int?) {
        let probability = options.twins.renumbering
        if slot >= Slot.firstMobile || probability == 0 { return (0, nil) }
        let night = milliseconds + Int64(Place.cities[city].zone - 180) * 60_000 - options.start.milliseconds
        let day = night / TrafficOptions.dayMilliseconds
        var count = 0
        var daysAgo: Int?
        for number in 0...max(0, day / period) {
            var random = Random(seed: Random.mix(options.seed, UInt64(city * 8 + slot), UInt64(number) | 0x72656E << 32))
            let moves = random.chance(probability)
            let date = number * period + Int64(random.below(Int(period)))
            if moves, date > 0, date <= day {
                count += 1
                daysAgo = Int(day - date)
            }
        }
        return (count, daysAgo)
    }
}
