import Behavior
import Events
import Glibc
import Policy
import Risk

/// The pure core of one partition: everything Vigil knows of its users, and the step that turns a record into effects.
/// No IO, no clock, no randomness: the same records in the same order give the same bytes.
///
/// Not thread safe: it belongs to the shard that owns the partition.
public final class Engine {
    public let plan: EnginePlan

    private let tally: UnsafeMutablePointer<EngineCounters>

    let table: UserTable
    let hash: KeyedHash
    let policy: CompiledPolicy
    private let decoder: EventDecoder
    /// How each input's records are read.
    private let decodePlans: [DecodePlan]
    private let scorer: Scorer
    private let aging: Aging
    private let panes: Int
    private let texts: PlanTexts
    /// Reused from event to event. Behind pointers, because a class's own variables are checked for exclusive access
    /// each time they are handed on, which costs more than some signals do.
    private let event: UnsafeMutablePointer<Event>
    private let assessment: UnsafeMutablePointer<Assessment>
    let watermarks: UnsafeMutablePointer<Watermark>
    private var decision = Decision()
    private var words = OutputBuffer()

    public init(plan: EnginePlan) {
        precondition(plan.inputs.count <= 8, "a plan has at most 8 inputs")
        self.plan = plan
        tally = .allocate(capacity: 1)
        tally.initialize(to: EngineCounters())
        table = UserTable(bounds: plan.bounds, inputs: plan.inputs.count)
        event = .allocate(capacity: 1)
        event.initialize(to: Event())
        assessment = .allocate(capacity: 1)
        assessment.initialize(to: Assessment())
        watermarks = .allocate(capacity: 1)
        watermarks.initialize(
            to: Watermark(
                inputs: plan.inputs.count, allowedLateness: plan.windows.allowedLateness, idle: plan.windows.idle))
        hash = KeyedHash(secret: plan.secret)
        policy = CompiledPolicy(rules: plan.rules, fallback: plan.fallback)
        decoder = EventDecoder(bounds: plan.inputs.first?.decode.bounds ?? DecodeBounds())
        decodePlans = plan.inputs.map { DecodePlan($0.decode) }
        scorer = Scorer(model: plan.model, windows: plan.windows)
        aging = Aging(halfLifeMilliseconds: plan.windows.halfLife)
        panes = max(1, min(16, Int(plan.windows.rate / max(plan.windows.rateHop, 1))))
        texts = PlanTexts(plan)
    }

    deinit {
        event.deallocate()
        tally.deallocate()
        assessment.deinitialize(count: 1)
        assessment.deallocate()
        watermarks.deinitialize(count: 1)
        watermarks.deallocate()
    }

    public var counters: EngineCounters {
        var counters = tally.pointee
        counters.evicted = table.evicted
        return counters
    }

    /// The task's watermark.
    public var watermark: Timestamp { watermarks.pointee.current }

    /// Decides one record: decode, look up, score, decide, emit, learn. This is the whole path of an event.pointee.
    ///
    /// While `recovering`, a record its user has already absorbed changes nothing; what lands in `effects` was emitted
    /// before the crash and is the caller's to drop.
    /// - Complexity: O(record + one user's bounded state)
    public func step(_ record: Record, into effects: inout Effects, recovering: Bool = false) {
        let input = Int(record.input)
        table.sequence &+= 1

        switch decoder.decode(record, options: decodePlans[input], into: &event.pointee) {
        case .ignored:
            tally.pointee.ignored &+= 1
            return
        case .rejected(let rejection):
            reject(record, rejection, into: &effects, recovering: recovering)
            return
        case .event:
            break
        }
        if event.pointee.type == .feedback || event.pointee.type == .erasure {
            let rejection = Rejection(
                .unsupportedType, field: "type", detail: "this version does not act on events of this type")
            reject(record, rejection, into: &effects, recovering: recovering)
            return
        }

        tally.pointee.events &+= 1
        keepTime(record)
        let key = hash(event.pointee.user, seed: event.pointee.tenant.isEmpty ? 0 : hash(event.pointee.tenant))
        var row = table.findOrInsert(hash: key, tenant: event.pointee.tenant, user: event.pointee.user, at: event.pointee.time)
        if recovering && row.absorbed[input] >= record.offset { return }
        row.absorbed[input] = record.offset
        table.touch(row)
        aging.age(row, to: event.pointee.time)

        let seen = Observation(of: event.pointee, hash: hash)
        if row.remember(event: seen.event) {
            event.pointee.flags.insert(.duplicate)
            tally.pointee.duplicates &+= 1
        }
        row = settleHolds(of: row, at: event.pointee.time)

        row = event.pointee.type == .challenge
            ? answer(record, seen, row, into: &effects) : judge(record, seen, row, into: &effects)
        if event.pointee.time > row.header.pointee.lastSeen { row.header.pointee.lastSeen = event.pointee.time }
    }

