import Glibc

/// Attacks on many names at once.
extension Attacks {
    private struct Bot {
        var network: Network
        var device: Device
        var person: Person
    }

    private func bots(_ count: Int, at time: Int64, _ random: inout Random) -> [Bot] {
        (0..<count).map { _ in
            let person = attacker(&random, like: nil)
            return Bot(network: network(of: person, &random), device: device(of: person, at: time, &random), person: person)
        }
    }

    /// From a range, uniform in its logarithm, and as much fewer as the stream is short.
    private func size(_ range: ClosedRange<Int>, atLeast least: Int, _ random: inout Random) -> Int {
        let low = log(Double(range.lowerBound)), high = log(Double(range.upperBound))
        let full = exp(random.uniform(low, high)) * options.campaignScale
        return min(max(Int(full.rounded()), least), range.upperBound)
    }

    /// One try on a name, from a bot. A success looks around.
    private func attempt(
        _ number: UInt32, by bot: Bot, at time: Int64, succeeds: Bool, _ kind: AttackKind,
        _ onset: inout UInt64?, _ day: inout Day, _ random: inout Random
    ) {
        let victim = Person(number: number, options: options)
        var draft = begin(victim, bot.person, at: time, &random)
        (draft.network, draft.device) = (bot.network, bot.device)
        draft.failed = !succeeds
        sessions.face(&draft, isDual(draft), &random)
        hostile(&draft, kind, &onset, &day)
        if succeeds { act(&draft, steps: 2 + random.below(6), as: bot.person, goals: 0.1, kind, &onset, &day, &random) }
    }

    /// A list of names and passwords from elsewhere: most names belong to nobody here.
    func stuffing(_ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let names = size(options.stuffingNames, atLeast: 20, &random)
        let start = time(of: attack, attacker(&random, like: nil), &random)
        let bots = bots(min(random.within(options.stuffingAddresses), max(1, names / 4)), at: start, &random)
        // The fraction left over is drawn, so that the mean over campaigns is as asked.
        let successes = Int(Double(names) * options.stuffingSuccess + random.uniform())
        let phase = random.below(names)
        let pace = min(random.lognormal(median: 4_000, sigma: 0.8), 36e6 / Double(names))
        var clock = start
        var onset: UInt64?
        for index in 0..<names {
            // Successes are spread evenly: a try succeeds when the running share passes a whole number.
            let place = (index + phase) % names
            let succeeds = (place + 1) * successes / names > place * successes / names
            let isKnown = succeeds || random.chance(0.03)
            let number = isKnown ? UInt32(random.below(options.users)) : nobody(&random)
            let bot = bots[random.below(bots.count)]
            attempt(number, by: bot, at: clock, succeeds: succeeds, attack.kind, &onset, &day, &random)
            clock += max(1, Int64(random.lognormal(median: pace, sigma: 0.7)))
        }
    }

    /// The few passwords that many people choose, tried on a list of names that mostly exist: each name at most three
    /// times a day.
    func spray(_ attack: ScheduledAttack, _ day: inout Day, _ random: inout Random) {
        let wanted = min(size(options.sprayNames, atLeast: 20, &random), 2 * options.users)
        var chosen = Set<UInt32>()
        var names: [UInt32] = []
        while names.count < wanted {
            let number = random.chance(0.6) && chosen.count < options.users ? UInt32(random.below(options.users)) : nobody(&random)
            if chosen.insert(number).inserted { names.append(number) }
        }
        let first = time(of: attack, attacker(&random, like: nil), &random)
        let addresses = min(random.within(options.sprayAddresses), max(options.sprayAddresses.lowerBound, names.count / 2))
        let bots = bots(addresses, at: first, &random)
        var found = Set<UInt32>()
        var onset: UInt64?
        let days = random.within(options.sprayDays)
        for number in 0..<days {
            let rounds = 1 + random.pick([0.5, 0.3, 0.2])
            // Never over midnight of UTC, or two days' tries would count for one.
            let dayStart = sessions.dayStart(attack.day + number)
            let begin = number == 0 ? first : dayStart
            let room = Double(max(dayStart + TrafficOptions.dayMilliseconds - begin, 1))
            let pace = room * random.uniform(0.3, 0.9) / Double(rounds * names.count)
            for round in 0..<rounds {
                for index in names.indices where !found.contains(names[index]) {
                    let isUser = names[index] < UInt32(options.users)
                    let succeeds = isUser && random.chance(options.spraySuccess / Double(days * rounds))
                    if succeeds { found.insert(names[index]) }
                    let place = Double(round * names.count + index) + random.uniform()
                    let bot = bots[random.below(bots.count)]
                    attempt(names[index], by: bot, at: begin + Int64(place * pace), succeeds: succeeds, attack.kind, &onset, &day, &random)
                }
            }
        }
    }

    /// A name that belongs to nobody.
    private func nobody(_ random: inout Random) -> UInt32 { UInt32(options.users + random.below(8_000_000)) }
}
