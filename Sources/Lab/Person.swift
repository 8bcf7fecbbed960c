import Glibc

/// A user's habits: a pure function of the seed and the user's number, so that no population is held in memory.
struct Person: Sendable {
    var number: UInt32
    var seed: UInt64
    var role: Role
    var city: Int
    var residentialSlot: UInt8
    var mobileSlot: UInt8
    /// The address of the home, until the provider changes it; 0 lease days for a fixed one.
    var homeHost: UInt16
    var leaseDays: Int
    var dualStack: Bool
    /// The one address of the employer in this city; nil for who works elsewhere.
    var officeHost: UInt16?
    /// Sessions a day, before the stream's scale.
    var activity: Double
    /// Hours of local time, and how far sessions spread around them.
    var peaks: (first: Double, second: Double, spread: Double, firstShare: Double)
    var devices: Int
    var amountMedian: Double
    var amountSigma: Double
    /// Logs in with a second factor.
    var strong: Bool
    var hasVPN: Bool
    /// A nightly job; nil for people.
    var bulkHour: Double?
    /// The clients used never send a device id.
    var idless: Bool
    /// Factors of the time between actions and of the length of sessions: a pace of one's own.
    var slowness: Double
    var length: Double
    /// Addresses that the carrier's customers of one city share.
    var carrierAddresses: Int
    /// From which day of the stream on this person has another role.
    var roleChange: (day: Int, role: Role)?

    init(number: UInt32, options: TrafficOptions) {
        self.number = number
        seed = Random.mix(options.seed, UInt64(number), 0x706572736F6E)
        var random = Random(seed: seed)
        role = Role.allCases[random.pick(Role.shares)]
        city = random.pick(Place.weights)
        residentialSlot = UInt8(random.pick(Network.Slot.residential))
        mobileSlot = UInt8(Network.Slot.firstMobile + random.pick([0.65, 0.35]))
        homeHost = UInt16(1 + random.below(65_000))
        leaseDays = random.chance(0.6) ? 0 : 7 + random.below(24)
        dualStack = random.chance(options.twins.dualStack)
        let employed = role.isEmployee || random.chance(0.25)
        let crowd = max(1, Int(Double(options.users) * Place.weights[city] * 0.5 / 40))
        let office = UInt16(1 + random.below(min(crowd, 60_000)))
        officeHost = employed ? office : nil
        activity = random.lognormal(median: options.sessionsMedian, sigma: options.sessionsSigma)
        let spread = random.uniform(1.0, 2.2)
        peaks = role.isEmployee
            ? (9.5 + random.normal(), 14 + random.normal(), spread, 0.6)
            : (random.uniform(7, 13), 19.5 + 1.5 * random.normal(), spread, random.chance(0.4) ? 1 : 0.4)
        devices = 1 + random.pick([0.4, 0.42, 0.18])
        amountMedian = random.lognormal(median: 120, sigma: 1)
        amountSigma = random.uniform(0.5, 1.1)
        strong = random.chance(0.25)
        hasVPN = random.chance(options.twins.vpnUsers)
        // From a hundred users on there is one at least, so that no such stream lacks the twin.
        let isJob = random.chance(options.twins.bulkUsers)
            || options.twins.bulkUsers > 0 && options.users >= 100 && UInt64(number) == Random.mix(options.seed, 0x6A6F62) % UInt64(options.users)
        bulkHour = isJob ? random.uniform(0, 5) : nil
        idless = random.chance(options.idlessUsers)
        slowness = exp(options.gapSigma * options.paceShare.squareRoot() * random.normal())
        length = exp(options.actionsSigma * options.paceShare.squareRoot() * random.normal())
        carrierAddresses = min(max(Int(Double(options.users) * Place.weights[city] * 0.5 / 20), 2), 96)
        let other = Role.allCases[random.pick(Role.shares)]
        let day = options.twins.roleChange > 0 ? -30 * log(1 - random.uniform()) / options.twins.roleChange : .infinity
        roleChange = day < 1e6 && other != role ? (1 + Int(day), other) : nil
        if bulkHour != nil {
            (devices, dualStack, hasVPN, activity, idless, roleChange) = (1, false, false, 1, false, nil)
        }
    }

    /// This person's chain of actions on a day of the stream.
    func chain(day: Int, options: TrafficOptions) -> PersonalChain {
        guard let change = roleChange, day >= change.day else {
            return PersonalChain(seed: seed, role: role, concentration: options.concentration)
        }
        return PersonalChain(seed: Random.mix(seed, 1), role: change.role, concentration: options.concentration)
    }