    /// Says that this record is the next to step. Only a hint, for speed: it may be left out.
    public func willStep(_ record: Record) {
        if record.key.isPresent { table.prefetch(hash: hash(record.key)) }
    }

    // MARK: - Time

    private func keepTime(_ record: Record) {
        if let limit = Self.limit(of: record), event.pointee.time - limit > plan.windows.allowedSkew {
            event.pointee.time = limit
            event.pointee.flags.insert(.clamped)
            tally.pointee.clamped &+= 1
        }
        if watermarks.pointee.advance(input: Int(record.input), to: event.pointee.time) {
            event.pointee.flags.insert(.late)
            tally.pointee.late &+= 1
        }
    }

    /// The record's timestamp where it can be one: on a `CreateTime` topic it is whatever the producer wrote.
    private static func limit(of record: Record) -> Timestamp? {
        guard let time = record.timestamp, time >= .earliest, time < .latest else { return nil }
        return time
    }

    // MARK: - Logins and actions

    private func judge(_ record: Record, _ seen: Observation, _ start: UserRow, into effects: inout Effects) -> UserRow {
        var row = start
        var session = seen.session == 0 ? -1 : table.session(seen.session, of: row) ?? -1
        scorer.score(event.pointee, seen, row: row, session: session, into: &assessment.pointee)
        var (verdict, rule, reported) = policy.evaluate(event.pointee, assessment.pointee)
        var reason = rule >= 0 ? policy.name(of: rule) : texts.fallback
        if session >= 0 && row.sessions[session].flags.contains(.terminated) {
            (verdict, rule, reason) = (.terminateSession, -1, texts.sessionTerminated)
        }

        var question: StepUp?
        var isProven = false
        if verdict == .stepUp {
            let demand = policy.demand(of: rule)
            if let proof = table.session(seen.scope, of: row), proves(row.sessions[proof], demand, seen) {
                verdict = .allow
                isProven = true
            } else {
                (row, question) = ask(demand, record, seen, row)
            }
        }

        let header = row.header
        let changed = header.pointee.level != assessment.pointee.level
        let wanted =
            switch plan.emit {
            case .all: true
            case .interventions: verdict != .allow || changed || reported != 0
            case .changes: verdict != .allow || changed || reported != 0 || header.pointee.verdict != verdict
            }
        tally.pointee.verdicts[Int(verdict.rawValue)] &+= 1
        if wanted {
            emit(
                record, verdict, reason: reason, previous: header.pointee.level, question: question, reported: reported,
                into: &effects)
        }
        header.pointee.level = assessment.pointee.level
        header.pointee.verdict = verdict

        if !event.pointee.flags.contains(.duplicate) {
            row = learn(seen, row, &session, verdict: verdict, isProven: isProven, isReported: reported != 0)
        } else if verdict >= .deny && session >= 0 {
            condemn(seen, row, session, verdict)
        }
        return row
    }

