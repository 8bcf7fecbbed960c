import Events
import Policy

/// What rules name, and what changes them, as written.
struct PolicyDraft {
    var lists: [Named<ListDraft>] = []
    var groups: [Named<[String]>] = []
    var tags: [Named<[String]>] = []
    var conditions: [Named<[RuleConditions]>] = []
    var overrides: [OverrideDraft] = []
    var shadows: [ShadowDraft] = []
}

/// A list: a file, or its entries.
struct ListDraft: Equatable {
    var file: FilePath?
    var entries: [String] = []
}

/// What is different for some tenants or groups.
struct OverrideDraft {
    var tenants: [String] = []
    var groups: [String] = []
    var fallback: Verdict?
    var rules: [Named<RuleChange>] = []

    /// For whom.
    var scope: RuleConditions {
        var scope = RuleConditions()
        scope.tenants = tenants
        scope.groups = groups
        return scope
    }
}

/// What an override changes of a rule.
struct RuleChange {
    var isEnabled = true
    var mode: RuleMode?
    var verdict: Verdict?
    var stepUp: StepUpOptions?
}

/// A policy that is tried beside the one that decides.
struct ShadowDraft {
    var name = ""
    var file: FilePath?
    var rules: [Rule] = []
    var fallback = Verdict.allow
}

extension PolicyDraft {
    /// The rules with a copy before each for whom an override changes it. Each is meant for those whom no other copy is
    /// meant for; of several overrides that name a rule, the first that fits counts.
    func expanded(_ rules: [Rule]) -> [Rule] {
        var all: [Rule] = []
        for rule in rules {
            var others: [RuleConditions] = []
            for override in overrides {
                guard let change = override.rules.last(where: { $0.key == rule.name })?.value else { continue }
                if change.isEnabled {
                    var copy = rule
                    copy.also.append(override.scope)
                    copy.unless += others
                    copy.verdict = change.verdict ?? rule.verdict
                    copy.mode = change.mode ?? rule.mode
                    copy.stepUp = change.stepUp ?? rule.stepUp
                    all.append(copy)
                }
                others.append(override.scope)
            }
            var rest = rule
            rest.unless += others
            all.append(rest)
        }
        for override in overrides {
            guard let fallback = override.fallback else { continue }
            var last = Rule(name: "otherwise", verdict: fallback)
            last.conditions = override.scope
            all.append(last)
        }
        return all
    }
}

enum PolicyDraftFields {
    static var lists: Format<[Named<ListDraft>]> {
        let list = Format<ListDraft>(
            shape: .scalar(
                type: "a path, or a list of entries",
                schema: [("type", .array([.string("string"), .string("array")])), ("items", .object([("type", .array([.string("string"), .string("number")]))]))]),
            read: { node, value, reader in
                if case .list = node.content {
                    Format.text("an entry", bytes: EntryList.mostEntryBytes).list("").read(node, &value.entries, &reader)
                } else {
                    var path = FilePath(text: "", isShowable: node.isShowable)
                    Format.text("a path, or a list of entries", bytes: 1024).read(node, &path.text, &reader)
                    value.file = path
                }
            },
            show: { $0.file.map { quoted($0.text) } ?? "[" + $0.entries.map(quoted).joined(separator: ", ") + "]" })
        return list.map(keys: "list", ListDraft(), pattern: namePattern, rename: plain)
    }

    static var groups: Format<[Named<[String]>]> {
        Format.text("a user").list("").map(keys: "group", [], pattern: namePattern, rename: plain)
    }

    static var tags: Format<[Named<[String]>]> {
        Format.text("a pattern").list("").map(keys: "tag", [], pattern: namePattern, rename: plain)
    }

    static var conditions: Format<[Named<[RuleConditions]>]> {
        ConditionFields.format.list(RuleConditions(), atMost: 16).map(keys: "name", [], pattern: namePattern, rename: plain)
    }

    static var overrides: Format<[OverrideDraft]> {
        let change = Record(RuleChange(), [
            Field("enabled", \.isEnabled, .flag, "`false`: the rule is not for them."),
            Field("mode", \.mode, PolicyFields.mode.optional(.enforce), "The rule's mode for them."),
            Field("then", \.verdict, PolicyFields.verdict.optional(.deny), "The rule's decision for them."),
            Field("step_up", \.stepUp, PolicyFields.stepUp.format(likeDefinition: "step_up", "mapping as in `policies[].step_up`").optional(StepUpOptions()),
                "The whole of the question for them: what it doesn't say has its default."),
        ])
        return Record(OverrideDraft(), [
            Field("tenant", \.tenants, ConditionFields.pattern, "For whom: the tenant matches one of these…"),
            Field("group", \.groups, ConditionFields.plainNames, "…and the user belongs to one of these groups."),
            Field("otherwise", \.fallback, PolicyFields.fallback.optional(.allow), "What is decided for them when no rule matches."),
            Field("rules", \.rules, change.format.map(keys: "rule", RuleChange(), pattern: namePattern, rename: plain), "What is different, by the rule's name."),
        ]).format.list(OverrideDraft(), atMost: 64)
    }

    static var shadows: Format<[ShadowDraft]> {
        Record(ShadowDraft(), [
            Field("name", \.name, ConditionFields.name, required: true, "Unique; decisions carry it."),
            Field("file", \.file, EnrichmentFields.path("a path"), standard: "none",
                "A pipeline file, relative to this one, of which `policies`, `overrides`, `otherwise` and what they name are taken, and nothing else."),
            Field("policies", \.rules, PolicyFields.triedRules, "Or the rules themselves; they name what this file names, and no override changes them."),
            Field("otherwise", \.fallback, PolicyFields.fallback, "What is decided when none of `policies` matches."),
        ]).format.list(ShadowDraft(), atMost: ShadowPolicy.most)
    }

    private static let namePattern = "^[A-Za-z0-9._-]+$"
    private static func plain(_ name: String) -> String? { isPlainName(name) ? name : nil }
}
