import Events
import Policy
import Risk

/// What rules say together, and with what they name.
extension Checks {
    /// The rules of one policy, at `path` in the file.
    static func rules(_ rules: [Rule], at path: String, _ draft: Draft, _ implication: Implication, _ reader: inout Reader) {
        var lines: [String: Int] = [:]
        for (index, rule) in rules.enumerated() {
            let path = "\(path)[\(index)]"
            if !rule.name.isEmpty {
                if let line = lines[rule.name] {
                    reader.report(
                        at: path + ".name", "rule.duplicate",
                        "a rule of this name is already on line \(line); names of rules are unique")
                }
                lines[rule.name] = lines[rule.name] ?? reader.places[path + ".name"]?.line
            }
            if reader.places[path + ".step_up"] != nil, reader.places[path + ".then"] != nil, rule.verdict != .stepUp {
                reader.report(at: path + ".step_up", "rule.step_up", "`\(path).step_up` has no effect: it goes with `then: step_up` only")
            }
            if rule.verdict == .stepUp { stepUp(rule.stepUp, draft.pipeline.plan.assurance, path: path + ".step_up", &reader) }
            conditions(rule.conditions, path: path + ".when", draft, implication, &reader)
            for (other, when) in rule.unless.enumerated() { conditions(when, path: "\(path).unless[\(other)]", draft, implication, &reader) }
            let known = implication.facts([rule.conditions])
            if rule.unless.contains(where: { implication.follows($0, from: known) }) {
                reader.report(at: path + ".unless", "rule.never", "`\(path)` matches no event: `unless` holds wherever `when` does")
            }
            var others = rule.conditions
            others.confidence = []
            if rule.verdict >= .deny, rule.conditions.confidence.contains(.learning), others == RuleConditions() {
                reader.report(
                    at: path + ".then", "rule.newcomers",
                    "denies everybody Vigil does not know yet; not knowing is not the same as danger", severity: .warning)
            }
        }
        order(rules, at: path, draft, implication, &reader)
    }

    /// Rules that are never reached. One with an error says nothing about others, nor one that an override takes out of
    /// force for somebody.
    private static func order(_ rules: [Rule], at path: String, _ draft: Draft, _ implication: Implication, _ reader: inout Reader) {
        let isFaulty = rules.indices.map { reader.hasProblem(under: "\(path)[\($0)]") }
        let isLifted = rules.map { rule in
            path == "policies" && draft.policy.overrides.contains {
                $0.rules.contains { $0.key == rule.name && (!$0.value.isEnabled || $0.value.mode == .report) }
            }
        }
        for (index, rule) in rules.enumerated() where !isFaulty[index] {
            let before = rules[..<index].indices.first {
                rules[$0].mode == .enforce && !isFaulty[$0] && !isLifted[$0] && implication.covers(rules[$0], rule)
            }
            guard let before else { continue }
            let (other, place) = (rules[before], "on line \(reader.places["\(path)[\(before)]"]?.line ?? 0)")
            if other.conditions == RuleConditions(), other.unless.isEmpty {
                reader.report(at: "\(path)[\(index)]", "rule.unreachable", "never reached: the rule \(place) matches every event", severity: .warning)
            } else if implication.covers(rule, other) {
                let verdict = other.verdict == rule.verdict ? "decides" : "decides `\(other.verdict.name)`"
                reader.report(
                    at: "\(path)[\(index)]", "rule.shadowed", "never reached: the rule \(place) has the same conditions and \(verdict) first",
                    severity: .warning)
            } else {
                reader.report(
                    at: "\(path)[\(index)]", "rule.unreachable", "never reached: the rule \(place) matches every event that this one does",
                    severity: .warning)
            }
        }
    }

    /// Conditions by themselves.
    static func conditions(_ when: RuleConditions, path: String, _ draft: Draft, _ implication: Implication, _ reader: inout Reader) {
        let ranges = [("amount", when.amount), ("score", when.score), ("auth_age", when.authAge)]
            + when.counts.map { (key(of: $0.count), Optional($0.range)) }
        let problems = reader.diagnostics.count
        for (name, range) in ranges { interval(range, path: "\(path).\(name)", &reader) }
        guard reader.diagnostics.count == problems else { return }
        if let (key, why) = implication.contradiction(implication.facts([when])) {
            let place = reader.places["\(path).\(key)"] == nil && key == "level" ? "\(path).score" : "\(path).\(key)"
            reader.report(at: place, "rule.never", "`\(path)` holds of no event: \(why)")
            return
        }
        types(when, path, &reader)
        let off = Signal.allCases.filter { !draft.pipeline.plan.model.signals[Int($0.rawValue)].enabled }
            .reduce(into: SignalSet()) { $0.insert(SignalSet($1)) }
        if !when.allSignals.isDisjoint(with: off) || (!when.anySignals.isEmpty && when.anySignals.isSubset(of: off)) {
            reader.report(
                at: path + ".signals", "rule.signal_off", "`\(path).signals` asks for a signal that the model doesn't use", severity: .warning)
        }
    }

    private static func types(_ when: RuleConditions, _ path: String, _ reader: inout Reader) {
        func warn(_ key: String, _ what: String) {
            reader.report(at: "\(path).\(key)", "rule.type", "`\(path).\(key)`: \(what)", severity: .warning)
        }
        guard !when.types.isEmpty else { return }
        if when.outcome != nil, !when.types.contains(.login) { warn("outcome", "only logins have an outcome") }
        guard !when.types.contains(.action) else { return }
        if !when.actions.isEmpty { warn("action", "logins have no action") }
        if when.amount != nil { warn("amount", "logins have no amount") }
    }

    private static func key(of count: RecentCount) -> String {
        switch count {
        case .actions: "rate.actions"
        case .failures: "rate.failures"
        case .challenges: "rate.challenges"
        case .exports: "rate.exports"
        case .resources: "rate.resources"
        case .networkTries: "network.tries"
        case .networkFailures: "network.failures"
        case .networkUsers: "network.users"
        case .networkUsersFailing: "network.users_failing"
        }
    }

    private static func stepUp(_ options: StepUpOptions, _ table: AssuranceOptions, path: String, _ reader: inout Reader) {
        if options.methods.isEmpty {
            if reader.places[path + ".methods"] == nil { return }
            reader.report(at: path + ".methods", "rule.step_up", "`\(path).methods` needs at least one method")
            return
        }
        let sufficient = options.sufficient(table)
        guard let need = options.assurance, sufficient.count < options.methods.count else { return }
        let weaker = options.methods.filter { !sufficient.contains($0) }.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        let proves = options.methods.count - sufficient.count == 1 ? "proves" : "prove"
        reader.report(
            at: path + ".methods", "rule.step_up",
            "\(weaker) \(proves) less than `\(need.name)`" + (sufficient.isEmpty ? ", so nothing is left to ask by" : " and will never be offered"),
            severity: sufficient.isEmpty ? .error : .warning)
    }

    static func interval(_ interval: Interval?, path: String, _ reader: inout Reader) {
        guard let interval else { return }
        if let low = interval.atLeast, let high = interval.atMost, low > high {
            reader.report(at: path + ".at_most", "rule.interval", "`\(path).at_most` is below `at_least`: no event matches")
        }
    }
}
