import Behavior
import Events

/// What came of the questions asked of the user lately, in any session.
extension Scorer {
    @inline(__always)
    func challengeSignals(_ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        withUnsafePointer(to: &row.header.pointee.challenges) { history in
            let kinds = history.kinds
            guard !kinds.isEmpty || row.challenges.count >= 2 else { return }
            // Most have left questions unanswered some time ago.
            let age = history.age(at: seen.time)
            if age >= longestChallengeWindow && !kinds.contains(.denied) && row.challenges.count < 2 { return }
            challengeSignals(history, kinds, age: age, seen, row, &out)
        }
    }

    @inline(never)
    private func challengeSignals(
        _ history: UnsafePointer<ChallengeHistory>, _ kinds: ChallengeHistory.Kind, age: Int64, _ seen: Observation, _ row: UserRow,
        _ out: inout Assessment
    ) {
        let minutes = Double(model.challengeWindow) / 60_000
        if age < model.challengeWindow && kinds.contains(.failed) && has(.challengeFailed) {
            let count = history.count(.failed, at: seen.time, length: model.challengeWindow)
            if count >= 2 {
                set(&out, .challengeFailed, 5 * Double(count - 1), observed: Double(count), expected: 2, detail: minutes)
            }
        }
        if age < model.challengeWindow && kinds.contains(.unanswered) && has(.challengeAbandoned) {
            let count = history.count(.unanswered, at: seen.time, length: model.challengeWindow)
            if count >= 2 {
                set(&out, .challengeAbandoned, 3 * Double(count - 1), observed: Double(count), expected: 2, detail: minutes)
            }
        }
        if kinds.contains(.denied) && has(.challengeDenied) {
            let count = history.count(.denied, at: seen.time, length: model.denialWindow)
            if count > 0 {
                // Whoever said no, sits at one of the person's own devices.
                set(&out, .challengeDenied, isOwnDevice(seen, row) ? 12 : 50, observed: Double(count), expected: 1,
                    detail: Double(model.denialWindow) / 60_000)
            }
        }
        if (age < model.pushWindow || row.challenges.count >= 2) && has(.challengePushBombing) {
            let count = pushes(history, kinds, at: seen.time, row)
            if count >= model.pushesAtLeast {
                set(&out, .challengePushBombing, 35, observed: Double(count), expected: Double(model.pushesAtLeast),
                    detail: Double(model.pushWindow) / 60_000)
            }
        }
    }

    private var longestChallengeWindow: Int64 { max(model.challengeWindow, model.pushWindow) }

    /// Pushes within the window that were denied, or not answered, be it not yet.
    private func pushes(
        _ history: UnsafePointer<ChallengeHistory>, _ kinds: ChallengeHistory.Kind, at time: Timestamp, _ row: UserRow
    ) -> Int {
        var count = kinds.contains(.push)
            ? history.count([.unanswered, .denied], having: .push, at: time, length: model.pushWindow) : 0
        let open = row.challenges
        for index in 0..<open.count {
            let slot = open.base + index
            guard slot.pointee.isOpen && slot.pointee.flags.contains(.push) else { continue }
            let age = time.milliseconds - Int64(slot.pointee.asked) * 1000
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
