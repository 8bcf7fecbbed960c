import Glibc

/// An attack that is to happen on some day of the stream.
struct ScheduledAttack: Sendable {
    var kind: AttackKind
    var day: Int
    var seed: UInt64
}

/// Makes the hostile events of a day. An attacker is a person of the same population, with that person's devices,
/// networks, hours and pace: nothing about him alone gives him away. Of the victim's habits he knows nothing.
struct Attacks {
    let sessions: LegitimateSessions
    var options: TrafficOptions { sessions.options }

    /// All attacks of the stream in the order of their days.
    static func schedule(_ options: TrafficOptions) -> [ScheduledAttack] {
        let length = TrafficOptions.dayMilliseconds
        // Whole days only, where there are any: a first day cut short would crowd its attacks into a few hours.
        let before = options.attackStart.milliseconds - options.start.milliseconds
        let whole = Int((before + length - 1) / length)
        let first = whole < options.days ? whole : Int(before / length)
        let days = options.days - first
        var list: [ScheduledAttack] = []
        for (index, kind) in AttackKind.ofTraffic.enumerated() where options.attacks[kind] > 0 && days > 0 {
            var random = Random(seed: Random.mix(options.seed, UInt64(index), 0x61747461636B))
            let expected = options.attacks[kind] * Double(options.users) * Double(days) / 1_000
            // What takes days begins early enough to be seen, where the stream is long enough for that.
            let lasts = kind == .insider ? options.insiderDays.lowerBound : kind == .spray ? options.sprayDays.lowerBound : 1
            for _ in 0..<max(1, Int(expected.rounded())) {
                list.append(ScheduledAttack(kind: kind, day: first + random.below(max(1, days - lasts)), seed: random.next()))
            }
        }
        return list.sorted { ($0.day, $0.seed) < ($1.day, $1.seed) }
    }

    /// Adds one attack to a day that holds its legitimate sessions; false when the day has no session it could use.
    func append(_ attack: ScheduledAttack, to day: inout Day) -> Bool {
        var random = Random(seed: attack.seed)
        switch attack.kind {
        case .hijack, .replay, .impossibleTravel:
            guard let span = takeSession(&day, &random) else { return false }
            switch attack.kind {
            case .hijack: hijack(span, attack, &day, &random)
            case .replay: replay(span, attack, &day, &random)
            default: impossibleTravel(span, attack, &day, &random)
            }
        case .takeover: takeover(attack, &day, &random)
        case .naive, .vpn, .targeted, .veryTargeted: intrude(attack, &day, &random)
        case .pushBombing: pushBombing(attack, &day, &random)
        case .insider: insider(attack, &day, &random)
        case .stuffing: stuffing(attack, &day, &random)
        case .spray: spray(attack, &day, &random)
        case .masquerade: break
        }
        return true
    }

    /// A session of this day, not yet attacked, with room for an attack in its middle; of somebody established, where
    /// there is one.
    private func takeSession(_ day: inout Day, _ random: inout Random) -> SessionSpan? {
        var second: Int?
        for _ in 0..<200 where !day.sessions.isEmpty {
            let index = random.below(day.sessions.count)
            let span = day.sessions[index]
            guard span.count >= 5, day.drafts[span.first].time >= options.attackStart.milliseconds else { continue }
            if Int(day.history[Int(span.user)]) >= options.established { return take(index, &day) }
            second = second ?? index
        }
        return second.map { take($0, &day) }
    }

    private func take(_ index: Int, _ day: inout Day) -> SessionSpan {
        day.sessions.swapAt(index, day.sessions.count - 1)
        return day.sessions.removeLast()
    }

    /// A person who is established, where there is one who meets the condition too; else the best known of those asked.
    func victim(_ day: Day, _ random: inout Random, where condition: (Person) -> Bool = { _ in true }) -> Person {
        var best: Person?
        var most = -1
        for _ in 0..<200 {
            let number = random.below(options.users)
            let known = min(Int(day.history[number]), options.established)
            if known <= most { continue }
            let person = Person(number: UInt32(number), options: options)
            guard person.bulkHour == nil, condition(person) else { continue }
            (best, most) = (person, known)
            if known == options.established { break }
        }
        return best ?? Person(number: UInt32(random.below(options.users)), options: options)
    }

    /// Somebody beyond every user's number. Like a victim, he lives in the same country in some cases, next door in a few.
    func attacker(_ random: inout Random, like victim: Person?) -> Person {
        var person = Person(number: 0x4000_0000 | UInt32(truncatingIfNeeded: random.next() >> 34), options: options)
        person.bulkHour = nil
        if let victim {
            let reach = random.uniform()
            if reach < 0.5 {  // Anywhere, as people are.
            } else if reach < 0.85 {
                person.city = Self.city(inCountryOf: victim.city, &random)
            } else {
                person.city = victim.city
                person.residentialSlot = victim.residentialSlot
            }
        }
        return person
    }

    /// One of a country's cities, as its people are spread over them.
    static func city(inCountryOf city: Int, _ random: inout Random) -> Int {
        let cities = Place.citiesOfCountry[Place.countryOfCity[city]]
        return cities[random.pick(cities.map { Place.weights[$0] })]
    }

