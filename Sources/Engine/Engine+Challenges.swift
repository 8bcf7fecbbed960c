import Behavior
import Events
import Policy
import Risk

/// What comes of the questions asked.
extension Engine {
    /// What came of a challenge. It counts only with its own nonce, before it expires, and for the session it was
    /// asked of.
    func answer(_ record: Record, _ seen: Observation, _ start: UserRow, into effects: inout Effects) -> UserRow {
        var row = start
        scorer.scoreNothing(row: row, into: &assessment.pointee)
        let open = row.challenges
        var found = -1
        if let id = DecisionID(text: event.pointee.challengeDecision), hasNonce(of: id) {
            for index in 0..<open.count
            where open[index].id == id && event.pointee.time < open[index].expires && isAsked(open[index].session, seen) {
                found = index
            }
        }
        guard found >= 0, !event.pointee.flags.contains(.duplicate) else {
            if !event.pointee.flags.contains(.duplicate) { tally.pointee.challengesRejected &+= 1 }
            close(record, .allow, texts.challengeIgnored, row, isNews: false, into: &effects)
            return row
        }
        let challenge = open[found]
        switch event.pointee.challengeResult {
        case .passed:
            tally.pointee.challengesPassed &+= 1
            row.removeChallenge(at: found)
            forgetAnswers(row)
            notePassed(row)
            close(record, .allow, texts.challengePassed, row, isNews: true, into: &effects)
            row = accept(challenge, seen, row)
        case .denied:
            row.removeChallenge(at: found)
            note(.denied, challenge, row)
            if challenge.session == seen.session && table.session(seen.session, of: row) == nil {
                (row, _) = table.openSession(seen, of: row)
            }
            table.terminate(challenge.session, of: row)
            close(record, .terminateSession, texts.challengeDenied, row, isNews: true, into: &effects)
        case .abandoned, .timedOut:
            row.removeChallenge(at: found)
            note(.unanswered, challenge, row)
            noteIgnored(challenge, row)
            close(record, .allow, texts.challengeIgnored, row, isNews: false, into: &effects)
        case .failed, .none:
            if event.pointee.challengeResult == .failed { note(.failed, challenge, row) }
            close(record, .allow, texts.challengeIgnored, row, isNews: false, into: &effects)
        }
        return row
    }

    /// Remembers what came of a challenge of the user's. An answer without its nonce never gets here: else anybody could
    /// raise anybody's risk.
    func note(_ kind: ChallengeHistory.Kind, _ challenge: ChallengeSlot, _ row: UserRow) {
        let method = event.pointee.challengeMethod
        let isPush = method.isPresent ? method == "push" : challenge.flags.contains(.push)
        row.header.pointee.challenges.add(isPush ? kind.union(.push) : kind, at: event.pointee.time)
    }

    /// What came of earlier challenges is settled by one that is passed: all of it by a method nobody can be talked into,
    /// else what was merely not managed.
    func forgetAnswers(_ row: UserRow) {
        let method = event.pointee.challengeMethod
        if method == "webauthn" || method == "hardware_key" {
            row.header.pointee.challenges = ChallengeHistory()
            row.header.pointee.flags.remove(.pushStopped)
        } else {
            row.header.pointee.challenges.remove(.failed)
        }
    }

    /// Whether the answer comes from where the question was put: the same session; or, where the question was bound to
    /// a device for want of a session, that device or one the answer doesn't name.
    func isAsked(_ scope: UInt64, _ seen: Observation) -> Bool {
        scope == seen.session || (scope & 1 == 0 && (seen.device == 0 || scope == UInt64(seen.device) << 32 | 2))
    }

    /// The person has proven to be who they are: what was held of the session is learned, the session is bound to the
    /// context it was asked in, or, where the answer names another device that was asked as well, to that one's, and
    /// freed of the demand for a while.
    func accept(_ challenge: ChallengeSlot, _ seen: Observation, _ start: UserRow) -> UserRow {
        var row = start
        table.prove(row)
        var context = seen
        (context.device, context.network, context.asn) = (challenge.device, challenge.network, challenge.asn)
        for index in 0..<row.holds.count
        where row.holds[index].session == challenge.session && row.holds[index].device == seen.device && seen.device != 0 {
            (context.device, context.network, context.asn) = (seen.device, row.holds[index].network, row.holds[index].asn)
        }
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
        slot.pointee.provenDemand = challenge.demand
        slot.pointee.provenAt = UInt32(clamping: seen.time.milliseconds / 1000)
        (slot.pointee.provenDevice, slot.pointee.provenNetwork, slot.pointee.provenASN) =
            (context.device, context.network, context.asn)
        if event.pointee.newSession.isPresent { rotate(session, of: row) }
        return row
    }

    /// Gives the session its new name. One that already goes by it gives way, unless it was terminated: that name
    /// stays dead.
    func rotate(_ session: Int, of row: UserRow) {
        let name = Observation.session(event.pointee.newSession, hash: hash)
        let other = table.session(name, of: row)
        if let other, row.sessions[other].flags.contains(.terminated) { return }
        row.sessions.base[session].fingerprint = name
        row.sessions.base[session].token = 0
        if let other, other != session { row.removeSession(at: other) }
    }

    func close(
        _ record: Record, _ verdict: Verdict, _ reason: ByteView, _ row: UserRow, isNews: Bool,
        into effects: inout Effects
    ) {
        tally.pointee.verdicts[Int(verdict.rawValue)] &+= 1
        let previous = row.header.pointee.level
        if isNews || plan.emit == .all {
            emit(record, verdict, reason: reason, previous: previous, question: nil, reported: 0, into: &effects)
        }
        guard isNews else { return }
        row.header.pointee.level = assessment.pointee.level
        row.header.pointee.verdict = verdict
    }

    func hasNonce(of challenge: DecisionID) -> Bool {
        guard let given = StepUp.nonce(text: event.pointee.nonce) else { return false }
        let own = nonce(of: challenge)
        return (given.0 ^ own.0) | (given.1 ^ own.1) == 0
    }

    /// HMAC-SHA-256 of the challenge's id under the pipeline's secret, first 16 bytes: an id can be derived by anybody
    /// who knows the topic, a nonce can't.
    func nonce(of challenge: DecisionID) -> (UInt64, UInt64) {
        withUnsafeBytes(of: (challenge.high.bigEndian, challenge.low.bigEndian)) { bytes in
            let digest = Digest.hmacSHA256(key: plan.secret, ByteView(bytes))
            func word(_ at: Int) -> UInt64 { digest[at..<at + 8].reduce(0) { $0 << 8 | UInt64($1) } }
            return (word(0), word(8))
        }
    }
}
