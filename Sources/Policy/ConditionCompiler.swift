import Events
import Risk

/// Lays the conditions of a policy out flat. What the conditions name must be in the vocabulary.
struct ConditionCompiler {
    typealias Run = CompiledConditions.Run

    let vocabulary: Vocabulary
    var clauses: [CompiledConditions.Clause] = []
    var extras: [CompiledConditions.Extra] = []
    var patterns: [String] = []
    var lists: [EntryList] = []
    var networkLists: [EntryList] = []
    var prefixes: [[NetworkPrefix]] = []
    var checks: [CompiledConditions.CountCheck] = []
    var times: [TimeOfDay] = []
    var alternatives: [Run] = []
    var references: [Int32] = []
    var needsScore = false
    var needs: ContextNeeds = []
    /// Sets of names of actions, by what they are written as.
    private var actionSets: [[String]: Int32] = [:]
    /// Clauses of the names met so far.
    private var named: [String: [Int32]] = [:]

    init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

    /// Policies spell out at most so many sets of network prefixes.
    static let mostPrefixSets = 64

    /// The number of the clause.
    mutating func add(_ when: RuleConditions) -> Int32 {
        func mask<T>(_ values: [T], _ bit: (T) -> UInt8) -> UInt8 {
            values.isEmpty ? 0xFF : values.reduce(0) { $0 | 1 << bit($1) }
        }
        // Every score lies within 0 and 100.
        let asksScore = (when.score?.atLeast ?? 0) > 0 || (when.score?.atMost ?? 100) < 100
        if asksScore { needsScore = true }
        let extra = self.extra(of: when)
        var asked: CompiledConditions.Asked = asksScore ? .score : []
        if when.authAge != nil { asked.insert(.age) }
        if when.amount != nil { asked.insert(.amount) }
        if !when.actions.isEmpty { asked.insert(.action) }
        if !(when.resources.isEmpty && when.tenants.isEmpty && when.currencies.isEmpty && when.acr.isEmpty) { asked.insert(.texts) }
        if extra >= 0 { asked.insert(.extra) }
        clauses.append(
            CompiledConditions.Clause(
                types: mask(when.types) { $0.rawValue }, levels: mask(when.levels) { $0.rawValue },
                confidence: mask(when.confidence) { $0.rawValue },
                outcomes: when.outcome.map { 1 << $0.rawValue } ?? 0xFF, asked: asked, extra: extra,
                actionSet: actionSet(of: when.actions),
                scoreLow: when.score?.atLeast ?? -.infinity, scoreHigh: when.score?.atMost ?? .infinity,
                amountLow: when.amount?.atLeast ?? -.infinity, amountHigh: when.amount?.atMost ?? .infinity,
                ageLow: when.authAge?.atLeast ?? -.infinity, ageHigh: when.authAge?.atMost ?? .infinity,
                anySignals: when.anySignals.rawValue, allSignals: when.allSignals.rawValue,
                anyMethods: when.anyMethods.rawValue, noMethods: when.noMethods.rawValue,
                actions: texts(when.actions), resources: texts(when.resources), tenants: texts(when.tenants),
                currencies: texts(when.currencies), acr: texts(when.acr)))
        return Int32(clauses.count - 1)
    }

    /// A run of references to clauses.
    mutating func add(all conditions: [RuleConditions]) -> Run {
        let added = conditions.map { add($0) }
        return refer(to: added)
    }

    private mutating func actionSet(of texts: [String]) -> Int32 {
        if let known = actionSets[texts] { return known }
        let set = Int32(actionSets.count)
        if !texts.isEmpty { actionSets[texts] = set }
        return set
    }

    private mutating func refer(to clauses: [Int32]) -> Run {
        defer { references += clauses }
        return Run(first: Int32(references.count), count: Int32(clauses.count))
    }

