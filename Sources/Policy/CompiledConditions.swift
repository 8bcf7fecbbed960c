import Events
import Risk

/// Conditions in the flat form they are matched in: no arrays, no strings, no retains.
final class CompiledConditions {
    /// A stretch of one of the flat arrays.
    struct Run {
        var first: Int32 = 0
        var count: Int32 = 0
        var isEmpty: Bool { count == 0 }
        var indices: Range<Int> { Int(first)..<Int(first) + Int(count) }
    }

    /// What a text may be: a run of patterns, or an entry of one of a run of lists. Nothing given: anything.
    struct Texts {
        var patterns = Run()
        var lists = Run()
        var isEmpty: Bool { patterns.isEmpty && lists.isEmpty }
    }

    /// What a clause asks for that most don't.
    struct Asked: OptionSet {
        var rawValue: UInt8
        static let score = Asked(rawValue: 1)
        static let age = Asked(rawValue: 2)
        static let amount = Asked(rawValue: 4)
        static let action = Asked(rawValue: 8)
        static let texts = Asked(rawValue: 16)
        static let extra = Asked(rawValue: 32)
        static let numbers: Asked = [.score, .age, .amount]
    }

    /// A text of an event that many rules ask for.
    enum Asking { case user, action, resource }

    /// What most rules ask for.
    struct Clause {
        var types: UInt8
        var levels: UInt8
        var confidence: UInt8
        /// As bits.
        var outcomes: UInt8
        var asked: Asked
        /// In `extras`.
        var extra: Int32
        /// Number of the set of names that `actions` is.
        var actionSet: Int32
        var scoreLow: Double
        var scoreHigh: Double
        var amountLow: Double
        var amountHigh: Double
        var ageLow: Double
        var ageHigh: Double
        var anySignals: UInt64
        var allSignals: UInt64
        var anyMethods: UInt32
        var noMethods: UInt32
        var actions: Texts
        var resources: Texts
        var tenants: Texts
        var currencies: Texts
        var acr: Texts
    }

    /// What few rules ask for.
    struct Extra {
        var users = Texts()
        var groups = Texts()
        /// Resources that have one of the tags.
        var tagged = Texts()
        var devices = Texts()
        var providers = Texts()
        var countries = Texts()
        var asksTag = false
        /// For users or groups.
        var asksUser = false
        /// For anything but tags, users and groups.
        var asksMore = false
        var asksAddress = false
        /// Bit in `networks` of the prefixes that the conditions spell out.
        var prefixes: UInt64 = 0
        var networkLists = Run()
        /// 0 any.
        var deviceClasses: UInt8 = 0
        var sessionLevels: UInt8 = 0
        var assuranceLow: UInt8 = 0
        var assuranceBelow: UInt8 = .max
        var times = Run()
        var counts = Run()
        /// In `alternatives`: of each, one must hold.
        var named = Run()
    }

    struct CountCheck {
        var count: RecentCount
        var low: Float
        var high: Float
    }

    /// What all clauses compare with.
    struct Subject {
        let event: UnsafePointer<Event>
        let assessment: UnsafePointer<Assessment>
        /// Where a clause asks for the score itself.
        let score: Double
        /// What is remembered of the event's action, from when it is first asked for.
        var action: UnsafeMutablePointer<ActionMemo.Slot>?
    }

    let clauses: UnsafeMutablePointer<Clause>
    private let extras: UnsafeMutablePointer<Extra>
    private let patterns: UnsafeMutablePointer<GlobPattern>
    private let lists: UnsafeMutablePointer<EntryTable>
    private let checks: UnsafeMutablePointer<CountCheck>
    private let times: UnsafeMutablePointer<CompiledTime>
    private let timeCount: Int
    /// Runs of clauses, one of which must hold.
    private let alternatives: UnsafeMutablePointer<Run>
    /// Numbers of clauses.
    private let references: UnsafeMutablePointer<Int32>
    /// What the prefixes that conditions spell out say of an address.
    private let networks: NetworkTable?
    /// Keeps alive what `lists` borrows from, and is asked for addresses.
    private let sources: [EntryList]
    private let networkSources: UnsafeMutablePointer<Unmanaged<EntryList>>
    private let arena: [UnsafeMutablePointer<UInt8>]
    private let memo = ActionMemo()
    /// A clause asks for the score itself, and not only for its level.
    let needsScore: Bool
    let needs: ContextNeeds

