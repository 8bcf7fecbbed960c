import Behavior
import Events

/// Whether something is going on at the network, whoever it concerns.
extension Scorer {
    func attackSignals(_ seen: Observation, _ shared: SharedView, _ out: inout Assessment) {
        guard seen.network != 0 else { return }
        if has(.networkReputation) && seen.traits.contains(.reputation) {
            set(&out, .networkReputation, 25, observed: Double(seen.asn))
        }
        let activity = shared.activity(prefix: seen.network)
        guard Int(activity.usersFailing) >= model.sprayUsers || Int(activity.usersTried) >= model.stuffingUsers else { return }
        // Of tries and of users: logins of one's own, however many, must not hide the failures of others.
        let share = max(
            Double(activity.failures) / max(Double(activity.tries), 1),
            Double(activity.usersFailing) / max(Double(activity.usersTried), 1))
        let minutes = Double(windows.networks) / 60_000
        if has(.networkSpray) && Int(activity.usersFailing) >= model.sprayUsers && share >= model.stuffingFailures {
            set(&out, .networkSpray, 12 + 5 * ln(Double(activity.usersFailing), over: Double(model.sprayUsers)),
                observed: Double(activity.usersFailing), expected: Double(model.sprayUsers), detail: minutes,
                samples: Float(activity.tries))
        }
        if has(.networkStuffing) && Int(activity.usersTried) >= model.stuffingUsers && share >= model.stuffingFailures {
            set(&out, .networkStuffing, 12 + 5 * ln(Double(activity.usersTried), over: Double(model.stuffingUsers)),
                observed: Double(activity.usersTried), expected: Double(model.stuffingUsers), detail: minutes,
                samples: Float(activity.tries))
        }
    }
}
