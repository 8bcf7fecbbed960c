import Glibc

/// Attacks on a session that is under way, and from within.
extension Attacks {
    /// Three in ten keep the victim's user agent, one in ten works from the victim's own network as well.
    func hijack(_ span: SessionSpan, _ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let joined = span.first + 2 + random.below(span.count - 3)
        var draft = day.drafts[joined]
        let victim = Person(number: span.user, options: options)
        let person = attacker(&random, like: victim)
        let likeness = random.uniform()
        let own = device(of: person, at: draft.time, &random)
        if likeness >= 0.3 { draft.device.agent = own.agent }
        if likeness >= 0.1 { draft.network = network(of: person, &random) }
        // Who has stolen the cookie of the session may have stolen that of the device.
        if likeness >= 0.1 || random.chance(0.5) { draft.device.id = own.id }
        var onset: UInt64?
        act(&draft, steps: 5 + random.below(16), as: person, goals: 0.5, attack.kind, &onset, &day, &random)
    }

    func replay(_ span: SessionSpan, _ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        var draft = day.drafts[span.first + 1 + random.below(span.count - 1)]
        let victim = Person(number: span.user, options: options)
        let person = attacker(&random, like: victim)
        let here = draft.network
        repeat {
            draft.network = network(of: person, &random)
        } while (draft.network.city, draft.network.slot, draft.network.host) == (here.city, here.slot, here.host)
        if random.chance(0.5) { draft.device = device(of: person, at: draft.time, &random) }
        let begin = draft.time + Int64(random.uniform(1, 60) * 60_000)
        var onset: UInt64?
        draft.time = begin - sessions.gap(of: person, &random)
        let first = draft.time
        act(&draft, steps: 1, as: person, goals: 0.3, attack.kind, &onset, &day, &random)
        draft.time += begin - first
        act(&draft, steps: 1 + random.below(7), as: person, goals: 0.3, attack.kind, &onset, &day, &random)
    }

    func impossibleTravel(_ span: SessionSpan, _ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let here = day.drafts[span.first + 1 + random.below(span.count - 1)]
        let victim = Person(number: span.user, options: options)
        var person = attacker(&random, like: nil)
        let from = Int(here.network.city)
        for _ in 0..<64 where Place.kilometres(from, person.city) < 3_000 { person.city = random.pick(Place.weights) }
        if Place.kilometres(from, person.city) < 3_000 {
            person.city = Place.cities.indices.max { Place.kilometres(from, $0) < Place.kilometres(from, $1) } ?? from
        }
        var draft = begin(victim, person, at: here.time + Int64(random.uniform(0, 15) * 60_000), &random)
        draft.strong = victim.strong && random.chance(0.8)
        draft.network = random.chance(0.6) ? person.home(day: 0) : person.mobile(in: person.city, &random)
        sessions.face(&draft, isDual(draft), &random)
        var onset: UInt64?
        hostile(&draft, attack.kind, &onset, &day)
        act(&draft, steps: 1 + random.below(6), as: person, goals: 0.2, attack.kind, &onset, &day, &random)
    }

    /// Somebody with much to export takes it home: in the same context as ever, at hours at which he never works.
    func insider(_ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let mean = options.actionsMedian
            * exp(options.actionsSigma * options.actionsSigma * (1 - options.paceShare) / 2)
        func usual(_ person: Person) -> Double {
            var chain = person.chain(day: attack.day, options: options)
            let week = 5 * person.pace(onWeekday: 0) + 2 * person.pace(onWeekday: 5)
            let length = person.length * mean
            return person.activity * week / 7 * sessions.scale * length * chain.share(of: Action.exports, steps: min(Int(length), 200))
        }
        let person = victim(day, &random) { $0.activity * sessions.scale * $0.length * mean > 4 && usual($0) >= 1.5 }
        let wanted = max(3, options.insiderFactor * usual(person))
        let hour = restHour(of: person, &random)
        var onset: UInt64?
        for number in 0..<random.within(options.insiderDays) {
            var today = attack
            today.day += number
            let stay = person.stay(day: today.day, options: options)
            if stay.travelling || stay.city != person.city { continue }
            var draft = begin(person, person, at: moment(today, hour: hour + random.normal() * 0.4, city: person.city, &random), &random)
            draft.network = person.home(day: today.day)
            let epochDay = Int(draft.time / TrafficOptions.dayMilliseconds)
            draft.device = person.device(0, day: today.day, epochDay: epochDay, options: options).device
            if person.idless || random.chance(options.privateShare) { draft.device.id = 0 }
            draft.strong = person.strong
            sessions.face(&draft, person.dualStack, &random)
            hostile(&draft, attack.kind, &onset, &day)
            draft.type = .action
            var chain = person.chain(day: today.day, options: options)
            var exports = Int((wanted * random.uniform(0.8, 1.2)).rounded())
            draft.action = .accountList
            while exports > 0 {
                draft.time += sessions.gap(of: person, &random)
                sessions.dress(&draft, person, own: options.ownShare, &random)
                if Action.exports.contains(draft.action) {
                    exports -= 1
                    sessions.dress(&draft, person, own: 0, &random)
                }
                sessions.face(&draft, person.dualStack, &random)
                hostile(&draft, attack.kind, &onset, &day)
                draft.action = random.chance(0.7) ? Action.exports[random.below(3)] : chain.next(after: draft.action, &random)
            }
        }
    }

    /// The hour between nine in the evening and five in the morning that is farthest from a person's own.
    private func restHour(of person: Person, _ random: inout Random) -> Double {
        func distance(_ hour: Double) -> Double {
            [person.peaks.first, person.peaks.second].map { peak in
                let between = abs((hour - peak).truncatingRemainder(dividingBy: 24))
                return min(between, 24 - between)
            }.min() ?? 0
        }
        let candidates = (0..<4).map { _ in random.uniform(21, 29) }
        return candidates.max { distance($0) < distance($1) } ?? 25
    }
}
