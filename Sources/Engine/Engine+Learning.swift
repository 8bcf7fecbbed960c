import Behavior
import Events
import Risk

/// How an event joins the baseline, or waits to.
extension Engine {
    /// Takes the event in as far as it can be trusted: at once when it was allowed at low risk or the session has
    /// proven itself; with the session's hold while a question is open or the risk is raised; never when denied.
    func learn(
        _ seen: Observation, _ start: UserRow, _ session: inout Int, verdict: Verdict, isProven: Bool, isReported: Bool
    ) -> UserRow {
        var row = start
        if event.pointee.type == .login && event.pointee.outcome == .failure {
            return table.noteFailure(at: seen.time, of: row)
        }
        let isQuiet = verdict == .allow && (isProven || (assessment.pointee.level == .low && !isReported))
        // What is new to the user stays new for the whole session: if one quiet event were enough to become familiar,
        // the second would be an intruder's free pass.
        let isNovel = !isProven && !assessment.pointee.fired.isDisjoint(with: Self.novelty)
        if event.pointee.type == .action {
            let wasTainted = session >= 0 && row.sessions[session].flags.contains(.tainted)
            noteConduct(seen, row, isDoubtful: !isQuiet || isNovel || isForeignCourse || wasTainted)
        }
        var wasOpen = true
        var hadEnded = false
        var didMove = false
        if seen.session != 0 {
            wasOpen = session >= 0
            if !wasOpen { (row, session) = table.openSession(seen, of: row) }
            hadEnded = row.sessions[session].window.hasEnded(at: seen.time, gap: plan.windows.sessionGap)
            didMove = follow(seen, row.sessions.base + session)
        }
        let previous = event.pointee.type == .action ? followCourse(seen, row, session, isCut: hadEnded) : 0
        if verdict >= .deny {
            condemn(seen, row, session, verdict)
            return row
        }
        let tainted = session >= 0 && row.sessions[session].flags.contains(.tainted)
        if tainted { return row }
        let amount: Float? = event.pointee.amount.isNaN ? nil : Float(ln(1 + event.pointee.amount))
        if isQuiet && didMove { row.header.pointee.moves += 1 }
        guard isQuiet && !isNovel else {
            var flags: HoldFlags = verdict == .stepUp ? .quarantined : isQuiet ? [] : .raised
            if isReported { flags.insert(.objected) }
            if isForeignCourse { flags.insert(.foreign) }
            return table.hold(seen, amount: amount, of: row, flags: flags)
        }

        table.prove(row)
        table.notePlace(seen, of: row)
        noteEnrolments(row)
        row = learnContext(seen, row, session, isNew: !wasOpen || hadEnded, isProven: isProven)
        if event.pointee.outcome == .success {
            if row.failures.count > 0 { row.failures.base[0].removeAll() }
            learnLogin(row)
        }
        if event.pointee.type == .action {
            row = learnAction(seen, row, after: previous, isProven: isProven)
            if let closed = row.header.pointee.paceWindow.add(at: seen.time, length: plan.windows.rate) {
                row.header.pointee.pace.add(Float(ln(Double(closed))))
            }
        }
        if let amount { table.learnAmount(amount, of: row, isProven: isProven) }
        return row
    }

    /// The course of actions speaks so much against its being the user's that little of it is learned. Not whenever it
    /// speaks at all: what is seldom would then never be learned, and grow more surprising by that.
    private var isForeignCourse: Bool {
        assessment.pointee.fired.contains(SignalSet(.actionSequence)) && assessment.pointee[.actionSequence].raw >= Self.foreignCourse
    }

    /// Points of `action.sequence`, before its weight.
    static let foreignCourse = 20.0

    /// An action joins the baseline in full where its course is like the user's. Else on a device that is vouched for by
    /// half, for roles change; and elsewhere by so little that a hundred of them are one in a hundred of the baseline: or
    /// whoever has the session would be taken for the user by the second time.
    private func learnAction(_ seen: Observation, _ row: UserRow, after previous: UInt32, isProven: Bool) -> UserRow {
        guard seen.action != 0 else { return row }
        guard isForeignCourse && !isProven else {
            if !assessment.pointee.surprise.isNaN { row.header.pointee.surprises.add(assessment.pointee.surprise) }
            return table.learnAction(
                seen.action, after: previous, of: row, weight: 1, found: assessment.pointee.place)
        }
        let little = min(1, 50 / max(row.header.pointee.actionTotal, 1))
        let weight = isVouched(seen.device, row) ? max(little, 0.5) : little
        return table.learnAction(seen.action, after: weight < 0.5 ? 0 : previous, of: row, weight: weight)
    }

