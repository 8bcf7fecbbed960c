import Behavior
import Events

/// What one event contributes to what users share: it depends on the event alone.
public struct Contributed: Sendable {
    public enum Kind: UInt8, Sendable { case nothing, login, action }
    /// In milliseconds since 1970. Every event's time counts, whatever it contributes.
    var time: Int64
    var kind: Kind
    var action: UInt32
    /// Of an action only the user counts.
    var login: Contribution

    @inline(__always)
    init(_ event: Event, _ seen: Observation, user: UInt64) {
        time = seen.time.milliseconds
        action = seen.action
        login = Contribution(of: seen, user: user, failed: event.outcome != .success)
        kind = event.type == .login ? .login : event.type == .action && seen.action != 0 ? .action : .nothing
    }

    /// Of a decoded event without a record's timestamp. `hash` is keyed by the pipeline's secret.
    public init(_ event: Event, hash: KeyedHash) {
        let key = hash(event.user, seed: event.tenant.isEmpty ? 0 : hash(event.tenant))
        self.init(event, Observation(of: event, hash: hash), user: hash(key, 11))
    }
}
