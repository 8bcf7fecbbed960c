import Behavior
import Events

/// Whether the device is the user's.
extension Scorer {
    func deviceSignals(
        _ seen: Observation, _ known: Familiarity, _ row: UserRow, _ contexts: Double, _ session: Int,
        _ shared: SharedView, _ out: inout Assessment
    ) {
        let header = row.header
        if contexts > 0 {
            if seen.hasFamily && has(.deviceFamily) { familySignal(seen, known, row, contexts, shared, &out) }
            if seen.device != 0 { identitySignals(seen, known, row, contexts, &out) }
        }
        if session >= 0 && has(.deviceChangedInSession) {
            let bound = row.sessions.base[session].device
            if bound != 0 && bound != seen.device {
                set(&out, .deviceChangedInSession, seen.device == 0 ? 28 : 45, observed: Double(seen.device == 0 ? 0 : 1),
                    samples: header.pointee.contexts)
            }
        }
        if seen.hasDeviceID && has(.deviceShared) {
            let users = Double(shared.activity(device: seen.device).usersTried)
            // A kiosk is shared too, by people who use it again: whoever has used it before is not suspected for it.
            if users >= Double(model.deviceSharedUsers) && !known.device {
                set(&out, .deviceShared, 6 * ln(users, over: Double(model.deviceSharedUsers)) + 8, observed: users,
                    expected: Double(model.deviceSharedUsers), detail: Double(windows.networks) / 60_000)
            }
        }
    }

    /// Agent and system together, against the user's and everybody's.
    private func familySignal(
        _ seen: Observation, _ known: Familiarity, _ row: UserRow, _ contexts: Double, _ shared: SharedView,
        _ out: inout Assessment
    ) {
        if !known.family {
            var sameClass: Float = 0
            let devices = row.devices
            for index in 0..<devices.count where devices.base[index].deviceClass == seen.deviceClass {
                sameClass += devices.base[index].weight
            }
            // A browser of another kind on a kind of device the user has is less of a surprise than another kind of device.
            let points = novelty(row.header.pointee.newFamilies, contexts, prior: model.devicePrior, attacker: 0.8)
            set(&out, .deviceFamily, sameClass > 0 ? points * 0.7 : points, observed: Double(sameClass),
                expected: Double(devices.count), samples: row.header.pointee.contexts)
            return
        }
        var weight: Float = 0
        let devices = row.devices
        for index in 0..<devices.count where devices.base[index].agent == seen.agent && devices.base[index].os == seen.os {
            weight += devices.base[index].weight
        }
        // What many have, an attacker has too.
        let users = shared.users
        let share = users < 50 || seen.agent == 0 ? 0.2 : (shared.users(of: .agent, seen.agent) + 1) / (users + 10)
        set(&out, .deviceFamily, 0.6 * familiarity(weight, of: contexts, elsewhere: min(max(share, 0.02), 0.5), most: 12),
            observed: Double(weight), expected: Double(devices.count), samples: row.header.pointee.contexts)
    }

    private func identitySignals(
        _ seen: Observation, _ known: Familiarity, _ row: UserRow, _ contexts: Double, _ out: inout Assessment
    ) {
        let header = row.header
        let devices = row.devices
        var index = devices.count - 1
        while index >= 0 && devices.base[index].fingerprint != seen.device { index -= 1 }
        let weight: Float = index < 0 ? -1 : devices.base[index].weight
        if has(.deviceNew) {
            let left = newness(weight)
            // A family that is new makes the device new; what is left to say is less.
            let points = left > 0
                ? left * novelty(header.pointee.newDevices, contexts, prior: model.devicePrior, attacker: 0.95)
                    * (known.family || !seen.hasFamily ? 1 : 0.6)
                : (seen.hasDeviceID ? 1 : 0.25) * familiarity(weight, of: contexts, elsewhere: 0.02, most: 15)
            set(&out, .deviceNew, points, observed: Double(max(weight, 0)), expected: Double(devices.count),
                samples: header.pointee.contexts)
        }
        guard index >= 0 else { return }
        let slot = devices.base + index
        if has(.deviceRare) && weight >= Self.knownWeight && contexts >= 20 {
            let share = Double(weight) / contexts
            if share < model.deviceRareShare {
                set(&out, .deviceRare, 4 * ln(model.deviceRareShare / share), observed: Double(weight), expected: contexts,
                    samples: header.pointee.contexts)
            }
        }
        let sameAgent = slot.pointee.agent == seen.agent
        if has(.agentDowngrade) && sameAgent && seen.agentMajor > 0 && slot.pointee.major > seen.agentMajor {
            let versions = Double(slot.pointee.major - seen.agentMajor)
            set(&out, .agentDowngrade, 6 + 3 * ln(versions), observed: Double(seen.agentMajor),
                expected: Double(slot.pointee.major), samples: weight)
        }
        // One device, two natures: an id copied to another machine.
        if has(.agentMismatch) && seen.hasFamily {
            let otherOS = seen.os != 0 && slot.pointee.os != 0 && seen.os != slot.pointee.os
            let otherClass = seen.deviceClass != 0 && slot.pointee.deviceClass != 0 && seen.deviceClass != slot.pointee.deviceClass
            if otherOS || otherClass {
                set(&out, .agentMismatch, otherOS ? 18 : 10, observed: otherOS ? 1 : 0, samples: weight)
            }
        }
    }
}