    private mutating func extra(of when: RuleConditions) -> Int32 {
        guard when != when.withoutExtras else { return -1 }
        var extra = CompiledConditions.Extra()
        extra.users = texts(when.users)
        extra.groups = texts(when.groups, in: vocabulary.groups)
        extra.tagged = texts(when.tags, in: vocabulary.tags)
        extra.devices = texts(when.devices)
        extra.providers = texts(when.providers)
        extra.countries = texts(when.countries)
        extra.asksTag = !extra.tagged.isEmpty
        extra.asksUser = !when.users.isEmpty || !when.groups.isEmpty
        extra.asksAddress = !when.addresses.isEmpty
        (extra.prefixes, extra.networkLists) = networks(when.addresses)
        extra.deviceClasses = when.deviceClasses.reduce(0) { $0 | 1 << $1.rawValue }
        extra.sessionLevels = when.sessionLevels.reduce(0) { $0 | 1 << $1.rawValue }
        extra.assuranceLow = when.assurance?.atLeast?.rawValue ?? 0
        extra.assuranceBelow = when.assurance?.below?.rawValue ?? .max
        if !when.sessionLevels.isEmpty { needs.insert(.sessionLevel) }
        if extra.assuranceLow > 0 || when.assurance?.below != nil { needs.insert(.assurance) }
        extra.times = Run(first: Int32(times.count), count: Int32(when.times.count))
        times += when.times
        extra.counts = Run(first: Int32(checks.count), count: Int32(when.counts.count))
        for asked in when.counts {
            needs.insert(ContextNeeds(asked.count))
            checks.append(CompiledConditions.CountCheck(
                count: asked.count, low: Float(asked.range.atLeast ?? -.infinity), high: Float(asked.range.atMost ?? .infinity)))
        }
        var rest = when.withoutExtras
        (rest.tags, rest.users, rest.groups, rest.named) = (when.tags, when.users, when.groups, when.named)
        extra.asksMore = rest != when
        extra.named = names(when.named)
        extras.append(extra)
        return Int32(extras.count - 1)
    }

    private mutating func names(_ asked: [[String]]) -> Run {
        var runs: [Run] = []
        for names in asked {
            var any: [Int32] = []
            for name in names { any += clauses(named: name) }
            runs.append(refer(to: any))
        }
        defer { alternatives += runs }
        return Run(first: Int32(alternatives.count), count: Int32(runs.count))
    }

    private mutating func clauses(named name: String) -> [Int32] {
        if let known = named[name] { return known }
        guard let conditions = vocabulary.conditions[name] else { preconditionFailure("no conditions are named \(name)") }
        var added: [Int32] = []
        for when in conditions { added.append(add(when)) }
        named[name] = added
        return added
    }

    private func known(_ name: String, _ names: [String: [String]]) -> [String] {
        guard let found = names[name] else { preconditionFailure("nothing is named \(name)") }
        return found
    }

    private func list(_ name: Substring) -> EntryList {
        guard let list = vocabulary.lists[String(name)] else { preconditionFailure("no list is named \(name)") }
        return list
    }

    private mutating func texts(_ texts: [String]) -> CompiledConditions.Texts {
        let own = texts.filter { !$0.hasPrefix("@") }
        let named = texts.filter { $0.hasPrefix("@") }.map { list($0.dropFirst()) }
        defer {
            patterns += own
            lists += named
        }
        return CompiledConditions.Texts(
            patterns: Run(first: Int32(patterns.count), count: Int32(own.count)),
            lists: Run(first: Int32(lists.count), count: Int32(named.count)))
    }

    /// What any of these names stands for. Names that stand for nothing fit nothing, unlike no names at all.
    private mutating func texts(_ names: [String], in entries: [String: [String]]) -> CompiledConditions.Texts {
        let all = names.flatMap { known($0, entries) }
        if names.isEmpty || !all.isEmpty { return texts(all) }
        defer { lists.append(EntryList([])) }
        return CompiledConditions.Texts(lists: Run(first: Int32(lists.count), count: 1))
    }

    private mutating func networks(_ texts: [String]) -> (UInt64, Run) {
        let own = texts.filter { !$0.hasPrefix("@") }.compactMap { NetworkPrefix($0[...]) }
        let named = texts.filter { $0.hasPrefix("@") }.map { list($0.dropFirst()) }
        precondition(named.allSatisfy { $0.networks != nil }, "a list that `ip` names is one of networks")
        defer { networkLists += named }
        let run = Run(first: Int32(networkLists.count), count: Int32(named.count))
        guard !own.isEmpty else { return (0, run) }
        let index = prefixes.firstIndex(of: own) ?? prefixes.count
        precondition(index < Self.mostPrefixSets, "a policy spells out at most 64 sets of network prefixes")
        if index == prefixes.count { prefixes.append(own) }
        return (1 << UInt64(index), run)
    }
}

extension RuleConditions {
    /// As much as a `Clause` holds.
    fileprivate var withoutExtras: RuleConditions {
        var plain = RuleConditions()
        plain.types = types
        plain.tenants = tenants
        plain.actions = actions
        plain.resources = resources
        plain.amount = amount
        plain.currencies = currencies
        plain.score = score
        plain.levels = levels
        plain.confidence = confidence
        plain.anySignals = anySignals
        plain.allSignals = allSignals
        plain.acr = acr
        plain.anyMethods = anyMethods
        plain.noMethods = noMethods
        plain.authAge = authAge
        plain.outcome = outcome
        return plain
    }
}
