import Glibc

/// Makes a user's own sessions of one day, benign twins among them.
struct LegitimateSessions {
    let options: TrafficOptions
    /// Sessions per unit of activity, so that the stream comes out at the asked number of events.
    let scale: Double

    init(_ options: TrafficOptions) {
        self.options = options
        guard let events = options.events else {
            scale = 1
            return
        }
        let perSession = 1 + options.twins.mistyped * 1.5
            + options.actionsMedian * exp(options.actionsSigma * options.actionsSigma / 2)
        // What these very people do, not what people do on average: of a few, one who comes often weighs much.
        let asked = min(options.users, 20_000)
        var sessions = 0.0
        var jobs = 0.0
        for number in 0..<asked {
            let person = Person(number: UInt32(number), options: options)
            let week = 5 * person.pace(onWeekday: 0) + 2 * person.pace(onWeekday: 5)
            if person.bulkHour != nil { jobs += 1 } else { sessions += person.activity * week / 7 }
        }
        let days = Double(options.days) * Double(options.users) / Double(asked)
        let wanted = Double(events) - jobs * days * 181
        // Travel days and sessions that would overlap cost some 4 in 100.
        let natural = sessions * days * perSession * 0.96
        scale = natural > 0 ? min(max(wanted / natural, 0.02), 40) : 1
    }

    /// Milliseconds from the start of the stream to a day's start.
    private func dayStart(_ day: Int) -> Int64 { options.start.milliseconds + Int64(day) * TrafficOptions.dayMilliseconds }

    func append(user: UInt32, day: Int, to output: inout Day) {
        let person = Person(number: user, options: options)
        var random = Random(seed: Random.mix(person.seed, UInt64(day), 0x646179))
        let stay = person.stay(day: day, options: options)
        if stay.travelling { return }
        let zone = Int64(Place.cities[stay.city].zone) * 60_000
        let localDay = Int((dayStart(day) + zone) / TrafficOptions.dayMilliseconds)
        if let hour = person.bulkHour {
            session(of: person, day: day, at: moment(day, hour: hour, zone: zone, jitter: random.uniform(-0.03, 0.03)),
                    city: stay.city, &random, into: &output)
            return
        }
        let mean = person.activity * scale * person.pace(onWeekday: (localDay + 3) % 7)
        let count = random.poisson(mean)
        if count == 0 { return }
        var starts: [Int64] = []
        for _ in 0..<count {
            let peak = random.chance(person.peaks.firstShare) ? person.peaks.first : person.peaks.second
            starts.append(moment(day, hour: peak + person.peaks.spread * random.normal(), zone: zone, jitter: 0))
        }
        starts.sort()
        var free = Int64.min
        for start in starts where start >= free {
            free = session(of: person, day: day, at: start, city: stay.city, &random, into: &output)
        }
    }

    /// A local hour on a day of the stream; the stream's day need not begin at midnight.
    private func moment(_ day: Int, hour: Double, zone: Int64, jitter: Double) -> Int64 {
        let length = TrafficOptions.dayMilliseconds
        let offset = Int64((hour + jitter) * 3_600_000) - zone - dayStart(day)
        return dayStart(day) + ((offset % length) + length) % length
    }

