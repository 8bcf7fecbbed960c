import Glibc

/// Where and with what a person logs in: a pure function of the seed and the person's number, so that no population is
/// held in memory. Owners of accounts, people who mistake a name and attackers are all made here.
struct LoginPerson: Sendable {
    let number: UInt32
    let seed: UInt64
    var country: Int
    var region: Int
    /// Shares of hours: one or two peaks of local time.
    var peaks: (first: Double, second: Double, spread: Double, firstShare: Double)
    /// Minutes ahead of UTC of the clock this person lives by.
    var zone: Int
    var carrier: Int
    var office: UInt32?
    var vpnCountry: Int?
    var leaseDays: Double
    var devices: Int

    init(number: UInt32, home share: Double? = nil, country known: Int? = nil, world: LoginWorld, options: LoginOptions) {
        self.number = number
        seed = Random.mix(options.seed, UInt64(number), 0x6C6F_6769_6E)
        var random = Random(seed: seed)
        let drawn = share.map { world.country(home: $0, &random) } ?? world.country(&random)
        country = known ?? drawn
        let of = world.countries[country]
        region = random.pick(of.regions)
        zone = country == 0 || random.chance(options.homeClock) ? 60 : of.zone
        let works = random.chance(0.4)
        let spread = random.uniform(1.0, 2.4)
        peaks = works
            ? (9.5 + random.normal(), 13.5 + random.normal(), spread, 0.55)
            : (random.uniform(8, 14), 19.5 + 1.3 * random.normal(), spread, random.chance(0.3) ? 1 : 0.4)
        let home = random.pick(of.providers)
        carrier = random.chance(0.72) ? home : random.pick(of.providers)
        let employed = random.chance(options.officeShare)
        let provider = random.chance(0.5) ? 0 : of.accessProviders
        let site = world.sites[of.site(region: region, provider: provider)]
        let company = random.below(3_000)
        office = employed ? LoginWorld.address(pool: site.firstPool + UInt32(company % 4) % max(site.homes, 1), host: 7 * company) : nil
        let abroad = random.chance(0.45)
        let exits = abroad ? world.country(&random) : country
        vpnCountry = random.chance(options.vpnShare) ? exits : nil
        leaseDays = random.chance(options.fixedHomes) ? 0 : random.lognormal(median: options.leaseDays, sigma: 1)
        devices = 1 + random.pick([0.38, 0.38, 0.18, 0.06])
    }

    /// The home's address on a day since 1970. Leases move within 16 neighbouring /24s, now and then within one of
    /// them; the provider itself changes after years.
    func home(day: Double, world: LoginWorld, options: LoginOptions) -> UInt32 {
        var fixed = Random(seed: Random.mix(seed, 0x686F_6D65))
        let age = day / options.providerDays + fixed.uniform()
        var random = Random(seed: Random.mix(seed, UInt64(max(age, 0)), 0x7072_6F76))
        let of = world.countries[country]
        let provider = random.pick(of.providers)
        let pool = world.homePool(world.sites[of.site(region: region, provider: provider)], &random)
        let (block, host) = (random.below(16), random.below(256))
        if leaseDays == 0 { return LoginWorld.address(pool: pool, host: block << 8 | host) }
        var lease = Random(seed: Random.mix(seed, UInt64(max(day / leaseDays + fixed.uniform(), 0)), 0x6C65_6173))
        if lease.chance(options.leasesElsewhere) {
            let site = world.sites[of.site(region: lease.pick(of.regions), provider: provider)]
            return LoginWorld.address(pool: world.homePool(site, &lease), host: lease.below(4_096))
        }
        let moved = lease.chance(0.6) ? lease.below(16) : block
        return LoginWorld.address(pool: pool, host: moved << 8 | lease.below(256))
    }

    /// Probability that a visit due on a weekend happens there.
    static func keepsWeekends(_ number: UInt32, _ options: LoginOptions) -> Double {
        Random.mix(options.seed, UInt64(number), 0x7765_656B) % 5 < 2 ? 0.3 : 0.9
    }

    /// One of the addresses that a carrier's customers share: most often of the gateway that served this phone before.
    func mobile(day: Double, region: Int, country: Int, world: LoginWorld, _ random: inout Random) -> UInt32 {
        let of = world.countries[country]
        let provider = country == self.country ? carrier : random.pick(of.providers)
        let site = world.sites[of.site(region: region, provider: provider)]
        let usual = Random.mix(seed, UInt64(max(day / 200, 0)), 0x6761_7465)
        return world.gateway(site, random.chance(0.75) ? usual : random.next(), &random)
    }

