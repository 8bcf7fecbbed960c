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

    /// What most rules ask for.
    struct Clause {
        var types: UInt8
        var levels: UInt8
        var confidence: UInt8
        /// 0 any, else 1 << `LoginOutcome`.
        var outcomes: UInt8
        var needsAmount: Bool
        /// In `extras`; −1: none.
        var extra: Int32
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

    /// What all clauses compare with, found out once for an event.
    struct Facts {
        var type: UInt8
        var level: UInt8
        var confidence: UInt8
        var outcome: UInt8
        var methods: UInt32
        var fired: UInt64
        var score: Double
        var age: Double
        var amount: Double
    }

    let clauses: UnsafeMutablePointer<Clause>
    private let extras: UnsafeMutablePointer<Extra>
    private let patterns: UnsafeMutablePointer<ByteView>
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
            return ByteView(base: UnsafePointer(copy), count: text.utf8.count)
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

    func facts(_ event: borrowing Event, _ assessment: borrowing Assessment) -> Facts {
        Facts(
            type: 1 << event.type.rawValue, level: 1 << assessment.level.rawValue,
            confidence: 1 << assessment.confidence.rawValue, outcome: 1 << event.outcome.rawValue,
            methods: event.amr.rawValue, fired: assessment.fired.rawValue, score: needsScore ? assessment.score : 0,
            age: event.authTime == .distantPast ? Double.infinity : max(0, Double(event.time - event.authTime)),
            amount: event.amount)
    }

    /// Whether a clause holds.
    /// - Complexity: O(what it asks for); a list costs no more than one text.
    @inline(__always)
    func holds(_ index: Int, _ event: borrowing Event, _ facts: Facts, _ context: borrowing PolicyContext) -> Bool {
        let clause = clauses + index
        guard clause.pointee.types & facts.type != 0, clause.pointee.levels & facts.level != 0,
            clause.pointee.confidence & facts.confidence != 0,
            !needsScore || (facts.score >= clause.pointee.scoreLow && facts.score <= clause.pointee.scoreHigh),
            clause.pointee.anySignals == 0 || clause.pointee.anySignals & facts.fired != 0,
            clause.pointee.allSignals & facts.fired == clause.pointee.allSignals,
            clause.pointee.outcomes == 0 || clause.pointee.outcomes & facts.outcome != 0,
            clause.pointee.anyMethods == 0 || clause.pointee.anyMethods & facts.methods != 0,
            clause.pointee.noMethods & facts.methods == 0,
            facts.age >= clause.pointee.ageLow, facts.age <= clause.pointee.ageHigh,
            !clause.pointee.needsAmount
                || (facts.amount >= clause.pointee.amountLow && facts.amount <= clause.pointee.amountHigh),
            matches(clause.pointee.actions, event.action), matches(clause.pointee.resources, event.resource),
            matches(clause.pointee.tenants, event.tenant), matches(clause.pointee.currencies, event.currency),
            matches(clause.pointee.acr, event.acr)
        else { return false }
        if clause.pointee.extra < 0 { return true }
        return holds(extra: Int(clause.pointee.extra), event, facts, context)
    }

    /// Whether any of the clauses that `run` of the references names holds.
    func holdsAny(_ run: Run, _ event: borrowing Event, _ facts: Facts, _ context: borrowing PolicyContext) -> Bool {
        for index in run.indices where holdsOutOfLine(Int(references[index]), event, facts, context) { return true }
        return false
    }

    /// Whether all of them hold.
    func holdsAll(_ run: Run, _ event: borrowing Event, _ facts: Facts, _ context: borrowing PolicyContext) -> Bool {
        for index in run.indices where !holdsOutOfLine(Int(references[index]), event, facts, context) { return false }
        return true
    }

    /// Names refer to names: the depth is that of the plan, in which there are no circles.
    @inline(never)
    private func holdsOutOfLine(_ index: Int, _ event: borrowing Event, _ facts: Facts, _ context: borrowing PolicyContext) -> Bool {
        holds(index, event, facts, context)
    }

    @inline(never)
    private func holds(extra index: Int, _ event: borrowing Event, _ facts: Facts, _ context: borrowing PolicyContext) -> Bool {
        let extra = extras + index
        let (deviceClass, sessionLevel) = (event.deviceClass.rawValue, context.sessionLevel.rawValue)
        guard extra.pointee.deviceClasses == 0 || extra.pointee.deviceClasses >> deviceClass & 1 == 1,
            extra.pointee.sessionLevels == 0 || extra.pointee.sessionLevels >> sessionLevel & 1 == 1,
            context.assurance.rawValue >= extra.pointee.assuranceLow, context.assurance.rawValue < extra.pointee.assuranceBelow,
            matches(extra.pointee.tagged, event.resource), matches(extra.pointee.devices, event.deviceID)
        else { return false }
        for index in extra.pointee.counts.indices {
            let value = context[checks[index].count]
            if value < checks[index].low || value > checks[index].high { return false }
        }
        if !extra.pointee.times.isEmpty, !holdsAny(extra.pointee.times, at: event.time) { return false }
        if !extra.pointee.countries.isEmpty, !matches(extra.pointee.countries, country: event.country) { return false }
        if !extra.pointee.providers.isEmpty, !matches(extra.pointee.providers, provider: event.asn) { return false }
        if extra.pointee.asksAddress, !matches(extra, address: event.ip) { return false }
        if !extra.pointee.users.isEmpty || !extra.pointee.groups.isEmpty, !matches(extra, user: event.user, of: event.tenant) { return false }
        for index in extra.pointee.named.indices where !holdsAny(alternatives[index], event, facts, context) { return false }
        return true
    }

    private func holdsAny(_ run: Run, at time: Timestamp) -> Bool {
        for index in run.indices where times[index].holds(at: time) { return true }
        return false
    }

    @inline(__always)
    private func matches(_ texts: Texts, _ text: ByteView) -> Bool { texts.isEmpty || fits(texts, text) }

    private func fits(_ texts: Texts, _ text: ByteView) -> Bool {
        if !text.isPresent { return false }
        for index in texts.patterns.indices where Events.matches(glob: patterns[index], text) { return true }
        for index in texts.lists.indices where lists[index].contains(text) { return true }
        return false
    }

    /// The same by those patterns and entries alone that name no tenant. The text holds a `/`.
    private func fitsUnqualified(_ texts: Texts, _ text: ByteView) -> Bool {
        for index in texts.patterns.indices
        where !patterns[index].bytes.contains(UInt8(ascii: "/")) && Events.matches(glob: patterns[index], text) { return true }
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
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: tenant.count + 1 + user.count) { whole in
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
