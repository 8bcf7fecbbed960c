import Events
import Glibc

/// Exponential decay in whole days: a row is aged at most once a day of event time, all its weights at once, which
/// costs one comparison per event instead of an exponential per weight.
public struct Aging: Sendable {
    /// 2^(−1/half-life in days), of the slow and of the fast baseline.
    let perDay: Double
    let perDayFast: Double

    /// Half-lives in milliseconds.
    public init(halfLife: Int64, fastHalfLife: Int64) {
        perDay = exp2(-86_400_000 / Double(halfLife))
        perDayFast = exp2(-86_400_000 / Double(fastHalfLife))
    }

    /// Weights below this are as good as none: the slot is given up.
    static let negligible: Float = 0.02

    /// Ages the row to the day of `time`; a late event changes nothing.
    /// - Complexity: O(1) within a day, O(row) once a day.
    @inline(__always)
    public func age(_ row: UserRow, to time: Timestamp) {
        let day = UserTable.day(of: time)
        if day > row.header.pointee.agedTo { decay(row, days: day - row.header.pointee.agedTo, to: day) }
    }

    @inline(never)
    private func decay(_ row: UserRow, days: UInt32, to day: UInt32) {
        let factor = Float(pow(perDay, Double(days)))
        let fast = Float(pow(perDayFast, Double(days)))
        let header = row.header
        header.pointee.agedTo = day
        header.pointee.contexts *= factor
        header.pointee.recentContexts *= fast
        header.pointee.newFamilies *= factor
        header.pointee.newDevices *= factor
        header.pointee.newCountries *= factor
        header.pointee.newProviders *= factor
        header.pointee.newNeighbourhoods *= factor
        header.pointee.newNetworks *= factor
        header.pointee.newRegions *= factor
        header.pointee.newPlaces *= factor
        header.pointee.moves *= factor
        header.pointee.actionTotal *= factor
        header.pointee.recentActions *= fast
        header.pointee.factored *= factor
        header.pointee.strong *= factor
        header.pointee.amounts.decay(by: factor)
        header.pointee.recentAmounts.decay(by: fast)
        header.pointee.amountSpread.decay(by: factor)
        header.pointee.breadths.decay(by: factor)
        header.pointee.exportCounts.decay(by: factor)
        header.pointee.surprises.decay(by: factor)
        header.pointee.pace.decay(by: factor)
        header.pointee.roundTrips.decay(by: factor)
        for hour in 0..<24 { header.pointee.hours[hour] = UInt16(Float(header.pointee.hours[hour]) * factor) }
        for day in 0..<7 { header.pointee.weekdays[day] = UInt16(Float(header.pointee.weekdays[day]) * factor) }
        let devices = row.devices
        for index in 0..<devices.count {
            devices.base[index].weight *= factor
            devices.base[index].recent *= fast
        }
        let networks = row.networks
        for index in 0..<networks.count {
            networks.base[index].weight *= factor
            networks.base[index].recent *= fast
        }
        let places = row.places
        for index in 0..<places.count {
            places.base[index].weight *= factor
            places.base[index].recent *= fast
        }
        let actions = row.actions
        for index in 0..<actions.count {
            actions.base[index].weight *= factor
            actions.base[index].recent *= fast
        }
        let pairs = row.pairs
        for index in 0..<pairs.count { pairs.base[index].weight *= factor }
        forget(row)
        header.pointee.drift = DriftShares(of: row)
    }

    private func forget(_ row: UserRow) {
        for index in stride(from: row.devices.count - 1, through: 0, by: -1)
        where row.devices[index].weight < Self.negligible { row.remove(.devices, DeviceSlot.self, at: index) }
        for index in stride(from: row.networks.count - 1, through: 0, by: -1)
        where row.networks[index].weight < Self.negligible { row.remove(.networks, NetworkSlot.self, at: index) }
        for index in stride(from: row.places.count - 1, through: 0, by: -1)
        where row.places[index].weight < Self.negligible { row.remove(.places, PlaceSlot.self, at: index) }
        for index in stride(from: row.actions.count - 1, through: 0, by: -1)
        where row.actions[index].weight < Self.negligible { row.remove(.actions, ActionSlot.self, at: index) }
        for index in stride(from: row.pairs.count - 1, through: 0, by: -1)
        where row.pairs[index].weight < Self.negligible { row.remove(.pairs, PairSlot.self, at: index) }
    }
}
