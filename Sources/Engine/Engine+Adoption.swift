import Behavior
import Events

extension EnginePlan {
    /// Whether an engine at work may go on under this plan in place of `other`: whatever says what its state means and how
    /// large it may be is the same. Windows that are counted in panes begin anew under another length, and which of the
    /// rows that nobody touches would, must not depend on what is in memory.
    public func canFollow(_ other: EnginePlan) -> Bool {
        name == other.name && secret == other.secret && inputs == other.inputs && bounds == other.bounds
            && windows.pane == other.windows.pane && windows.networks == other.windows.networks
            && windows.rarity == other.windows.rarity && windows.rate == other.windows.rate
            && windows.rateHop == other.windows.rateHop && model.breadthWindow == other.model.breadthWindow
            && model.exportsWindow == other.model.exportsWindow
    }
}

/// Another plan for the same users.
extension Engine {
    /// An engine that goes on under another plan where this one stands, right after a `mark`: it takes over users, what they
    /// share, windows, challenges and marks, and what is open stays open. This one must not be used any more. The plan must
    /// be one that `canFollow` this one's.
    ///
    /// It stands exactly where an engine would that was restored under that plan from a checkpoint at this cut.
    /// - Complexity: O(plan)
    public func adopting(_ plan: EnginePlan, decoders: Decoders) -> Engine {
        precondition(plan.canFollow(self.plan), "an engine can't adopt a plan under which its state means something else")
        let next = Engine(
            plan: plan, decoders: decoders, keepsPreImages: false, learnsFirst: learnsFirst, population: nil, former: self)
        next.tally.pointee = tally.pointee
        next.mode.pointee = mode.pointee
        next.watermarks.pointee.restore(greatest: watermarks.pointee.greatest, current: watermarks.pointee.current)
        next.breaker.pointee.takeOver(breaker.pointee)
        (next.marks, next.erased) = (marks, erased)
        (next.followed, next.nextFollowed) = (followed, nextFollowed)
        // What an abort puts back beside users is this plan's as well.
        if mode.pointee.hasBaseline { next.takeBaseline() }
        return next
    }
}
