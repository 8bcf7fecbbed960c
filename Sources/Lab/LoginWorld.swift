import Glibc

/// What a provider's addresses are for.
enum LoginAccess: UInt8, Sendable {
    /// A household's line.
    case home
    /// A carrier's gateway: one address for a crowd.
    case carrier
    /// A company's line.
    case office
    /// A hosting company's or VPN's exit.
    case exit
}

/// The networks of the login half. An address is a pool and one of its 4,096 hosts; a pool belongs to one provider in
/// one region and lies in one town, so that address, AS number and place always agree. All addresses are in 240.0.0.0/4
/// (reserved, RFC 1112 section 4), all AS numbers for private use (RFC 6996): no real network is named.
struct LoginWorld: Sendable {
    /// A provider's pools in a region: those of homes, then those of carriers or offices or exits.
    struct Site: Sendable {
        var provider: UInt16
        var country: UInt8
        var region: UInt8
        var firstPool: UInt32
        var homes: UInt32
        var shared: UInt32
        /// Addresses in use at a carrier or by exits, each by a crowd.
        var crowded: UInt32
        /// What the shared pools are.
        var use: LoginAccess
    }
    struct Country: Sendable {
        /// Weights of its regions and their sites by [region][provider]; the last two are business and hosting.
        var regions: [Double]
        var providers: [Double]
        var firstSite: Int
        var accessProviders: Int
        /// Minutes ahead of UTC.
        var zone: Int
        func site(region: Int, provider: Int) -> Int { firstSite + region * (accessProviders + 2) + provider }
    }

    private(set) var countries: [Country] = []
    private(set) var sites: [Site] = []
    private(set) var siteOfPool: [UInt16] = []
    /// Cumulative shares of countries.
    private let byShare: [Double]
    private let seed: UInt64
    private let listedMobile: Double
    private let listedExits: Double

    /// Pools of 4,096 addresses that homes have altogether, about.
    private static let homePools = 6_000.0
    /// Share of rows that come over carriers, and over exits, about: how many addresses these need follows from it.
    private static let carrierRows = 0.3
    private static let exitRows = 0.03
    /// Providers' shares of a country: of the largest (Norway, the United States) and of any other.
    private static let shares: [[Double]] = [
        [0.66, 0.17, 0.10, 0.07], [0.82, 0.06, 0.04, 0.03, 0.02, 0.02, 0.01], [0.38, 0.24, 0.17, 0.12, 0.09],
    ]

    init(_ options: LoginOptions) {
        seed = Random.mix(options.seed, 0x776F_726C_64)
        (listedMobile, listedExits) = (options.listedMobile, options.listedExits)
        var sum = 0.0
        byShare = LoginPlaces.shares.map { sum += $0; return sum }
        var provider = 0
        for (index, share) in LoginPlaces.shares.enumerated() {
            let providers = Self.shares[min(index, 2)]
            let count = index == 0 ? 9 : index == 1 ? 16 : share > 0.01 ? 7 : share > 0.001 ? 4 : 2
            let regions = (0..<count).map { 1 / (Double($0) + 1.5) }
            let whole = regions.reduce(0, +)
            countries.append(Country(
                regions: regions, providers: providers, firstSite: sites.count, accessProviders: providers.count,
                zone: Int((LoginPlaces.countries[index].longitude / 15).rounded()) * 60))
            for (region, weight) in regions.enumerated() {
                for (number, part) in (providers + [0, 0]).enumerated() {
                    let access = number < providers.count
                    let homes = access ? max(1, (Self.homePools * share * part * weight / whole).rounded()) : 0
                    let use: LoginAccess = access ? .carrier : number == providers.count ? .office : .exit
                    let rows = Double(options.rows) * share / options.crowd
                    let crowded = access ? max(rows * Self.carrierRows * part * weight / whole, 4) : max(rows * Self.exitRows, 8)
                    let shared = use == .office ? 1 : use == .exit && region > 0 ? 0 : min(crowded / 2_048 + 1, 1_000).rounded(.down)
                    sites.append(Site(
                        provider: UInt16(provider + number), country: UInt8(index), region: UInt8(region),
                        firstPool: UInt32(siteOfPool.count), homes: UInt32(homes), shared: UInt32(shared),
                        crowded: UInt32(min(crowded, shared * 4_096)), use: use))
                    for _ in 0..<Int(homes + shared) { siteOfPool.append(UInt16(sites.count - 1)) }
                }
            }
            provider += providers.count + 2
        }
    }

