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
        var slot = SessionSlot(
            fingerprint: seen.scope, window: SessionWindow(at: seen.time), device: seen.device,
            network: seen.network, asn: seen.asn, token: seen.token, tokenDevice: seen.device,
            tokenNetwork: seen.network, tokenASN: seen.asn, currentNetwork: seen.network, currentASN: seen.asn,
            movedAt: 0, moves: 0, flags: [])
        slot.course = ActionCourse(after: row.header.pointee.course)
        if let (moved, index) = append(.sessions, to: row) {
            moved.sessions[index] = slot
            return (moved, index)
        }
        func worth(_ slot: SessionSlot) -> Int {
            !slot.flags.isDisjoint(with: [.terminated, .rotated]) ? 2 : slot.flags.isDisjoint(with: [.learned, .tainted]) ? 0 : 1
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

    /// Marks the session as ended by force: its open questions are closed, and whatever waits with it goes. A device that
    /// stands for sessions which events don't name can't be ended; it only has proven nothing any more.
    public func terminate(_ session: UInt64, at time: Timestamp, of row: UserRow) {
        if let index = self.session(session, of: row) {
            row.sessions.base[index].flags.insert(session & 1 == 1 ? [.tainted, .terminated] : .tainted)
            row.sessions.base[index].proofs = SessionProofs()
        }
        dropHolds(of: session, in: row)
        closeChallenges(of: session, at: time, in: row)
    }

    /// Joins the event's device, network, place and hour to the baseline. `counts` says whether this is a new login or
    /// session (one more context) or a change within one; `vouches` that a challenge has proven it; `known` what of it the
    /// baseline knows, where somebody has asked. The row may move.
    public func learnContext(
        _ seen: Observation, of row: UserRow, weight: Float, counts: Bool, vouches: Bool = false, known: Familiarity? = nil
    ) -> UserRow {
        var row = row
        let header = row.header
        let second = UInt32(clamping: seen.time.milliseconds / 1000)
        let known = known ?? Familiarity(of: seen, in: row)
        if header.pointee.contexts > 0 {
            if seen.hasFamily && !known.family { header.pointee.newFamilies += weight }
            if seen.device != 0 && !known.device { header.pointee.newDevices += weight }
            if seen.country != 0 && !known.country { header.pointee.newCountries += weight }
            if seen.asn != 0 && known.country && !known.provider { header.pointee.newProviders += weight }
            if seen.network != 0 && known.provider {
                if !known.neighbourhood { header.pointee.newNeighbourhoods += weight }
                if !known.network { header.pointee.newNetworks += weight }
            }
            if seen.country != 0 && known.country {
                if !known.region { header.pointee.newRegions += weight }
                if !known.place { header.pointee.newPlaces += weight }
            }
        }
        let isVouched = vouches || header.pointee.contexts < Self.vouchedContexts
        if counts {
            header.pointee.contexts += weight
            header.pointee.recentContexts += weight
            let hour = header.pointee.hours[seen.hour]
            header.pointee.hours[seen.hour] = UInt16(min(Float(hour) + 32 * weight, 65_535))
            let day = header.pointee.weekdays[seen.weekday]
            header.pointee.weekdays[seen.weekday] = UInt16(min(Float(day) + 32 * weight, 65_535))
        }
        if seen.device != 0 { row = learnDevice(seen, second: second, of: row, weight: weight, isVouched: isVouched) }
        if seen.network != 0 { row = learnNetwork(seen, second: second, of: row, weight: weight) }
        if seen.country != 0 { row = learnPlace(seen, second: second, of: row, weight: weight) }
        return row
    }

    /// What a rule objected to, had it been enforced, stays nearly as new as it was however often it is seen, and says
    /// nothing of how often the user brings something new. The row may move.
    private func learnDoubted(_ seen: Observation, of start: UserRow, weight: Float) -> UserRow {
        let second = UInt32(clamping: seen.time.milliseconds / 1000)
        var row = start
        let most = Self.doubtedWeight
        if seen.device != 0 { row = learnDevice(seen, second: second, of: row, weight: weight, isVouched: false, most: most) }
        if seen.network != 0 { row = learnNetwork(seen, second: second, of: row, weight: weight, most: most) }
        if seen.country != 0 { row = learnPlace(seen, second: second, of: row, weight: weight, most: most) }
        return row
    }

    /// Most weight of a device, network or place that is known from doubted events alone.
    static let doubtedWeight: Float = 0.1

    /// Contexts up to which a baseline takes what it sees for its user's: there is nothing yet to compare it with.
    static let vouchedContexts: Float = 20

    /// A device that nothing has vouched for never weighs more than this, however often it is seen: it stays partly new,
    /// or patience would be as good as proof.
    public static let unvouchedWeight: Float = 0.2

    /// What of `weight` may be added where no more than `most` may come of it.
    @inline(__always)
    private static func gain(_ weight: Float, _ known: Float, _ most: Float) -> Float {
        min(weight, max(most - known, 0))
    }

    private func learnDevice(
        _ seen: Observation, second: UInt32, of row: UserRow, weight: Float, isVouched: Bool, most: Float = .infinity
    ) -> UserRow {
        var row = row
        var index = -1
        var weakest = 0
        let slots = row.devices
        for candidate in 0..<slots.count {
            if slots.base[candidate].fingerprint == seen.device { index = candidate }
            if slots.base[candidate].weight < slots.base[weakest].weight { weakest = candidate }
        }
        if index < 0 {
            let slot = DeviceSlot(
                fingerprint: seen.device, agent: seen.agent, os: seen.os, major: 0, deviceClass: seen.deviceClass,
                flags: isVouched ? .vouched : [], weight: 0, recent: 0, firstSeen: second, lastSeen: second)
            if let (moved, appended) = append(.devices, to: row) {
                row = moved
                index = appended
            } else {
                guard slots.count > 0, slots.base[weakest].weight < most else { return row }
                index = weakest
            }
            row.devices[index] = slot
        }
        let slot = row.devices.base + index
        if isVouched { slot.pointee.flags.insert(.vouched) }
        let gain = Self.gain(weight, slot.pointee.weight, most)
        slot.pointee.weight += gain
        slot.pointee.recent += gain
        if !slot.pointee.flags.contains(.vouched) { slot.pointee.weight = min(slot.pointee.weight, Self.unvouchedWeight) }
        slot.pointee.lastSeen = max(slot.pointee.lastSeen, second)
        // What is not learned in full must not change what a trusted device is known by.
        guard weight >= 1 || isVouched || !slot.pointee.flags.contains(.vouched) else { return row }
        // What the browser calls itself may change with an update; the version learned only ever grows, by steps, or one
        // event that claims to be far ahead would make every later one a downgrade.
        if seen.agent != 0 && seen.agent != slot.pointee.agent { (slot.pointee.agent, slot.pointee.major) = (seen.agent, 0) }
        if seen.os != 0 { slot.pointee.os = seen.os }
        if seen.deviceClass != 0 { slot.pointee.deviceClass = seen.deviceClass }
        let major = slot.pointee.major == 0 ? seen.agentMajor : min(seen.agentMajor, slot.pointee.major &+ 20)
        slot.pointee.major = max(slot.pointee.major, major)
        return row
    }

    private func learnNetwork(
        _ seen: Observation, second: UInt32, of row: UserRow, weight: Float, most: Float = .infinity
    ) -> UserRow {
        var row = row
        var index = -1
        var weakest = 0
        let slots = row.networks
        for candidate in 0..<slots.count {
            if slots.base[candidate].key == seen.network { index = candidate }
            if slots.base[candidate].weight < slots.base[weakest].weight { weakest = candidate }
        }
        if index < 0 {
            let slot = NetworkSlot(
                key: seen.network, asn: seen.asn, address: seen.address, country: seen.country, weight: 0, recent: 0,
                lastSeen: second)
            if let (moved, appended) = append(.networks, to: row) {
                row = moved
                index = appended
            } else {
                guard slots.count > 0, slots.base[weakest].weight < most else { return row }
                index = weakest
            }
            row.networks[index] = slot
        }
        let slot = row.networks.base + index
        let gain = Self.gain(weight, slot.pointee.weight, most)
        slot.pointee.weight += gain
        slot.pointee.recent += gain
        (slot.pointee.asn, slot.pointee.country) = (seen.asn, seen.country)
        if weight >= 1 { slot.pointee.address = seen.address }
        slot.pointee.lastSeen = max(slot.pointee.lastSeen, second)
        return row
    }

    private func learnPlace(
        _ seen: Observation, second: UInt32, of row: UserRow, weight: Float, most: Float = .infinity
    ) -> UserRow {
        var row = row
        var index = -1
        var weakest = 0
        let slots = row.places
        for candidate in 0..<slots.count {
            if slots.base[candidate].country == seen.country && slots.base[candidate].city == seen.city { index = candidate }
            if slots.base[candidate].weight < slots.base[weakest].weight { weakest = candidate }
        }
        if index < 0 {
            let slot = PlaceSlot(
                city: seen.city, region: seen.region, country: seen.country, latitude: seen.latitude,
                longitude: seen.longitude, weight: 0, recent: 0, lastSeen: second)
            if let (moved, appended) = append(.places, to: row) {
                row = moved
                index = appended
            } else {
                guard slots.count > 0, slots.base[weakest].weight < most else { return row }
                index = weakest
            }
            row.places[index] = slot
        }
        let slot = row.places.base + index
        let gain = Self.gain(weight, slot.pointee.weight, most)
        slot.pointee.weight += gain
        slot.pointee.recent += gain
        slot.pointee.lastSeen = max(slot.pointee.lastSeen, second)
        return row
    }

    /// Remembers where a trusted event was, if that is known to a city's precision.
    @inline(__always)
    public func notePlace(_ seen: Observation, of row: UserRow) {
        guard seen.hasCoordinates, seen.traits.isDisjoint(with: .hidesPlace), seen.time > row.header.pointee.lastPlaceTime else { return }
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
                session: seen.scope, first: seen.time, last: seen.time, device: seen.device, network: seen.network,
                asn: seen.asn, address: seen.address, city: seen.city, region: seen.region, agent: seen.agent,
                os: seen.os, latitude: seen.latitude, longitude: seen.longitude, country: seen.country,
                major: seen.agentMajor, deviceClass: seen.deviceClass, hour: UInt8(seen.hour),
                weekday: UInt8(seen.weekday), flags: flags)
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

    /// Learns a hold at `weight`, and drops it; `vouches` says that a challenge has proven it. The row may move.
    public func learnHold(at index: Int, of row: UserRow, weight: Float, vouches: Bool) -> UserRow {
        let held = row.holds[index]
        row.removeHold(at: index)
        var seen = Observation(time: held.last)
        seen.device = held.device
        seen.network = held.network
        seen.asn = held.asn
        seen.address = held.address
        seen.city = held.city
        seen.region = held.region
        (seen.agent, seen.agentMajor, seen.os, seen.deviceClass) = (held.agent, held.major, held.os, held.deviceClass)
        seen.weekday = Int(held.weekday)
        seen.country = held.country
        seen.latitude = held.latitude
        seen.longitude = held.longitude
        seen.hour = Int(held.hour)
        let isDoubted = held.flags.contains(.objected) && !vouches && row.header.pointee.contexts >= Self.vouchedContexts
        if !isDoubted { notePlace(seen, of: row) }
        var row = isDoubted
            ? learnDoubted(seen, of: row, weight: weight)
            : learnContext(seen, of: row, weight: weight, counts: true, vouches: vouches)
        // The last four, oldest first: a ring.
        var previous: UInt32 = 0
        for step in 0..<4 where vouches || !held.flags.contains(.foreign) {
            let action = held.actions[(Int(held.events) + step) & 3]
            if action != 0 { row = learnAction(action, after: previous, of: row, weight: weight) }
            previous = action
        }
        learnAmounts(held.amounts, of: row, weight: weight, isProven: vouches)
        return row
    }

    /// Drops everything held of the session.
    public func dropHolds(of session: UInt64, in row: UserRow) {
        for index in stride(from: row.holds.count - 1, through: 0, by: -1) where row.holds[index].session == session {
            row.removeHold(at: index)
        }
    }
}
