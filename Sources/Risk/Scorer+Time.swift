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
            let own = hourShare(seen.hour, row, contexts)
            // An hour that is usual needs no logarithm where it counts for nothing.
            let points = isSettled && own >= 1.0 / 24 ? 0 : max(-6, 10 * ln((1.0 / 24) / own))
            if points > 0 || !isSettled {
                set(&out, .timeUnusual, points, observed: Double(seen.hour), expected: own * 100,
                    samples: header.pointee.contexts)
            }
        }
        guard !isSettled, has(.timeDormant), contexts >= 2, header.pointee.lastSeen != .distantPast else { return }
        let gap = Double(seen.time - header.pointee.lastSeen)
        // Who comes once a quarter is not asleep in between.
        let usual = Double(header.pointee.lastSeen - header.pointee.firstSeen) / contexts
        let limit = max(Double(model.dormantAfter), 4 * usual)
        if gap >= limit {
            set(&out, .timeDormant, 3 + 3 * ln(gap / max(limit, 1)), observed: gap / 60_000, expected: limit / 60_000,
                samples: header.pointee.contexts)
        }
    }

    /// The share of the user's learned logins around that hour, smoothed over the neighbours, so that daylight saving and
    /// a late train are not news.
    func hourShare(_ hour: Int, _ row: UserRow, _ contexts: Double) -> Double {
        let header = row.header
        var weight = 2 * Double(header.pointee.hours[hour])
        weight += 1.5 * Double(header.pointee.hours[(hour + 23) % 24])
        weight += 1.5 * Double(header.pointee.hours[(hour + 1) % 24])
        weight += 0.5 * Double(header.pointee.hours[(hour + 22) % 24])
        weight += 0.5 * Double(header.pointee.hours[(hour + 2) % 24])
        weight /= 6 * 32
        return (weight + Self.smoothing / 24) / (contexts + Self.smoothing)
    }
}