    /// A country as rows have them.
    func country(_ random: inout Random) -> Int {
        let u = random.uniform() * byShare[byShare.count - 1]
        var (low, high) = (0, byShare.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if byShare[middle] > u { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// A country as rows have them, but for the share of the service's own.
    func country(home: Double, _ random: inout Random) -> Int {
        if random.chance(home) { return 0 }
        var country = 0
        for _ in 0..<64 where country == 0 { country = self.country(&random) }
        return country
    }

    func site(ofAddress address: UInt32) -> Site { sites[Int(siteOfPool[Int(address >> 12 & 0xFFFF)])] }
    func asn(ofAddress address: UInt32) -> UInt32 { 4_200_000_000 + UInt32(site(ofAddress: address).provider) }
    func access(ofAddress address: UInt32) -> LoginAccess {
        let site = site(ofAddress: address)
        return address >> 12 & 0xFFFF < site.firstPool + site.homes ? .home : site.use
    }

    /// Where an address database says a pool lies.
    func town(ofAddress address: UInt32) -> UInt64 {
        let site = site(ofAddress: address)
        let number = Random.mix(0x746F_776E, UInt64(address >> 12)) % 16
        return Random.mix(UInt64(site.country), UInt64(site.region), number < 6 ? 0 : number < 10 ? 1 : number < 13 ? 2 : 3)
    }
    func region(ofAddress address: UInt32) -> UInt64 {
        let site = site(ofAddress: address)
        return Random.mix(UInt64(site.country), UInt64(site.region), 0x7265_67)
    }

    static func address(pool: UInt32, host: Int) -> UInt32 { 0xF000_0000 | pool << 12 | UInt32(host & 0xFFF) }

    /// A home's pool.
    func homePool(_ site: Site, _ random: inout Random) -> UInt32 {
        site.homes > 0 ? site.firstPool + UInt32(random.below(Int(site.homes))) : site.firstPool
    }
    /// One of the addresses of one of a carrier's gateways: up to 64 each in a small stream, 256 in a large one.
    func gateway(_ site: Site, _ number: UInt64, _ random: inout Random) -> UInt32 {
        let gateways = min(max(site.crowded / 64, 1), site.shared * 16)
        let gateway = UInt32(truncatingIfNeeded: number % UInt64(max(gateways, 1)))
        let size = max(1, min(site.crowded / max(gateways, 1), 256))
        return 0xF000_0000 | (site.firstPool + site.homes) << 12 | gateway << 8 | UInt32(random.below(Int(size)))
    }
    /// One of the exits of a country's hosting companies.
    func exit(country: Int, number: UInt64) -> UInt32 {
        let of = countries[country]
        let site = sites[of.site(region: 0, provider: of.accessProviders + 1)]
        return (0xF000_0000 | site.firstPool << 12) + UInt32(truncatingIfNeeded: number % UInt64(max(site.crowded, 1)))
    }

    /// Whether campaigns come from a shared address too.
    func isListed(_ address: UInt32) -> Bool {
        let share = switch access(ofAddress: address) {
        case .carrier: listedMobile
        case .exit: listedExits
        case .home, .office: 0.0
        }
        return Double(Random.mix(seed, UInt64(address)) >> 11) * 0x1p-53 < share
    }
}