    /// Whether the session has passed what the demand asks, recently enough and in the context it is in now.
    private func proves(_ slot: SessionSlot, _ demand: CompiledPolicy.Demand, _ seen: Observation) -> Bool {
        slot.provenDemand == demand.fingerprint && !slot.flags.contains(.terminated)
            && seen.time.milliseconds < (Int64(slot.provenAt) + Int64(demand.validForSeconds)) * 1000
            && slot.provenDevice == seen.device && slot.provenASN == seen.asn
            && (seen.asn != 0 || slot.provenNetwork == seen.network)
    }

    /// The question for this event: the session's open one for the same demand, else a new one.
    private func ask(
        _ demand: CompiledPolicy.Demand, _ record: Record, _ seen: Observation, _ start: UserRow
    ) -> (UserRow, StepUp) {
        var row = start
        for index in stride(from: row.challenges.count - 1, through: 0, by: -1)
        where row.challenges[index].expires <= event.pointee.time { row.removeChallenge(at: index) }
        let open = row.challenges
        for index in 0..<open.count where open[index].session == seen.scope && open[index].demand == demand.fingerprint {
            return (row, stepUp(demand, open[index].id, expires: open[index].expires, isNew: false))
        }
        let id = decisionID(record)
        let expires = event.pointee.time + demand.expires
        row = table.open(
            ChallengeSlot(id: id, asking: seen, expires: expires, demand: demand.fingerprint), of: row)
        return (row, stepUp(demand, id, expires: expires, isNew: true))
    }

    private func stepUp(
        _ demand: CompiledPolicy.Demand, _ challenge: DecisionID, expires: Timestamp, isNew: Bool
    ) -> StepUp {
        StepUp(
            acrValuesJSON: demand.acrValuesJSON, methodsJSON: demand.methodsJSON, maxAgeSeconds: demand.maxAgeSeconds,
            challenge: challenge, nonce: nonce(of: challenge), expires: expires,
            prompt: isNew ? demand.prompt : .absent)
    }

    // MARK: - Learning

    /// Takes the event in as far as it can be trusted: at once when it was allowed at low risk or the session has
    /// proven itself; with the session's hold while a question is open or the risk is raised; never when denied.
    private func learn(
        _ seen: Observation, _ start: UserRow, _ session: inout Int, verdict: Verdict, isProven: Bool, isReported: Bool
    ) -> UserRow {
        var row = start
        if event.pointee.type == .action {
            row.header.pointee.rate.add(at: seen.time, hop: plan.windows.rateHop, panes: panes)
        }
        if event.pointee.outcome == .failure {
            return table.noteFailure(at: seen.time, of: row)
        }
        var wasOpen = true
        var hadEnded = false
        var didMove = false
        if seen.session != 0 {
            wasOpen = session >= 0
            if !wasOpen { (row, session) = table.openSession(seen, of: row) }
            hadEnded = row.sessions[session].window.hasEnded(at: seen.time, gap: plan.windows.sessionGap)
            didMove = follow(seen, row.sessions.base + session)
        }
        if verdict >= .deny {
            condemn(seen, row, session, verdict)
            return row
        }
        let tainted = session >= 0 && row.sessions[session].flags.contains(.tainted)
        if tainted { return row }
        let amount: Float? = event.pointee.amount.isNaN ? nil : Float(log1p(event.pointee.amount))
        let trusted = verdict == .allow && (isProven || (assessment.pointee.level == .low && !isReported))
        if trusted && didMove { row.header.pointee.moves += 1 }
        // What is new to the user stays new for the whole session: if one quiet event were enough to become familiar,
        // the second would be an intruder's free pass.
        let isNovel = !isProven && !assessment.pointee.fired.isDisjoint(with: Self.novelty)
        guard trusted && !isNovel else {
            let flags: HoldFlags = verdict == .stepUp ? .quarantined : trusted ? [] : .raised
            return table.hold(seen, amount: amount, of: row, flags: flags)
        }

        table.prove(row)
        table.notePlace(seen, of: row)
        row = learnContext(seen, row, session, isNew: !wasOpen || hadEnded)
        if event.pointee.outcome == .success && row.failures.count > 0 { row.failures.base[0].removeAll() }
        if event.pointee.type == .action {
            if seen.action != 0 { row = table.learnAction(seen.action, of: row, weight: 1) }
            if let closed = row.header.pointee.paceWindow.add(at: seen.time, length: plan.windows.rate) {
                row.header.pointee.pace.add(log(Float(closed)))
            }
        }
        if let amount { row.header.pointee.amounts.add(amount) }
        return row
    }

