import Behavior

public typealias Eviction = Behavior.Eviction

/// Evictions are part of what a commit tells its cut: redo does them again where they were done.
extension Engine {
    /// Who gave way since the last mark, in order. None are kept before the first mark.
    public var evictions: [Eviction] { table.evictions }

    /// The count of records stepped.
    public var sequence: UInt64 { table.sequence }

    /// From now on recovering steps evict nothing by themselves; what is listed here, and by later calls, happens right
    /// after the step at whose count it happened. What lies behind the engine's count is passed over.
    public func follow(_ evictions: [Eviction]) {
        mode.pointee.isFollowing = true
        followed.append(contentsOf: evictions.filter { $0.sequence > sequence })
    }

    /// Evictions are the engine's own again.
    public func stopFollowing() {
        mode.pointee.isFollowing = false
        table.followsEvictions = false
        breaker.pointee.follow(before: .max)
        followed.removeAll()
        nextFollowed = 0
    }

    /// Does what happened at the count that was just reached.
    func followEvictions() {
        while nextFollowed < followed.count && followed[nextFollowed].sequence <= sequence {
            table.follow(followed[nextFollowed])
            nextFollowed += 1
        }
        if nextFollowed == followed.count {
            followed.removeAll(keepingCapacity: true)
            nextFollowed = 0
        }
    }
}
