import Behavior
import Events

/// What came of the questions asked of the user lately, in any session.
extension Scorer {
    func challengeSignals(_ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let history = row.header.pointee.challenges.kinds
        guard !history.isEmpty || row.challenges.count >= 2 else { return }
        let minutes = Double(model.challengeWindow) / 60_000
        // Most have left questions unanswered some time ago.
        let age = row.header.pointee.challenges.age(at: seen.time)
        if age < model.challengeWindow && has(.challengeFailed) {
            let count = count(.failed, at: seen.time, length: model.challengeWindow, row)
            if count >= 2 {
                set(&out, .challengeFailed, 5 * Double(count - 1), observed: Double(count), expected: 2, detail: minutes)
            }
        }
        if age < model.challengeWindow && has(.challengeAbandoned) {
            let count = count(.unanswered, at: seen.time, length: model.challengeWindow, row)
            if count >= 2 {
                set(&out, .challengeAbandoned, 3 * Double(count - 1), observed: Double(count), expected: 2, detail: minutes)
            }
        }
        if history.contains(.denied) && has(.challengeDenied) {
            let count = count(.denied, at: seen.time, length: model.denialWindow, row)
            if count > 0 {
                // Whoever said no, sits at one of the person's own devices.
                set(&out, .challengeDenied, isOwnDevice(seen, row) ? 12 : 50, observed: Double(count), expected: 1,
                    detail: Double(model.denialWindow) / 60_000)
            }
        }
        if (age < model.pushWindow || row.challenges.count >= 2) && has(.challengePushBombing) {
            let count = pushes(at: seen.time, row)
            if count >= model.pushesAtLeast {
                set(&out, .challengePushBombing, 35, observed: Double(count), expected: Double(model.pushesAtLeast),
                    detail: Double(model.pushWindow) / 60_000)
            }
        }
    }

    private func count(
        _ what: ChallengeHistory.Kind, having: ChallengeHistory.Kind = [], at time: Timestamp, length: Int64, _ row: UserRow
    ) -> Int {
        row.header.pointee.challenges.count(what, having: having, at: time, length: length)
    }

    /// Pushes within the window that were denied, or not answered, be it not yet.
    private func pushes(at time: Timestamp, _ row: UserRow) -> Int {
        var count = count([.unanswered, .denied], having: .push, at: time, length: model.pushWindow, row)
        let open = row.challenges
        for index in 0..<open.count where open[index].isOpen && open[index].flags.contains(.push) {
            let age = time.milliseconds - Int64(open[index].asked) * 1000
            if age >= 0 && age < model.pushWindow { count += 1 }
        }
        return count
    }

    /// A device that is not new to the user any more, and that something has vouched for.
    private func isOwnDevice(_ seen: Observation, _ row: UserRow) -> Bool {
        let devices = row.devices
        for index in 0..<devices.count where devices.base[index].fingerprint == seen.device && seen.device != 0 {
            return devices.base[index].weight >= Self.knownWeight
        }
        return false
    }

    /// The fast baseline has left the slow one.
    func driftSignal(_ row: UserRow, _ out: inout Assessment) {
        let drift = row.header.pointee.drift
        let most = Double(max(max(drift.actions, drift.devices), max(drift.providers, drift.amounts)))
        guard most > model.driftShare, has(.drift) else { return }
        let what = most == Double(drift.actions) ? 0.0 : most == Double(drift.amounts) ? 1 : most == Double(drift.devices) ? 2 : 3
        set(&out, .drift, 16 * (most - model.driftShare) / max(1 - model.driftShare, 0.01), observed: most * 100,
            expected: model.driftShare * 100, detail: what, samples: row.header.pointee.recentContexts)
    }
}
