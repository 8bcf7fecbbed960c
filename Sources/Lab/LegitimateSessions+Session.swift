import Glibc

/// One session: its login, its actions, and what is odd about it and yet benign.
extension LegitimateSessions {
    /// Where and with what a session begins.
    private struct Setting {
        var network: Network
        var device: Device
        var isNewDevice: Bool
        var isPhone: Bool
        var isAtHome = false
    }

    /// Returns when the user is free for another session.
    @discardableResult
    func session(
        of person: Person, day: Int, at start: Int64, city: Int, _ random: inout Random, into output: inout Day
    ) -> Int64 {
        let bulk = person.bulkHour != nil
        let setting = setting(of: person, day: day, at: start, city: city, &random)
        let dual = setting.isAtHome && person.dualStack
        let common = circumstance(setting, of: person, day: day, at: start, city: city)

        var draft = Draft(time: start, ordinal: 0, user: person.number, network: setting.network, device: setting.device)
        draft.homeCity = UInt8(person.city)
        draft.strong = person.strong
        if person.idless || !bulk && random.chance(options.privateShare) { draft.device.id = 0 }
        draft.session = random.next() & 0xFFFF_FFFF_FFFF | 1
        draft.token = random.next() & 0xFFFF_FFFF_FFFF | 1
        draft.type = .login
        let isRare = common?.twin == .trip || common?.twin == .newPhone
        let resets = !bulk && random.chance(options.twins.passwordReset)
        let mistyped = !bulk && !resets && random.chance(options.twins.mistyped)
        var lasting = common
        if resets && !isRare { lasting = Occurrence(.passwordReset, draft.session) }
        mark(&draft, mistyped && !isRare ? Occurrence(.mistyped, draft.session) : lasting)
        if mistyped || resets {
            draft.time = fail(draft, times: mistyped ? 1 + random.below(2) : 2 + random.below(3), dual, &random, &output)
        }
        if resets {
            draft.isReset = true
            draft.time += Int64(random.lognormal(median: 90_000, sigma: 0.6))
        }
        draft.authTime = draft.time
        face(&draft, dual, &random)
        let login = output.drafts.count
        output.append(draft)

        draft.type = .action
        draft.isReset = false
        mark(&draft, lasting)
        let wanted = options.actionsMedian * person.length
        let within = options.actionsSigma * (1 - options.paceShare).squareRoot()
        let steps = bulk ? 120 + random.below(120)
            : min(max(Int(random.lognormal(median: wanted, sigma: within).rounded()), 1), 2_000)
        let toggleAt = person.hasVPN && random.chance(options.twins.vpnToggle) ? 1 + random.below(steps) : Int.max
        let leaveAt = setting.isPhone && setting.isAtHome && random.chance(options.twins.networkSwitch) ? 1 + random.below(steps) : Int.max
        var chain = person.chain(day: day, options: options)
        var moved = setting.network.slot == UInt8(Network.Slot.hosting)
        for step in 0..<steps {
            draft.time += gap(of: person, &random)
            if step == toggleAt, !moved {
                (draft.network, moved) = (person.exit(&random), true)
                mark(&draft, Occurrence(.vpn, draft.session))
            } else if step == leaveAt, !moved {
                (draft.network, moved) = (person.mobile(in: city, &random), true)
                mark(&draft, Occurrence(.networkSwitch, draft.session))
            }
            if bulk {
                draft.action = step % 3 == 0 ? .reportExport : .documentDownload
            } else {
                draft.action = step == 0 ? (resets ? .passwordChange : .accountList) : chain.next(after: draft.action, &random)
            }
            dress(&draft, person, own: options.ownShare, &random)
            face(&draft, dual && !moved, &random)
            output.append(draft)
        }
        if !bulk { output.sessions.append(SessionSpan(user: person.number, first: login, count: output.drafts.count - login)) }
        return draft.time + 300_000
    }

    private func setting(of person: Person, day: Int, at start: Int64, city: Int, _ random: inout Random) -> Setting {
        let epochDay = Int(start / TrafficOptions.dayMilliseconds)
        let slot = min(random.pick([0.7, 0.22, 0.08]), person.devices - 1)
        let (device, isNew) = person.device(slot, day: day, epochDay: epochDay, options: options)
        let phone = device.agent.deviceClass == .mobile
        let hour = (start + zone(city, at: start)) / 3_600_000 % 24
        var setting = Setting(network: person.home(day: day), device: device, isNewDevice: isNew, isPhone: phone)
        if person.bulkHour != nil {
            setting.network = Network(city: UInt8(person.city), slot: UInt8(Network.Slot.hosting), host: person.homeHost)
        } else if person.hasVPN, random.chance(0.4) {
            setting.network = person.exit(&random)
        } else if city != person.city {
            setting.network = phone && random.chance(0.5) ? person.mobile(in: city, &random) : person.guest(in: city, day: day)
        } else if let office = person.office, (8...17).contains(hour), (epochDay + 3) % 7 < 5, random.chance(0.8) {
            setting.network = office
        } else if phone, random.chance(options.twins.mobileNetwork) {
            setting.network = person.mobile(in: city, &random)
        } else {
            setting.isAtHome = true
        }
        return setting
    }

