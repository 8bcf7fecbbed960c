import Behavior
import Events
import Policy
import Risk

/// Verdicts on earlier decisions.
extension Engine {
    /// Acts on what an analyst or the person says of a decision among the user's last: it overrides what came of it before.
    /// A person's word counts only from where it can't be the intruder's: see `hasStanding`. The same said again changes
    /// nothing, and the person doesn't overrule an analyst.
    func heed(_ record: Record, _ seen: Observation, _ start: UserRow, into effects: inout Effects) -> UserRow {
        var row = start
        scorer.scoreNothing(row: row, into: &assessment.pointee)
        func leave(_ reason: ByteView) -> UserRow {
            tell(record, .allow, reason, row, isNews: false, into: &effects)
            return row
        }
        if event.pointee.flags.contains(.duplicate) { return leave(texts.feedbackRepeated) }
        guard let id = DecisionID(text: event.pointee.feedbackDecision), let place = row.judged(id) else {
            tally.pointee.feedbackUnknown &+= 1
            return leave(texts.feedbackUnknown)
        }
        let judged = row.judged[place]
        let (label, by) = (event.pointee.feedbackLabel, event.pointee.feedbackBy)
        guard by == .analyst || (judged.by != .analyst && hasStanding(seen, judged, row)) else {
            tally.pointee.feedbackUnheeded &+= 1
            return leave(texts.feedbackUnheeded)
        }
        guard judged.label != label else {
            tally.pointee.feedbackRepeated &+= 1
            return leave(texts.feedbackRepeated)
        }
        (row.judged.base[place].label, row.judged.base[place].by) = (label, by)
        // The session that is meant is the judged decision's; the one that says so must not be taken for it.
        if seen.session != judged.session { event.pointee.session = .absent }
        decision.about = id
        if label == .legitimate {
            tally.pointee.feedbackLegitimate &+= 1
            tell(record, .allow, texts.feedbackLegitimate, row, isNews: true, into: &effects)
            row = trust(judged, row)
            // That it was not the person who answered is for an analyst to overrule.
            if by == .analyst { row.header.pointee.alarmedAt = 0 }
        } else {
            tally.pointee.feedbackCompromised &+= 1
            tell(record, .terminateSession, texts.feedbackCompromised, row, isNews: true, into: &effects)
            row = distrust(judged, row)
        }
        decision.about = .none
        return row
    }

    /// What is said of somebody nobody knows.
    func heedNothing(_ record: Record, into effects: inout Effects) {
        tally.pointee.feedbackUnknown &+= 1
        tally.pointee.verdicts[Int(Verdict.allow.rawValue)] &+= 1
        guard plan.emit == .all else { return }
        scorer.scoreNothing(contexts: 0, into: &assessment.pointee)
        emit(record, .allow, reason: texts.feedbackUnknown, previous: .low, isAsking: false, reported: .none, into: &effects)
    }

    /// It was the person: what waits with that session is learned as if proven, its device is vouched for, and nothing is held
    /// against it or the account any more. A terminated session stays so.
    private func trust(_ judged: JudgedSlot, _ start: UserRow) -> UserRow {
        var row = start
        table.prove(row)
        var isHeld = false
        for index in stride(from: row.holds.count - 1, through: 0, by: -1)
        where row.holds[index].session == judged.session && row.holds[index].device == judged.device {
            row = table.learnHold(at: index, of: row, weight: Self.provenWeight, vouches: true)
            isHeld = true
        }
        if !isHeld { row = table.vouch(for: judged.device, at: judged.time, weight: 1, of: row) }
        if let session = table.session(judged.session, of: row), !row.sessions[session].flags.contains(.terminated) {
            row.sessions.base[session].flags.remove(.tainted)
            row.sessions.base[session].risk = 0
        }
        row.header.pointee.challenges = ChallengeHistory()
        row.header.pointee.ignoredMethods = 0
        return row
    }

    /// It was somebody else: that session is over, whatever waits with it is dropped, its device and network are strange to
    /// the user again, and the account is watched as after a challenge the person has denied.
    private func distrust(_ judged: JudgedSlot, _ start: UserRow) -> UserRow {
        var row = start
        // A device stands for a session where events name none; there is nothing then that could be terminated.
        if judged.session & 1 == 1 && table.session(judged.session, of: row) == nil {
            var seen = Observation(time: judged.time)
            (seen.session, seen.device, seen.network) = (judged.session, judged.device, judged.network)
            (row, _) = table.openSession(seen, of: row)
        }
        table.terminate(judged.session, at: event.pointee.time, of: row)
        table.distrust(device: judged.device, network: judged.network, since: judged.time, of: row)
        row.header.pointee.challenges.add(.denied, at: event.pointee.time)
        alarm(row, at: event.pointee.time)
        return row
    }

    /// For how long after it was passed: a day.
    static let wordSeconds: UInt32 = 86_400

    /// Whether the person's word counts: it comes from another session than the judged one, in which something was proven that
    /// can't be phished, and from where it was proven.
    private func hasStanding(_ seen: Observation, _ judged: JudgedSlot, _ row: UserRow) -> Bool {
        guard seen.session != 0, seen.session != judged.session, let session = table.session(seen.session, of: row),
            row.sessions[session].flags.isDisjoint(with: [.tainted, .terminated, .rotated])
        else { return false }
        let need = ProofNeed(
            level: AssuranceLevel.phishingResistant.rawValue, risk: .low, validForSeconds: Self.wordSeconds)
        let proofs = row.sessions[session].proofs
        return proofs.isIn(context: seen) && proofs.proof(of: need, at: seen.time) != nil
    }
}