    /// How likely a day of the week is to bring sessions; 0 is Monday.
    func pace(onWeekday weekday: Int) -> Double {
        weekday < 5 ? 1 : role.isEmployee ? 0.12 : 0.7
    }

    /// The device in a slot on a day of the stream, and whether it is new. Devices are replaced now and then, and
    /// their browsers follow the current version at a distance.
    func device(_ slot: Int, day: Int, epochDay: Int, options: TrafficOptions) -> (device: Device, isNew: Bool) {
        var random = Random(seed: Random.mix(seed, UInt64(slot), 0x646576696365))
        let of: Agent.Class =
            bulkHour != nil ? .desktop
            : slot == 0 ? [.mobile, .desktop, .tablet][random.pick(Agent.classShares)]
            : slot == 1 ? (random.chance(0.6) ? .desktop : .mobile) : (random.chance(0.3) ? .tablet : .mobile)
        var family = Agent.family(of, &random)
        let life = options.twins.deviceDays * random.uniform(0.7, 1.3)
        let age = Double(day) + random.uniform() * life
        let generation = bulkHour != nil ? 0 : Int(age / life)
        var lag = Self.lag(&random)
        if generation > 0 {
            var later = Random(seed: Random.mix(seed, UInt64(slot), UInt64(generation)))
            if later.chance(0.3) { family = Agent.family(of, &later) }
            lag = later.below(25)
        }
        let daysOwned = age - Double(generation) * life
        let id = Random.mix(seed, UInt64(slot) << 32 | UInt64(generation), 0x6964) & 0xFFFF_FFFF_FFFF | 1
        return (Device(id: id, agent: Agent(family, day: epochDay - lag)), generation > 0 && daysOwned < 3)
    }

    /// How many days a browser is behind its newest version: one in ten is not kept up to date.
    static func lag(_ random: inout Random) -> Int { random.chance(0.1) ? 30 + random.below(270) : random.below(25) }

    /// At most one trip begins and ends in each of these runs of days.
    static let tripPeriod = 28

    /// Where this person is staying on a day of the stream: another city while on a trip.
    /// `travelling` marks the days on which the journey itself leaves no time for sessions.
    func stay(day: Int, options: TrafficOptions) -> (city: Int, travelling: Bool) {
        var random = Random(seed: Random.mix(seed, UInt64(day / Self.tripPeriod), 0x74726970))
        guard bulkHour == nil, random.chance(options.twins.trip) else { return (city, false) }
        let first = random.below(20)
        let last = first + 2 + random.below(5)
        let away = random.chance(0.55)
            ? Place.citiesOfCountry[Place.countryOfCity[city]].randomElement(using: &random) ?? city
            : random.pick(Place.weights)
        let today = day % Self.tripPeriod
        if away == city || today < first - 1 || today > last + 1 { return (city, false) }
        return today < first || today > last ? (city, true) : (away, false)
    }

    func home(day: Int) -> Network {
        let host = leaseDays == 0 ? homeHost
            : UInt16(1 + Random.mix(seed, UInt64(day / leaseDays), 0x6C65617365) % 65_000)
        return Network(city: UInt8(city), slot: residentialSlot, host: host)
    }
    /// One of the few addresses that a carrier's customers share.
    func mobile(in city: Int, _ random: inout Random) -> Network {
        Network(city: UInt8(city), slot: mobileSlot, host: UInt16(1 + random.below(carrierAddresses)))
    }
    /// A hotel or a friend's home.
    func guest(in city: Int, day: Int) -> Network {
        let number = Random.mix(seed, UInt64(day / 7), 0x6775657374)
        return Network(city: UInt8(city), slot: UInt8(number % 3), host: UInt16(1 + (number >> 8) % 65_000))
    }
    var office: Network? {
        officeHost.map { Network(city: UInt8(city), slot: UInt8(Network.Slot.office), host: $0) }
    }
    /// An exit of a VPN or a hosting company: one of a few that this person prefers, in his own city two times in three.
    func exit(_ random: inout Random) -> Network {
        var choice = Random(seed: Random.mix(seed, UInt64(random.pick([0.6, 0.25, 0.15])), 0x65786974))
        let exitCity = choice.chance(0.67) ? city : choice.pick(Place.weights)
        return Network(city: UInt8(exitCity), slot: UInt8(Network.Slot.hosting), host: UInt16(1 + random.below(60)))
    }
}
