import Behavior
import Events
import Policy
import Risk

/// What comes of the questions asked.
extension Engine {
    /// What came of a challenge. It counts only with its own nonce, while the question is open, from the session and device
    /// that were asked, and by a method that proves as much as was asked for.
    func answer(_ record: Record, _ seen: Observation, _ start: UserRow, into effects: inout Effects) -> UserRow {
        var row = start
        scorer.scoreNothing(row: row, into: &assessment.pointee)
        let method = assurance.method(named: event.pointee.challengeMethod)
        let (outcome, index) = receive(seen, row, method)
        tally.pointee.challenges[outcome] &+= 1
        var verdict = Verdict.allow
        if index >= 0 {
            let challenge = row.challenges[index]
            settle(index, outcome, method, seen, row)
            switch outcome {
            case .passed:
                row = accept(challenge, method, seen, row)
            case .denied:
                if challenge.session == seen.session && table.session(seen.session, of: row) == nil {
                    (row, _) = table.openSession(seen, of: row)
                }
                table.terminate(challenge.session, at: seen.time, of: row)
                alarm(row, at: seen.time)
                verdict = .terminateSession
            default: break
            }
        }
        tell(record, verdict, outcome, row, into: &effects)
        return row
    }

    /// What the result is worth, and of which challenge; −1 where it changes none.
    private func receive(_ seen: Observation, _ row: UserRow, _ method: ChallengeMethod?) -> (ChallengeOutcome, Int) {
        if event.pointee.flags.contains(.duplicate) { return (.duplicate, -1) }
        guard let id = DecisionID(text: event.pointee.challengeDecision) else { return (.unknown, -1) }
        guard hasNonce(of: id) else { return (.forged, -1) }
        var index = row.challenges.count - 1
        while index >= 0 && row.challenges[index].id != id { index -= 1 }
        guard index >= 0 else { return (.unknown, -1) }
        let challenge = row.challenges[index]
        switch challenge.state {
        case .issued: break
        case .timedOut: return (.late, -1)
        case .superseded: return (.superseded, -1)
        case .passed, .failed, .denied, .abandoned: return (.duplicate, -1)
        }
        guard isFromWhereAsked(challenge, seen, row) else { return (.elsewhere, -1) }
        switch event.pointee.challengeResult {
        case .passed: return suffices(method, challenge) ? (.passed, index) : (.weaker, -1)
        case .failed: return (.failed, index)
        case .denied: return (.denied, index)
        case .abandoned: return (.abandoned, index)
        case .timedOut: return (.timedOut, index)
        case .none: return (.unknown, -1)
        }
    }

    /// Whether the answer comes from where the question was put: the same session, as long as it goes by that name, or,
    /// where events name neither session nor token, the device that stands for it; and the same device, unless one of them
    /// names none.
    private func isFromWhereAsked(_ challenge: ChallengeSlot, _ seen: Observation, _ row: UserRow) -> Bool {
        guard challenge.session == seen.session || challenge.session & 1 == 0 else { return false }
        guard seen.device == 0 || challenge.device == 0 || seen.device == challenge.device else { return false }
        guard let session = table.session(challenge.session, of: row) else { return true }
        return !row.sessions.base[session].flags.contains(.rotated)
    }

    /// Whether the method is one that was offered, or proves as much. A push that was withheld is no answer.
    private func suffices(_ method: ChallengeMethod?, _ challenge: ChallengeSlot) -> Bool {
        guard let method else {
            return !event.pointee.challengeMethod.isPresent && assurance.weakest(of: challenge.methods).rawValue >= challenge.need
        }
        if challenge.methods & method.bit != 0 { return true }
        return method != .push && assurance.level(of: method).rawValue >= challenge.need
    }

    /// Takes the challenge where its result takes it, and remembers what that says of the user. A result without its nonce
    /// never gets here: else anybody could raise anybody's risk.
    private func settle(
        _ index: Int, _ outcome: ChallengeOutcome, _ method: ChallengeMethod?, _ seen: Observation, _ row: UserRow
    ) {
        let header = row.header
        let challenge = row.challenges[index]
        let second = UInt32(clamping: seen.time.milliseconds / 1000)
        var isLast = false
        switch outcome {
        case .passed:
            forgetAnswers(row, method, challenge)
        case .failed:
            note(.failed, challenge, row)
            row.challenges.base[index].attempts &+= 1
            isLast = Int(challenge.attempts) + 1 >= plan.assurance.attempts
            if isLast { giveUp(challenge, seen, row) }
        case .denied:
            note(.denied, challenge, row)
        case .abandoned, .timedOut:
            note(.unanswered, challenge, row)
            header.pointee.ignoredMethods |= method.map { $0.bit } ?? challenge.firstOffered
        default: return
        }
        table.settle(challenge: index, .answered(event.pointee.challengeResult, isLast: isLast), at: second, of: row)
    }

