import Behavior
import Events
import Policy

extension Engine {
    /// What rules may ask of the user, the session and the network, as far as any does.
    @inline(__always)
    func context(_ seen: Observation, _ row: UserRow, _ session: Int, _ claim: Proof?) -> UnsafePointer<PolicyContext> {
        if !contextNeeds.isEmpty { askedContext.pointee = context(asked: seen, row, session, claim) }
        return UnsafePointer(askedContext)
    }

    @inline(never)
    private func context(asked seen: Observation, _ row: UserRow, _ session: Int, _ claim: Proof?) -> PolicyContext {
        var context = sessionContext(seen, row, session, claim)
        let (needs, time, windows) = (contextNeeds, seen.time, plan.windows)
        let header = row.header
        if needs.contains(ContextNeeds(.actions)) {
            context[.actions] = Float(header.pointee.rate.count(at: time, hop: windows.rateHop, panes: panes) + 1)
        }
        if needs.contains(ContextNeeds(.failures)) {
            let before = row.failures.count == 0 ? 0 : row.failures.base[0].count(at: time, length: windows.failures)
            context[.failures] = Float(before + (event.pointee.type == .login && event.pointee.outcome == .failure ? 1 : 0))
        }
        if needs.contains(ContextNeeds(.challenges)) {
            context[.challenges] = Float(
                header.pointee.challenges.count([.failed, .denied, .unanswered], at: time, length: 3_600_000))
        }
        if needs.contains(ContextNeeds(.exports)) {
            let before = header.pointee.exports.count(at: time, length: plan.model.exportsWindow)
            context[.exports] = Float(before + (seen.kinds.contains(.export) ? 1 : 0))
        }
        if needs.contains(ContextNeeds(.resources)) {
            let length = plan.model.breadthWindow
            context[.resources] = seen.resource == 0
                ? header.pointee.breadth.count(at: time, length: length)
                : header.pointee.breadth.count(with: seen.resource, at: time, length: length)
        }
        if !needs.isDisjoint(with: .network) {
            let activity = shared.activity(prefix: seen.network)
            context[.networkTries] = Float(activity.tries)
            context[.networkFailures] = Float(activity.failures)
            context[.networkUsers] = Float(activity.usersTried)
            context[.networkUsersFailing] = Float(activity.usersFailing)
        }
        return context
    }
}
