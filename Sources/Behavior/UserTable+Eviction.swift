/// Who gives way at the bounds.
extension UserTable {
    /// Drops the coldest 1/64 of one kind at once, so that a sweep is rare: O(users) then, O(1) amortised.
    /// Coldness is the order of events in the log, so every replay evicts the same users.
    func evictColdest(proven: Bool) {
        var candidates: [(touched: UInt64, number: UInt32)] = []
        forEach { row in
            let header = row.header
            if header.pointee.flags.contains(.proven) == proven && header.pointee.touched != sequence {
                candidates.append((header.pointee.touched, header.pointee.number))
            }
        }
        candidates.sort { $0.touched < $1.touched }
        for victim in candidates.prefix(max(1, candidates.count / 64)) {
            if let base = directory[Int(victim.number)] {
                remove(UserRow(base: base))
                evicted += 1
            }
        }
    }
}
