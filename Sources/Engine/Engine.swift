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

    let tally: UnsafeMutablePointer<EngineCounters>

    let table: UserTable
    let hash: KeyedHash
    /// The secret, with which nonces are made.
    let nonceKey: AuthenticationKey
    let policy: CompiledPolicy
    let shadows: ShadowPolicies
    /// What any policy reads of its context.
    let contextNeeds: ContextNeeds
    /// As much of it of the event at hand.
    let askedContext: UnsafeMutablePointer<PolicyContext>
    let assurance: CompiledAssurance
    let decoders: Decoders
    /// The baseline sees an event before it is scored. A fault.
    let learnsFirst: Bool
    /// How each input's records are read. Unmanaged: an array would cost a retain for every record.
    let decodePlans: UnsafeMutablePointer<Unmanaged<DecodePlan>>
    let scorer: Scorer
    let classes: ActionClasses
    let agents = AgentMemo()
    let aging: Aging
    let panes: Int
    let texts: PlanTexts
    /// Reused from event to event. Behind pointers, because a class's own variables are checked for exclusive access
    /// each time they are handed on, which costs more than some signals do.
    private let ownEvent: UnsafeMutablePointer<Event>
    /// The event at hand: the engine's own, or that of a record decoded ahead.
    var event: UnsafeMutablePointer<Event> { @inline(__always) get { mode.pointee.event } }
    let assessment: UnsafeMutablePointer<Assessment>
    let watermarks: UnsafeMutablePointer<Watermark>
    let breaker: UnsafeMutablePointer<Breaker>
    /// The methods of the question put last, as JSON.
    let methodsText: UnsafeMutablePointer<UInt8>
    /// What users of all partitions share, as far as its panes have been folded.
    public let shared: SharedView
    let population: Population
    /// It is told of events by this engine.
    let contributes: Bool
    let draft: UnsafeMutablePointer<Decision>
    private let text: UnsafeMutablePointer<OutputBuffer>
    var decision: Decision {
        @inline(__always) _read { yield draft.pointee }
        @inline(__always) _modify { yield &draft.pointee }
    }
    var words: OutputBuffer {
        @inline(__always) _read { yield text.pointee }
        @inline(__always) _modify { yield &text.pointee }
    }
    /// Committed cuts that dirty users belong to, oldest first.
    var marks: [Mark] = []
    /// Evictions that recovering steps are to do again, and which of them is next.
    var followed: [Eviction] = []
    var nextFollowed = 0
    /// What every step asks about. Behind a pointer like the rest of what is hot.
    struct Mode {
        var event: UnsafeMutablePointer<Event>
        var isFollowing = false
        var keepsPreImages = false
        /// Pre-images are kept since `baseline` was taken.
        var hasBaseline = false
        /// The last step was recovering: rows may be ahead of the engine's count of records.
        var isRecovering = false
    }
    let mode: UnsafeMutablePointer<Mode>
    var baseline: Baseline?
    /// Markers of forgotten people by the hash of their names.
    var erased: [UInt64: ErasedUser] = [:]

    /// - Parameters:
    ///   - decoders: those that the engines of a shard share; nil: its own.
    ///   - keepsPreImages: `undo` is possible.
    ///   - learnsFirst: for tests only: the fault "learned before decided", which a test's oracle must notice.
    ///   - population: one that somebody else tells of events; nil: its own.
    public convenience init(
        plan: EnginePlan, decoders: Decoders? = nil, keepsPreImages: Bool = false, learnsFirst: Bool = false,
        population: Population? = nil
    ) {
        self.init(
            plan: plan, decoders: decoders, keepsPreImages: keepsPreImages, learnsFirst: learnsFirst, population: population,
            former: nil)
    }

    /// `former` is an engine whose users and population this one takes over.
    init(
        plan: EnginePlan, decoders: Decoders?, keepsPreImages: Bool, learnsFirst: Bool, population: Population?,
        former: Engine?
    ) {
        precondition(plan.inputs.count <= 8, "a plan has at most 8 inputs")
        let decoders = decoders ?? Decoders(plan: plan)
        precondition(decoders.count == plan.inputs.count, "the decoders are those of another plan")
        self.decoders = decoders
        self.learnsFirst = learnsFirst
        self.plan = plan
        tally = .allocate(capacity: 1)
        tally.initialize(to: EngineCounters())
        table = former?.table ?? UserTable(bounds: plan.bounds, inputs: plan.inputs.count)
        ownEvent = .allocate(capacity: 1)
        ownEvent.initialize(to: Event())
        mode = .allocate(capacity: 1)
        mode.initialize(to: Mode(event: ownEvent, keepsPreImages: keepsPreImages))
        assessment = .allocate(capacity: 1)
        assessment.initialize(to: Assessment())
        draft = .allocate(capacity: 1)
        draft.initialize(to: Decision())
        text = .allocate(capacity: 1)
        text.initialize(to: OutputBuffer())
        watermarks = .allocate(capacity: 1)
        watermarks.initialize(
            to: Watermark(
                inputs: plan.inputs.count, allowedLateness: plan.windows.allowedLateness, idle: plan.windows.idle))
        hash = KeyedHash(secret: plan.secret)
        nonceKey = AuthenticationKey(plan.secret)
        self.population = former?.population ?? population ?? Population(plan: plan)
        contributes = former?.contributes ?? (population == nil)
        shared = self.population.shared
        policy = CompiledPolicy(
            rules: plan.rules, fallback: plan.fallback, assurance: plan.assurance, vocabulary: plan.vocabulary)
        shadows = ShadowPolicies(plan.shadows, assurance: plan.assurance)
        contextNeeds = policy.needs.union(shadows.needs)
        askedContext = .allocate(capacity: 1)
        askedContext.initialize(to: PolicyContext())
        assurance = CompiledAssurance(plan.assurance)
        breaker = .allocate(capacity: 1)
        breaker.initialize(to: Breaker(plan.breaker, relaxed: policy.questions(named: plan.breaker.relax)))
        methodsText = .allocate(capacity: Self.methodsTextBytes)
        decodePlans = .allocate(capacity: max(plan.inputs.count, 1))
        for (index, input) in plan.inputs.enumerated() {
            (decodePlans + index).initialize(to: .passRetained(DecodePlan(input.decode)))
        }
        scorer = Scorer(model: plan.model, windows: plan.windows)
        classes = ActionClasses(plan.model)
        aging = Aging(halfLife: plan.windows.halfLife, fastHalfLife: plan.windows.fastHalfLife)
        panes = max(1, min(16, Int(plan.windows.rate / max(plan.windows.rateHop, 1))))
        texts = PlanTexts(plan)
    }

    deinit {
        for index in plan.inputs.indices { decodePlans[index].release() }
        decodePlans.deallocate()
        ownEvent.deallocate()
        mode.deallocate()
        tally.deallocate()
        assessment.deinitialize(count: 1)
        assessment.deallocate()
        draft.deinitialize(count: 1)
        draft.deallocate()
        text.deinitialize(count: 1)
        text.deallocate()
        watermarks.deinitialize(count: 1)
        watermarks.deallocate()
        breaker.deinitialize(count: 1)
        breaker.deallocate()
        methodsText.deallocate()
        askedContext.deallocate()
    }

    public var counters: EngineCounters {
        var counters = tally.pointee
        counters.evicted = table.evicted
        return counters
    }

    /// The task's watermark.
    public var watermark: Timestamp { watermarks.pointee.current }

    /// Decides one record: decodes it, and takes it from there.
    ///
    /// Returns nil when that is done. Else the user's row is paged out: nothing has changed, and the row of the number
    /// returned must be put back by `restore(page:row:)` before the same record is stepped again.
    ///
    /// While `recovering`, a record its user has already absorbed changes nothing; what lands in `effects` was emitted
    /// before the crash and is the caller's to drop.
    /// - Complexity: O(record + one user's bounded state)
    @discardableResult
    public func step(_ record: Record, into effects: inout Effects, recovering: Bool = false) -> UInt32? {
        let input = decoders.inputs + Int(record.input)
        // What is kept of this input may lie in the decoder's buffers.
        input.pointee.count = 0
        mode.pointee.event = ownEvent
        let bucket = table.bucket(of: expectedKey(record).hash)
        table.expectRow(in: bucket)
        // The records of a batch mostly lie one behind the other.
        if let base = record.value.base { prefetch(base + record.value.count, bytes: Self.expectedRecordBytes) }
        let outcome = decode(record, input.pointee.decoder, into: event)
        if case .event = outcome { decoders.enrich(event, scratch: input.pointee.slots.pointee.scratch) }
        return take(record, outcome, bucket: bucket, into: &effects, recovering: recovering)
    }

    @inline(__always)
    func decode(
        _ record: Record, _ decoder: Unmanaged<EventDecoder>, into event: UnsafeMutablePointer<Event>
    ) -> DecodeOutcome {
        decodePlans[Int(record.input)]._withUnsafeGuaranteedRef { plan in
            decoder._withUnsafeGuaranteedRef { $0.decode(record, options: plan, into: &event.pointee) }
        }
    }

    /// Of most records, and the key between them.
    static let expectedRecordBytes = 512

    /// Hash of the user whom the record's key names, `user` or `tenant/user`, good enough to fetch by; and whether it is that of
    /// the whole key.
    @inline(__always)
    func expectedKey(_ record: Record) -> (hash: UInt64, isWhole: Bool) {
        guard let key = record.key.base, let found = memchr(key, 0x2F, record.key.count) else { return (hash(record.key), true) }
        let slash = UnsafeRawPointer(found) - UnsafeRawPointer(key)
        let user = ByteView(base: key + slash + 1, count: record.key.count - slash - 1)
        return (hash(user, seed: hash(record.key.prefix(slash))), false)
    }

    /// The whole path of a decoded record: look up, score, decide, emit, learn.
    func take(
        _ record: Record, _ outcome: DecodeOutcome, key known: UInt64? = nil, bucket: Int, into effects: inout Effects,
        recovering: Bool
    ) -> UInt32? {
        switch outcome {
        case .ignored:
            begin(record, recovering: recovering)
            tally.pointee.ignored &+= 1
        case .rejected(let rejection):
            if let page = reject(record, rejection, into: &effects, recovering: recovering) { return page }
        case .event:
            let key = known ?? userKey
            let known = table.find(hash: key, tenant: event.pointee.tenant, user: event.pointee.user, near: bucket)
            if let known {
                if event.pointee.type == .action { table.expectCourse(of: known) }
            } else if let page = table.page(of: key) {
                return page
            }
            begin(record, recovering: recovering)
            tally.pointee.events &+= 1
            keepTime(record)
            var seen = Observation(time: event.pointee.time)
            seen.take(event, hash, agents)
            if seen.action != 0 { seen.kinds = classes.kinds(of: event.pointee.action, fingerprint: seen.action) }
            contribute(record, seen, key, recovering: recovering)
            if event.pointee.type == .erasure {
                erase(record, known, key, into: &effects, recovering: recovering)
            } else if known == nil && event.pointee.type == .feedback {
                // Nobody becomes known, or known again, by what is said of him.
                heedNothing(record, into: &effects)
            } else if let row = row(known, key, record, at: event.pointee.time, recovering: recovering) {
                decide(record, seen, row, into: &effects)
            }
        }
        if recovering && mode.pointee.isFollowing { followEvictions() }
        return nil
    }

    private func decide(_ record: Record, _ seen: Observation, _ start: UserRow, into effects: inout Effects) {
        var row = start
        aging.age(row, to: event.pointee.time)
        if row.remember(event: seen.event) {
            event.pointee.flags.insert(.duplicate)
            tally.pointee.duplicates &+= 1
        }
        // What waits with a session may be what the verdict is about, however late it comes.
        if event.pointee.type == .feedback {
            _ = heed(record, seen, row, into: &effects)
            return
        }
        row = settleHolds(of: row, at: event.pointee.time)
        let overdue = table.closeExpired(of: row, at: event.pointee.time)
        if overdue > 0 { tally.pointee.challenges[.timedOut] &+= UInt64(overdue) }

        row = event.pointee.type == .challenge
            ? answer(record, seen, row, into: &effects) : judge(record, seen, row, into: &effects)
        if event.pointee.time > row.header.pointee.lastSeen { row.header.pointee.lastSeen = event.pointee.time }
    }

    /// Takes note of a record before anything changes.
    @inline(__always)
    private func begin(_ record: Record, recovering: Bool) {
        if mode.pointee.isFollowing { table.followsEvictions = recovering }
        if mode.pointee.keepsPreImages && (recovering || !mode.pointee.hasBaseline) { settleBaseline(recovering: recovering) }
        table.begin(input: Int(record.input), offset: record.offset)
    }

    /// Hash of the event's user.
    @inline(__always)
    var userKey: UInt64 {
        hash(event.pointee.user, seed: event.pointee.tenant.isEmpty ? 0 : hash(event.pointee.tenant))
    }

    /// The row of the event's user; nil when there is none in memory.
    @inline(__always)
    func find(_ key: UInt64) -> UserRow? {
        table.find(hash: key, tenant: event.pointee.tenant, user: event.pointee.user)
    }

    /// The row found, or one made for a user who has none, with the record absorbed; nil when it was absorbed before,
    /// or belongs to somebody since forgotten, which count in recovery only.
    private func row(
        _ known: UserRow?, _ key: UInt64, _ record: Record, at time: Timestamp, recovering: Bool
    ) -> UserRow? {
        let input = Int(record.input)
        if recovering {
            if let known, known.absorbed[input] >= record.offset { return nil }
            if !erased.isEmpty && isErased(key, record) { return nil }
        }
        let row = known ?? table.insert(hash: key, tenant: event.pointee.tenant, user: event.pointee.user, at: time)
        table.touch(row)
        row.absorbed[input] = record.offset
        return row
    }

    // MARK: - Time

    func keepTime(_ record: Record) {
        if let limit = isAhead(event.pointee.time, of: record) {
            event.pointee.time = limit
            event.pointee.flags.insert(.clamped)
            tally.pointee.clamped &+= 1
        }
        if watermarks.pointee.advance(input: Int(record.input), to: event.pointee.time) {
            event.pointee.flags.insert(.late)
            tally.pointee.late &+= 1
        }
    }

    /// The time to which an event's own is clamped; nil where it isn't too far ahead of its record's.
    @inline(__always)
    func isAhead(_ time: Timestamp, of record: Record) -> Timestamp? {
        guard let limit = Self.limit(of: record), time - limit > plan.windows.allowedSkew else { return nil }
        return limit
    }

    /// The record's timestamp where it can be one: on a `CreateTime` topic it is whatever the producer wrote.
    static func limit(of record: Record) -> Timestamp? {
        guard let time = record.timestamp, time >= .earliest, time < .latest else { return nil }
        return time
    }

    // MARK: - Logins and actions

    func judge(_ record: Record, _ seen: Observation, _ start: UserRow, into effects: inout Effects) -> UserRow {
        var row = start
        var session = seen.session == 0 ? -1 : table.session(seen.session, of: row) ?? -1
        if learnsFirst { row = table.learnContext(seen, of: row, weight: 1, counts: true) }
        scorer.score(event, seen, row: row, session: session, shared: shared, into: &assessment.pointee)
        let claim = self.claim(seen, row, session)
        let context = self.context(seen, row, session, claim)
        var (found, rule, reported) = policy.evaluate(event, assessment, context)
        noteThere(seen, row)
        if found == .stepUp && breaker.pointee.isOpen(at: seen.time) {
            (found, rule, reported) = relax((found, rule, reported), context, seen, row, session, claim)
        }
        var ruling = Ruling(verdict: found, rule: rule)
        let ending = self.ending(of: session, row, at: seen.time)
        if let ending { ruling = Ruling(verdict: .terminateSession, rule: -1, reason: ending) }
        let isAlarming = ruling.verdict <= .stepUp && self.isAlarming(seen, row, session, claim)
        if isAlarming || ruling.verdict == .stepUp {
            (row, ruling) = demandProof(ruling, record, seen, row, session, claim, isAlarming: isAlarming)
        }
        var verdict = ruling.verdict

        let differing = ending != nil ? 0
            : compareShadows(
                ruling.isRefused ? .stepUp : verdict, context, seen, row, session, claim, isAlarming: isAlarming)

        var header = row.header
        let changed = header.pointee.level != assessment.pointee.level
        let isReported = !reported.isEmpty
        let isEventful = verdict != .allow || changed || isReported || differing != 0
        let wanted =
            switch plan.emit {
            case .all: true
            case .interventions: isEventful
            case .changes: isEventful || header.pointee.verdict != verdict
            }
        tally.pointee.verdicts[Int(verdict.rawValue)] &+= 1
        if wanted {
            emit(
                record, verdict, reason: reason(of: ruling), previous: header.pointee.level, isAsking: ruling.isAsking,
                reported: reported, differing: differing, into: &effects)
            row = table.remember(
                JudgedSlot(id: decision.id, seen, verdict: verdict, level: assessment.pointee.level), of: row)
            header = row.header
        }
        header.pointee.level = assessment.pointee.level
        header.pointee.verdict = verdict

        let isNew = session < 0
        // That nobody could be asked says nothing against the person: it waits as what is asked does.
        if ruling.isRefused { verdict = .stepUp }
        if !event.pointee.flags.contains(.duplicate) {
            row = learn(seen, row, &session, verdict: verdict, isProven: ruling.isProven, isReported: isReported)
        } else if verdict >= .deny && session >= 0 {
            condemn(seen, row, session, verdict)
        }
        noteSession(seen, row, session, isNew: isNew, verdict: verdict, claim: claim)
        return row
    }

    // MARK: - What can't be decided

    /// A dead letter with the original bytes; whoever it is about, as far as that can be read, is held to account for
    /// it, because being undecodable must not be a way to hide.
    /// Returns the page that must be put back first, as `step` does.
    func reject(
        _ record: Record, _ rejection: Rejection, into effects: inout Effects, recovering: Bool
    ) -> UInt32? {
        let isBlamed = event.pointee.user.isPresent && rejection.reason != .unsupportedType
        let key = isBlamed ? userKey : 0
        let known = isBlamed ? find(key) : nil
        if isBlamed, known == nil, let page = table.page(of: key) { return page }
        begin(record, recovering: recovering)
        tally.pointee.deadLetters &+= 1
        effects.emitDeadLetter(record, rejection, topic: texts.topics[Int(record.input)])
        guard isBlamed else { return nil }
        let limit = Self.limit(of: record)
        var time = event.pointee.time.milliseconds > 0 ? event.pointee.time : limit ?? watermarks.pointee.newest
        // Else a date in the future would be held against the user until then.
        if let limit = isAhead(time, of: record) { time = limit }
        guard time >= .earliest, let row = row(known, key, record, at: time, recovering: recovering) else { return nil }
        let header = row.header
        if time - header.pointee.malformedAt > plan.model.malformedWindow { header.pointee.malformed = 0 }
        header.pointee.malformed &+= 1
        header.pointee.malformedAt = max(header.pointee.malformedAt, time)
        return nil
    }
}