    /// Remembers what came of a challenge of the user's.
    private func note(_ kind: ChallengeHistory.Kind, _ challenge: ChallengeSlot, _ row: UserRow) {
        let method = event.pointee.challengeMethod
        let isPush = method.isPresent ? method == "push" : challenge.flags.contains(.push)
        row.header.pointee.challenges.add(isPush ? kind.union(.push) : kind, at: event.pointee.time)
    }

    /// What came of earlier challenges is settled by one that is passed: all of it by a method nobody can be talked into,
    /// else what was merely not managed.
    private func forgetAnswers(_ row: UserRow, _ method: ChallengeMethod?, _ challenge: ChallengeSlot) {
        let header = row.header
        header.pointee.ignoredMethods = 0
        if let method {
            header.pointee.lastMethod = method.bit
            header.pointee.enrolled.formUnion(method.asSet)
        }
        if level(of: method, challenge) >= .phishingResistant {
            header.pointee.challenges = ChallengeHistory()
            header.pointee.flags.remove(.pushStopped)
        } else {
            header.pointee.challenges.remove(.failed)
        }
    }

    /// Nobody could answer: what waits with the session is dropped, what it had proven is over, and nothing more of it is
    /// learned until somebody can.
    private func giveUp(_ challenge: ChallengeSlot, _ seen: Observation, _ row: UserRow) {
        table.dropHolds(of: challenge.session, in: row)
        guard let session = table.session(challenge.session, of: row) else { return }
        row.sessions.base[session].flags.insert(.tainted)
        row.sessions.base[session].proofs = SessionProofs()
        row.sessions.base[session].raiseRisk(
            to: Float(scorer.criticalPoints), at: seen.time, halfLife: plan.windows.sessionRisk)
    }

    /// What the answer proves: what its method does; where it names none, the least that was offered.
    private func level(of method: ChallengeMethod?, _ challenge: ChallengeSlot) -> AssuranceLevel {
        method.map { assurance.level(of: $0) } ?? assurance.weakest(of: challenge.methods)
    }

    /// The person has proven to be who they are: what was held of the session on the device that was asked is learned, the
    /// session is bound to the context it was asked in, and holds the proof there.
    private func accept(
        _ challenge: ChallengeSlot, _ method: ChallengeMethod?, _ seen: Observation, _ start: UserRow
    ) -> UserRow {
        var row = start
        table.prove(row)
        var context = seen
        (context.device, context.network, context.asn) = (challenge.device, challenge.network, challenge.asn)
        for index in stride(from: row.holds.count - 1, through: 0, by: -1)
        where row.holds[index].session == challenge.session {
            if row.holds[index].device == context.device {
                row = table.learnHold(at: index, of: row, weight: Self.provenWeight, vouches: true)
            } else {
                row.removeHold(at: index)
            }
        }
        let session: Int
        if let known = table.session(challenge.session, of: row) {
            session = known
        } else {
            (row, session) = table.openSession(context, of: row)
            row.sessions.base[session].fingerprint = challenge.session
        }
        let slot = row.sessions.base + session
        (slot.pointee.device, slot.pointee.network, slot.pointee.asn) = (context.device, context.network, context.asn)
        slot.pointee.tokenDevice = context.device
        slot.pointee.tokenNetwork = context.network
        slot.pointee.tokenASN = context.asn
        slot.pointee.course.window = SequenceWindow()
        row.header.pointee.course.window = SequenceWindow()
        slot.pointee.flags.insert(.learned)
        slot.pointee.flags.remove(.tainted)
        slot.pointee.risk = 0
        if let method { slot.pointee.methods |= assurance.amr(of: method).rawValue }
        let risk = RiskLevel(rawValue: challenge.risk) ?? .low
        slot.pointee.proofs.add(
            Proof(.challenge, level: level(of: method, challenge).rawValue, risk: risk, at: seen.time), in: context)
        return event.pointee.newSession.isPresent ? rotate(session, asked: challenge, seen, row) : row
    }

    /// Says what the result led to.
    private func tell(
        _ record: Record, _ verdict: Verdict, _ outcome: ChallengeOutcome, _ row: UserRow, into effects: inout Effects
    ) {
        tell(
            record, verdict, texts.outcomes[Int(outcome.rawValue)], row, isNews: outcome == .passed || outcome == .denied,
            into: &effects)
    }

    /// Says what came of an event that is not itself judged. What is no news is told only where everything is.
    func tell(
        _ record: Record, _ verdict: Verdict, _ reason: ByteView, _ row: UserRow, isNews: Bool, into effects: inout Effects
    ) {
        tally.pointee.verdicts[Int(verdict.rawValue)] &+= 1
        let previous = row.header.pointee.level
        if isNews || plan.emit == .all {
            emit(record, verdict, reason: reason, previous: previous, isAsking: false, reported: .none, into: &effects)
        }
        guard isNews else { return }
        row.header.pointee.level = assessment.pointee.level
        row.header.pointee.verdict = verdict
    }
}
