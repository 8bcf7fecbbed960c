import Events
import Glibc

/// The login half of generated traffic: labelled logins in the order of event time.
///
/// Deterministic: equal options give equal bytes. Streaming: it holds the logins of one day, what campaigns reach over
/// into the next, stolen passwords not yet used, and 28 bytes an account.
public struct LoginTraffic: Sendable {
    /// The options in force, with every number in its range.
    public let options: LoginOptions
    let world: LoginWorld
    private let attacks: LoginAttacks
    private var accounts: LoginAccounts
    private let writer: LoginWriter
    private var campaigns: [LoginCampaign]
    private var nextCampaign = 0
    /// Passwords by the day of their use.
    private var stolen: [[StolenPassword]]
    /// Probability that a successful login's password is stolen, by kind of attacker.
    private let theft: [Double]
    /// Addresses of recent campaigns.
    private var listed: [UInt32] = []
    /// Accounts that were in use lately, by logins.
    private var recent: [UInt32] = []
    private var drafts: [LoginDraft] = []
    private var order: [UInt32] = []
    private var position = 0
    private var nextDay = 0
    private var nextOrdinal: UInt64 = 0
    private let visitorRows: Double
    private let names: Int
    /// Share of people without an account who are in the service's own country.
    private let visitorsHome: Double

    /// Accounts in the stream.
    public var users: Int { accounts.accounts.count }
    /// Logins held now; never more than a day's and what campaigns reach over.
    public var heldEvents: Int { drafts.count }

    /// Values out of range are moved to the nearest in range.
    public init(_ asked: LoginOptions) {
        let options = asked.bounded
        self.options = options
        world = LoginWorld(options)
        attacks = LoginAttacks(world: world, options: options)
        self.campaigns = LoginCampaign.schedule(options)
        let rows = Double(options.rows)
        let hostile = LoginKind.attackers.reduce(0) { $0 + options.rate($1) } + options.takeoverRate
        let known = max(0.01, 1 - options.unknownShare - options.campaignShare * options.campaignKnownShare - hostile)
        visitorRows = max(0, options.unknownShare - options.campaignShare * (1 - options.campaignKnownShare)) * rows
        let campaigns = LoginPlaces.shares[0] + (options.campaignNear * 0.4 - 0.05)
        let home = LoginPlaces.shares[0] - known * options.ownersHome - options.campaignShare * campaigns
        visitorsHome = min(max(home / max(1 - known - options.campaignShare, 0.01), 0.05), 1)
        let failing = min(max(1 - (options.successShare - hostile) / known, 0), 0.9)
        let count = min(max(Int(known * rows / LoginAccounts.meanAttempts), 2), 8_000_000)
        accounts = LoginAccounts(count: count, failing: failing, options)
        names = min(0xFF_FFFF - count, max(Int(visitorRows / 1.8), 100))
        stolen = Array(repeating: [], count: options.days)
        let used = Self.shareUsed(options)
        let returning = max(Double(accounts.returning), 1)
        theft = LoginKind.attackers.map { min(options.rate($0) * rows / (returning * used), 0.5) }
        writer = LoginWriter(options, world)
    }

    /// Share of stolen passwords that are used before the stream ends.
    private static func shareUsed(_ options: LoginOptions) -> Double {
        var random = Random(seed: 1)
        var used = 0
        for _ in 0..<20_000 {
            let day = Double(Int(volume: random.uniform(), options))
            if day + delay(options, &random) < Double(options.days) { used += 1 }
        }
        return max(Double(used) / 20_000, 0.01)
    }
    private static func delay(_ options: LoginOptions, _ random: inout Random) -> Double {
        min(random.lognormal(median: options.delayMedian, sigma: options.delaySigma), 100_000)
    }

    /// Appends the next login to `buffer` and says where; nil at the end of the stream.
    public mutating func next(into buffer: inout OutputBuffer) -> GeneratedEvent? {
        guard let draft = nextDraft() else { return nil }
        return writer.write(draft, into: &buffer)
    }

    /// The next login, not written.
    mutating func nextDraft() -> LoginDraft? {
        while position == order.count {
            if nextDay == options.days { return nil }
            makeDay()
        }
        position += 1
        return drafts[Int(order[position - 1])]
    }

