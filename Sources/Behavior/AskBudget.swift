import Events

/// A question that was put, as the budget remembers it.
public struct AskSlot {
    /// Seconds since 1970.
    public var second: UInt32
    /// Half of the session's fingerprint; the lowest bit says that the device was not one of the user's.
    public var session: UInt32
}

/// How often a person may be asked.
extension UserTable {
    /// Takes one question from the user's budget, and says whether there was one left. Within an hour of event time there
    /// are `most`: half of them at most for one session, and half for all devices together that are not the user's own, so
    /// that whoever has a stolen cookie or a password can't use up what the owner needs. Where a row has no room to remember
    /// more, there are fewer. The row may move.
    /// - Complexity: O(most)
    public func charge(_ seen: Observation, isOwn: Bool, most: Int, of start: UserRow) -> (row: UserRow, isGranted: Bool) {
        let second = UInt32(clamping: seen.time.milliseconds / 1000)
        let session = UInt32(truncatingIfNeeded: seen.scope >> 32) & ~1
        var (count, same, doubtful, free) = (0, 0, 0, -1)
        let asks = start.asks
        for index in 0..<asks.count {
            // A late event and one of the future see the same hour.
            if abs(Int64(second) - Int64(asks[index].second)) >= Self.askWindow {
                free = index
                continue
            }
            count += 1
            if asks[index].session & ~1 == session { same += 1 }
            if asks[index].session & 1 == 1 { doubtful += 1 }
        }
        let half = max(most / 2, 1)
        guard count < most, same < half, isOwn || doubtful < half else { return (start, false) }
        let slot = AskSlot(second: second, session: session | (isOwn ? 0 : 1))
        if free >= 0 {
            asks[free] = slot
            return (start, true)
        }
        guard let (row, index) = append(.asks, to: start) else { return (start, false) }
        row.asks[index] = slot
        return (row, true)
    }

    /// Seconds.
    static let askWindow: Int64 = 3600
    /// Questions remembered at most, and so the largest budget.
    public static let mostAsks = 24
}
