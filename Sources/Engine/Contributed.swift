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
    init(_ event: UnsafePointer<Event>, _ seen: Observation, user: UInt64) {
        time = seen.time.milliseconds
        action = seen.action
        login = Self.login(event, seen, user: user)
        kind = Self.kind(event, seen)
    }

    @inline(__always)
    static func kind(_ event: UnsafePointer<Event>, _ seen: Observation) -> Kind {
        switch event.pointee.type {
        case .login: .login
        case .action: seen.action != 0 ? .action : .nothing
        default: .nothing
        }
    }

    @inline(__always)
    static func login(_ event: UnsafePointer<Event>, _ seen: Observation, user: UInt64) -> Contribution {
        Contribution(of: seen, user: user, failed: event.pointee.outcome != .success)
    }

    /// Of a decoded event without a record's timestamp. `hash` is keyed by the pipeline's secret; `agents` belongs to the
    /// calling thread.
    public init(_ event: Event, hash: KeyedHash, agents: AgentMemo) {
        let key = hash(event.user, seed: event.tenant.isEmpty ? 0 : hash(event.tenant))
        self = withUnsafePointer(to: event) {
            Self($0, Observation(of: $0, hash: hash, agents: agents), user: hash(key, 11))
        }
    }
}