    /// An hour of the day by this person's clock.
    func hour(_ options: LoginOptions, _ random: inout Random) -> Double {
        if random.chance(options.anyHour) { return random.uniform(0, 24) }
        let peak = random.chance(peaks.firstShare) ? peaks.first : peaks.second
        return peak + peaks.spread * random.normal()
    }

    /// Milliseconds since the start of a day of the stream, at an hour of this person's clock.
    func moment(_ options: LoginOptions, _ random: inout Random) -> Int64 {
        let local = hour(options, &random) - Double(zone) / 60
        let hour = local - (local / 24).rounded(.down) * 24
        return min(Int64(hour * 3_600_000), LoginOptions.dayMilliseconds - 1)
    }

    /// One of the person's devices on a day since 1970. Its software only ever moves forward: most follow what is
    /// current at a few days' distance, laggards update now and then.
    func device(_ slot: Int, day: Double, options: LoginOptions) -> LoginAgent {
        var random = Random(seed: Random.mix(seed, UInt64(slot), 0x6465_7669))
        let type = Self.type(slot, &random)
        let age = day / (options.deviceDays * random.uniform(0.7, 1.3)) + random.uniform()
        var generation = Random(seed: Random.mix(seed, UInt64(slot) << 32 | UInt64(max(age, 0)), 0x6765_6E))
        // Who buys a new phone most often buys one of the same make.
        var make = Random(seed: Random.mix(seed, UInt64(slot), 0x6D61_6B65))
        let family = generation.chance(0.75) ? LoginAgent.family(type, &make) : LoginAgent.family(type, &generation)
        let model = LoginAgent.model(&generation)
        // How soon one updates is a habit, not the device's.
        var habit = Random(seed: Random.mix(seed, UInt64(slot), 0x7570_6474))
        let lags = habit.chance(options.laggards)
        let period = habit.lognormal(median: 70, sigma: 0.7)
        let phase = habit.uniform(0, period)
        let behind = habit.uniform(0, 12)
        let updated = lags ? ((day + phase) / period).rounded(.down) * period - phase : day
        return LoginAgent(family: family, model: model, day: updated - behind, pace: options.releasePace)
    }

    private static func type(_ slot: Int, _ random: inout Random) -> LoginAgent.Class {
        let first: [Double] = [0.66, 0.255, 0.024, 0.03, 0.031]
        let others: [Double] = [0.64, 0.27, 0.05, 0, 0.04]
        return LoginAgent.Class.allCases[random.pick(slot == 0 ? first : others)]
    }

    /// Somebody's device: any, as common as it is.
    static func anyDevice(_ type: LoginAgent.Class?, day: Double, options: LoginOptions, _ random: inout Random) -> LoginAgent {
        let of = type ?? LoginAgent.Class.allCases[random.pick([0.66, 0.27, 0.025, 0.025, 0.02])]
        let late = random.chance(options.laggards) ? min(random.lognormal(median: 40, sigma: 0.9), 500) : 0
        let family = LoginAgent.family(of, &random)
        return LoginAgent(
            family: family, model: LoginAgent.model(&random), day: day - late - random.uniform(0, 12), pace: options.releasePace)
    }

    /// Where and with what a visit on a day since 1970 comes from.
    func visit(day: Double, world: LoginWorld, options: LoginOptions, _ random: inout Random) -> (address: UInt32, agent: LoginAgent) {
        let slot = min(random.pick([0.73, 0.18, 0.06, 0.03]), devices - 1)
        var agent = device(slot, day: day, options: options)
        if random.chance(options.strangeDevice) { agent = Self.anyDevice(nil, day: day, options: options, &random) }
        if let vpnCountry, random.chance(0.35) {
            return (world.exit(country: vpnCountry, number: random.chance(0.6) ? seed >> 9 &+ UInt64(random.below(3)) : random.next()), agent)
        }
        if random.chance(options.travel) {
            let there = random.chance(options.travelAbroad) ? world.country(&random) : country
            let of = world.countries[there]
            let region = random.pick(of.regions)
            if agent.type == .mobile, random.chance(0.6) {
                return (mobile(day: day, region: region, country: there, world: world, &random), agent)
            }
            let site = world.sites[of.site(region: region, provider: random.pick(of.providers))]
            return (LoginWorld.address(pool: world.homePool(site, &random), host: random.below(4_096)), agent)
        }
        if agent.type == .mobile {
            if random.chance(options.carrierShare) {
                let region = random.chance(options.roaming) ? random.pick(world.countries[country].regions) : self.region
                return (mobile(day: day, region: region, country: country, world: world, &random), agent)
            }
        } else if let office, random.chance(0.55) {
            return (office, agent)
        }
        return (home(day: day, world: world, options: options), agent)
    }
}