    func isVouched(_ device: UInt32, _ row: UserRow) -> Bool {
        let devices = row.devices
        for index in 0..<devices.count where devices.base[index].fingerprint == device && device != 0 {
            return devices.base[index].flags.contains(.vouched)
        }
        return false
    }

    /// Factors and round-trip time of a login.
    private func learnLogin(_ row: UserRow) {
        let kinds = event.pointee.amr.factorKinds
        if kinds > 0 { row.header.pointee.factored += 1 }
        if kinds > 1 { row.header.pointee.strong += 1 }
        if !event.pointee.roundTripMilliseconds.isNaN {
            row.header.pointee.roundTrips.add(Float(ln(Double(max(event.pointee.roundTripMilliseconds, 1)))))
        }
    }

    /// Windows that count whatever is decided. What a window had is learned when it closes, unless something in it spoke
    /// against its being the user's; a number above what is usual as much as the most that is.
    private func noteConduct(_ seen: Observation, _ row: UserRow, isDoubtful: Bool) {
        let header = row.header
        header.pointee.rate.add(at: seen.time, hop: plan.windows.rateHop, panes: panes)
        if seen.resource != 0,
            let closed = header.pointee.breadth.add(
                hash: seen.resource, at: seen.time, length: plan.model.breadthWindow, isDoubtful: isDoubtful,
                counted: assessment.pointee.breadth)
        {
            header.pointee.breadths.add(usual(ln(Double(closed)), header.pointee.breadths))
        }
        if seen.kinds.isEmpty { return }
        if seen.kinds.contains(.export),
            let closed = header.pointee.exports.add(at: seen.time, length: plan.model.exportsWindow, isDoubtful: isDoubtful)
        {
            header.pointee.exportCounts.add(usual(ln(Double(closed)), header.pointee.exportCounts))
        }
        for index in 0..<ActionKinds.changeCount where seen.kinds.contains(.change(index)) {
            header.pointee.changes[index] = max(header.pointee.changes[index], UInt32(clamping: seen.time.milliseconds / 1000))
        }
    }

    private func usual(_ value: Double, _ moments: DecayedMoments) -> Float {
        guard moments.weight >= 5 else { return Float(value) }
        return min(Float(value), moments.mean + 1.5 * max(moments.variance.squareRoot(), 0.4))
    }

    /// Takes the action into the course of its session, or, where it names none, of the user, learned or not. Returns the
    /// action before it; 0 where there is none, or it lies too far back.
    private func followCourse(_ seen: Observation, _ row: UserRow, _ session: Int, isCut: Bool) -> UInt32 {
        guard seen.action != 0 else { return 0 }
        let window = assessment.pointee.course
        if session >= 0 {
            let slot = row.sessions.base + session
            let previous = slot.pointee.course.take(seen.action, countedIn: window, isCut: isCut)
            row.header.pointee.course.window = window ?? slot.pointee.course.window
            return previous
        }
        let isCut = seen.time - row.header.pointee.lastSeen > plan.windows.sessionGap
        return row.header.pointee.course.take(seen.action, countedIn: window, isCut: isCut)
    }

    /// Nothing that waits with a session survives a denial, and a terminated one stays terminated.
    func condemn(_ seen: Observation, _ row: UserRow, _ session: Int, _ verdict: Verdict) {
        if verdict == .terminateSession { return table.terminate(seen.scope, at: seen.time, of: row) }
        if session >= 0 { row.sessions.base[session].flags.insert(.tainted) }
        table.dropHolds(of: seen.scope, in: row)
    }

    /// Signals that say the event's device, network or place is not one of the user's.
    static let novelty: SignalSet = [
        SignalSet(.deviceNew), SignalSet(.deviceFamily), SignalSet(.networkNew), SignalSet(.networkProvider),
        SignalSet(.placeNew), SignalSet(.placeCountry), SignalSet(.travelImpossible),
        SignalSet(.deviceChangedInSession), SignalSet(.networkChangedInSession),
    ]

