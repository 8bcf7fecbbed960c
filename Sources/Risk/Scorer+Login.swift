import Behavior
import Events

/// How the login went.
extension Scorer {
    func loginSignals(
        _ event: UnsafePointer<Event>, _ seen: Observation, _ known: Familiarity, _ row: UserRow, _ out: inout Assessment
    ) {
        let before = row.failures.count == 0 ? 0 : row.failures.base[0].count(at: seen.time, length: windows.failures)
        if event.pointee.outcome == .failure {
            let count = before + 1
            if count >= model.failuresAtLeast && has(.loginFailures) {
                set(
                    &out, .loginFailures, 10 + 3 * Double(count - model.failuresAtLeast), observed: Double(count),
                    expected: Double(model.failuresAtLeast), detail: Double(windows.failures) / 60_000)
            }
            return
        }
        if before >= model.successAfterFailures && has(.loginSuccessAfterFailures) {
            // Somebody on his own device has more likely forgotten the password than guessed it.
            let points = 15 + 3 * Double(before - model.successAfterFailures)
            set(
                &out, .loginSuccessAfterFailures, known.device && seen.device != 0 ? points * 0.4 : points,
                observed: Double(before), expected: Double(model.successAfterFailures),
                detail: Double(windows.failures) / 60_000)
        }
        if event.pointee.outcome == .success, event.pointee.amr.factorKinds == 1 { factorSignals(row, &out) }
        if !event.pointee.roundTripMilliseconds.isNaN { roundTripSignal(event, known, row, &out) }
    }

    /// For a login with one factor.
    private func factorSignals(_ row: UserRow, _ out: inout Assessment) {
        let (factored, strong) = (Double(row.header.pointee.factored), Double(row.header.pointee.strong))
        if has(.loginFirstFactor) { set(&out, .loginFirstFactor, 3, samples: Float(factored)) }
        if factored >= 3 && has(.loginWeakerFactor) {
            let own = (max(factored - strong, 0) + 1) / (factored + 2)
            if own < 0.5 {
                set(&out, .loginWeakerFactor, 10 * ln(0.5 / own), observed: 1, expected: 100 * (1 - own), samples: Float(factored))
            }
        }
    }

    /// A place that looks familiar and lies further away than it did, or nearer.
    private func roundTripSignal(_ event: UnsafePointer<Event>, _ known: Familiarity, _ row: UserRow, _ out: inout Assessment) {
        let usual = row.header.pointee.roundTrips
        guard known.provider, Double(usual.weight) >= Double(model.roundTripSamples), has(.loginRoundTrip) else { return }
        let value = Float(ln(Double(max(event.pointee.roundTripMilliseconds, 1))))
        // Either tail: half as likely as one.
        let excess = usual.excess(of: usual.mean + abs(value - usual.mean), leastDeviation: 0.3) - 0.69
        if excess > Self.usualExcess {
            set(
                &out, .loginRoundTrip, (known.network ? 2 : 1) * (excess - Self.usualExcess),
                observed: Double(event.pointee.roundTripMilliseconds), expected: Portable.exp(Double(usual.mean)),
                samples: usual.weight)
        }
    }

    /// Log-odds of a tail up to which a number is nothing unusual: one in fifty-five is as large.
    static let usualExcess = 4.0
}
