import Policy

/// Every name that the rules of a file use, and where.
struct References {
    enum Kind: String, CaseIterable { case list, group, tag, condition }

    struct Reference {
        var kind: Kind
        var name: String
        /// Where it stands, the most exact place first; the first that was written counts.
        var places: [String]
        var use = ListUse.texts
    }

    private(set) var all: [Reference] = []

    /// Names used in the conditions at `path`.
    mutating func add(_ when: RuleConditions, at path: String) {
        lists(when.users, path + ".user")
        lists(when.tenants, path + ".tenant")
        lists(when.actions, path + ".action")
        lists(when.resources, path + ".resource")
        lists(when.currencies, path + ".currency")
        lists(when.devices, path + ".device")
        lists(when.acr, path + ".acr")
        lists(when.addresses, path + ".ip", .networks)
        lists(when.providers, path + ".asn", .providers)
        lists(when.countries, path + ".country", .countries)
        names(.group, when.groups, path + ".group")
        names(.tag, when.tags, path + ".tag")
        for names in when.named {
            for (index, name) in names.enumerated() {
                let key = names.count > 1 ? "any" : "all"
                all.append(Reference(
                    kind: .condition, name: name,
                    places: ["\(path).is.\(key)[\(index)]", "\(path).is.\(key)", "\(path).is[\(index)]", path + ".is"]))
            }
        }
    }

    /// Lists among texts.
    mutating func lists(_ texts: [String], _ path: String, _ use: ListUse = .texts) {
        for (index, text) in texts.enumerated() where text.hasPrefix("@") {
            all.append(Reference(kind: .list, name: String(text.dropFirst()), places: ["\(path)[\(index)]", path], use: use))
        }
    }

    mutating func names(_ kind: Kind, _ names: [String], _ path: String) {
        for (index, name) in names.enumerated() { all.append(Reference(kind: kind, name: name, places: ["\(path)[\(index)]", path])) }
    }

    /// How each list is used.
    var uses: [String: ListUse] {
        all.reduce(into: [:]) { uses, reference in
            if reference.kind == .list { uses[reference.name, default: []].formUnion(reference.use) }
        }
    }
}

extension References {
    /// Of everything a file's rules, groups, tags, conditions, overrides and shadow policies name.
    init(_ draft: Draft) {
        for group in draft.policy.groups { lists(group.value, "groups." + group.key) }
        for tag in draft.policy.tags { lists(tag.value, "tags." + tag.key) }
        for named in draft.policy.conditions {
            for (index, when) in named.value.enumerated() { add(when, at: "conditions.\(named.key)[\(index)]") }
        }
        add(draft.pipeline.plan.rules, at: "policies")
        for (index, override) in draft.policy.overrides.enumerated() { add(override.scope, at: "overrides[\(index)]") }
        for (index, shadow) in draft.policy.shadows.enumerated() { add(shadow.rules, at: "shadow[\(index)].policies") }
    }

    private mutating func add(_ rules: [Rule], at path: String) {
        for (index, rule) in rules.enumerated() {
            add(rule.conditions, at: "\(path)[\(index)].when")
            for (other, when) in rule.unless.enumerated() { add(when, at: "\(path)[\(index)].unless[\(other)]") }
        }
    }
}