    /// One occurrence of a benign twin.
    struct Occurrence {
        var twin: BenignTwin
        var number: UInt32
        init(_ twin: BenignTwin, _ what: UInt64...) {
            self.twin = twin
            var hash = UInt64(BenignTwin.allCases.firstIndex(of: twin) ?? 0)
            for part in what { hash = Random.mix(hash, part) }
            number = UInt32(truncatingIfNeeded: hash >> 16)
        }
    }

    /// The rarest of what makes a whole session unusual.
    private func circumstance(
        _ setting: Setting, of person: Person, day: Int, at start: Int64, city: Int
    ) -> Occurrence? {
        let week = UInt64(day / 7)
        if person.bulkHour != nil { return Occurrence(.bulkJob, person.seed, week) }
        if city != person.city { return Occurrence(.trip, person.seed, UInt64(day / Person.tripPeriod)) }
        if setting.isNewDevice { return Occurrence(.newPhone, setting.device.id) }
        if setting.isAtHome {
            let moves = Network.renumberings(city: city, slot: Int(person.residentialSlot), at: start, options)
            if let ago = moves.daysAgo, ago < 3 { return Occurrence(.renumbering, person.seed, UInt64(moves.count)) }
        }
        if let change = person.roleChange, (change.day..<change.day + 14).contains(day) {
            return Occurrence(.roleChange, person.seed)
        }
        if options.twins.daylightSaving, let change = Place.clockChange(inCity: city, within: 7, before: start) {
            return Occurrence(.daylightSaving, person.seed, change)
        }
        if setting.isAtHome { return person.dualStack ? Occurrence(.dualStack, person.seed, week) : nil }
        switch Int(setting.network.slot) {
        case Network.Slot.office: return Occurrence(.officeNAT, person.seed, week)
        case Network.Slot.firstMobile..<Network.Slot.office: return Occurrence(.carrierNAT, person.seed, week)
        default: return nil
        }
    }

    private func mark(_ draft: inout Draft, _ occurrence: Occurrence?) {
        draft.twin = occurrence?.twin
        draft.occurrence = occurrence?.number ?? 0
    }

    /// Failed logins before the one that succeeds, whose time it returns.
    private func fail(
        _ login: Draft, times: Int, _ dual: Bool, _ random: inout Random, _ output: inout Day
    ) -> Int64 {
        var draft = login
        draft.failed = true
        for _ in 0..<times {
            face(&draft, dual, &random)
            output.append(draft)
            draft.time += Int64(random.lognormal(median: 9_000, sigma: 0.5))
        }
        return draft.time
    }

    /// Milliseconds to a person's next action.
    func gap(of person: Person, _ random: inout Random) -> Int64 {
        let within = options.gapSigma * (1 - options.paceShare).squareRoot()
        let seconds = person.bulkHour != nil ? random.lognormal(median: 1, sigma: 0.4)
            : min(random.lognormal(median: options.gapMedian * person.slowness, sigma: within), 1_500)
        return max(1, Int64(seconds * 1_000))
    }

    /// Resource and amount of an action. `own` is how often it is one of the few things that are this person's own.
    func dress(_ draft: inout Draft, _ person: Person, own: Double, _ random: inout Random) {
        draft.resource = UInt32(10_000 + random.below(90_000))
        if random.chance(own) {
            let thing = UInt64(random.below(options.ownResources))
            draft.resource = 10_000 + UInt32(Random.mix(person.seed, thing, UInt64(draft.action.resourceClass)) % 90_000)
        }
        draft.amount = draft.action.hasAmount
            ? max(1, Int64(100 * min(random.lognormal(median: person.amountMedian, sigma: person.amountSigma), 1e9))) : -1
    }

    /// What differs from request to request: the prefix in use, address family, whether a round-trip time was measured.
    func face(_ draft: inout Draft, _ dual: Bool, _ random: inout Random) {
        let city = Int(draft.network.city), slot = Int(draft.network.slot)
        let moves = Network.renumberings(city: city, slot: slot, at: draft.time, options).count
        draft.network.plan = UInt8(moves % Network.plans)
        draft.network.isIPv6 = dual && random.chance(0.5)
        if draft.network.isIPv6 {
            draft.network.interface = UInt32(truncatingIfNeeded: draft.device.id) | 1
        }
        draft.roundTrip = random.chance(options.roundTripShare)
            ? UInt16(min(random.lognormal(median: 539, sigma: 0.7), 60_000)) : 0
    }
}
