import Behavior
import Events

/// Whether the user comes when they use to come.
extension Scorer {
    /// In a settled session a usual hour has nothing more to say, and nobody has slept.
    func timeSignals(
        _ seen: Observation, _ row: UserRow, _ contexts: Double, isSettled: Bool, _ out: inout Assessment
    ) {
        let header = row.header
        if contexts >= 3 && has(.timeUnusual) {
            let (own, usual) = hourShare(seen.hour, row, contexts)
            // An hour that is usual needs no logarithm where it counts for nothing.
            if !isSettled || own < usual {
                set(&out, .timeUnusual, max(-6, 10 * ln(usual, over: own)), observed: Double(seen.hour),
                    expected: 100 * own / (24 * usual), samples: header.pointee.contexts)
            }
        }
        guard !isSettled, has(.timeDormant), contexts >= 2, header.pointee.lastSeen != .distantPast else { return }
        let gap = Double(seen.time - header.pointee.lastSeen)
        // Who comes once a quarter is not asleep in between.
        let usual = Double(header.pointee.lastSeen - header.pointee.firstSeen) / contexts
        let limit = max(Double(model.dormantAfter), 4 * usual)
        if gap >= limit {
            set(&out, .timeDormant, 3 + 3 * ln(gap, over: max(limit, 1)), observed: gap / 60_000, expected: limit / 60_000,
                samples: header.pointee.contexts)
        }
    }

    /// The user's learned logins around that hour, smoothed over the neighbours, so that daylight saving and a late train are
    /// not news; and what they would be if all hours were alike. Their quotient is the share in 24ths.
    func hourShare(_ hour: Int, _ row: UserRow, _ contexts: Double) -> (own: Double, usual: Double) {
        let header = row.header
        var weight = 2 * Double(header.pointee.hours[hour])
        weight += 1.5 * Double(header.pointee.hours[(hour + 23) % 24])
        weight += 1.5 * Double(header.pointee.hours[(hour + 1) % 24])
        weight += 0.5 * Double(header.pointee.hours[(hour + 22) % 24])
        weight += 0.5 * Double(header.pointee.hours[(hour + 2) % 24])
        // The neighbours count as six hours, in units of 1/32.
        return (weight * (24.0 / (6 * 32)) + Self.smoothing, contexts + Self.smoothing)
    }
}
