/// A login before it is written: small and fixed, so that a day of them fits in memory.
struct LoginDraft: Sendable {
    /// Milliseconds since 1970.
    var time: Int64
    /// The event's number in the order of making; its id is a scramble of it.
    var ordinal: UInt64 = 0
    var user: UInt32
    var address: UInt32
    var agent: LoginAgent
    var succeeds: Bool
    var kind = LoginKind.legitimate
    /// 0 when absent.
    var roundTrip: UInt16 = 0
    /// 0 where there is none.
    var session: UInt64 = 0
    /// 0 where the event names none.
    var device: UInt64 = 0
}
