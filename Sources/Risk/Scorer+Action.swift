import Behavior
import Events
import Glibc

/// What the user does.
extension Scorer {
    func actionSignals(_ event: Event, _ seen: Observation, _ row: UserRow, _ out: inout Assessment) {
        let header = row.header
        let total = Double(header.pointee.actionTotal)
        if seen.action != 0 && total >= 20 && has(.actionRare) {
            var weight: Float = 0
            let actions = row.actions
            for index in 0..<actions.count where actions.base[index].fingerprint == seen.action {
                weight = actions.base[index].weight
            }
            // One in two hundred is what still counts as usual; an action in fifty is everybody's.
            let own = (Double(weight) + Self.smoothing / 50) / (total + Self.smoothing)
            if own < 0.005 {
                set(
                &out, .actionRare, min(12, 10 * ln(0.005 / own)) * total / (total + 50), observed: Double(weight),
                    expected: total, samples: Float(total))
            }
        }
        let count = header.pointee.rate.count(at: seen.time, hop: windows.rateHop, panes: panes) + 1
        if count >= model.rateAtLeast && header.pointee.pace.weight >= 5 && has(.actionRate) {
            let deviation = max(Double(header.pointee.pace.variance).squareRoot(), 0.35)
            let z = (ln(Double(count)) - Double(header.pointee.pace.mean)) / deviation
            if z > 2.5 {
                let trust = Double(header.pointee.pace.weight) / (Double(header.pointee.pace.weight) + Self.smoothing)
                set(
                &out, .actionRate, 6 * (z - 2) * trust, observed: Double(count),
                    expected: exp(Double(header.pointee.pace.mean) + 2 * deviation),
                    detail: Double(windows.rate) / 1000, samples: header.pointee.pace.weight)
            }
        }
        let amounts = header.pointee.amounts
        if !event.amount.isNaN && Double(amounts.weight) >= Double(model.amountSamples) && has(.amountUnusual) {
            let deviation = max(Double(amounts.variance).squareRoot(), 0.3)
            let z = (ln(1 + event.amount) - Double(amounts.mean)) / deviation
            if z > 2.5 {
                let trust = Double(amounts.weight) / (Double(amounts.weight) + Self.smoothing)
                set(
                &out, .amountUnusual, 5 * (z - 1) * trust, observed: event.amount,
                    expected: exp(Double(amounts.mean) + 2 * deviation) - 1, samples: amounts.weight)
            }
        }
    }
}
