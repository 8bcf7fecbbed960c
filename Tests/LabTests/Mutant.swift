import Events
import PipelineSpec
import Policy

/// A pipeline of which one thing is broken by hand.
struct Mutant: Sendable {
    /// The rule, `policy/rule` of a shadow policy, or what rules name.
    var place: String
    var what: String
    /// As expectations name them: rules whose work shows the difference, if any does.
    var rules: Set<String>
    var pipeline: Pipeline

    var name: String { "\(place) \(what)" }

    /// Everything that is broken one at a time: rules, the exceptions of rules, what rules name, rules of shadow policies.
    static func all(of pipeline: Pipeline) -> [Mutant] {
        var all: [Mutant] = []
        func add(_ place: String, _ what: String, _ rules: Set<String>, _ change: (inout Pipeline) -> Void) {
            var copy = pipeline
            change(&copy)
            if copy != pipeline { all.append(Mutant(place: place, what: what, rules: rules, pipeline: copy)) }
        }
        func add(_ rules: WritableKeyPath<Pipeline, [Rule]>, of policy: String) {
            for (index, rule) in pipeline[keyPath: rules].enumerated() {
                let place = policy + rule.name + (rule.also.isEmpty ? "" : " for some")
                add(place, "is gone", [policy + rule.name]) { $0[keyPath: rules].remove(at: index) }
                for (what, broken) in rule.broken { add(place, what, [policy + rule.name]) { $0[keyPath: rules][index] = broken } }
            }
        }
        add(\.plan.rules, of: "")
        for (index, shadow) in pipeline.plan.shadows.enumerated() { add(\.plan.shadows[index].rules, of: shadow.name + "/") }

        let vocabulary = pipeline.plan.vocabulary
        func users(_ names: (RuleConditions) -> [String]) -> Set<String> {
            Set(pipeline.plan.rules.filter { rule in
                ([rule.conditions] + rule.also + rule.unless).contains { !names($0).isEmpty }
            }.map(\.name))
        }
        for (name, entries) in vocabulary.groups.sorted(by: { $0.key < $1.key }) {
            for (index, entry) in entries.enumerated() {
                add("the group \(name)", "lacks \(entry)", users(\.groups)) { $0.plan.vocabulary.groups[name]?.remove(at: index) }
            }
        }
        for (name, entries) in vocabulary.tags.sorted(by: { $0.key < $1.key }) {
            for (index, entry) in entries.enumerated() {
                add("the tag \(name)", "lacks \(entry)", users(\.tags)) { $0.plan.vocabulary.tags[name]?.remove(at: index) }
            }
        }
        for name in vocabulary.lists.keys.sorted() {
            add("the list \(name)", "is empty", []) { $0.plan.vocabulary.lists[name] = EntryList([]) }
        }
        for (name, alternatives) in vocabulary.conditions.sorted(by: { $0.key < $1.key }) {
            for (index, conditions) in alternatives.enumerated() {
                add("the condition \(name)", "lacks alternative \(index + 1)", users { $0.named.flatMap { $0 } }) {
                    $0.plan.vocabulary.conditions[name]?.remove(at: index)
                }
                for (what, broken) in conditions.broken {
                    add("the condition \(name)", what, users { $0.named.flatMap { $0 } }) {
                        $0.plan.vocabulary.conditions[name]?[index] = broken
                    }
                }
            }
        }
        return all
    }
}

extension Rule {
    /// The rule broken, each time in another way.
    fileprivate var broken: [(what: String, rule: Rule)] {
        var all: [(what: String, rule: Rule)] = []
        func add(_ what: String, _ change: (inout Rule) -> Void) {
            var copy = self
            change(&copy)
            all.append((what, copy))
        }
        add("lets pass") { $0.verdict = .allow }
        add("is harsher") { $0.verdict = $0.verdict == .terminateSession ? .deny : .terminateSession }
        add("has another mode") { $0.mode = $0.mode == .report ? .enforce : .report }
        add("asks otherwise") { if $0.verdict == .stepUp, $0.mode == .enforce { $0.stepUp.methods = [.biometric] } }
        for index in also.indices { add("is for everybody") { $0.also.remove(at: index) } }
        for index in unless.indices { add("lacks exception \(index + 1)") { $0.unless.remove(at: index) } }
        for (what, broken) in conditions.broken { add(what) { $0.conditions = broken } }
        return all
    }
}

extension RuleConditions {
    /// The conditions broken, each time in another way; some may be what they were.
    fileprivate var broken: [(what: String, conditions: RuleConditions)] {
        var all: [(what: String, conditions: RuleConditions)] = []
        func add(_ what: String, _ change: (inout RuleConditions) -> Void) {
            var copy = self
            change(&copy)
            all.append((what, copy))
        }
        if let least = levels.min() {
            if levels.count > 1 { add("needs a higher level") { $0.levels.removeAll { $0 == least } } }
            if let below = RiskLevel(rawValue: least.rawValue &- 1) { add("takes a lower level") { $0.levels.append(below) } }
        }
        add("takes any level") { $0.levels = [] }
        // What only actions have says of which type the event is.
        if actions.isEmpty, resources.isEmpty, tags.isEmpty, allSignals.isEmpty { add("takes any event") { $0.types = [] } }
        for index in named.indices { add("ignores a named condition") { $0.named.remove(at: index) } }
        add("takes any user") { $0.users = [] }
        add("takes any group") { $0.groups = [] }
        add("takes any tenant") { $0.tenants = [] }
        add("takes any action") { $0.actions = [] }
        add("takes any resource") { $0.resources = [] }
        add("takes any tag") { $0.tags = [] }
        add("takes any amount") { $0.amount = nil }
        add("takes any currency") { $0.currencies = [] }
        add("takes any address") { $0.addresses = [] }
        add("takes any provider") { $0.providers = [] }
        add("takes any country") { $0.countries = [] }
        add("takes any device") { ($0.devices, $0.deviceClasses) = ([], []) }
        for index in times.indices {
            add("takes any hour") { ($0.times[index].from, $0.times[index].to) = (0, 1440) }
            add("takes any day") { $0.times[index].days = 0x7F }
        }
        add("takes any score") { $0.score = nil }
        add("takes any confidence") { $0.confidence = [] }
        add("needs no signal") { ($0.anySignals, $0.allSignals) = ([], []) }
        for index in counts.indices { add("counts no \(counts[index].count)") { $0.counts.remove(at: index) } }
        add("takes any session") { $0.sessionLevels = [] }
        add("takes any assurance") { ($0.assurance, $0.acr) = (nil, []) }
        add("takes any methods") { ($0.anyMethods, $0.noMethods) = ([], []) }
        add("takes any age") { $0.authAge = nil }
        add("takes any outcome") { $0.outcome = nil }
        return all
    }
}
