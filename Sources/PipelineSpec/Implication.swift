import Events
import Policy
import Risk

/// Whether conditions follow from others, for finding rules that are never reached. What it affirms is so; what it denies
/// may be so all the same.
struct Implication {
    let vocabulary: Vocabulary
    let model: ModelOptions

    /// Whether every event that the rule `b` matches is matched by `a`, which stands before it.
    func covers(_ a: Rule, _ b: Rule) -> Bool {
        let known = facts([b.conditions] + b.also)
        return ([a.conditions] + a.also).allSatisfy { follows($0, from: known) } && a.unless.allSatisfy { b.unless.contains($0) }
    }

    /// Whether `when` holds wherever all of `known` does.
    func follows(_ when: RuleConditions, from known: [RuleConditions]) -> Bool {
        named(when, known) && texts(when, known) && choices(when, known) && evidence(when, known) && numbers(when, known)
            && (when.times.isEmpty || known.contains { !$0.times.isEmpty && subset($0.times, when.times) })
    }

    /// With what named conditions that have no alternative say.
    func facts(_ conditions: [RuleConditions]) -> [RuleConditions] {
        var all: [RuleConditions] = []
        var open = conditions
        while let next = open.popLast(), all.count < 256 {
            all.append(next)
            for names in next.named where names.count == 1 {
                if let alternatives = vocabulary.conditions[names[0]], alternatives.count == 1 { open += alternatives }
            }
        }
        return all
    }

    private func named(_ when: RuleConditions, _ known: [RuleConditions]) -> Bool {
        when.named.allSatisfy { names in
            known.contains { $0.named.contains { subset($0, names) } }
                || names.contains { name in (vocabulary.conditions[name] ?? []).contains { $0.named.isEmpty && follows($0, from: known) } }
        }
    }

    // MARK: - Texts

    private static let patterns: [KeyPath<RuleConditions, [String]> & Sendable] = [
        \.users, \.tenants, \.actions, \.resources, \.currencies, \.devices, \.acr, \.providers, \.countries,
    ]

    private func texts(_ when: RuleConditions, _ known: [RuleConditions]) -> Bool {
        func holds(_ path: KeyPath<RuleConditions, [String]>, _ covers: (String, String) -> Bool) -> Bool {
            let asked = when[keyPath: path]
            return asked.isEmpty || known.contains { given in
                let given = given[keyPath: path]
                return !given.isEmpty && given.allSatisfy { entry in asked.contains { covers($0, entry) } }
            }
        }
        return Self.patterns.allSatisfy { holds($0, covers(pattern:_:)) } && holds(\.addresses, covers(network:_:))
            && holds(\.groups, ==) && holds(\.tags, ==)
    }

    private func covers(pattern: String, _ entry: String) -> Bool {
        if pattern == entry { return true }
        if entry.hasPrefix("@") { return false }
        if pattern.hasPrefix("@") {
            return !entry.contains { "*?".contains($0) } && vocabulary.lists[String(pattern.dropFirst())]?.contains(entry) == true
        }
        return Self.covers(glob: Array(pattern.utf8), Array(entry.utf8))
    }

    private func covers(network: String, _ entry: String) -> Bool {
        if network == entry { return true }
        guard let a = NetworkPrefix(network[...]), let b = NetworkPrefix(entry[...]) else { return false }
        return a.holds(b)
    }

    /// Whether whatever the pattern `b` fits, `a` fits as well: `*` stands for any of b's characters, its own `*` included;
    /// `?` for any but that.
    /// - Complexity: O(a × b)
    static func covers(glob a: [UInt8], _ b: [UInt8]) -> Bool {
        let (star, one) = (UInt8(ascii: "*"), UInt8(ascii: "?"))
        // Of the first characters of `a`: whether they cover the first j of `b`.
        var row = [true] + b.map { _ in false }
        for character in a {
            var next = [character == star && row[0]] + b.map { _ in false }
            for (j, other) in b.enumerated() {
                if character == star {
                    next[j + 1] = row[j + 1] || next[j]
                } else {
                    next[j + 1] = row[j] && other != star && (character == one || character == other)
                }
            }
            row = next
        }
        return row[b.count]
    }

    // MARK: - Choices

    private func choices(_ when: RuleConditions, _ known: [RuleConditions]) -> Bool {
        func holds<T: Equatable>(_ path: KeyPath<RuleConditions, [T]>) -> Bool {
            let asked = when[keyPath: path]
            return asked.isEmpty || known.contains { !$0[keyPath: path].isEmpty && subset($0[keyPath: path], asked) }
        }
        return holds(\.types) && holds(\.confidence) && holds(\.sessionLevels) && holds(\.deviceClasses)
            && (when.outcome == nil || known.contains { $0.outcome == when.outcome })
            && (when.levels.isEmpty || subset(levels(known), when.levels))
    }

    /// The levels that an event may have of which all of `known` holds.
    func levels(_ known: [RuleConditions]) -> [RiskLevel] {
        RiskLevel.allCases.filter { level in
            known.allSatisfy { when in
                let (low, high) = bounds(of: level)
                return (when.levels.isEmpty || when.levels.contains(level))
                    && (when.score?.atLeast ?? 0 < high || level == .critical) && when.score?.atMost ?? 100 >= low
            }
        }
    }

