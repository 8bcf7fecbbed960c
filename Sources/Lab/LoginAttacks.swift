import Glibc

/// A password that was stolen at a login and will be used: what its thief could have seen there.
struct StolenPassword: Sendable {
    var kind: LoginKind
    var user: UInt32
    var address: UInt32
    var agent: LoginAgent
    var seed: UInt64
}

/// Makes the logins of those who know one password. Each attacker is somebody of the same world: with the hours of a
/// person, an address where people have theirs, and a browser that people use.
struct LoginAttacks: Sendable {
    let world: LoginWorld
    let options: LoginOptions

    func login(_ theft: StolenPassword, day: Int, epochDay: Double, listed: [UInt32]) -> LoginDraft {
        var random = Random(seed: theft.seed)
        let victim = world.site(ofAddress: theft.address)
        let home = theft.kind == .naive ? nil : Int(victim.country)
        // Beyond every account's and every visitor's number.
        let number = 0x8000_0000 | UInt32(truncatingIfNeeded: random.next() >> 33)
        let person = LoginPerson(number: number, country: home, world: world, options: options)
        var (address, agent) = person.visit(day: epochDay, world: world, options: options, &random)
        if theft.kind == .naive || theft.kind == .vpn {
            // Whatever all rows show: more tools among it than owners use.
            let type = LoginAgent.Class.allCases[random.pick(LoginAgent.Class.shares)]
            agent = LoginPerson.anyDevice(type, day: epochDay, options: options, &random)
        }
        switch theft.kind {
        case .naive:
            if !listed.isEmpty, random.chance(options.naiveListed) { address = listed[random.below(listed.count)] }
        case .vpn:
            if random.chance(options.vpnExits) || Int(world.site(ofAddress: address).country) != Int(victim.country) {
                address = world.exit(country: Int(victim.country), number: random.next())
            }
        case .targeted:
            address = near(theft, victim, &random)
            agent = LoginPerson.anyDevice(theft.agent.type, day: epochDay, options: options, &random)
            if random.chance(options.targetedCopies) {
                agent = theft.agent
            } else if random.chance(options.targetedFamily) {
                agent = LoginAgent(
                    family: theft.agent.family, model: LoginAgent.model(&random), day: epochDay - random.uniform(0, 30),
                    pace: options.releasePace)
            }
        default:
            let whole = random.uniform()
            address = whole < 0.35
                ? theft.address & ~0xFFF | UInt32(random.below(4_096))
                : whole < 0.5 ? theft.address & ~0xFF | UInt32(random.below(256)) : near(theft, victim, region: Int(victim.region), &random)
            agent = LoginAgent(
                family: theft.agent.family, model: random.chance(0.6) ? theft.agent.model : LoginAgent.model(&random),
                day: epochDay - random.uniform(0, 14), pace: options.releasePace)
        }
        let time = options.start.milliseconds + Int64(day) * LoginOptions.dayMilliseconds + attackerMoment(person, &random)
        return LoginDraft(
            time: time, user: theft.user, address: address, agent: agent, succeeds: true, kind: theft.kind)
    }

    /// An attacker keeps his own country's hours wherever he pretends to be; some work for him by themselves.
    private func attackerMoment(_ person: LoginPerson, _ random: inout Random) -> Int64 {
        if random.chance(0.15) { return Int64(random.below(Int(LoginOptions.dayMilliseconds))) }
        var person = person
        let own = random.chance(0.6) ? person.country : world.country(&random)
        person.zone = own == 0 || random.chance(0.5) ? 60 : world.countries[own].zone
        return person.moment(options, &random)
    }

