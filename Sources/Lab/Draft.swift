import Events

/// An event before it is written: small and fixed, so that a day of them fits in memory.
struct Draft {
    var time: Int64
    /// The event's number in the order of making; its id is a scramble of it.
    var ordinal: UInt64
    var user: UInt32
    var type = EventType.action
    var action = Action.accountList
    var failed = false
    /// The login came by a link for a forgotten password.
    var isReset = false
    var strong = false
    /// 0 where there is no session yet.
    var session: UInt64 = 0
    var token: UInt64 = 0
    var resource: UInt32 = 0
    /// Cents; negative for none.
    var amount: Int64 = -1
    var network: Network
    var device: Device
    /// 0 when absent.
    var roundTrip: UInt16 = 0
    var authTime: Int64 = 0
    /// What currency the account is kept in.
    var homeCity: UInt8 = 0
    var attack: AttackKind?
    var twin: BenignTwin?
    /// What tells one occurrence of the twin from another.
    var occurrence: UInt32 = 0
    /// Ordinal of the first hostile event, where `attack` is set.
    var onset: UInt64 = 0
}

/// A run of one user's events in a day's drafts: a session that an attack may join.
struct SessionSpan {
    var user: UInt32
    /// Index of the login that succeeded, and the number of events from it on.
    var first: Int
    var count: Int
}

/// The drafts of one day, plus what earlier days left over, and the day's sessions.
struct Day {
    var drafts: [Draft] = []
    var sessions: [SessionSpan] = []
    private(set) var nextOrdinal: UInt64 = 0
    /// Successful legitimate logins of each user on earlier days, up to 255.
    private(set) var history: [UInt8]
    private var fresh: [UInt32] = []

    init(users: Int) { history = Array(repeating: 0, count: users) }

    mutating func append(_ draft: Draft) {
        var numbered = draft
        numbered.ordinal = nextOrdinal
        nextOrdinal += 1
        drafts.append(numbered)
        if draft.type == .login, !draft.failed, draft.attack == nil { fresh.append(draft.user) }
    }

    /// Ends a day: keeps only the events at or after `time`.
    mutating func drop(before time: Int64) {
        for user in fresh where history[Int(user)] < .max { history[Int(user)] += 1 }
        fresh.removeAll(keepingCapacity: true)
        drafts.removeAll { $0.time < time }
        sessions.removeAll(keepingCapacity: true)
    }
}