    private mutating func makeDay() {
        let start = options.start.milliseconds + Int64(nextDay) * LoginOptions.dayMilliseconds
        let end = start + LoginOptions.dayMilliseconds
        let epochDay = Double(start) / Double(LoginOptions.dayMilliseconds)
        drafts.removeAll { $0.time < start }
        var today = drafts
        ownersVisits(start, epochDay, &today)
        visitors(start, epochDay, &today)
        while nextCampaign < campaigns.count, campaigns[nextCampaign].day == nextDay {
            run(campaigns[nextCampaign], start, epochDay, &today)
            nextCampaign += 1
        }
        for password in stolen[nextDay] {
            var draft = attacks.login(password, day: nextDay, epochDay: epochDay, listed: listed)
            var random = Random(seed: Random.mix(password.seed, 1))
            finish(&draft, tunnelled: password.kind == .vpn, &random)
            today.append(draft)
        }
        stolen[nextDay] = []
        drafts = today
        for index in drafts.indices where drafts[index].ordinal == 0 {
            nextOrdinal += 1
            drafts[index].ordinal = nextOrdinal
        }
        order = drafts.indices.filter { drafts[$0].time < end }.map { UInt32($0) }
        let made = drafts
        order.sort {
            let (a, b) = (made[Int($0)], made[Int($1)])
            return a.time != b.time ? a.time < b.time : a.ordinal < b.ordinal
        }
        position = 0
        nextDay += 1
    }

    /// What the owners of accounts do on a day.
    private mutating func ownersVisits(_ start: Int64, _ epochDay: Double, _ today: inout [LoginDraft]) {
        var calendar = accounts
        accounts = .none  // Held once, or the calendar would be copied.
        calendar.visits(on: nextDay) { account, number, visit in
            let person = LoginPerson(number: number, home: options.ownersHome, world: world, options: options)
            var random = Random(seed: Random.mix(person.seed, UInt64(account.visit), 0x7669_7369))
            let moment = start + person.moment(options, &random)
            let (address, agent) = person.visit(day: epochDay, world: world, options: options, &random)
            var draft = LoginDraft(time: moment, user: number, address: address, agent: agent, succeeds: false)
            draft.device = deviceID(of: person, agent)
            for attempt in 0..<visit.attempts {
                draft.succeeds = visit.succeeds && attempt == visit.attempts - 1
                finish(&draft, tunnelled: false, &random)
                today.append(draft)
                draft.time += Int64(random.lognormal(median: 14_000, sigma: 0.9))
            }
            guard visit.succeeds else { return }
            if account.successes > 0 || random.chance(0.8) { steal(draft, &random) }
            if recent.count < 4_096 { recent.append(number) } else { recent[random.below(recent.count)] = number }
            if account.successes < .max { account.successes += 1 }
        }
        accounts = calendar
    }

    private func deviceID(of person: LoginPerson, _ agent: LoginAgent) -> UInt64 {
        guard Double(person.seed >> 11) * 0x1p-53 < options.deviceIDs else { return 0 }
        return Random.mix(person.seed, UInt64(agent.family), UInt64(agent.model)) & 0xFFFF_FFFF_FFFF | 1
    }

    /// Now and then somebody learns the password that was just used.
    private mutating func steal(_ login: LoginDraft, _ random: inout Random) {
        for (index, kind) in LoginKind.attackers.enumerated() where random.chance(theft[index]) {
            let day = Double(nextDay) + random.uniform() + Self.delay(options, &random)
            let seed = random.next()
            // Most attackers rest at weekends like others.
            let rests = LoginAccounts.weekday(min(Int(day), options.days - 1), options) >= 5 && random.chance(0.45)
            let use = max(Int(day) + (rests ? 2 : 0), nextDay + 1)
            guard use < options.days else { continue }
            stolen[use].append(StolenPassword(
                kind: kind, user: login.user, address: login.address, agent: login.agent, seed: seed))
        }
    }

    /// People who try names that are no account.
    private mutating func visitors(_ start: Int64, _ epochDay: Double, _ today: inout [LoginDraft]) {
        var random = Random(seed: Random.mix(options.seed, UInt64(nextDay), 0x6E6F_626F))
        let drift = (1 + options.growth * (Double(nextDay) + 0.5) / Double(options.days)) / (1 + options.growth / 2)
        let pace = LoginAccounts.weekday(nextDay, options) < 5 ? 1.11 : 0.725
        let rows = visitorRows / Double(options.days) * drift * pace
        var left = rows + random.uniform()
        while left >= 1 {
            let name = users + random.below(names)
            let person = LoginPerson(number: UInt32(name), home: visitorsHome, world: world, options: options)
            var (address, agent) = person.visit(day: epochDay, world: world, options: options, &random)
            if random.chance(0.09) { agent = LoginPerson.anyDevice(.bot, day: epochDay, options: options, &random) }
            var draft = LoginDraft(
                time: start + person.moment(options, &random), user: UInt32(name), address: address, agent: agent, succeeds: false)
            repeat {
                finish(&draft, tunnelled: false, &random)
                today.append(draft)
                draft.time += Int64(random.lognormal(median: 18_000, sigma: 0.9))
                left -= 1
            } while left >= 1 && random.chance(0.3)
        }
    }