    /// Scores from the first, up to below the second; 100 is critical.
    private func bounds(of level: RiskLevel) -> (Double, Double) {
        switch level {
        case .low: (0, model.mediumScore)
        case .medium: (model.mediumScore, model.highScore)
        case .high: (model.highScore, model.criticalScore)
        case .critical: (model.criticalScore, 100)
        }
    }

    private func evidence(_ when: RuleConditions, _ known: [RuleConditions]) -> Bool {
        func speaks<S: OptionSet>(_ any: S, _ all: S, _ anyPath: KeyPath<RuleConditions, S>, _ allPath: KeyPath<RuleConditions, S>?) -> Bool {
            let certain = known.reduce(into: S()) { set, given in
                if let allPath { set.formUnion(given[keyPath: allPath]) }
            }
            let isAny = any.isEmpty || !certain.isDisjoint(with: any)
                || known.contains { !$0[keyPath: anyPath].isEmpty && $0[keyPath: anyPath].isSubset(of: any) }
            return isAny && all.isSubset(of: certain)
        }
        return speaks(when.anySignals, when.allSignals, \.anySignals, \.allSignals)
            && speaks(when.anyMethods, [], \.anyMethods, nil)
            && when.noMethods.isSubset(of: known.reduce(into: AuthenticationMethods()) { $0.formUnion($1.noMethods) })
    }

    // MARK: - Numbers

    private func numbers(_ when: RuleConditions, _ known: [RuleConditions]) -> Bool {
        func holds(_ asked: Interval?, _ given: (RuleConditions) -> Interval?) -> Bool {
            guard let asked else { return true }
            return known.contains { given($0).map { Self.lies($0, within: asked) } ?? false }
        }
        return holds(when.amount, \.amount) && holds(when.authAge, \.authAge) && score(when.score, known)
            && when.counts.allSatisfy { asked in
                holds(asked.range) { given in given.counts.first { $0.count == asked.count }?.range }
            }
            && assurance(when.assurance, known)
    }

    private func score(_ asked: Interval?, _ known: [RuleConditions]) -> Bool {
        guard let asked else { return true }
        let levels = levels(known)
        let low = max(known.compactMap { $0.score?.atLeast }.max() ?? 0, levels.map { bounds(of: $0).0 }.min() ?? 0)
        let high = min(known.compactMap { $0.score?.atMost }.min() ?? 100, levels.map { bounds(of: $0).1 }.max() ?? 100)
        return Self.lies(Interval(atLeast: low, atMost: high), within: Interval(atLeast: asked.atLeast ?? 0, atMost: asked.atMost ?? 100))
    }

    private func assurance(_ asked: AssuranceRange?, _ known: [RuleConditions]) -> Bool {
        guard let asked else { return true }
        let low = known.compactMap { $0.assurance?.atLeast }.max()
        let high = known.compactMap { $0.assurance?.below }.min()
        return (asked.atLeast == nil || (low.map { $0 >= asked.atLeast! } ?? false))
            && (asked.below == nil || (high.map { $0 <= asked.below! } ?? false))
    }

    static func lies(_ inner: Interval, within outer: Interval) -> Bool {
        (outer.atLeast.map { (inner.atLeast ?? -.infinity) >= $0 } ?? true) && (outer.atMost.map { (inner.atMost ?? .infinity) <= $0 } ?? true)
    }

    private func subset<T: Equatable>(_ inner: [T], _ outer: [T]) -> Bool { inner.allSatisfy { outer.contains($0) } }
}

// MARK: - What can't be

extension Implication {
    /// Why no event is as all of `known` asks, and which key is to blame; nil where one may be.
    func contradiction(_ known: [RuleConditions]) -> (key: String, why: String)? {
        for when in known {
            if !when.types.isEmpty, !when.types.contains(.login), !when.types.contains(.action) {
                return ("type", "rules decide logins and actions, nothing else")
            }
            if when.times.contains(where: { $0.days == 0 }) && when.times.allSatisfy({ $0.days == 0 }) { return ("time_of_day", "no day is left") }
        }
        if levels(known).isEmpty { return ("level", "an event with such a score has another level") }
        let asked = known.map(\.types).filter { !$0.isEmpty }
        if let first = asked.first, !first.contains(where: { type in asked.allSatisfy { $0.contains(type) } }) {
            return ("type", "no event has two types")
        }
        if let outcome = known.compactMap(\.outcome).first, known.contains(where: { $0.outcome != nil && $0.outcome != outcome }) {
            return ("outcome", "a login has one outcome")
        }
        let none = known.reduce(into: AuthenticationMethods()) { $0.formUnion($1.noMethods) }
        if known.contains(where: { !$0.anyMethods.isEmpty && $0.anyMethods.isSubset(of: none) }) {
            return ("amr", "what one of them asks for, none may be")
        }
        let low = known.compactMap { $0.assurance?.atLeast }.max()
        if let low, let high = known.compactMap({ $0.assurance?.below }).min(), low >= high {
            return ("assurance", "`below` leaves nothing above `at_least`")
        }
        if known.contains(where: { $0.assurance?.below == AssuranceLevel.none }) { return ("assurance", "nothing is below `none`") }
        return nil
    }
}
