import Events
import Glibc

/// How an event of a session is taken in. Everything here changes a row and nothing else.
extension UserTable {
    /// The index of the session's slot, or nil. The newest is met first.
    @inline(__always)
    public func session(_ fingerprint: UInt64, of row: UserRow) -> Int? {
        let sessions = row.sessions
        var index = sessions.count - 1
        while index >= 0 && sessions.base[index].fingerprint != fingerprint { index -= 1 }
        return index >= 0 ? index : nil
    }

    /// The session's slot, made if there is none, bound to the context it is first seen in. At the bound the session
    /// longest without events makes room: first of those that hold nothing worth keeping, then of those that are bound
    /// to a trusted context or were denied, last of the terminated ones. The row may move.
    public func openSession(_ seen: Observation, of row: UserRow) -> (row: UserRow, index: Int) {
        let slot = SessionSlot(
            fingerprint: seen.scope, window: SessionWindow(at: seen.time), device: seen.device,
            network: seen.network, asn: seen.asn, token: seen.token, tokenDevice: seen.device,
            tokenNetwork: seen.network, tokenASN: seen.asn, currentNetwork: seen.network, currentASN: seen.asn,
            movedAt: 0, moves: 0, flags: [])
        if let (moved, index) = append(.sessions, to: row) {
            moved.sessions[index] = slot
            return (moved, index)
        }
        func worth(_ slot: SessionSlot) -> Int {
            slot.flags.contains(.terminated) ? 2 : slot.flags.isDisjoint(with: [.learned, .tainted]) ? 0 : 1
        }
        let sessions = row.sessions
        var victim = 0
        for index in 1..<max(sessions.count, 1) {
            let (a, b) = (sessions[index], sessions[victim])
            if (worth(a), a.window.last) < (worth(b), b.window.last) { victim = index }
        }
        sessions[victim] = slot
        return (row, victim)
    }

    /// Marks the session as ended by force: its open questions and whatever waits with it go.
    public func terminate(_ session: UInt64, of row: UserRow) {
        if let index = self.session(session, of: row) {
            row.sessions.base[index].flags.insert([.tainted, .terminated])
        }
        dropHolds(of: session, in: row)
        for index in stride(from: row.challenges.count - 1, through: 0, by: -1)
        where row.challenges[index].session == session { row.removeChallenge(at: index) }
    }

    /// Joins the event's device, network, place and hour to the baseline. `counts` says whether this is a new login or
    /// session (one more context) or a change within one. The row may move.
    public func learnContext(
        _ seen: Observation, of row: UserRow, weight: Float, counts: Bool
    ) -> UserRow {
        var row = row
        let header = row.header
        let second = UInt32(clamping: seen.time.milliseconds / 1000)
        let isFirst = header.pointee.contexts == 0
        if counts {
            header.pointee.contexts += weight
            let hour = header.pointee.hours[seen.hour]
            header.pointee.hours[seen.hour] = UInt16(min(Float(hour) + 32 * weight, 65_535))
        }
        if seen.device != 0 {
            let (moved, isNew) = learn(device: seen.device, second: second, of: row, weight: weight)
            row = moved
            if isNew && !isFirst { row.header.pointee.newDevices += weight }
        }
        if seen.network != 0 {
            let (moved, isNew) = learn(network: seen.network, asn: seen.asn, second: second, of: row, weight: weight)
            row = moved
            if isNew && !isFirst { row.header.pointee.newNetworks += weight }
        }
        if seen.country != 0 {
            let (moved, isNew) = learn(place: seen, second: second, of: row, weight: weight)
            row = moved
            if isNew && !isFirst { row.header.pointee.newPlaces += weight }
        }
        return row
    }

    private func learn(
        device: UInt32, second: UInt32, of row: UserRow, weight: Float
    ) -> (UserRow, isNew: Bool) {
        let slots = row.devices
        var weakest = 0
        for index in 0..<slots.count {
            if slots.base[index].fingerprint == device {
                slots.base[index].weight += weight
                slots.base[index].lastSeen = max(slots.base[index].lastSeen, second)
                return (row, false)
            }
            if slots.base[index].weight < slots.base[weakest].weight { weakest = index }
        }
        let slot = DeviceSlot(fingerprint: device, weight: weight, firstSeen: second, lastSeen: second)
        guard let (moved, index) = append(.devices, to: row) else {
            if slots.count > 0 { slots[weakest] = slot }
            return (row, true)
        }
        moved.devices[index] = slot
        return (moved, true)
    }

    private func learn(
        network: UInt32, asn: UInt32, second: UInt32, of row: UserRow, weight: Float
    ) -> (UserRow, isNew: Bool) {
        let slots = row.networks
        var weakest = 0
        for index in 0..<slots.count {
            if slots.base[index].key == network {
                slots.base[index].weight += weight
                slots.base[index].asn = asn
                slots.base[index].lastSeen = max(slots.base[index].lastSeen, second)
                return (row, false)
            }
            if slots.base[index].weight < slots.base[weakest].weight { weakest = index }
        }
        let slot = NetworkSlot(key: network, asn: asn, weight: weight, lastSeen: second)
        guard let (moved, index) = append(.networks, to: row) else {
            if slots.count > 0 { slots[weakest] = slot }
            return (row, true)
        }
        moved.networks[index] = slot
        return (moved, true)
    }

