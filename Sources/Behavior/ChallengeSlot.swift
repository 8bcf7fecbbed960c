import Events

/// A question that was put to a person, and what has come of it.
public struct ChallengeSlot {
    public var id: DecisionID
    /// `Observation.scope`.
    public var session: UInt64
    public var expires: Timestamp
    /// Identifies what was asked, across versions of the pipeline (`CompiledPolicy.Demand.fingerprint`).
    public var demand: UInt32
    /// The context it was asked in.
    public var device: UInt32
    public var network: UInt32
    public var asn: UInt32
    /// Seconds since 1970.
    public var asked: UInt32
    /// When it was closed; 0 while it is open.
    public internal(set) var closed: UInt32 = 0
    public internal(set) var state = ChallengeState.issued
    public var flags: ChallengeFlags
    /// The assurance it asks for (`AssuranceLevel.rawValue`).
    public var need: UInt8
    /// The highest level of a decision that asked it (`RiskLevel.rawValue`).
    public var risk: UInt8
    /// How it may be answered: a set of `ChallengeMethod.bit`.
    public var methods: UInt8
    /// Answers that failed.
    public var attempts: UInt8 = 0
    /// The same in the order in which they were offered: three bits for each, one more than its place, the first lowest.
    public var offered: UInt16

    public init(
        id: DecisionID, asking seen: Observation, expires: Timestamp, demand: UInt32, need: UInt8 = 0, risk: RiskLevel = .low,
        methods: UInt8 = 0, offered: UInt16 = 0, flags: ChallengeFlags = []
    ) {
        self.id = id
        self.session = seen.scope
        self.expires = expires
        self.demand = demand
        self.device = seen.device
        self.network = seen.network
        self.asn = seen.asn
        self.asked = seen.time.secondsHeld
        self.flags = flags
        self.need = need
        self.risk = risk.rawValue
        self.methods = methods
        self.offered = offered
    }

    /// The method offered first, which is the one that was ignored where nobody says which; a set of one, or none.
    public var firstOffered: UInt8 { offered & 7 == 0 ? 0 : 1 << UInt8((offered & 7) - 1) }

    public var isOpen: Bool { state == .issued }
}

public struct ChallengeFlags: OptionSet, Sendable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// It may be answered by a push.
    @inlinable public static var push: ChallengeFlags { ChallengeFlags(rawValue: 1) }
}

/// Opening and closing questions. Closed ones are remembered for a while, so that what comes late, twice or out of nowhere
/// can be told apart.
extension UserTable {
    /// Closed questions kept of a user.
    static let closedChallenges = 4

    /// Opens a challenge. At the bound of open ones, the one that expires first gives way, and is asked anew when it is
    /// needed; closed ones never push out an open one. The row may move.
    public func open(_ challenge: ChallengeSlot, of row: UserRow) -> UserRow {
        let slots = row.challenges
        var (first, open) = (-1, 0)
        for index in 0..<slots.count where slots.base[index].isOpen {
            open += 1
            if first < 0 || slots.base[index].expires < slots.base[first].expires { first = index }
        }
        if open >= bounds.challenges {
            noteUnanswered(slots[first], at: slots[first].expires, of: row)
            settle(challenge: first, .superseded, at: challenge.asked, of: row)
        }
        if let (moved, index) = append(.challenges, to: row) {
            moved.challenges[index] = challenge
            return moved
        }
        let kept = row.challenges
        guard kept.count > 0 else { return row }
        var victim = oldestClosed(of: row).index
        if victim < 0 {
            victim = 0
            for index in 1..<kept.count where kept.base[index].expires < kept.base[victim].expires { victim = index }
            noteUnanswered(kept[victim], at: kept[victim].expires, of: row)
        }
        kept[victim] = challenge
        return row
    }

    /// Takes the challenge where what happened takes it; nil, and nothing changed, where it can't happen. `second` is since
    /// 1970. Other challenges may change their places behind `index` and before it.
    @discardableResult
    public func settle(
        challenge index: Int, _ happening: ChallengeState.Happening, at second: UInt32, of row: UserRow
    ) -> ChallengeState? {
        let slot = row.challenges.base + index
        guard let next = slot.pointee.state.after(happening) else { return nil }
        if next == .issued { return next }
        slot.pointee.state = next
        slot.pointee.closed = second
        let (count, oldest) = oldestClosed(of: row)
        if count > Self.closedChallenges { row.removeChallenge(at: oldest) }
        return next
    }

    private func oldestClosed(of row: UserRow) -> (count: Int, index: Int) {
        let slots = row.challenges
        var (count, oldest) = (0, -1)
        for index in 0..<slots.count where !slots.base[index].isOpen {
            count += 1
            if oldest < 0 || slots.base[index].closed < slots.base[oldest].closed { oldest = index }
        }
        return (count, oldest)
    }

    /// Closes the open challenges whose time has passed; returns how many.
    @inline(__always)
    public func closeExpired(of row: UserRow, at time: Timestamp) -> Int {
        row.challenges.count == 0 ? 0 : closeOverdue(of: row, at: time)
    }

    @inline(never)
    private func closeOverdue(of row: UserRow, at time: Timestamp) -> Int {
        var closed = 0
        var index = row.challenges.count - 1
        // Closing one may take another out of the row, and move the last, which has been looked at, into its place.
        while index >= 0 {
            let slot = row.challenges[index]
            if slot.isOpen && time >= slot.expires {
                noteUnanswered(slot, at: slot.expires, of: row)
                row.header.pointee.ignoredMethods |= slot.firstOffered
                settle(challenge: index, .expired, at: slot.expires.secondsHeld, of: row)
                closed += 1
            }
            index -= 1
        }
        return closed
    }

    /// Closes the session's open challenges; nobody is left to answer them.
    public func closeChallenges(of session: UInt64, at time: Timestamp, in row: UserRow) {
        var index = row.challenges.count - 1
        while index >= 0 {
            if row.challenges[index].session == session { settle(challenge: index, .superseded, at: time.secondsHeld, of: row) }
            index -= 1
        }
    }

    /// Remembers a challenge that was never answered.
    public func noteUnanswered(_ challenge: ChallengeSlot, at time: Timestamp, of row: UserRow) {
        row.header.pointee.challenges.add(challenge.flags.contains(.push) ? [.unanswered, .push] : .unanswered, at: time)
    }
}
