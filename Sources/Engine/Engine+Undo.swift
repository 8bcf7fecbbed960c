import Behavior
import Events

/// Back to the last commit, when its successor was aborted.
extension Engine {
    /// What `undo` puts back beside the table.
    struct Baseline {
        var watermark: Watermark
        var counters: EngineCounters
        var erased: [UInt64: ErasedUser]
        var panes: PaneMark
        var breaker: Breaker
    }

    /// Returns everything to the last `mark`: users, numbers and who is dirty, what users share, counters, evictions.
    /// Steps with `recovering` are of records that were committed before: they are not undone, and whatever came before
    /// them isn't either. Needs `keepsPreImages`.
    /// - Complexity: O(bytes of the users changed since)
    public func undo() {
        guard mode.pointee.hasBaseline, let baseline else { return }
        table.undo()
        watermarks.pointee = baseline.watermark
        tally.pointee = baseline.counters
        erased = baseline.erased
        breaker.pointee = baseline.breaker
        if contributes { population.takeBack(to: baseline.panes) }
    }

    /// What follows was committed before, until a step says otherwise: marks are no places to return to.
    public func beginRedo() {
        if mode.pointee.keepsPreImages { settleBaseline(recovering: true) }
    }

    /// From here on changes can be undone.
    func takeBaseline() {
        guard mode.pointee.keepsPreImages else { return }
        mode.pointee.hasBaseline = true
        table.keepPreImages()
        baseline = Baseline(
            watermark: watermarks.pointee, counters: tally.pointee, erased: erased, panes: population.mark(returns: contributes),
            breaker: breaker.pointee)
    }

    /// Before a step that is recovering, or the first that is not.
    @inline(never)
    func settleBaseline(recovering: Bool) {
        mode.pointee.isRecovering = recovering
        if !recovering {
            takeBaseline()
        } else if mode.pointee.hasBaseline {
            mode.pointee.hasBaseline = false
            table.dropPreImages()
        }
    }
}
