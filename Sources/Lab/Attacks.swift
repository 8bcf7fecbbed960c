import Glibc

/// An attack that is to happen on some day of the stream.
struct ScheduledAttack: Sendable {
    var kind: AttackKind
    var day: Int
    var seed: UInt64
}

/// Makes the hostile events of a day. An attacker is a person of the same population, with that person's devices,
/// networks and hours: nothing about him alone gives him away.
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
        for (index, kind) in AttackKind.allCases.enumerated() where options.attacks[kind] > 0 && days > 0 {
            var random = Random(seed: Random.mix(options.seed, UInt64(index), 0x61747461636B))
            let expected = options.attacks[kind] * Double(options.users) * Double(days) / 1_000
            for _ in 0..<max(1, Int(expected.rounded())) {
                list.append(ScheduledAttack(kind: kind, day: first + random.below(days), seed: random.next()))
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
        case .stuffing: stuffing(attack, &day, &random)
        }
        return true
    }

    /// A session of this day, not yet attacked, with room for an attack in its middle.
    private func takeSession(_ day: inout Day, _ random: inout Random) -> SessionSpan? {
        for _ in 0..<200 where !day.sessions.isEmpty {
            let index = random.below(day.sessions.count)
            let span = day.sessions[index]
            if span.count >= 5, day.drafts[span.first].time >= options.attackStart.milliseconds {
                day.sessions.swapAt(index, day.sessions.count - 1)
                day.sessions.removeLast()
                return span
            }
        }
        return nil
    }

    private func attacker(_ random: inout Random, like victim: Person?) -> Person {
        // Beyond every user's number.
        var person = Person(number: 0x4000_0000 | UInt32(truncatingIfNeeded: random.next() >> 34), options: options)
        person.bulkHour = nil
        if let victim {
            let reach = random.uniform()
            if reach < 0.5 {  // Anywhere, as people are.
            } else if reach < 0.85 {
                person.city = Place.citiesOfCountry[Place.countryOfCity[victim.city]].randomElement(using: &random) ?? victim.city
            } else {
                person.city = victim.city
                person.residentialSlot = victim.residentialSlot
            }
        }
        return person
    }

    private func network(of person: Person, _ random: inout Random) -> Network {
        let choice = random.uniform()
        if choice < 0.5 { return person.home(day: 0) }
        return choice < 0.75 ? person.mobile(in: person.city, &random) : person.exit(&random)
    }

    private func device(of person: Person, at time: Int64, _ random: inout Random) -> Device {
        person.device(0, day: 0, epochDay: Int(time / TrafficOptions.dayMilliseconds), options: options).device
    }

    /// Appends one hostile event; the first of a scenario sets its onset.
    private func hostile(_ draft: inout Draft, _ kind: AttackKind, _ onset: inout UInt64?, _ day: inout Day) {
        draft.attack = kind
        draft.twin = nil
        if onset == nil { onset = day.nextOrdinal }
        draft.onset = onset ?? 0
        day.append(draft)
    }

    private func gap(_ random: inout Random) -> Int64 { sessions.gap(false, &random) }

    /// Attackers' homes have IPv6 as often as others'; networks of other kinds don't here.
    private func isDual(_ draft: Draft) -> Bool {
        Int(draft.network.slot) < Network.Slot.firstMobile
            && Double(Random.mix(options.seed, UInt64(draft.network.ipv4)) >> 11) * 0x1p-53 < options.twins.dualStack
    }

    private func hijack(_ span: SessionSpan, _ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let joined = span.first + 2 + random.below(span.count - 3)
        var draft = day.drafts[joined]
        let victim = Person(number: span.user, options: options)
        let person = attacker(&random, like: victim)
        let likeness = random.uniform()
        let own = device(of: person, at: draft.time, &random)
        if likeness >= 0.3 { draft.device.agent = own.agent }
        if likeness >= 0.1 { draft.network = network(of: person, &random) }
        draft.device.id = random.chance(0.5) ? 0 : own.id
        var onset: UInt64?
        var chain = PersonalChain(seed: victim.seed, role: victim.role)
        let goals: [Action] = [.transferCreate, .beneficiaryAdd, .transferCreate, .statementExport, .contactChange, .paymentCreate]
        for _ in 0..<(5 + random.below(16)) {
            draft.time += gap(&random)
            draft.action = random.chance(0.5)
                ? chain.next(after: draft.action, &random) : goals[random.below(goals.count)]
            spend(&draft, victim, &random)
            hostile(&draft, attack.kind, &onset, &day)
        }
    }

    private func replay(_ span: SessionSpan, _ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        var draft = day.drafts[span.first + 1 + random.below(span.count - 1)]
        let victim = Person(number: span.user, options: options)
        let person = attacker(&random, like: victim)
        draft.network = network(of: person, &random)
        if random.chance(0.5) { draft.device = device(of: person, at: draft.time, &random) }
        draft.time += Int64(random.uniform(1, 60) * 60_000)
        var onset: UInt64?
        var chain = PersonalChain(seed: victim.seed, role: victim.role)
        for _ in 0..<(2 + random.below(7)) {
            draft.action = chain.next(after: draft.action, &random)
            spend(&draft, victim, &random)
            hostile(&draft, attack.kind, &onset, &day)
            draft.time += gap(&random)
        }
    }

    private func impossibleTravel(_ span: SessionSpan, _ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let here = day.drafts[span.first + 1 + random.below(span.count - 1)]
        let victim = Person(number: span.user, options: options)
        var person = attacker(&random, like: nil)
        let from = Int(here.network.city)
        for _ in 0..<64 where Place.kilometres(from, person.city) < 3_000 { person.city = random.pick(Place.weights) }
        if Place.kilometres(from, person.city) < 3_000 {
            person.city = Place.cities.indices.max { Place.kilometres(from, $0) < Place.kilometres(from, $1) } ?? from
        }
        var draft = begin(attack, victim, person, at: here.time + Int64(random.uniform(0, 15) * 60_000), &random)
        draft.network = random.chance(0.6) ? person.home(day: 0) : person.mobile(in: person.city, &random)
        sessions.face(&draft, isDual(draft), &random)
        var onset: UInt64?
        hostile(&draft, attack.kind, &onset, &day)
        draft.type = .action
        var chain = PersonalChain(seed: person.seed, role: victim.role)
        for _ in 0..<(1 + random.below(6)) {
            draft.time += gap(&random)
            draft.action = chain.next(after: draft.action, &random)
            spend(&draft, victim, &random)
            hostile(&draft, attack.kind, &onset, &day)
        }
    }

    private func takeover(_ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let victim = Person(number: UInt32(random.below(options.users)), options: options)
        let person = attacker(&random, like: victim)
        var draft = begin(attack, victim, person, at: time(of: attack, person, &random), &random)
        var onset: UInt64?
        if random.chance(0.2) {
            draft.failed = true
            hostile(&draft, attack.kind, &onset, &day)
            draft.failed = false
            draft.time += Int64(random.lognormal(median: 9_000, sigma: 0.5))
            draft.authTime = draft.time
        }
        hostile(&draft, attack.kind, &onset, &day)
        draft.type = .action
        var chain = PersonalChain(seed: victim.seed, role: victim.role)
        let plan: [Action] = [.contactChange, .passwordChange, .factorRemove, .beneficiaryAdd, .transferCreate, .transferCreate]
        for goal in plan {
            for _ in 0..<random.below(3) {
                draft.time += gap(&random)
                draft.action = chain.next(after: draft.action, &random)
                spend(&draft, victim, &random)
                hostile(&draft, attack.kind, &onset, &day)
            }
            if goal != .transferCreate, random.chance(0.15) { continue }
            draft.time += gap(&random)
            draft.action = goal
            spend(&draft, victim, &random)
            hostile(&draft, attack.kind, &onset, &day)
        }
    }

    private func stuffing(_ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let names = random.within(options.stuffingNames)
        let addresses = min(random.within(options.stuffingAddresses), names)
        let bots = (0..<addresses).map { _ in
            let person = attacker(&random, like: nil)
            return (network(of: person, &random), device(of: person, at: 0, &random), person)
        }
        var clock = time(of: attack, bots[0].2, &random)
        let successes = max(1, Int((Double(names) * random.uniform(0.005, 0.01)).rounded()))
        let pace = random.lognormal(median: 4_000, sigma: 0.8)
        var onset: UInt64?
        for index in 0..<names {
            // Successes are spread evenly: try k succeeds when the running share passes a whole number.
            let succeeds = (index + 1) * successes / names > index * successes / names
            let known = succeeds || random.chance(0.03)
            let number = known ? UInt32(random.below(options.users)) : UInt32(options.users + random.below(8_000_000))
            let (network, own, person) = bots[random.below(bots.count)]
            let victim = Person(number: number, options: options)
            var draft = begin(attack, victim, person, at: clock, &random)
            draft.network = network
            sessions.face(&draft, isDual(draft), &random)
            draft.device = Device(id: random.chance(0.5) ? own.id : 0, agent: Agent(own.agent.family, day: Int(clock / TrafficOptions.dayMilliseconds) - Int(person.seed % 25)))
            draft.failed = !succeeds
            hostile(&draft, attack.kind, &onset, &day)
            if succeeds {
                draft.type = .action
                for action in [Action.accountList, .accountView, .profileView] {
                    draft.time += gap(&random)
                    draft.action = action
                    spend(&draft, victim, &random)
                    hostile(&draft, attack.kind, &onset, &day)
                }
            }
            clock += max(1, Int64(random.lognormal(median: pace, sigma: 0.7)))
        }
    }

    /// A login of the attacker as the victim, from his own place and device.
    private func begin(_ attack: ScheduledAttack, _ victim: Person, _ person: Person, at time: Int64, _ random: inout Random) -> Draft {
        var draft = Draft(
            time: time, ordinal: 0, user: victim.number, network: network(of: person, &random),
            device: device(of: person, at: time, &random))
        draft.type = .login
        draft.homeCity = UInt8(victim.city)
        draft.session = random.next() & 0xFFFF_FFFF_FFFF | 1
        draft.token = random.next() & 0xFFFF_FFFF_FFFF | 1
        draft.authTime = time
        sessions.face(&draft, isDual(draft), &random)
        return draft
    }

    /// An hour at which the attacker himself uses to be awake, on the attack's day and after attacks begin.
    private func time(of attack: ScheduledAttack, _ person: Person, _ random: inout Random) -> Int64 {
        let length = TrafficOptions.dayMilliseconds
        let start = options.start.milliseconds + Int64(attack.day) * length
        let peak = random.chance(person.peaks.firstShare) ? person.peaks.first : person.peaks.second
        let hour = peak + person.peaks.spread * random.normal()
        let offset = Int64(hour * 3_600_000) - Int64(Place.cities[person.city].zone) * 60_000 - start
        let time = start + ((offset % length) + length) % length
        let earliest = options.attackStart.milliseconds
        return time >= earliest ? time : earliest + Int64(random.uniform() * Double(start + length - earliest))
    }

    private func spend(_ draft: inout Draft, _ victim: Person, _ random: inout Random) {
        sessions.dress(&draft, victim, &random)
        if draft.amount > 0 { draft.amount = Int64(Double(draft.amount) * random.lognormal(median: 3, sigma: 0.8)) }
        sessions.face(&draft, isDual(draft), &random)
    }
}
