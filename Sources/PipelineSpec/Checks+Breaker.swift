import Events
import Policy

extension Checks {
    /// What the breaker may relax: questions, never a denial, never what guards a sensitive action.
    static func breaker(_ draft: Draft, _ reader: inout Reader) {
        let plan = draft.pipeline.plan
        for (index, name) in plan.breaker.relax.enumerated() where !name.isEmpty {
            let path = "breaker.relax[\(index)]"
            func refuse(_ why: String) { reader.report(at: path, "breaker.relax", "`\(path)`: \(why)") }
            guard let rule = plan.rules.first(where: { $0.name == name }) else {
                refuse("no rule has the name `\(name)`")
                continue
            }
            if rule.verdict != .stepUp {
                refuse("only a rule with `then: step_up` can be relaxed, `\(name)` says `\(rule.verdict.name)`")
            } else if rule.mode == .report {
                refuse("`\(name)` is report-only, there is nothing to relax")
            } else if let (pattern, sensitive) = rule.conditions.actions.lazy.compactMap({ pattern in
                plan.model.sensitiveActions.first { isOn($0, pattern) }.map { (pattern, $0) }
            }).first {
                refuse("`\(name)` guards sensitive actions: its pattern `\(pattern)` is about `\(sensitive)` of `action.sensitive`")
            }
        }
    }

    /// Whether the pattern is about the sensitive one: part of it, or all of it and not of everything. Where they only happen
    /// to meet, as `page.*` and `*.export` do, an event that is of both isn't relaxed.
    private static func isOn(_ sensitive: String, _ pattern: String) -> Bool {
        covers(sensitive, pattern) || (covers(pattern, sensitive) && !pattern.allSatisfy { $0 == "*" })
    }

    /// Whether all that `inner` matches, `outer` matches.
    /// - Complexity: O(product of the lengths)
    static func covers(_ outer: String, _ inner: String) -> Bool {
        let (outer, inner) = (Array(outer.utf8), Array(inner.utf8))
        let (star, any) = (UInt8(ascii: "*"), UInt8(ascii: "?"))
        // Of what is left of `outer`, and of `inner` from each place on; from the end.
        var rest = inner.indices.map { _ in false } + [true]
        for symbol in outer.reversed() {
            var next = [Bool](repeating: false, count: inner.count + 1)
            if symbol == star { next[inner.count] = rest[inner.count] }
            for place in inner.indices.reversed() {
                switch symbol {
                case star: next[place] = rest[place] || next[place + 1]
                case any: next[place] = inner[place] != star && rest[place + 1]
                default: next[place] = inner[place] == symbol && rest[place + 1]
                }
            }
            rest = next
        }
        return rest[0]
    }
}
