import Behavior
import Events

/// How the login went.
extension Scorer {
    func loginSignals(_ event: Event, _ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let before = row.failures.count == 0 ? 0 : row.failures.base[0].count(at: seen.time, length: windows.failures)
        if event.outcome == .failure && has(.loginFailures) {
            let count = before + 1
            if count >= model.failuresAtLeast {
                set(
                &out, .loginFailures, 10 + 3 * Double(count - model.failuresAtLeast), observed: Double(count),
                    expected: Double(model.failuresAtLeast), detail: Double(windows.failures) / 60_000)
            }
        }
        if event.outcome == .success && before >= model.successAfterFailures && has(.loginSuccessAfterFailures) {
            // Somebody on his own device has more likely forgotten the password than guessed it.
            var familiar = false
            let devices = row.devices
            for index in 0..<devices.count where devices.base[index].fingerprint == seen.device && seen.device != 0 {
                familiar = true
            }
            let points = 15 + 3 * Double(before - model.successAfterFailures)
            set(
                &out, .loginSuccessAfterFailures, familiar ? points * 0.4 : points, observed: Double(before),
                expected: Double(model.successAfterFailures), detail: Double(windows.failures) / 60_000)
        }
    }
}