    /// Nothing that waits with a session survives a denial, and a terminated one stays terminated.
    private func condemn(_ seen: Observation, _ row: UserRow, _ session: Int, _ verdict: Verdict) {
        if verdict == .terminateSession { return table.terminate(seen.scope, of: row) }
        if session >= 0 { row.sessions.base[session].flags.insert(.tainted) }
        table.dropHolds(of: seen.scope, in: row)
    }

    /// Signals that say the event's device, network or place is not one of the user's.
    private static let novelty: SignalSet = [
        SignalSet(.deviceNew), SignalSet(.networkNew), SignalSet(.placeNew), SignalSet(.travelImpossible),
        SignalSet(.deviceChangedInSession), SignalSet(.networkChangedInSession),
    ]

    /// Device, network, place and hour count once for a login or session, not once for each of its events.
    private func learnContext(_ seen: Observation, _ row: UserRow, _ session: Int, isNew: Bool) -> UserRow {
        guard session >= 0 else {
            let isVisit =
                event.pointee.type == .login || seen.time - row.header.pointee.lastSeen > plan.windows.sessionGap
            return isVisit ? table.learnContext(seen, of: row, weight: 1, counts: true) : row
        }
        let slot = row.sessions.base + session
        // What an event leaves out unbinds nothing: else leaving out the device would prepare the way for another.
        let moved = seen.network != 0 && slot.pointee.network != seen.network
        let isSame = (seen.device == 0 || slot.pointee.device == seen.device) && !moved
        let counts = isNew || event.pointee.type == .login || !slot.pointee.flags.contains(.learned)
        if isSame && !counts { return row }
        if seen.device != 0 { slot.pointee.device = seen.device }
        if moved { (slot.pointee.network, slot.pointee.asn) = (seen.network, seen.asn) }
        slot.pointee.flags.insert(.learned)
        return table.learnContext(seen, of: row, weight: 1, counts: counts)
    }

    /// Keeps track of where the session is, trusted or not. Returns whether it moved to another provider's network.
    private func follow(_ seen: Observation, _ slot: UnsafeMutablePointer<SessionSlot>) -> Bool {
        var didMove = false
        if seen.network != 0 && seen.network != slot.pointee.currentNetwork {
            let second = UInt32(clamping: seen.time.milliseconds / 1000)
            if seen.isElsewhere(than: slot.pointee.currentNetwork, asn: slot.pointee.currentASN) {
                slot.pointee.moves = Int64(second) - Int64(slot.pointee.movedAt) <= 600 ? slot.pointee.moves &+ 1 : 1
                slot.pointee.movedAt = second
                didMove = true
            }
            slot.pointee.currentNetwork = seen.network
            slot.pointee.currentASN = seen.asn
        }
        if slot.pointee.token == 0 && seen.token != 0 {
            slot.pointee.token = seen.token
            slot.pointee.tokenDevice = seen.device
            slot.pointee.tokenNetwork = seen.network
            slot.pointee.tokenASN = seen.asn
        }
        slot.pointee.window.extend(to: seen.time)
        return didMove
    }

