import Events

/// A decision that was told, as long as somebody may still come back to it.
public struct JudgedSlot {
    /// The decision's `DecisionID.low`: 62 bits of a keyed hash.
    public var id: UInt64
    /// `Observation.scope`.
    public var session: UInt64
    /// Event time in seconds since 1970.
    public var second: UInt32
    public var device: UInt32
    public var network: UInt32
    public var verdict: Verdict
    public var level: RiskLevel
    /// What has been said of it since.
    public var label: FeedbackLabel = .none
    /// By whom.
    public var by: FeedbackSource = .none

    public init(id: DecisionID, _ seen: Observation, verdict: Verdict, level: RiskLevel) {
        self.id = id.low
        session = seen.scope
        second = UInt32(clamping: seen.time.milliseconds / 1000)
        device = seen.device
        network = seen.network
        self.verdict = verdict
        self.level = level
    }

    public var time: Timestamp { Timestamp(milliseconds: Int64(second) * 1000) }
}

extension UserTable {
    /// Decisions of a user that can be found again.
    public static let mostJudged = 32

    /// Remembers a decision in the place of the oldest, once there are `mostJudged` or the row has no room for more. The row
    /// may move.
    /// - Complexity: O(1) amortised
    public func remember(_ decision: JudgedSlot, of start: UserRow) -> UserRow {
        if let (row, index) = append(.judged, to: start) {
            row.judged[index] = decision
            return row
        }
        let judged = start.judged
        guard judged.count > 0 else { return start }
        let next = Int(start.header.pointee.nextJudged) % judged.count
        judged[next] = decision
        start.header.pointee.nextJudged = UInt8(next + 1)
        return start
    }
}

extension UserRow {
    /// The place of that decision among those remembered.
    /// - Complexity: O(`mostJudged`)
    public func judged(_ id: DecisionID) -> Int? {
        let judged = judged
        for index in 0..<judged.count where judged[index].id == id.low { return index }
        return nil
    }
}
