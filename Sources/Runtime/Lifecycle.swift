/// Where a shard is in its life.
///
///                       released, fenced
///        ┌───────────────────────┬──────────────────────┐
///        ▼                       │                      │
///     joining ──assigned──▶ recovering ──redone──▶ running
///        │                    │      ▲               │  ▲
///        │              outage│      │acknowledged   │  │acknowledged
///        │                    ▼      │               │  │
///        │                   away ◀──┴───outage──────┘  │
///        │                    └─────────────────────────┘
///        └──────────── stopped, from every state ─────▶ stopped
public enum Lifecycle: String, Sendable, CaseIterable {
    /// In no group, or in one that has given it nothing yet.
    case joining
    /// Restoring partitions and redoing what they had committed since their checkpoints, output suppressed.
    case recovering
    /// Deciding.
    case running
    /// The log doesn't acknowledge: polling goes on paused, nothing more is read.
    case away
    case stopped

    /// What can happen to a shard.
    public enum Change: Sendable, Equatable {
        case assigned
        case redone
        case outage
        /// Everything produced is acknowledged and committed; `redoing` while some partition is still redone.
        case acknowledged(redoing: Bool)
        /// Revoked, lost or fenced: nothing is owned any more.
        case released
        case stopped
    }

    /// The state after a change. A change that means nothing in a state leaves it as it is.
    public func after(_ change: Change) -> Lifecycle {
        switch (self, change) {
        case (.stopped, _), (_, .stopped): .stopped
        case (_, .released): .joining
        case (_, .assigned): .recovering
        case (.recovering, .redone): .running
        case (.recovering, .outage), (.running, .outage): .away
        case (.away, .acknowledged(let redoing)): redoing ? .recovering : .running
        case (.joining, _), (.recovering, _), (.running, _), (.away, _): self
        }
    }
}
