import Runtime

/// A finding about topics that only an operator could mend, and that a broker which has just started may report without
/// reason, because it does not know its topics yet. It counts when it is still found some seconds later.
struct Doubt {
    /// How long a finding must last.
    static let milliseconds = 5_000

    private var since: Int?

    var isPending: Bool { since != nil }

    /// What to throw for a finding made now.
    mutating func failure(_ why: String, at now: Int = monotonicMilliseconds()) -> LogFailure {
        let first = since ?? now
        since = first
        return now - first >= Self.milliseconds ? .stop(why) : .retry(why)
    }
}
