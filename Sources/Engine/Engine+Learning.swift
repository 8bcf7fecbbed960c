import Behavior
import Events
import Glibc
import Risk

/// How an event joins the baseline, or waits to.
extension Engine {
    /// Takes the event in as far as it can be trusted: at once when it was allowed at low risk or the session has
    /// proven itself; with the session's hold while a question is open or the risk is raised; never when denied.
    func learn(
        _ seen: Observation, _ start: UserRow, _ session: inout Int, verdict: Verdict, isProven: Bool, isReported: Bool
    ) -> UserRow {
        var row = start
        if event.pointee.type == .action {
            row.header.pointee.rate.add(at: seen.time, hop: plan.windows.rateHop, panes: panes)
        }
        if event.pointee.outcome == .failure {
            return table.noteFailure(at: seen.time, of: row)
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
        if verdict >= .deny {
            condemn(seen, row, session, verdict)
            return row
        }
        let tainted = session >= 0 && row.sessions[session].flags.contains(.tainted)
        if tainted { return row }
        let amount: Float? = event.pointee.amount.isNaN ? nil : Float(log1p(event.pointee.amount))
        let trusted = verdict == .allow && (isProven || (assessment.pointee.level == .low && !isReported))
        if trusted && didMove { row.header.pointee.moves += 1 }
        // What is new to the user stays new for the whole session: if one quiet event were enough to become familiar,
        // the second would be an intruder's free pass.
        let isNovel = !isProven && !assessment.pointee.fired.isDisjoint(with: Self.novelty)
        guard trusted && !isNovel else {
            let flags: HoldFlags = verdict == .stepUp ? .quarantined : trusted ? [] : .raised
            return table.hold(seen, amount: amount, of: row, flags: flags)
        }

        table.prove(row)
        table.notePlace(seen, of: row)
        row = learnContext(seen, row, session, isNew: !wasOpen || hadEnded, isProven: isProven)
        if event.pointee.outcome == .success && row.failures.count > 0 { row.failures.base[0].removeAll() }
        if event.pointee.type == .action {
            if seen.action != 0 { row = table.learnAction(seen.action, of: row, weight: 1) }
            if let closed = row.header.pointee.paceWindow.add(at: seen.time, length: plan.windows.rate) {
                row.header.pointee.pace.add(log(Float(closed)))
            }
        }
        if let amount { row.header.pointee.amounts.add(amount) }
        return row
    }

    /// Nothing that waits with a session survives a denial, and a terminated one stays terminated.
    func condemn(_ seen: Observation, _ row: UserRow, _ session: Int, _ verdict: Verdict) {
        if verdict == .terminateSession { return table.terminate(seen.scope, of: row) }
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
            return isVisit ? table.learnContext(seen, of: row, weight: 1, counts: true, vouches: isProven) : row
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
        return table.learnContext(seen, of: row, weight: 1, counts: counts, vouches: isProven)
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
    func settleHolds(of start: UserRow, at time: Timestamp) -> UserRow {
        var row = start
        var index = row.holds.count - 1
        while index >= 0 {
            let held = row.holds[index]
            if time - held.last > plan.windows.sessionGap || time - held.first > 86_400_000 {
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

    /// What a passed challenge is worth: the person need not be asked about this device for a month and a half.
    static let provenWeight: Float = 2

    /// What a session's observations are worth to the baseline that no challenge has proven: a quarter when its risk
    /// was raised, half when its device was not one of the user's.
    func watchedWeight(_ held: HoldSlot, _ row: UserRow) -> Float {
        if held.flags.contains(.raised) { return 0.25 }
        for index in 0..<row.devices.count where row.devices[index].fingerprint == held.device { return 1 }
        return held.device == 0 ? 1 : 0.5
    }
}
