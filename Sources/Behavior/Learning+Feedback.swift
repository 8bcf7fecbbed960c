import Events

/// What a verdict on an earlier decision changes of a user's baseline.
extension UserTable {
    /// Trusts a device because somebody has vouched for it, known before or not. The row may move.
    public func vouch(for device: UInt32, at time: Timestamp, weight: Float, of row: UserRow) -> UserRow {
        guard device != 0 else { return row }
        var seen = Observation(time: time)
        seen.device = device
        return learnContext(seen, of: row, weight: weight, counts: false, vouches: true)
    }

    /// Forgets what made a device and a network familiar, and where the user was last, if that was learned since `time`: an
    /// intruder's place must not make the owner's next login a journey.
    public func distrust(device: UInt32, network: UInt32, since time: Timestamp, of row: UserRow) {
        for index in stride(from: row.devices.count - 1, through: 0, by: -1)
        where row.devices[index].fingerprint == device && device != 0 { row.remove(.devices, DeviceSlot.self, at: index) }
        for index in stride(from: row.networks.count - 1, through: 0, by: -1)
        where row.networks[index].key == network && network != 0 { row.remove(.networks, NetworkSlot.self, at: index) }
        let header = row.header
        guard header.pointee.lastPlaceTime >= time else { return }
        (header.pointee.lastLatitude, header.pointee.lastLongitude) = (.nan, .nan)
        header.pointee.lastPlaceTime = .distantPast
    }
}