    private func learn(
        place seen: Observation, second: UInt32, of row: UserRow, weight: Float
    ) -> (UserRow, isNew: Bool) {
        let slots = row.places
        var weakest = 0
        for index in 0..<slots.count {
            if slots.base[index].country == seen.country && slots.base[index].city == seen.city {
                slots.base[index].weight += weight
                slots.base[index].lastSeen = max(slots.base[index].lastSeen, second)
                return (row, false)
            }
            if slots.base[index].weight < slots.base[weakest].weight { weakest = index }
        }
        let slot = PlaceSlot(
            city: seen.city, country: seen.country, latitude: seen.latitude, longitude: seen.longitude,
            weight: weight, lastSeen: second)
        guard let (moved, index) = append(.places, to: row) else {
            if slots.count > 0 { slots[weakest] = slot }
            return (row, true)
        }
        moved.places[index] = slot
        return (moved, true)
    }

    /// Joins one action to the baseline. At the bound the lightest action makes room. The row may move.
    public func learnAction(_ action: UInt32, of row: UserRow, weight: Float) -> UserRow {
        row.header.pointee.actionTotal += weight
        let slots = row.actions
        var weakest = 0
        for index in 0..<slots.count {
            if slots.base[index].fingerprint == action {
                slots.base[index].weight += weight
                return row
            }
            if slots.base[index].weight < slots.base[weakest].weight { weakest = index }
        }
        let slot = ActionSlot(fingerprint: action, weight: weight)
        guard let (moved, index) = append(.actions, to: row) else {
            if slots.count > 0 { slots[weakest] = slot }
            return row
        }
        moved.actions[index] = slot
        return moved
    }

    /// Remembers where a trusted event was, if that is known to a city's precision.
    @inline(__always)
    public func notePlace(_ seen: Observation, of row: UserRow) {
        guard seen.hasCoordinates, seen.time > row.header.pointee.lastPlaceTime else { return }
        row.header.pointee.lastLatitude = seen.latitude
        row.header.pointee.lastLongitude = seen.longitude
        row.header.pointee.lastPlaceTime = seen.time
    }

    /// Records one failed login in the sliding window. The row may move.
    public func noteFailure(at time: Timestamp, of row: UserRow) -> UserRow {
        if row.failures.count == 0 {
            guard let (moved, index) = append(.failures, to: row) else { return row }
            moved.failures[index] = SlidingWindow()
            moved.failures.base[index].add(at: time)
            return moved
        }
        row.failures.base[0].add(at: time)
        return row
    }

    /// Puts the event aside with its session until it can be trusted. The row may move.
    public func hold(_ seen: Observation, amount: Float?, of row: UserRow, flags: HoldFlags) -> UserRow {
        var row = row
        let slots = row.holds
        var index = -1
        var oldest = 0
        for candidate in 0..<slots.count {
            if slots.base[candidate].session == seen.scope && slots.base[candidate].device == seen.device {
                index = candidate
            }
            if slots.base[candidate].last < slots.base[oldest].last { oldest = candidate }
        }
        if index < 0 {
            let slot = HoldSlot(
                session: seen.scope, first: seen.time, last: seen.time, device: seen.device, network: seen.network, asn: seen.asn,
                city: seen.city, latitude: seen.latitude, longitude: seen.longitude, country: seen.country,
                hour: UInt8(seen.hour), flags: flags)
            if let (moved, appended) = append(.holds, to: row) {
                row = moved
                index = appended
            } else {
                guard slots.count > 0 else { return row }
                index = oldest
            }
            row.holds[index] = slot
        }
        let held = row.holds.base + index
        held.pointee.last = max(held.pointee.last, seen.time)
        held.pointee.flags.formUnion(flags)
        if seen.action != 0 { held.pointee.actions[Int(held.pointee.events % 4)] = seen.action }
        if held.pointee.events < .max { held.pointee.events += 1 }
        if let amount { held.pointee.amounts.add(amount) }
        return row
    }

    /// Learns a hold at `weight`, and drops it. The row may move.
    public func learnHold(at index: Int, of row: UserRow, weight: Float) -> UserRow {
        let held = row.holds[index]
        row.removeHold(at: index)
        var seen = Observation(time: held.last)
        seen.device = held.device
        seen.network = held.network
        seen.asn = held.asn
        seen.city = held.city
        seen.country = held.country
        seen.latitude = held.latitude
        seen.longitude = held.longitude
        seen.hour = Int(held.hour)
        notePlace(seen, of: row)
        var row = learnContext(seen, of: row, weight: weight, counts: true)
        for index in 0..<4 where held.actions[index] != 0 {
            row = learnAction(held.actions[index], of: row, weight: weight)
        }
        row.header.pointee.amounts.merge(held.amounts, weight: weight)
        return row
    }

    /// Drops everything held of the session.
    public func dropHolds(of session: UInt64, in row: UserRow) {
        for index in stride(from: row.holds.count - 1, through: 0, by: -1) where row.holds[index].session == session {
            row.removeHold(at: index)
        }
    }

    /// Opens a challenge; at the bound the one that expires first gives way, and is asked anew when it is needed.
    /// The row may move.
    public func open(_ challenge: ChallengeSlot, of row: UserRow) -> UserRow {
        if let (moved, index) = append(.challenges, to: row) {
            moved.challenges[index] = challenge
            return moved
        }
        let slots = row.challenges
        guard slots.count > 0 else { return row }
        var first = 0
        for index in 1..<slots.count where slots.base[index].expires < slots.base[first].expires { first = index }
        slots[first] = challenge
        return row
    }
}
