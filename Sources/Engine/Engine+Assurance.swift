import Behavior
import Events
import Policy
import Risk

/// What a session has proven, and what that is good for.
extension Engine {
    /// How a step-up stands with a session.
    enum Standing {
        /// It is asked, and nothing but an answer will do.
        case open
        /// What events say of the person's authentication does: enough to go on, not to teach anything.
        case claimed
        /// The person has answered a question.
        case proven
    }

    /// Why an event of the session is refused whatever it is: it was ended, or goes on under another name. For a moment the
    /// owner's requests that were under way are still judged.
    @inline(__always)
    func ending(of session: Int, _ row: UserRow, at time: Timestamp) -> ByteView? {
        guard session >= 0 else { return nil }
        let slot = row.sessions.base + session
        if slot.pointee.flags.isDisjoint(with: [.terminated, .rotated]) { return nil }
        if slot.pointee.flags.contains(.rotated) && time - second(slot.pointee.rotatedAt) > plan.assurance.rotationGrace {
            return texts.sessionRotated
        }
        return slot.pointee.flags.contains(.terminated) ? texts.sessionTerminated : nil
    }

    /// The slot in which what the event's session has proven is kept; −1 where there is none. Events without session and
    /// token have that of their device.
    func proofSlot(_ seen: Observation, _ row: UserRow, _ session: Int) -> Int {
        session >= 0 || seen.session != 0 ? session : table.session(seen.scope, of: row) ?? -1
    }

    /// What the rules are told of the session.
    func sessionContext(_ seen: Observation, _ row: UserRow, _ session: Int, _ claim: Proof?) -> PolicyContext {
        var context = PolicyContext()
        context.sessionLevel = assessment.pointee.level
        if session >= 0 {
            let slot = row.sessions.base + session
            if slot.pointee.risk > 0 {
                let points = slot.pointee.fadedRisk(at: seen.time, halfLife: plan.windows.sessionRisk)
                context.sessionLevel = max(context.sessionLevel, scorer.level(above: Double(points)))
            }
            if !slot.pointee.proofs.isEmpty && slot.pointee.proofs.isIn(context: seen) {
                context.assurance = AssuranceLevel(rawValue: slot.pointee.proofs.strongest) ?? .none
            }
        }
        if let claim { context.assurance = max(context.assurance, AssuranceLevel(rawValue: claim.level) ?? .none) }
        return context
    }

    // MARK: - Claims

    /// The authentication that the event tells of, where it is one its session did not know of: that of a login, or one newer
    /// than the last, in a session and from a context that are known.
    ///
    /// Repeating what was said before proves nothing, wherever it comes from: else whoever has the cookie would bring its
    /// proof along. An action can't bind a session to a new context, so the thief who is first to be seen after its owner
    /// authenticated anew gains nothing; nor is one believed in the first event of a session that nobody saw begin. At
    /// raised risk only what can't be phished counts, for the rest is what whoever raised it may have phished.
    @inline(__always)
    func claim(_ seen: Observation, _ row: UserRow, _ session: Int) -> Proof? {
        guard event.pointee.acr.isPresent || !event.pointee.amr.isEmpty else { return nil }
        return event.pointee.type == .login || event.pointee.authTime != .distantPast ? newClaim(seen, row, session) : nil
    }

    @inline(never)
    private func newClaim(_ seen: Observation, _ row: UserRow, _ session: Int) -> Proof? {
        let isLogin = event.pointee.type == .login
        guard isLogin ? event.pointee.outcome == .success : session >= 0 else { return nil }
        if event.pointee.flags.contains(.duplicate) { return nil }
        let time = claimedTime
        if session >= 0 {
            let slot = row.sessions.base + session
            guard UInt32(clamping: time.milliseconds / 1000) > slot.pointee.authenticatedAt,
                slot.pointee.flags.isDisjoint(with: [.rotated, .terminated])
            else { return nil }
            if !isLogin {
                let isHere = slot.pointee.device == seen.device && slot.pointee.asn == seen.asn
                guard isHere && (seen.asn != 0 || slot.pointee.network == seen.network) else { return nil }
            }
        }
        let level = assurance.claimed(acr: event.pointee.acr, amr: event.pointee.amr)
        guard level > .none, assessment.pointee.level == .low || level >= .phishingResistant else { return nil }
        return Proof(.claim, level: level.rawValue, risk: assessment.pointee.level, at: time)
    }

    /// When the person authenticated, as the event says: never after the event, and at a login that doesn't say, then.
    private var claimedTime: Timestamp {
        event.pointee.authTime == .distantPast ? event.pointee.time : min(event.pointee.authTime, event.pointee.time)
    }