    /// Device, network, place and hour count once for a login or session, not once for each of its events.
    func learnContext(
        _ seen: Observation, _ row: UserRow, _ session: Int, isNew: Bool, isProven: Bool
    ) -> UserRow {
        guard session >= 0 else {
            let isVisit =
                event.pointee.type == .login || seen.time - row.header.pointee.lastSeen > plan.windows.sessionGap
            return isVisit ? table.learnContext(
                seen, of: row, weight: 1, counts: true, vouches: isProven, known: assessment.pointee.known) : row
        }
        let slot = row.sessions.base + session
        // What an event leaves out unbinds nothing: else leaving out the device would prepare the way for another.
        let moved = seen.network != 0 && slot.pointee.network != seen.network
        let isSame = (seen.device == 0 || slot.pointee.device == seen.device) && !moved
        let counts = isNew || event.pointee.type == .login || !slot.pointee.flags.contains(.learned)
        if isSame && !counts { return row }
        if seen.device != 0 { slot.pointee.device = seen.device }
        if moved { (slot.pointee.network, slot.pointee.asn) = (seen.network, seen.asn) }
        slot.pointee.flags.insert(.learned)
        return table.learnContext(
            seen, of: row, weight: 1, counts: counts, vouches: isProven, known: assessment.pointee.known)
    }

    /// Keeps track of where the session is, trusted or not. Returns whether it moved to another provider's network.
    func follow(_ seen: Observation, _ slot: UnsafeMutablePointer<SessionSlot>) -> Bool {
        var didMove = false
        if seen.network != 0 && seen.network != slot.pointee.currentNetwork {
            let second = UInt32(clamping: seen.time.milliseconds / 1000)
            if seen.isElsewhere(than: slot.pointee.currentNetwork, asn: slot.pointee.currentASN) {
                slot.pointee.moves = Int64(second) - Int64(slot.pointee.movedAt) <= 600 ? slot.pointee.moves &+ 1 : 1
                slot.pointee.movedAt = second
                didMove = true
            }
            slot.pointee.currentNetwork = seen.network
            slot.pointee.currentASN = seen.asn
        }
        if slot.pointee.token == 0 && seen.token != 0 {
            slot.pointee.token = seen.token
            slot.pointee.tokenDevice = seen.device
            slot.pointee.tokenNetwork = seen.network
            slot.pointee.tokenASN = seen.asn
        }
        slot.pointee.window.extend(to: seen.time)
        return didMove
    }

    /// Holds whose session has ended, or has lasted a day: what was only watched is learned if nothing spoke against
    /// the session, what waited for a challenge is dropped.
    @inline(__always)
    func settleHolds(of row: UserRow, at time: Timestamp) -> UserRow {
        row.holds.count == 0 ? row : settleEnded(of: row, at: time)
    }

    @inline(never)
    private func settleEnded(of start: UserRow, at time: Timestamp) -> UserRow {
        var row = start
        var index = row.holds.count - 1
        while index >= 0 {
            let slot = row.holds.base + index
            if time - slot.pointee.last > plan.windows.sessionGap || time - slot.pointee.first > 86_400_000 {
                let held = slot.pointee
                let tainted =
                    table.session(held.session, of: row).map { row.sessions[$0].flags.contains(.tainted) } ?? false
                if held.flags.contains(.quarantined) || tainted {
                    row.removeHold(at: index)
                } else {
                    table.prove(row)
                    row = table.learnHold(at: index, of: row, weight: watchedWeight(held, row), vouches: false)
                }
            }
            index -= 1
        }
        return row
    }

    /// What a passed challenge is worth: what was proven stays known for a half-life and a half.
    static let provenWeight: Float = 2

    /// What a session's observations are worth to the baseline that no challenge has proven: a quarter when its risk
    /// was raised, half when its device was not one of the user's; all while there is hardly a baseline to doubt it by.
    func watchedWeight(_ held: HoldSlot, _ row: UserRow) -> Float {
        if held.flags.contains(.raised) { return 0.25 }
        if row.header.pointee.contexts < Float(plan.model.partialSamples) { return 1 }
        for index in 0..<row.devices.count where row.devices[index].fingerprint == held.device { return 1 }
        return held.device == 0 ? 1 : 0.5
    }
}