    /// Returns when the user is free for another session.
    @discardableResult
    private func session(
        of person: Person, day: Int, at start: Int64, city: Int, _ random: inout Random, into output: inout Day
    ) -> Int64 {
        let bulk = person.bulkHour != nil
        let epochDay = Int(start / TrafficOptions.dayMilliseconds)
        let slot = min(random.pick([0.7, 0.22, 0.08]), person.devices - 1)
        let (device, isNew) = person.device(slot, day: day, epochDay: epochDay, options: options)
        let phone = device.agent.deviceClass == .mobile
        let away = city != person.city
        let hour = (start + Int64(Place.cities[city].zone) * 60_000) / 3_600_000 % 24

        var network = person.home(day: day)
        var atHome = false
        if bulk {
            network = Network(city: UInt8(person.city), slot: UInt8(Network.Slot.hosting), host: person.homeHost)
        } else if away {
            network = phone && random.chance(0.5) ? person.mobile(in: city, &random) : person.guest(in: city, day: day)
        } else if let office = person.office, (8...17).contains(hour), (epochDay + 3) % 7 < 5, random.chance(0.8) {
            network = office
        } else if phone, random.chance(0.22) {
            network = person.mobile(in: city, &random)
        } else {
            atHome = true
        }

        var draft = Draft(time: start, ordinal: 0, user: person.number, network: network, device: device)
        draft.homeCity = UInt8(person.city)
        draft.strong = person.strong
        if !bulk, random.chance(options.privateShare) { draft.device.id = 0 }
        let dual = atHome && person.dualStack
        let common: BenignTwin? =
            bulk ? .bulkJob : away ? .trip : isNew ? .newPhone : dual ? .dualStack
            : network.slot == UInt8(Network.Slot.office) ? .officeNAT : nil

        let spanStart = output.drafts.count
        draft.type = .login
        let mistyped = !bulk && random.chance(options.twins.mistyped)
        draft.twin = mistyped && common != .trip && common != .newPhone ? .mistyped : common
        if mistyped {
            draft.failed = true
            for _ in 0...random.below(2) {
                face(&draft, dual, &random)
                output.append(draft)
                draft.time += Int64(random.lognormal(median: 9_000, sigma: 0.5))
            }
            draft.failed = false
        }
        draft.session = random.next() & 0xFFFF_FFFF_FFFF | 1
        draft.token = random.next() & 0xFFFF_FFFF_FFFF | 1
        draft.authTime = draft.time
        face(&draft, dual, &random)
        let login = output.drafts.count
        output.append(draft)

        draft.type = .action
        draft.twin = common
        let steps = bulk
            ? 120 + random.below(120)
            : min(max(Int(random.lognormal(median: options.actionsMedian, sigma: options.actionsSigma).rounded()), 1), 2_000)
        let toggleAt = person.hasVPN && random.chance(options.twins.vpnToggle) ? 1 + random.below(steps) : Int.max
        let leaveAt = phone && atHome && random.chance(options.twins.networkSwitch) ? 1 + random.below(steps) : Int.max
        var chain = PersonalChain(seed: person.seed, role: person.role)
        var moved = false
        for step in 0..<steps {
            draft.time += gap(bulk, &random)
            if step == toggleAt {
                (draft.network, moved) = (person.exit(&random), true)
                draft.twin = .vpn
            } else if step == leaveAt, !moved {
                (draft.network, moved) = (person.mobile(in: city, &random), true)
                draft.twin = .networkSwitch
            }
            draft.action = step == 0 && !bulk ? .accountList
                : bulk ? (step % 3 == 0 ? .reportExport : .documentDownload) : chain.next(after: draft.action, &random)
            dress(&draft, person, &random)
            face(&draft, dual && !moved, &random)
            output.append(draft)
        }
        if !bulk, output.drafts.count > spanStart {
            output.sessions.append(SessionSpan(user: person.number, first: login, count: output.drafts.count - login))
        }
        return draft.time + 300_000
    }

    /// Milliseconds to a user's next action.
    func gap(_ bulk: Bool, _ random: inout Random) -> Int64 {
        let seconds = bulk ? random.lognormal(median: 1, sigma: 0.4)
            : min(random.lognormal(median: options.gapMedian, sigma: options.gapSigma), 1_500)
        return max(1, Int64(seconds * 1_000))
    }

    /// Resource and amount of an action.
    func dress(_ draft: inout Draft, _ person: Person, _ random: inout Random) {
        // Most of what one does is to a few things of one's own.
        let own = UInt32(truncatingIfNeeded: Random.mix(person.seed, UInt64(random.below(3)), UInt64(draft.action.resource.utf8CodeUnitCount)))
        draft.resource = random.chance(0.8) ? own % 90_000 + 10_000 : UInt32(10_000 + random.below(90_000))
        draft.amount = draft.action.hasAmount
            ? max(1, Int64(100 * min(random.lognormal(median: person.amountMedian, sigma: person.amountSigma), 1e9))) : -1
    }

    /// What differs from request to request: address family and whether a round-trip time was measured.
    func face(_ draft: inout Draft, _ dual: Bool, _ random: inout Random) {
        draft.network.isIPv6 = dual && random.chance(0.5)
        if draft.network.isIPv6 {
            draft.network.interface = UInt32(truncatingIfNeeded: draft.device.id) | 1
        }
        draft.roundTrip = random.chance(options.roundTripShare)
            ? UInt16(min(random.lognormal(median: 539, sigma: 0.7), 60_000)) : 0
    }
}