    /// Holds whose session has ended, or has lasted a day: what was only watched is learned if nothing spoke against
    /// the session, what waited for a challenge is dropped.
    private func settleHolds(of start: UserRow, at time: Timestamp) -> UserRow {
        var row = start
        var index = row.holds.count - 1
        while index >= 0 {
            let held = row.holds[index]
            if time - held.last > plan.windows.sessionGap || time - held.first > 86_400_000 {
                let tainted =
                    table.session(held.session, of: row).map { row.sessions[$0].flags.contains(.tainted) } ?? false
                if held.flags.contains(.quarantined) || tainted {
                    row.removeHold(at: index)
                } else {
                    table.prove(row)
                    row = table.learnHold(at: index, of: row, weight: watchedWeight(held, row))
                }
            }
            index -= 1
        }
        return row
    }

    /// What a passed challenge is worth: the person need not be asked about this device for a month and a half.
    static let provenWeight: Float = 2

    /// What a session's observations are worth to the baseline that no challenge has proven: a quarter when its risk
    /// was raised, half when its device was not one of the user's.
    private func watchedWeight(_ held: HoldSlot, _ row: UserRow) -> Float {
        if held.flags.contains(.raised) { return 0.25 }
        for index in 0..<row.devices.count where row.devices[index].fingerprint == held.device { return 1 }
        return held.device == 0 ? 1 : 0.5
    }

    // MARK: - Challenges