    init(_ compiler: consuming ConditionCompiler) {
        func flat<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
            let copy = UnsafeMutablePointer<T>.allocate(capacity: max(values.count, 1))
            copy.initialize(from: values, count: values.count)
            return copy
        }
        var arena: [UnsafeMutablePointer<UInt8>] = []
        patterns = flat(compiler.patterns.map { text in
            let copy = flat(Array(text.utf8))
            arena.append(copy)
            return GlobPattern(ByteView(base: UnsafePointer(copy), count: text.utf8.count))
        })
        self.arena = arena
        clauses = flat(compiler.clauses)
        extras = flat(compiler.extras)
        lists = flat(compiler.lists.map(\.table))
        networkSources = flat(compiler.networkLists.map { Unmanaged.passUnretained($0) })
        sources = compiler.lists + compiler.networkLists
        checks = flat(compiler.checks)
        times = flat(compiler.times.map { CompiledTime($0) })
        timeCount = compiler.times.count
        alternatives = flat(compiler.alternatives)
        references = flat(compiler.references)
        networks = compiler.prefixes.isEmpty ? nil : NetworkTable(
            compiler.prefixes.enumerated().map { (1 << UInt64($0.offset), $0.element) })
        needsScore = compiler.needsScore
        needs = compiler.needs
    }

    deinit {
        for index in 0..<timeCount { times[index].deallocate() }
        memo.deallocate()
        clauses.deallocate()
        extras.deallocate()
        patterns.deallocate()
        lists.deallocate()
        networkSources.deallocate()
        checks.deallocate()
        times.deallocate()
        alternatives.deallocate()
        references.deallocate()
        for text in arena { text.deallocate() }
    }

    // MARK: - Matching

    @inline(__always)
    func subject(_ event: UnsafePointer<Event>, _ assessment: UnsafePointer<Assessment>) -> Subject {
        Subject(event: event, assessment: assessment, score: needsScore ? assessment.pointee.score : 0)
    }

    /// Whether a clause holds of an event that is of a type, level, confidence and outcome it asks for.
    /// - Complexity: O(what it asks for); a list costs no more than one text.
    @inline(__always)
    func holdsOfKind(_ clause: UnsafeMutablePointer<Clause>, _ subject: inout Subject, _ context: UnsafePointer<PolicyContext>) -> Bool {
        let (fired, methods) = (subject.assessment.pointee.fired.rawValue, subject.event.pointee.amr.rawValue)
        let asked = clause.pointee.asked
        guard clause.pointee.anySignals == 0 || clause.pointee.anySignals & fired != 0,
            clause.pointee.allSignals & fired == clause.pointee.allSignals,
            clause.pointee.anyMethods == 0 || clause.pointee.anyMethods & methods != 0,
            clause.pointee.noMethods & methods == 0
        else { return false }
        if asked.isEmpty { return true }
        return holds(asked, clause, &subject, context)
    }

    @inline(never)
    private func holds(
        _ asked: Asked, _ clause: UnsafeMutablePointer<Clause>, _ subject: inout Subject, _ context: UnsafePointer<PolicyContext>
    ) -> Bool {
        let event = subject.event
        if !asked.isDisjoint(with: .numbers), !holdsInNumbers(clause, subject) { return false }
        if asked.contains(.action), !holdsInAction(clause, &subject) { return false }
        if asked.contains(.texts), !holdsInTexts(clause, event) { return false }
        if !asked.contains(.extra) { return true }
        let extra = extras + Int(clause.pointee.extra)
        if extra.pointee.asksTag, !mayFit(extra.pointee.tagged, event.pointee.resource) { return false }
        if extra.pointee.asksUser, event.pointee.tenant.isEmpty {
            if !mayFit(extra.pointee.users, event.pointee.user) || !mayFit(extra.pointee.groups, event.pointee.user) { return false }
        }
        return holds(extra, &subject, context)
    }

    /// Whether a clause holds. Names refer to names: the depth is that of the plan, in which there are no circles.
    @inline(never)
    private func holds(_ index: Int, _ subject: inout Subject, _ context: UnsafePointer<PolicyContext>) -> Bool {
        let clause = clauses + index
        guard clause.pointee.types >> subject.event.pointee.type.rawValue & 1 == 1,
            clause.pointee.levels >> subject.assessment.pointee.level.rawValue & 1 == 1,
            clause.pointee.confidence >> subject.assessment.pointee.confidence.rawValue & 1 == 1,
            clause.pointee.outcomes >> subject.event.pointee.outcome.rawValue & 1 == 1
        else { return false }
        return holdsOfKind(clause, &subject, context)
    }

    /// Whether any of the clauses that `run` of the references names holds.
    func holdsAny(_ run: Run, _ subject: inout Subject, _ context: UnsafePointer<PolicyContext>) -> Bool {
        for index in run.indices where holds(Int(references[index]), &subject, context) { return true }
        return false
    }

    /// Whether all of them hold.
    func holdsAll(_ run: Run, _ subject: inout Subject, _ context: UnsafePointer<PolicyContext>) -> Bool {
        for index in run.indices where !holds(Int(references[index]), &subject, context) { return false }
        return true
    }

    @inline(__always)
    private func holdsInNumbers(_ clause: UnsafeMutablePointer<Clause>, _ subject: Subject) -> Bool {
        let event = subject.event
        let asked = clause.pointee.asked
        if asked.contains(.age) {
            let since = event.pointee.authTime
            let age = since == .distantPast ? Double.infinity : max(0, Double(event.pointee.time - since))
            guard age >= clause.pointee.ageLow, age <= clause.pointee.ageHigh else { return false }
        }
        if asked.contains(.amount) {
            let amount = event.pointee.amount
            guard amount >= clause.pointee.amountLow, amount <= clause.pointee.amountHigh else { return false }
        }
        return !asked.contains(.score) || (subject.score >= clause.pointee.scoreLow && subject.score <= clause.pointee.scoreHigh)
    }

    @inline(never)
    private func holdsInAction(_ clause: UnsafeMutablePointer<Clause>, _ subject: inout Subject) -> Bool {
        let action = subject.event.pointee.action
        let set = Int(clause.pointee.actionSet)
        guard set < ActionMemo.mostSets else { return fits(clause.pointee.actions, action) }
        if subject.action == nil { subject.action = memo.slot(of: action) }
        guard let slot = subject.action else { return fits(clause.pointee.actions, action) }
        let bit: UInt64 = 1 << UInt64(set)
        if slot.pointee.known & bit == 0 {
            slot.pointee.known |= bit
            if fits(clause.pointee.actions, action) { slot.pointee.fitting |= bit }
        }
        return slot.pointee.fitting & bit != 0
    }

    @inline(never)
    private func holdsInTexts(_ clause: UnsafeMutablePointer<Clause>, _ event: UnsafePointer<Event>) -> Bool {
        matches(clause.pointee.resources, event.pointee.resource) && matches(clause.pointee.tenants, event.pointee.tenant)
            && matches(clause.pointee.currencies, event.pointee.currency) && matches(clause.pointee.acr, event.pointee.acr)
    }

    @inline(never)
    private func holds(_ extra: UnsafeMutablePointer<Extra>, _ subject: inout Subject, _ context: UnsafePointer<PolicyContext>) -> Bool {
        let event = subject.event
        if extra.pointee.asksTag, !fits(extra.pointee.tagged, event.pointee.resource) { return false }
        if extra.pointee.asksMore, !holdsInMore(extra, event, context) { return false }
        if extra.pointee.asksUser, !matches(extra, user: event.pointee.user, of: event.pointee.tenant) { return false }
        for index in extra.pointee.named.indices where !holdsAny(alternatives[index], &subject, context) { return false }
        return true
    }

    @inline(never)
    private func holdsInMore(
        _ extra: UnsafeMutablePointer<Extra>, _ event: UnsafePointer<Event>, _ context: UnsafePointer<PolicyContext>
    ) -> Bool {
        let (deviceClass, sessionLevel) = (event.pointee.deviceClass.rawValue, context.pointee.sessionLevel.rawValue)
        guard extra.pointee.deviceClasses == 0 || extra.pointee.deviceClasses >> deviceClass & 1 == 1,
            extra.pointee.sessionLevels == 0 || extra.pointee.sessionLevels >> sessionLevel & 1 == 1,
            context.pointee.assurance.rawValue >= extra.pointee.assuranceLow, context.pointee.assurance.rawValue < extra.pointee.assuranceBelow,
            matches(extra.pointee.devices, event.pointee.deviceID)
        else { return false }
        for index in extra.pointee.counts.indices {
            let value = context.pointee[checks[index].count]
            if value < checks[index].low || value > checks[index].high { return false }
        }
        if !extra.pointee.times.isEmpty, !holdsAny(extra.pointee.times, at: event.pointee.time) { return false }
        if !extra.pointee.countries.isEmpty, !matches(extra.pointee.countries, country: event.pointee.country) { return false }
        if !extra.pointee.providers.isEmpty, !matches(extra.pointee.providers, provider: event.pointee.asn) { return false }
        return !extra.pointee.asksAddress || matches(extra, address: event.pointee.ip)
    }

    /// False where a text of this mark is sure not to be what the clause asks for.
    func mayFit(_ clause: Clause, _ asking: Asking, mark: UInt8) -> Bool {
        func mayFit(_ texts: Texts) -> Bool {
            texts.isEmpty || texts.patterns.indices.contains { GlobPattern.mayFit(patterns[$0].text, mark: mark) }
                || texts.lists.indices.contains { lists[$0].mayContain(mark: mark) }
        }
        let extra = clause.extra < 0 ? Extra() : extras[Int(clause.extra)]
        return switch asking {
        case .user: mayFit(extra.users) && mayFit(extra.groups)
        case .action: mayFit(clause.actions)
        case .resource: mayFit(clause.resources) && mayFit(extra.tagged)
        }
    }

    private func holdsAny(_ run: Run, at time: Timestamp) -> Bool {
        for index in run.indices where times[index].holds(at: time) { return true }
        return false
    }

    @inline(__always)
    private func matches(_ texts: Texts, _ text: ByteView) -> Bool { texts.isEmpty || fits(texts, text) }

    /// False where the text is sure not to fit.
    @inline(__always)
    private func mayFit(_ texts: Texts, _ text: ByteView) -> Bool {
        if texts.isEmpty || !texts.lists.isEmpty { return true }
        if !text.isPresent { return false }
        let ends = GlobPattern.Ends(text)
        var pattern = patterns + Int(texts.patterns.first)
        let end = pattern + Int(texts.patterns.count)
        while pattern < end {
            if pattern.pointee.mayFit(ends) { return true }
            pattern += 1
        }
        return false
    }

    @inline(never)
    private func fits(_ texts: Texts, _ text: ByteView) -> Bool {
        if !text.isPresent { return false }
        let ends = GlobPattern.Ends(text)
        for index in texts.patterns.indices where patterns[index].mayFit(ends) {
            if Events.matches(glob: patterns[index].text, text) { return true }
        }
        for index in texts.lists.indices where lists[index].contains(text) { return true }
        return false
    }

    /// The same by those patterns and entries alone that name no tenant. The text holds a `/`.
    private func fitsUnqualified(_ texts: Texts, _ text: ByteView) -> Bool {
        for index in texts.patterns.indices where !patterns[index].text.bytes.contains(UInt8(ascii: "/")) {
            if Events.matches(glob: patterns[index].text, text) { return true }
        }
        for index in texts.lists.indices where lists[index].hasUnqualified(text) { return true }
        return false
    }

    private func matches(_ texts: Texts, country: UInt16) -> Bool {
        if country == 0 { return false }
        let bytes: InlineArray<2, UInt8> = [UInt8(country >> 8), UInt8(country & 0xFF)]
        return bytes.span.withUnsafeBufferPointer { fits(texts, ByteView(base: $0.baseAddress, count: 2)) }
    }

    private func matches(_ texts: Texts, provider: UInt32) -> Bool {
        if provider == 0 { return false }
        var digits = InlineArray<10, UInt8>(repeating: 0)
        var (rest, first) = (provider, 10)
        while rest > 0 {
            first -= 1
            digits[first] = UInt8(48 + rest % 10)
            rest /= 10
        }
        return digits.span.withUnsafeBufferPointer { bytes in
            fits(texts, ByteView(base: bytes.baseAddress.map { $0 + first }, count: 10 - first))
        }
    }

    private func matches(_ extra: UnsafeMutablePointer<Extra>, address: IPAddress) -> Bool {
        if !address.isPresent { return false }
        if extra.pointee.prefixes != 0, let mask = networks?.mask(of: address), mask & extra.pointee.prefixes != 0 { return true }
        for index in extra.pointee.networkLists.indices {
            let isHeld = networkSources[index]._withUnsafeGuaranteedRef { ($0.networks?.mask(of: address) ?? 0) != 0 }
            if isHeld { return true }
        }
        return false
    }

    /// A user goes by the name alone, and by `tenant/user`.
    private func matches(_ extra: UnsafeMutablePointer<Extra>, user: ByteView, of tenant: ByteView) -> Bool {
        if tenant.isEmpty || !user.isPresent { return matches(extra.pointee.users, user) && matches(extra.pointee.groups, user) }
        return matches(extra, user: user, qualifiedBy: tenant)
    }

    @inline(never)
    private func matches(_ extra: UnsafeMutablePointer<Extra>, user: ByteView, qualifiedBy tenant: ByteView) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: tenant.count + 1 + user.count) { whole in
            for index in 0..<tenant.count { whole[index] = tenant[index] }
            whole[tenant.count] = UInt8(ascii: "/")
            for index in 0..<user.count { whole[tenant.count + 1 + index] = user[index] }
            let name = ByteView(base: UnsafePointer(whole.baseAddress), count: whole.count)
            // A name that looks like another tenant's user is none.
            let isQualified = user.bytes.contains(UInt8(ascii: "/"))
            func either(_ texts: Texts) -> Bool {
                texts.isEmpty || fits(texts, name) || (isQualified ? fitsUnqualified(texts, user) : fits(texts, user))
            }
            return either(extra.pointee.users) && either(extra.pointee.groups)
        }
    }
}
