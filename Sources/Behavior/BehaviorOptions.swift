/// How much is kept of one user and of all users of a partition.
public struct StateBounds: Sendable, Equatable {
    public var devices = 8
    public var networks = 12
    public var places = 8
    public var actions = 160
    /// Actions that follow another.
    public var pairs = 224
    public var sessions = 6
    /// Open challenges.
    public var challenges = 4
    /// Hard cap on the bytes of one user's state.
    public var bytesPerUser = 10_240
    /// Users who have logged in successfully or acted, per partition.
    public var usersPerPartition = 1_000_000
    /// Names that never logged in successfully, per partition; they can't evict a user.
    public var unprovenPerPartition = 200_000
    /// Networks and devices whose activity is known, over all users.
    public var sharedNetworks = 4096
    /// Countries, providers, agents and systems of which is known how many users have them.
    public var sharedValues = 4096
    public init() {}
}

/// How event time is cut up, and how fast the past fades. All in milliseconds.
public struct WindowOptions: Sendable, Equatable {
    /// How far behind the greatest event time a partition's watermark runs.
    public var allowedLateness: Int64 = 60_000
    /// How far ahead of the record's timestamp an event's own may be before it is clamped.
    public var allowedSkew: Int64 = 300_000
    /// An input whose newest event is this far behind the task's newest doesn't hold the watermark back.
    public var idle: Int64 = 60_000
    /// A session without events for this long has ended.
    public var sessionGap: Int64 = 1_800_000
    /// Half-life of a session's risk.
    public var sessionRisk: Int64 = 1_800_000
    /// Sliding window of failed logins.
    public var failures: Int64 = 600_000
    /// Hopping window of the action rate.
    public var rate: Int64 = 60_000
    /// Pane of the hopping window; divides `rate` by at most 16.
    public var rateHop: Int64 = 5_000
    /// Half-life of the baseline.
    public var halfLife: Int64 = 240 * 86_400_000
    /// Half-life of the fast baseline beside it: drift is what one has and the other hasn't.
    public var fastHalfLife: Int64 = 7 * 86_400_000
    /// Pane in which what crosses users is summed up and told to other partitions.
    public var pane: Int64 = 5_000
    /// Window of what happens on a network; an answer covers one to two of them.
    public var networks: Int64 = 1_800_000
    /// Window of what counts as common; an answer covers one to two of them.
    public var rarity: Int64 = 45 * 86_400_000
    public init() {}
}