    /// What came of a challenge. It counts only with its own nonce, before it expires, and for the session it was
    /// asked of.
    private func answer(_ record: Record, _ seen: Observation, _ start: UserRow, into effects: inout Effects) -> UserRow {
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
            close(record, .allow, texts.challengePassed, row, isNews: true, into: &effects)
            row = accept(challenge, seen, row)
        case .denied:
            row.removeChallenge(at: found)
            if challenge.session == seen.session && table.session(seen.session, of: row) == nil {
                (row, _) = table.openSession(seen, of: row)
            }
            table.terminate(challenge.session, of: row)
            close(record, .terminateSession, texts.challengeDenied, row, isNews: true, into: &effects)
        case .abandoned, .timedOut:
            row.removeChallenge(at: found)
            close(record, .allow, texts.challengeIgnored, row, isNews: false, into: &effects)
        case .failed, .none:
            close(record, .allow, texts.challengeIgnored, row, isNews: false, into: &effects)
        }
        return row
    }

    /// Whether the answer comes from where the question was put: the same session; or, where the question was bound to
    /// a device for want of a session, that device or one the answer doesn't name.
    private func isAsked(_ scope: UInt64, _ seen: Observation) -> Bool {
        scope == seen.session || (scope & 1 == 0 && (seen.device == 0 || scope == UInt64(seen.device) << 32 | 2))
    }

    /// The person has proven to be who they are: what was held of the session is learned, the session is bound to the
    /// context it was asked in, or, where the answer names another device that was asked as well, to that one's, and
    /// freed of the demand for a while.
    private func accept(_ challenge: ChallengeSlot, _ seen: Observation, _ start: UserRow) -> UserRow {
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
                row = table.learnHold(at: index, of: row, weight: Self.provenWeight)
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
    private func rotate(_ session: Int, of row: UserRow) {
        let name = Observation.session(event.pointee.newSession, hash: hash)
        let other = table.session(name, of: row)
        if let other, row.sessions[other].flags.contains(.terminated) { return }
        row.sessions.base[session].fingerprint = name
        row.sessions.base[session].token = 0
        if let other, other != session { row.removeSession(at: other) }
    }

    private func close(
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

    // MARK: - What can't be decided

    /// A dead letter with the original bytes; whoever it is about, as far as that can be read, is held to account for
    /// it, because being undecodable must not be a way to hide.
    private func reject(
        _ record: Record, _ rejection: Rejection, into effects: inout Effects, recovering: Bool
    ) {
        tally.pointee.deadLetters &+= 1
        effects.emitDeadLetter(record, rejection, topic: texts.topics[Int(record.input)])
        guard event.pointee.user.isPresent, rejection.reason != .unsupportedType else { return }
        let limit = Self.limit(of: record)
        var time = event.pointee.time.milliseconds > 0 ? event.pointee.time : limit ?? watermarks.pointee.newest
        // Else a date in the future would be held against the user until then.
        if let limit, time - limit > plan.windows.allowedSkew { time = limit }
        guard time >= .earliest else { return }
        let key = hash(event.pointee.user, seed: event.pointee.tenant.isEmpty ? 0 : hash(event.pointee.tenant))
        let row = table.findOrInsert(hash: key, tenant: event.pointee.tenant, user: event.pointee.user, at: time)
        if recovering && row.absorbed[Int(record.input)] >= record.offset { return }
        row.absorbed[Int(record.input)] = record.offset
        table.touch(row)
        let header = row.header
        if time - header.pointee.malformedAt > plan.model.malformedWindow { header.pointee.malformed = 0 }
        header.pointee.malformed &+= 1
        header.pointee.malformedAt = max(header.pointee.malformedAt, time)
    }

    // MARK: - Emission

    private func decisionID(_ record: Record) -> DecisionID {
        DecisionID(
            hash: hash, pipeline: texts.name, topic: texts.topics[Int(record.input)], partition: record.partition,
            offset: record.offset, time: event.pointee.time)
    }

    private func emit(
        _ record: Record, _ verdict: Verdict, reason: ByteView, previous: RiskLevel, question: StepUp?,
        reported: UInt64, into effects: inout Effects
    ) {
        decision.id = decisionID(record)
        decision.verdict = verdict
        decision.score = assessment.pointee.score
        decision.logit = assessment.pointee.logit
        decision.base = plan.model.base
        decision.level = assessment.pointee.level
        decision.previousLevel = previous
        decision.confidence = assessment.pointee.confidence
        decision.rule = reason
        decision.policyVersion = texts.version
        decision.source = texts.source
        decision.stepUp = question
        decision.topic = texts.topics[Int(record.input)]
        decision.partition = record.partition
        decision.offset = record.offset
        decision.shadow.removeAll(keepingCapacity: true)
        for rule in 0..<policy.count where reported & 1 << UInt64(rule) != 0 {
            decision.shadow.append(ShadowVerdict(rule: policy.name(of: rule), verdict: policy.verdict(of: rule)))
        }
        explain()
        effects.emit(
            decision, for: event.pointee, input: record.input, mode: plan.cloudEvents)
    }

    /// The reasons, most points first, ties in the order of `Signal`.
    private func explain() {
        words.removeAll()
        decision.reasons.removeAll(keepingCapacity: true)
        for signal in Signal.allCases where assessment.pointee.present.contains(SignalSet(signal)) {
            let evidence = assessment.pointee[signal]
            let (observed, expected) = Explanation.write(signal, evidence, of: event.pointee, into: &words)
            let reason = Reason(
                signal: signal.name, points: evidence.points, observed: observed, expected: expected,
                samples: Int(max(0, min(1e9, evidence.samples))))
            var at = decision.reasons.count
            while at > 0 && decision.reasons[at - 1].points < reason.points { at -= 1 }
            decision.reasons.insert(reason, at: at)
        }
        decision.text = words.view(from: 0)
    }

    private func hasNonce(of challenge: DecisionID) -> Bool {
        guard let given = StepUp.nonce(text: event.pointee.nonce) else { return false }
        let own = nonce(of: challenge)
        return (given.0 ^ own.0) | (given.1 ^ own.1) == 0
    }

    /// HMAC-SHA-256 of the challenge's id under the pipeline's secret, first 16 bytes: an id can be derived by anybody
    /// who knows the topic, a nonce can't.
    private func nonce(of challenge: DecisionID) -> (UInt64, UInt64) {
        withUnsafeBytes(of: (challenge.high.bigEndian, challenge.low.bigEndian)) { bytes in
            let digest = Digest.hmacSHA256(key: plan.secret, ByteView(bytes))
            func word(_ at: Int) -> UInt64 { digest[at..<at + 8].reduce(0) { $0 << 8 | UInt64($1) } }
            return (word(0), word(8))
        }
    }
}