    func network(of person: Person, _ random: inout Random) -> Network {
        let choice = random.uniform()
        if choice < 0.65 { return person.home(day: 0) }
        return choice < 0.9 ? person.mobile(in: person.city, &random) : person.exit(&random)
    }

    func device(of person: Person, at time: Int64, _ random: inout Random) -> Device {
        let slot = min(random.pick([0.7, 0.22, 0.08]), person.devices - 1)
        var device = person.device(slot, day: 0, epochDay: Int(time / TrafficOptions.dayMilliseconds), options: options).device
        if person.idless || random.chance(options.privateShare) { device.id = 0 }
        return device
    }

    /// Appends one hostile event; the first of a scenario sets its onset.
    func hostile(_ draft: inout Draft, _ kind: AttackKind, _ onset: inout UInt64?, _ day: inout Day) {
        draft.attack = kind
        draft.twin = nil
        draft.occurrence = 0
        if onset == nil { onset = day.nextOrdinal }
        draft.onset = onset ?? 0
        day.append(draft)
    }

    /// Attackers' homes have IPv6 as often as others'; networks of other kinds don't here.
    func isDual(_ draft: Draft) -> Bool {
        var network = draft.network
        network.plan = 0
        return Int(network.slot) < Network.Slot.firstMobile
            && Double(Random.mix(options.seed, UInt64(network.ipv4)) >> 11) * 0x1p-53 < options.twins.dualStack
    }

    /// What an attacker is after, in a session of a victim's.
    private static let goals: [Action] = [
        .transferCreate, .beneficiaryAdd, .transferCreate, .statementExport, .contactChange, .paymentCreate,
    ]

    /// Actions of somebody who does as he would at home, at his own pace, with what he is after among them.
    /// `goals` is their share.
    func act(
        _ draft: inout Draft, steps: Int, as person: Person, goals share: Double, _ kind: AttackKind,
        _ onset: inout UInt64?, _ day: inout Day, _ random: inout Random
    ) {
        var chain = person.chain(day: 0, options: options)
        for _ in 0..<steps {
            let isFirst = draft.type == .login
            draft.type = .action
            draft.time += sessions.gap(of: person, &random)
            draft.action = isFirst ? .accountList
                : random.chance(share) ? Self.goals[random.below(Self.goals.count)] : chain.next(after: draft.action, &random)
            spend(&draft, person, &random)
            hostile(&draft, kind, &onset, &day)
        }
    }

    /// How many actions a session of this person has.
    func length(of person: Person, _ random: inout Random) -> Int {
        let within = options.actionsSigma * (1 - options.paceShare).squareRoot()
        let steps = random.lognormal(median: options.actionsMedian * person.length, sigma: within)
        return min(max(Int(steps.rounded()), 1), 2_000)
    }

    /// The things and amounts of an attacker: the victim's own he finds only half as often as the victim would.
    func spend(_ draft: inout Draft, _ person: Person, _ random: inout Random) {
        let isFound = random.chance(options.ownShare / 2)
        let owner = isFound ? Person(number: draft.user, options: options) : person
        sessions.dress(&draft, owner, own: isFound ? 1 : 0, &random)
        if draft.amount > 0 {
            let cents = 100 * random.lognormal(median: person.amountMedian * 3, sigma: person.amountSigma)
            draft.amount = max(1, Int64(min(cents, 1e11)))
        }
        sessions.face(&draft, isDual(draft), &random)
    }

    /// A login of the attacker as the victim, from his own place and device.
    func begin(_ victim: Person, _ person: Person, at time: Int64, _ random: inout Random) -> Draft {
        var draft = Draft(
            time: time, ordinal: 0, user: victim.number, network: network(of: person, &random),
            device: device(of: person, at: time, &random))
        draft.type = .login
        draft.homeCity = UInt8(victim.city)
        renew(&draft, &random)
        sessions.face(&draft, isDual(draft), &random)
        return draft
    }

    /// Another session, from this moment on.
    func renew(_ draft: inout Draft, _ random: inout Random) {
        draft.session = random.next() & 0xFFFF_FFFF_FFFF | 1
        draft.token = random.next() & 0xFFFF_FFFF_FFFF | 1
        draft.authTime = draft.time
    }

    /// An hour at which the attacker himself uses to be awake, on the attack's day and after attacks begin.
    func time(of attack: ScheduledAttack, _ person: Person, _ random: inout Random) -> Int64 {
        let peak = random.chance(person.peaks.firstShare) ? person.peaks.first : person.peaks.second
        return moment(attack, hour: peak + person.peaks.spread * random.normal(), city: person.city, &random)
    }

    /// A local hour on the attack's day, or any moment of it where that is before attacks begin.
    func moment(_ attack: ScheduledAttack, hour: Double, city: Int, _ random: inout Random) -> Int64 {
        let start = sessions.dayStart(attack.day)
        let zone = sessions.zone(city, at: start + TrafficOptions.dayMilliseconds / 2)
        let time = sessions.moment(attack.day, hour: hour, zone: zone, jitter: 0)
        let earliest = options.attackStart.milliseconds
        if time >= earliest { return time }
        return earliest + Int64(random.uniform() * Double(start + TrafficOptions.dayMilliseconds - earliest))
    }
}