    // MARK: - Proofs

    /// Whether what the session has proven, or what the event proves, is enough: as much as is asked for, in this context,
    /// not too long ago, and given while the risk was no lower than it is now.
    ///
    /// Whoever has a stolen cookie has none of it. His own device or provider is another context. If he has these as well, he
    /// is as free as his deeds look harmless: what raises the risk above that at which the owner answered is asked anew. And
    /// what he is asked can't be answered by what the owner answered before: each question has its own nonce.
    func standing(
        _ demand: CompiledPolicy.Demand, _ seen: Observation, _ row: UserRow, _ slot: Int, _ claim: Proof?
    ) -> Standing {
        let need = ProofNeed(
            level: demand.need.rawValue, risk: assessment.pointee.level, validForSeconds: demand.validForSeconds,
            maxAgeSeconds: demand.maxAgeSeconds)
        var best: Proof?
        if slot >= 0, row.sessions.base[slot].proofs.isIn(context: seen),
            row.sessions.base[slot].flags.isDisjoint(with: [.terminated, .rotated])
        {
            best = row.sessions.base[slot].proofs.proof(of: need, at: seen.time)
        }
        if best == nil, let claim, claim.satisfies(need, at: seen.time) { best = claim }
        guard let best else { return .open }
        return best.source == .challenge ? .proven : .claimed
    }

    // MARK: - Alarms

    /// Somebody has said “that's not me” of late, and this session has not proven itself since.
    @inline(__always)
    func isAlarming(_ seen: Observation, _ row: UserRow, _ session: Int, _ claim: Proof?) -> Bool {
        let alarm = row.header.pointee.alarmedAt
        return alarm == 0 ? false : isAlarming(since: alarm, seen, row, session, claim)
    }

    @inline(never)
    private func isAlarming(
        since alarm: UInt32, _ seen: Observation, _ row: UserRow, _ session: Int, _ claim: Proof?
    ) -> Bool {
        guard plan.assurance.alarm > 0, seen.time - second(alarm) < plan.assurance.alarm, event.pointee.outcome != .failure else { return false }
        let need = plan.assurance.alarmNeed.rawValue
        if let claim, claim.level >= need, claim.at > alarm { return false }
        let slot = proofSlot(seen, row, session)
        guard slot >= 0, row.sessions.base[slot].proofs.isIn(context: seen) else { return true }
        return !row.sessions.base[slot].proofs.hasProven(need, after: alarm)
    }

    /// From now on nothing that was proven counts, in any session of the user.
    func alarm(_ row: UserRow, at time: Timestamp) {
        row.header.pointee.alarmedAt = max(row.header.pointee.alarmedAt, UInt32(clamping: time.milliseconds / 1000))
        for index in 0..<row.sessions.count { row.sessions.base[index].proofs = SessionProofs() }
    }

    // MARK: - What remains of an event

    /// Keeps what the event proves with its session, and how risky it was.
    @inline(__always)
    func noteSession(
        _ seen: Observation, _ row: UserRow, _ session: Int, isNew: Bool, verdict: Verdict, claim: Proof?
    ) {
        guard session >= 0 else { return }
        if claim != nil || isNew { noteClaim(seen, row, session, verdict: verdict, claim) }
        if assessment.pointee.level > .low || verdict >= .deny { noteRisk(seen, row, session, verdict) }
    }

    @inline(never)
    private func noteClaim(_ seen: Observation, _ row: UserRow, _ session: Int, verdict: Verdict, _ claim: Proof?) {
        guard verdict < .deny, event.pointee.outcome != .failure else { return }
        let slot = row.sessions.base + session
        if event.pointee.acr.isPresent || !event.pointee.amr.isEmpty {
            if claim != nil || event.pointee.authTime != .distantPast {
                slot.pointee.authenticatedAt = max(
                    slot.pointee.authenticatedAt, UInt32(clamping: claimedTime.milliseconds / 1000))
            }
            slot.pointee.methods |= event.pointee.amr.rawValue
        }
        if let claim { slot.pointee.proofs.add(claim, in: seen) }
    }

    @inline(never)
    private func noteRisk(_ seen: Observation, _ row: UserRow, _ session: Int, _ verdict: Verdict) {
        let points = max(assessment.pointee.points - plan.model.base, verdict >= .deny ? scorer.criticalPoints : 0)
        row.sessions.base[session].raiseRisk(to: Float(points), at: seen.time, halfLife: plan.windows.sessionRisk)
    }

    @inline(__always)
    private func second(_ second: UInt32) -> Timestamp { Timestamp(milliseconds: Int64(second) * 1000) }
}