    private mutating func run(_ campaign: LoginCampaign, _ start: Int64, _ epochDay: Double, _ today: inout [LoginDraft]) {
        var random = Random(seed: campaign.seed)
        let operatorCountry = world.country(&random)
        let person = LoginPerson(
            number: 0xC000_0000 | UInt32(truncatingIfNeeded: campaign.seed >> 34), country: operatorCountry, world: world, options: options)
        let target = random.chance(0.6) ? 0 : world.country(&random)
        let addresses = attacks.addresses(of: campaign, in: target, &random)
        let agents = attacks.agents(of: campaign, epochDay: epochDay, &random)
        listed.append(contentsOf: addresses)
        if listed.count > 4_096 { listed.removeFirst(listed.count - 4_096) }
        let first = start + person.moment(options, &random)
        let length = min(random.lognormal(median: 2.5, sigma: 0.9), 20) * 3_600_000
        for index in 0..<campaign.names {
            let address = addresses[random.below(addresses.count)]
            let agent = agents[addresses.count > 1 ? Int(address % UInt32(agents.count)) : random.below(agents.count)]
            // Takeovers are spread evenly: a running share passes a whole number.
            let takes = (index + 1) * campaign.takeovers / campaign.names - index * campaign.takeovers / campaign.names
            var draft = LoginDraft(
                time: first + Int64(random.uniform() * length), user: 0, address: address, agent: agent, succeeds: false, kind: .stuffing)
            draft.user = UInt32(random.chance(options.campaignKnownShare) ? random.below(users) : users + random.below(names))
            finish(&draft, tunnelled: false, &random)
            today.append(draft)
            for _ in 0..<takes {
                draft.user = victim(in: target, &random)
                draft.succeeds = true
                draft.kind = .takeover
                draft.address = random.chance(options.takeoverFresh)
                    ? attacks.address(of: random.chance(options.campaignNear) ? target : operatorCountry, &random) : address
                draft.agent = random.chance(options.takeoverFingerprint) ? fingerprint(of: draft.user, epochDay, &random) : agent
                draft.time += Int64(random.lognormal(median: 20_000, sigma: 1))
                finish(&draft, tunnelled: false, &random)
                today.append(draft)
            }
        }
    }

    /// An account whose password a campaign has: one that was used, or one that its owner never used yet. Lists are
    /// of one country, more or less, and hold active accounts more often than idle ones.
    private func victim(in country: Int, _ random: inout Random) -> UInt32 {
        let fresh = random.chance(options.takeoverNoHistory)
        let fits = random.chance(0.95)
        let active = !fresh && !recent.isEmpty && random.chance(0.5)
        var best = UInt32(random.below(users))
        for _ in 0..<400 {
            let number = active ? recent[random.below(recent.count)] : UInt32(random.below(users))
            if (accounts.accounts[Int(number)].successes == 0) != fresh { continue }
            best = number
            if !fits || LoginPerson(number: number, home: options.ownersHome, world: world, options: options).country == country { break }
        }
        return best
    }

    /// A browser of the family that an account's owner uses most.
    private func fingerprint(of user: UInt32, _ epochDay: Double, _ random: inout Random) -> LoginAgent {
        let owner = LoginPerson(number: user, home: options.ownersHome, world: world, options: options)
        let own = owner.device(0, day: epochDay, options: options)
        return LoginAgent(
            family: own.family, model: random.chance(0.5) ? own.model : LoginAgent.model(&random),
            day: epochDay - random.uniform(0, 45), pace: options.releasePace)
    }

    /// What differs from login to login: the session, and whether a round-trip time was measured.
    private func finish(_ draft: inout LoginDraft, tunnelled: Bool, _ random: inout Random) {
        draft.session = draft.succeeds ? random.next() & 0xFFFF_FFFF_FFFF | 1 : 0
        guard random.chance(options.roundTripShare) else {
            draft.roundTrip = 0
            return
        }
        let site = world.site(ofAddress: draft.address)
        let far = site.country == 0 ? 0.85 : site.country == 1 ? 1.1 : 1.25
        let way = (tunnelled || world.access(ofAddress: draft.address) == .exit ? 1.3 : 1) * (draft.agent.type == .mobile ? 1.05 : 0.95)
        draft.roundTrip = UInt16(min(max(random.lognormal(median: options.roundTripMedian * far * way, sigma: 0.8), 5), 60_000))
    }
}
