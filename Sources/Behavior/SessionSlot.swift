import Events

public struct SessionFlags: OptionSet, Sendable {
    public var rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// An event of it was denied: nothing more of it is learned unless a challenge is passed.
    @inlinable public static var tainted: SessionFlags { SessionFlags(rawValue: 1) }
    /// It was terminated, and stays so.
    @inlinable public static var terminated: SessionFlags { SessionFlags(rawValue: 2) }
    /// Its context has joined the baseline.
    @inlinable public static var learned: SessionFlags { SessionFlags(rawValue: 4) }
    /// It goes on under another name: whoever still comes under this one has it from somewhere else.
    @inlinable public static var rotated: SessionFlags { SessionFlags(rawValue: 8) }
}

/// A session of the user and what it is bound to.
public struct SessionSlot {
    public var fingerprint: UInt64
    public var window: SessionWindow
    /// The context it was last trusted in.
    public var device: UInt32
    public var network: UInt32
    public var asn: UInt32
    /// The context its token was first seen in.
    public var token: UInt32
    public var tokenDevice: UInt32
    public var tokenNetwork: UInt32
    public var tokenASN: UInt32
    /// The network of the last event, and when (seconds since 1970) the session last moved between networks.
    public var currentNetwork: UInt32
    public var currentASN: UInt32
    public var movedAt: UInt32
    /// Moves between networks within ten minutes of each other.
    public var moves: UInt16
    public var flags: SessionFlags
    public var course = ActionCourse()
    public var proofs = SessionProofs()
    /// When the person last authenticated, as far as events have said, in seconds since 1970; and how, all in all
    /// (`AuthenticationMethods.rawValue`), answers to challenges included.
    public var authenticatedAt: UInt32 = 0
    public var methods: UInt32 = 0
    /// Points above the base rate of the riskiest event, as they were at `riskAt`, in seconds since 1970.
    public var risk: Float = 0
    public var riskAt: UInt32 = 0
    /// When it went on under another name, in seconds since 1970.
    public var rotatedAt: UInt32 = 0

    /// Keeps the riskier of what is known, faded by half each `halfLife` milliseconds, and `points` above the base rate.
    public mutating func raiseRisk(to points: Float, at time: Timestamp, halfLife: Int64) {
        risk = max(points, fadedRisk(at: time, halfLife: halfLife))
        riskAt = max(riskAt, time.secondsHeld)
    }

    /// Points above the base rate that are left of the riskiest event.
    public func fadedRisk(at time: Timestamp, halfLife: Int64) -> Float {
        guard risk > 0 else { return 0 }
        let age = max(Double(time.secondsHeld) - Double(riskAt), 0)
        return risk * Float(Portable.exp2(-age * 1000 / Double(max(halfLife, 1))))
    }
}

extension UserTable {
    /// Remembers a session under the name it no longer goes by. Such names take at most half of the sessions' places; where
    /// there is no free one, that of the session longest without events which is neither ended nor the one that goes on,
    /// `successor`. The row may move.
    public func bury(_ slot: SessionSlot, successor: UInt64, of row: UserRow) -> UserRow {
        let sessions = row.sessions
        var (count, oldest, idle) = (0, -1, -1)
        for index in 0..<sessions.count {
            let other = sessions[index]
            if other.flags.contains(.rotated) {
                count += 1
                if oldest < 0 || other.rotatedAt < sessions[oldest].rotatedAt { oldest = index }
            } else if !other.flags.contains(.terminated) && other.fingerprint != successor {
                if idle < 0 || other.window.last < sessions[idle].window.last { idle = index }
            }
        }
        if count < max(bounds.sessions / 2, 1) {
            if let (moved, index) = append(.sessions, to: row) {
                moved.sessions[index] = slot
                return moved
            }
            oldest = idle
        }
        if oldest >= 0 { sessions[oldest] = slot }
        return row
    }
}