    /// An address of the victim's provider: of its homes, or of its carrier's gateways, as the victim's was.
    private func near(_ theft: StolenPassword, _ victim: LoginWorld.Site, region: Int? = nil, _ random: inout Random) -> UInt32 {
        let of = world.countries[Int(victim.country)]
        let access = world.access(ofAddress: theft.address)
        if access == .exit { return world.exit(country: Int(victim.country), number: random.next()) }
        let first = of.site(region: 0, provider: 0)
        let provider = Int(victim.provider) - Int(world.sites[first].provider)
        let site = world.sites[of.site(region: region ?? random.pick(of.regions), provider: provider)]
        let toCarrier = access == .carrier ? random.chance(0.7) : random.chance(0.3)
        if site.use == .carrier, toCarrier { return world.gateway(site, random.next(), &random) }
        return LoginWorld.address(pool: world.homePool(site, &random), host: random.below(4_096))
    }
}

/// One operator who tries many names from a few addresses within hours.
struct LoginCampaign: Sendable {
    var day: Int
    var names: Int
    var takeovers: Int
    var seed: UInt64

    /// All campaigns of a stream by day.
    static func schedule(_ options: LoginOptions) -> [LoginCampaign] {
        var random = Random(seed: Random.mix(options.seed, 0x6361_6D70))
        let rows = options.campaignShare * Double(options.rows)
        let median = min(options.campaignMedian, max(rows / 12, 5))
        var list: [LoginCampaign] = []
        var left = rows
        while left >= 1 {
            let names = min(max(random.lognormal(median: median, sigma: options.campaignSigma).rounded(), 3), max(left, 3), rows / 4 + 3)
            list.append(LoginCampaign(
                day: min(Int(volume: random.uniform(), options), options.days - 1), names: Int(names), takeovers: 0, seed: random.next()))
            left -= names
        }
        let total = Int((options.takeoverRate * Double(options.rows)).rounded())
        let open = list.indices.filter { _ in random.chance(options.takeoverCampaigns) }
        let chosen = open.isEmpty ? Array(list.indices) : open
        let sizes = chosen.map { Double(list[$0].names) }
        if !chosen.isEmpty { for _ in 0..<total { list[chosen[random.pick(sizes)]].takeovers += 1 } }
        return list.sorted { ($0.day, $0.seed) < ($1.day, $1.seed) }
    }
}

extension LoginAttacks {
    /// The addresses a campaign comes from: exits and gateways that others use as well, and homes with a guest in the machine.
    func addresses(of campaign: LoginCampaign, in target: Int, _ random: inout Random) -> [UInt32] {
        let count = max(1, Int(Double(campaign.names) / options.campaignRowsPerAddress * random.uniform(0.6, 1.4)))
        return (0..<count).map { _ in
            // Proxies near the victims are preferred; the others are wherever they are cheap.
            let country = random.chance(options.campaignNear) ? target : random.chance(0.6) ? world.country(&random) : random.below(world.countries.count)
            let use = random.pick([0.15, 0.35, 0.5])
            let of = world.countries[country]
            for _ in 0..<40 where use < 2 {
                let site = world.sites[of.site(region: random.pick(of.regions), provider: random.pick(of.providers))]
                let address = use == 0 ? world.exit(country: country, number: random.next())
                    : world.gateway(site, random.next(), &random)
                if world.isListed(address) { return address }
            }
            return address(of: country, &random)
        }
    }

    /// Somebody's home in a country.
    func address(of country: Int, _ random: inout Random) -> UInt32 {
        let of = world.countries[country]
        let site = world.sites[of.site(region: random.pick(of.regions), provider: random.pick(of.providers))]
        return LoginWorld.address(pool: world.homePool(site, &random), host: random.below(4_096))
    }

    /// The browsers it shows: tools under their own name, or what people use, often not quite fresh.
    func agents(of campaign: LoginCampaign, epochDay: Double, _ random: inout Random) -> [LoginAgent] {
        (0...random.below(24)).map { _ in
            let type: LoginAgent.Class? = random.chance(0.12) ? .bot : random.chance(0.3) ? .desktop : nil
            return LoginPerson.anyDevice(type, day: epochDay - random.uniform(0, 60), options: options, &random)
        }
    }
}
