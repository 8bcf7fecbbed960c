import Behavior
import Events
import Policy
import Risk

/// Passing over rules that ask too many of those who should be left alone.
extension Engine {
    typealias Found = (verdict: Verdict, rule: Int, reported: ReportedRules)

    /// Evidence of somebody else at work, which an attacker can bring about for others too: who shows any of it neither counts
    /// for the breaker nor is spared by it. Questions left unanswered are no such evidence: they are what too many of them
    /// come to.
    static let doubt = Signal.allCases.reduce(into: novelty.union(.undeniable).union(SignalSet(.travelImprobable))) {
        let isAttack = [.attack, .login, .session, .challenge, .input].contains($1.group)
        if isAttack && $1 != .challengeAbandoned { $0.insert(SignalSet($1)) }
    }

    /// An established user on a device that is vouched for, with nothing that speaks of an attack.
    private func isBeyondDoubt(_ seen: Observation, _ row: UserRow) -> Bool {
        assessment.pointee.confidence == .established && assessment.pointee.fired.isDisjoint(with: Self.doubt)
            && isVouched(seen.device, row)
    }

    /// Counts the user once a window.
    @inline(__always)
    func noteThere(_ seen: Observation, _ row: UserRow) {
        if breaker.pointee.isFollowing { breaker.pointee.follow(before: table.sequence) }
        guard assessment.pointee.confidence == .established else { return }
        let second = UInt32(clamping: seen.time.milliseconds / 1000)
        if second &- row.header.pointee.countedIn >= breaker.pointee.window { countThere(seen, row, second) }
    }

    @inline(never)
    private func countThere(_ seen: Observation, _ row: UserRow, _ second: UInt32) {
        let start = breaker.pointee.start(of: second)
        guard start > row.header.pointee.countedIn, isBeyondDoubt(seen, row) else { return }
        row.header.pointee.countedIn = start
        row.header.pointee.flags.remove(.countedAsked)
        breaker.pointee.add(userIn: start)
    }

    /// Counts once a window that the user was asked, or would have been. Questions about sensitive actions are no mistake.
    func noteAsked(_ seen: Observation, _ row: UserRow) {
        guard !seen.kinds.contains(.sensitive), isBeyondDoubt(seen, row) else { return }
        let start = breaker.pointee.start(of: UInt32(clamping: seen.time.milliseconds / 1000))
        guard start == row.header.pointee.countedIn, !row.header.pointee.flags.contains(.countedAsked) else { return }
        row.header.pointee.flags.insert(.countedAsked)
        if breaker.pointee.add(askedIn: start, at: seen.time, sequence: table.sequence) { tally.pointee.breakerOpened &+= 1 }
    }

    /// What the rules say without those that are relaxed, which are then reported. Only of a question, only while the breaker
    /// is open, and never where what follows would be a denial, the action is sensitive, or anything speaks of an attack.
    @inline(never)
    func relax(
        _ found: Found, _ context: UnsafePointer<PolicyContext>, _ seen: Observation, _ row: UserRow, _ session: Int, _ claim: Proof?
    ) -> Found {
        guard found.rule >= 0, breaker.pointee.relaxed.contains(found.rule), !seen.kinds.contains(.sensitive),
            isBeyondDoubt(seen, row),
            standing(policy.demand(of: found.rule), seen, row, proofSlot(seen, row, session), claim) == .open
        else { return found }
        let rest = policy.evaluate(event, assessment, context, relaxed: breaker.pointee.relaxed)
        guard rest.verdict <= .stepUp else { return found }
        noteAsked(seen, row)
        tally.pointee.relaxed &+= 1
        return rest
    }
}
