import Events
import Policy

/// What a policy names, and what nobody names.
extension Checks {
    /// Everything about the policies of a file, given what they name.
    static func policy(_ draft: Draft, _ references: References, _ vocabulary: Vocabulary, _ reader: inout Reader) {
        names(draft, references, &reader)
        guard !circles(draft, &reader), !sizes(draft, &reader) else { return }
        let implication = Implication(vocabulary: vocabulary, model: draft.pipeline.plan.model)
        for named in draft.policy.conditions {
            for (index, when) in named.value.enumerated() {
                conditions(when, path: "conditions.\(named.key)[\(index)]", draft, implication, &reader)
            }
        }
        rules(draft.pipeline.plan.rules, at: "policies", draft, implication, &reader)
        overrides(draft, &reader)
        shadows(draft, implication, &reader)
        prefixes(draft, &reader)
    }

    private static func names(_ draft: Draft, _ references: References, _ reader: inout Reader) {
        for kind in References.Kind.allCases {
            let (key, known) = defined(kind, draft)
            var unused = Set(known)
            for reference in references.all where reference.kind == kind {
                unused.remove(reference.name)
                guard !known.contains(reference.name) else { continue }
                let place = reference.places.first { reader.places[$0] != nil } ?? reference.places.last ?? ""
                let what = kind == .condition ? "conditions" : kind.rawValue
                let whole = reference.places.last ?? ""
                let isShown = !reader.hidden.contains { $0 == whole || $0.hasPrefix(whole + ".") || $0.hasPrefix(whole + "[") }
                reader.report(
                    at: place, "name.unknown", "`\(key)` has no \(what) " + (isShown ? "`\(printable(reference.name))`" : "of this name"),
                    suggestion: isShown ? nearest(to: reference.name, among: known) : nil)
            }
            for name in known where unused.contains(name) {
                let place = reader.keyPlaces["\(key).\(name)"] ?? Position(line: 1, column: 1)
                reader.report(place, "name.unused", "`\(key).\(name)` is used by nothing", severity: .warning)
            }
        }
    }

    private static func defined(_ kind: References.Kind, _ draft: Draft) -> (key: String, names: [String]) {
        switch kind {
        case .list: ("lists", draft.policy.lists.map(\.key))
        case .group: ("groups", draft.policy.groups.map(\.key))
        case .tag: ("tags", draft.policy.tags.map(\.key))
        case .condition: ("conditions", draft.policy.conditions.map(\.key))
        }
    }

    /// Whether named conditions refer to themselves, by way of others or not.
    private static func circles(_ draft: Draft, _ reader: inout Reader) -> Bool {
        var uses: [String: Set<String>] = [:]
        for named in draft.policy.conditions { uses[named.key] = Set(named.value.flatMap { $0.named.joined() }) }
        var found = false
        for named in draft.policy.conditions {
            var reached: Set<String> = []
            var open = Array(uses[named.key] ?? [])
            while let next = open.popLast() {
                if reached.insert(next).inserted { open += uses[next] ?? [] }
            }
            guard reached.contains(named.key) else { continue }
            found = true
            reader.report(at: "conditions." + named.key, "name.circle", "`conditions.\(named.key)` refers to itself")
        }
        return found
    }

    /// Mappings that one name may come to, those of the names in it included, each as often as it is named.
    static let mostMappings = 512

    /// Whether conditions come to so many mappings with those they name that an event could keep a partition busy: a few lines,
    /// each of which names the one before twice, would.
    private static func sizes(_ draft: Draft, _ reader: inout Reader) -> Bool {
        let conditions = Dictionary(draft.policy.conditions.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        var known: [String: Int] = [:]
        // What is nested deeper than that comes to more than that.
        func mappings(_ name: String, _ depth: Int = mostMappings) -> Int {
            if let known = known[name] { return known }
            var sum = 0
            for when in conditions[name] ?? [] where sum <= mostMappings {
                sum += 1
                for other in when.named.joined() where sum <= mostMappings {
                    sum += depth > 0 ? mappings(other, depth - 1) : mostMappings + 1
                }
            }
            known[name] = sum
            return sum
        }
        // Where one is at fault, so is everything that names it: the first is enough.
        guard let named = draft.policy.conditions.first(where: { mappings($0.key) > mostMappings }) else { return false }
        reader.report(
            at: "conditions." + named.key, "name.size",
            "`conditions.\(named.key)` comes to more than \(mostMappings) mappings, with those of the names in it")
        return true
    }

    private static func overrides(_ draft: Draft, _ reader: inout Reader) {
        let known = draft.pipeline.plan.rules.map(\.name)
        for (index, override) in draft.policy.overrides.enumerated() {
            let path = "overrides[\(index)]"
            if override.tenants.isEmpty, override.groups.isEmpty, !reader.hasProblem(under: path) {
                reader.report(at: path, "override.scope", "`\(path)` is for nobody in particular: it needs `tenant` or `group`")
            }
            for change in override.rules {
                let place = "\(path).rules.\(change.key)"
                if !known.contains(change.key) {
                    reader.report(
                        reader.keyPlaces[place] ?? Position(line: 1, column: 1), "name.unknown", "no rule is named `\(printable(change.key))`",
                        suggestion: nearest(to: change.key, among: known))
                }
                let verdict = change.value.verdict ?? draft.pipeline.plan.rules.first { $0.name == change.key }?.verdict
                if change.value.stepUp != nil, let verdict, verdict != .stepUp {
                    reader.report(at: place + ".step_up", "rule.step_up", "`\(place).step_up` has no effect: it goes with `then: step_up` only")
                }
            }
        }
        let count = draft.policy.expanded(draft.pipeline.plan.rules).count
        if count > PolicyFields.mostRules, draft.pipeline.plan.rules.count <= PolicyFields.mostRules {
            reader.report(
                at: "overrides", "list.too_long",
                "`overrides` make \(count) rules of `policies`, at most \(PolicyFields.mostRules) are allowed")
        }
    }

    private static func shadows(_ draft: Draft, _ implication: Implication, _ reader: inout Reader) {
        var seen: Set<String> = []
        for (index, shadow) in draft.policy.shadows.enumerated() {
            let path = "shadow[\(index)]"
            if !shadow.name.isEmpty, !seen.insert(shadow.name).inserted {
                reader.report(at: path + ".name", "rule.duplicate", "a shadow policy of this name is there already; their names are unique")
            }
            let hasRules = reader.places[path + ".policies"] != nil
            if hasRules == (shadow.file != nil), !reader.hasProblem(under: path) {
                reader.report(at: path, "shadow.source", "`\(path)` needs either `file` or `policies`")
            }
            rules(shadow.rules, at: path + ".policies", draft, implication, &reader)
        }
    }

    /// What conditions spell out for `ip` is looked up all at once, a bit for each.
    private static func prefixes(_ draft: Draft, _ reader: inout Reader) {
        let policies = draft.pipeline.plan.rules + draft.policy.shadows.flatMap(\.rules)
        let all = policies.flatMap { [$0.conditions] + $0.unless } + draft.policy.conditions.flatMap(\.value)
        let sets = Set(all.map { $0.addresses.filter { !$0.hasPrefix("@") } }).subtracting([[]])
        guard sets.count > 64 else { return }
        reader.report(at: "policies", "list.too_long", "the rules spell out \(sets.count) different sets of networks, at most 64 are allowed: put them into lists")
    }
}
