import Events

/// How far what the user does of late is from what the user does: for actions, devices and providers the total variation
/// between the fast and the slow baseline, Σ |share of late − share| / 2, less what chance alone makes of so few
/// observations; for amounts by how many deviations they rose, thirds of them. Each 0…1, 0 where there are too few.
public struct DriftShares: Sendable {
    public internal(set) var actions: Float = 0
    public internal(set) var devices: Float = 0
    public internal(set) var providers: Float = 0
    public internal(set) var amounts: Float = 0

    public init() {}

    /// Observations the fast baseline must have, and how many more the slow one.
    static let leastRecent: Float = 4
    static let leastRatio: Float = 3

    /// - Complexity: O(row); once a day.
    init(of row: UserRow) {
        let header = row.header
        let (total, recent) = (header.pointee.actionTotal, header.pointee.recentActions)
        if recent >= 5 * Self.leastRecent && total >= Self.leastRatio * recent {
            var sum = Variation(total: total, recent: recent)
            for index in 0..<row.actions.count { sum.add(row.actions[index].weight, row.actions[index].recent) }
            actions = sum.beyondChance
        }
        let (contexts, recentContexts) = (header.pointee.contexts, header.pointee.recentContexts)
        if recentContexts >= Self.leastRecent && contexts >= Self.leastRatio * recentContexts {
            var sum = Variation(total: contexts, recent: recentContexts)
            for index in 0..<row.devices.count { sum.add(row.devices[index].weight, row.devices[index].recent) }
            devices = sum.beyondChance
            sum = Variation(total: contexts, recent: recentContexts)
            let networks = row.networks
            for index in 0..<networks.count {
                // Each provider once, with all its prefixes.
                let asn = networks[index].asn
                var isFirst = true
                for earlier in 0..<index where networks[earlier].asn == asn { isFirst = false }
                guard isFirst else { continue }
                var (weight, late) = (networks[index].weight, networks[index].recent)
                for later in index + 1..<max(networks.count, index + 1) where networks[later].asn == asn {
                    weight += networks[later].weight
                    late += networks[later].recent
                }
                sum.add(weight, late)
            }
            providers = sum.beyondChance
        }
        let (slow, fast) = (header.pointee.amounts, header.pointee.recentAmounts)
        if fast.weight >= Self.leastRecent && slow.weight >= Self.leastRatio * fast.weight {
            let deviation = max(slow.variance.squareRoot(), 0.3)
            let rise = (fast.mean - slow.mean) / deviation - 2 / fast.weight.squareRoot()
            amounts = min(max(rise / 3, 0), 1)
        }
    }

    private struct Variation {
        let total: Float
        let recent: Float
        var distance: Float = 0
        var chance: Float = 0
        var (share, late): (Float, Float) = (0, 0)

        init(total: Float, recent: Float) {
            self.total = total
            self.recent = recent
        }

        /// The mean deviation of a share from what it is the share of is 0.8 of its standard deviation.
        mutating func add(_ weight: Float, _ recently: Float) {
            let (p, q) = (min(weight / total, 1), min(recently / recent, 1))
            distance += abs(p - q) / 2
            chance += 0.4 * (p * (1 - p) / recent).squareRoot()
            share += p
            late += q
        }

        /// What no slot was left for belongs together.
        var beyondChance: Float {
            let rest = abs(max(0, 1 - share) - max(0, 1 - late)) / 2
            return max(0, min(1, distance + rest - chance))
        }
    }
}
