import Behavior
import Events

/// What a session's own course gives away.
extension Scorer {
    func sessionSignals(_ event: UnsafePointer<Event>, _ seen: Observation, _ row: UserRow, _ session: Int, _ out: inout Assessment) {
        let slot = row.sessions.base + session
        if seen.isElsewhere(than: slot.pointee.currentNetwork, asn: slot.pointee.currentASN) && has(.sessionTwoPlaces) {
            let minutes = Double(abs(seen.time - slot.pointee.window.last)) / 60_000
            let otherDevice = slot.pointee.device != 0 && slot.pointee.device != seen.device
            if otherDevice && minutes <= 30 {
                set(
                    &out, .sessionTwoPlaces, 45, observed: Double(seen.asn),
                    expected: Double(slot.pointee.currentASN), detail: minutes)
            } else if slot.pointee.moves >= 3 && minutes <= 10 {
                set(
                    &out, .sessionTwoPlaces, 30, observed: Double(slot.pointee.moves) + 1,
                    expected: Double(slot.pointee.currentASN), detail: -1)
            }
        }
        // A login begins a session anew, under whatever name.
        guard event.pointee.type == .action else { return }
        let age = seen.time - slot.pointee.window.start
        if age > model.sessionAgeLimit && has(.sessionAge) {
            set(&out, .sessionAge, 3 * ln(Double(age), over: Double(model.sessionAgeLimit)), observed: Double(age) / 60_000,
                expected: Double(model.sessionAgeLimit) / 60_000)
        }
        let silence = seen.time - slot.pointee.window.last
        if silence > model.sessionIdleLimit && has(.sessionIdle) {
            set(&out, .sessionIdle, 2 + 2 * ln(Double(silence), over: Double(model.sessionIdleLimit)),
                observed: Double(silence) / 60_000, expected: Double(model.sessionIdleLimit) / 60_000)
        }
    }

    /// A token in other hands than those it was first seen in, under whatever name of a session it comes.
    func tokenSignal(_ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let sessions = row.sessions
        var first = -1
        for index in 0..<sessions.count where sessions.base[index].token == seen.token {
            if first < 0 || sessions.base[index].window.start < sessions.base[first].window.start { first = index }
        }
        guard first >= 0 else { return }
        let slot = sessions.base + first
        let moved = seen.isElsewhere(than: slot.pointee.tokenNetwork, asn: slot.pointee.tokenASN)
        let noDevices = slot.pointee.tokenDevice == 0 && seen.device == 0
        // The same device elsewhere is a person who moved or turned a VPN on; a token does not change devices.
        if moved && (slot.pointee.tokenDevice != seen.device || noDevices) {
            set(
                &out, .sessionTokenReplayed, noDevices ? 25 : 50, observed: Double(seen.asn),
                expected: Double(slot.pointee.tokenASN), detail: noDevices ? 1 : 0)
        }
    }

    /// A sensitive action asked for on an authentication that is old.
    func assuranceSignal(_ event: UnsafePointer<Event>, _ seen: Observation, _ out: inout Assessment) {
        guard event.pointee.authTime != .distantPast, seen.kinds.contains(.sensitive), has(.sessionAssurance) else { return }
        let age = seen.time - event.pointee.authTime
        var passed = 0
        while passed < Self.assuranceLevels && age > assuranceLimits[passed] { passed += 1 }
        if passed > 0 {
            set(&out, .sessionAssurance, 3 * Double(passed), observed: Double(age) / 60_000,
                expected: Double(assuranceLimits[0]) / 60_000)
        }
    }
}
