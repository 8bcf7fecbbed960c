import Behavior
import Events
import Policy
import Risk

/// Putting questions to people.
extension Engine {
    /// What is done about an event, and why.
    struct Ruling {
        var verdict: Verdict
        /// The rule that decided; −1 where none did.
        var rule: Int
        /// What decided instead of a rule or of none.
        var reason = ByteView.absent
        /// The session has answered what the rule asks.
        var isProven = false
        /// Nobody could be asked.
        var isRefused = false
        /// The draft has a question.
        var isAsking = false
    }

    func reason(of ruling: Ruling) -> ByteView {
        if ruling.reason.isPresent { return ruling.reason }
        return ruling.rule >= 0 ? policy.name(of: ruling.rule) : texts.fallback
    }

    /// What comes of a rule that asks, or of an alarm: nothing where the session has proven as much, else a question, which is
    /// put into the draft, or a denial where there is none to put.
    @inline(never)
    func demandProof(
        _ found: Ruling, _ record: Record, _ seen: Observation, _ start: UserRow, _ session: Int, _ claim: Proof?,
        isAlarming: Bool
    ) -> (UserRow, Ruling) {
        var (row, ruling) = (start, found)
        var demand = found.verdict == .stepUp ? policy.demand(of: found.rule) : nil
        if isAlarming, (demand?.need ?? .none) < policy.alarm.need {
            (demand, ruling.reason) = (policy.alarm, texts.accountAlarmed)
        }
        guard let demand else { return (row, ruling) }
        let standing = isAlarming ? .open : standing(demand, seen, row, proofSlot(seen, row, session), claim)
        ruling.isProven = standing == .proven
        ruling.verdict = standing == .open ? .stepUp : .allow
        guard standing == .open else { return (row, ruling) }
        if assessment.pointee.fired.contains(SignalSet(.challengePushBombing)) {
            row.header.pointee.flags.insert(.pushStopped)
        }
        let asked: Asked
        (row, asked) = ask(demand, record, seen, row)
        switch asked {
        case .question(let put):
            (draft.pointee.stepUp, ruling.isAsking) = (put, true)
            if put.prompt.isPresent && !isAlarming { noteAsked(seen, row) }
        case .refused(let why):
            tally.pointee.challengesRefused &+= 1
            (ruling.verdict, ruling.reason, ruling.isRefused) = (.deny, why, true)
        }
        return (row, ruling)
    }

    /// The question for this event: the session's open one where its answer would do for this as well, else a new one, to
    /// which weaker ones give way, as long as the person has something to answer with and the budget a question left. What was
    /// asked of another device of the session, or elsewhere, is another question, for an answer counts only where it was asked
    /// for.
    func ask(
        _ demand: CompiledPolicy.Demand, _ record: Record, _ seen: Observation, _ start: UserRow
    ) -> (UserRow, Asked) {
        var row = start
        let level = assessment.pointee.level
        var index = row.challenges.count - 1
        while index >= 0 {
            let slot = row.challenges.base + index
            if isAsked(slot.pointee, seen), slot.pointee.need >= demand.need.rawValue,
                let asked = policy.demand(fingerprint: slot.pointee.demand)
            {
                slot.pointee.risk = max(slot.pointee.risk, level.rawValue)
                let methods = reoffer(slot, asked, row)
                return (row, .question(stepUp(asked, slot.pointee.id, expires: slot.pointee.expires, isNew: false, methods)))
            }
            index -= 1
        }
        let methods = choose(demand, row)
        if methods.isEmpty { return (row, .refused(texts.noMethod)) }
        let isGranted: Bool
        (row, isGranted) = table.charge(seen, isOwn: isVouched(seen.device, row), most: plan.challenges.perHour, of: row)
        if !isGranted { return (row, .refused(texts.challengeBudget)) }
        supersede(seen, row)
        let id = decisionID(record)
        let expires = event.pointee.time + demand.expires
        row = table.open(
            ChallengeSlot(
                id: id, asking: seen, expires: expires, demand: demand.fingerprint, need: demand.need.rawValue, risk: level,
                methods: methods.asSet.rawValue, offered: methods.packed, flags: methods.asSet.contains(.push) ? .push : []),
            of: row)
        return (row, .question(stepUp(demand, id, expires: expires, isNew: true, methods)))
    }

    /// What the session was asked before gives way to a question that asks for more.
    private func supersede(_ seen: Observation, _ row: UserRow) {
        var index = row.challenges.count - 1
        while index >= 0 {
            let slot = row.challenges[index]
            if isAsked(slot, seen) {
                table.noteUnanswered(slot, at: seen.time, of: row)
                table.settle(challenge: index, .superseded, at: UInt32(clamping: seen.time.milliseconds / 1000), of: row)
            }
            index -= 1
        }
    }

    private func isAsked(_ slot: ChallengeSlot, _ seen: Observation) -> Bool {
        slot.isOpen && slot.session == seen.scope && isAskedOf(slot, seen)
    }

    /// Whether the session's question was put where this event comes from: else its answer would prove nothing here, and what
    /// a thief was asked would be his when its owner answers. An event that names no device is not told apart from the others
    /// of its session, nor is one that names no network.
    private func isAskedOf(_ slot: ChallengeSlot, _ seen: Observation) -> Bool {
        guard seen.device == 0 || slot.device == seen.device else { return false }
        if seen.asn == 0 && seen.network == 0 { return true }
        return slot.asn == seen.asn && (seen.asn != 0 || slot.network == seen.network)
    }

    func stepUp(
        _ demand: CompiledPolicy.Demand, _ challenge: DecisionID, expires: Timestamp, isNew: Bool, _ methods: MethodList
    ) -> StepUp {
        StepUp(
            acrValuesJSON: demand.acrValuesJSON, methodsJSON: json(of: methods), maxAgeSeconds: demand.maxAgeSeconds,
            challenge: challenge, nonce: nonce(of: challenge), expires: expires,
            prompt: isNew ? demand.prompt : .absent)
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
            let words = nonceKey(ByteView(bytes))
            return (words.0, words.1)
        }
    }
}
