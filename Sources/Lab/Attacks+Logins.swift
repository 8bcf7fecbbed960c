/// Attacks by somebody who knows the password.
extension Attacks {
    /// A login, then a session with the attacker's aims in it. What he knows of the victim depends on the kind.
    func intrude(_ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let victim = victim(day, &random)
        let person = attacker(&random, like: nil)
        var draft = begin(victim, person, at: time(of: attack, person, &random), &random)
        disguise(&draft, attack, victim, person, &random)
        // A second factor is phished with the password, more often than not.
        draft.strong = victim.strong && random.chance(0.8)
        sessions.face(&draft, isDual(draft), &random)
        var onset: UInt64?
        hostile(&draft, attack.kind, &onset, &day)
        act(&draft, steps: length(of: person, &random), as: person, goals: 0.35, attack.kind, &onset, &day, &random)
    }

    private func disguise(
        _ draft: inout Draft, _ attack: ScheduledAttack, _ victim: Person, _ person: Person, _ random: inout Random
    ) {
        if attack.kind == .naive { return }
        var local = person
        local.city = Self.city(inCountryOf: victim.city, &random)
        if attack.kind == .vpn {
            draft.network = network(of: local, &random)
            return
        }
        local.residentialSlot = victim.residentialSlot
        if attack.kind == .veryTargeted { local.city = victim.city }
        draft.network = local.home(day: 0)
        let epochDay = Int(draft.time / TrafficOptions.dayMilliseconds)
        let theirs = victim.device(0, day: attack.day, epochDay: epochDay, options: options).device.agent
        draft.device.agent = attack.kind == .veryTargeted ? theirs : Agent(theirs.family, day: epochDay - Person.lag(&random))
    }

    /// Contact changed, password changed, factor removed; then money.
    func takeover(_ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        // About a third of those taken over have no history, as in the RBA data set.
        let victim = random.chance(0.35) ? Person(number: UInt32(random.below(options.users)), options: options) : victim(day, &random)
        let person = attacker(&random, like: victim)
        var draft = begin(victim, person, at: time(of: attack, person, &random), &random)
        draft.strong = victim.strong && random.chance(0.8)
        var onset: UInt64?
        let way = random.uniform()
        if way < 0.2 {
            draft.failed = true
            hostile(&draft, attack.kind, &onset, &day)
            draft.failed = false
            draft.time += Int64(random.lognormal(median: 9_000, sigma: 0.5))
        }
        // Whoever reads the victim's mail needs no password.
        draft.isReset = way > 0.9
        draft.authTime = draft.time
        hostile(&draft, attack.kind, &onset, &day)
        draft.isReset = false
        var chain = person.chain(day: 0, options: options)
        act(&draft, steps: 1, as: person, goals: 0, attack.kind, &onset, &day, &random)
        let plan: [Action] = [.contactChange, .passwordChange, .factorRemove, .beneficiaryAdd, .transferCreate, .transferCreate]
        for goal in plan {
            if goal != .transferCreate, random.chance(0.15) { continue }
            for action in (0..<random.below(3)).map({ _ in chain.next(after: draft.action, &random) }) + [goal] {
                draft.time += sessions.gap(of: person, &random)
                draft.action = action
                spend(&draft, person, &random)
                hostile(&draft, attack.kind, &onset, &day)
            }
        }
    }

    /// Logins within minutes at the victim's night, each with the first factor alone. In one of four somebody gives in.
    func pushBombing(_ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let victim = victim(day, &random) { $0.strong }
        let person = attacker(&random, like: victim)
        let night = moment(attack, hour: random.uniform(1, 5), city: victim.city, &random)
        var draft = begin(victim, person, at: night, &random)
        var onset: UInt64?
        let count = random.within(options.pushes)
        let pace = random.lognormal(median: 40_000, sigma: 0.3)
        for _ in 0..<count {
            renew(&draft, &random)
            sessions.face(&draft, isDual(draft), &random)
            hostile(&draft, attack.kind, &onset, &day)
            draft.time += max(1, Int64(random.lognormal(median: pace, sigma: 0.4)))
        }
        guard random.chance(0.25) else { return }
        draft.strong = true
        renew(&draft, &random)
        hostile(&draft, attack.kind, &onset, &day)
        act(&draft, steps: length(of: person, &random), as: person, goals: 0.5, attack.kind, &onset, &day, &random)
    }
}
