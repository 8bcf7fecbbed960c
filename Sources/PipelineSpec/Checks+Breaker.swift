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
                plan.model.sensitiveActions.first { meet(pattern, $0) }.map { (pattern, $0) }
            }).first {
                refuse(
                    "`\(name)` guards sensitive actions: its pattern `\(pattern)` can match what `\(sensitive)` of `action.sensitive` does")
            }
        }
    }

    /// Whether some text matches both patterns.
    /// - Complexity: O(product of the lengths)
    static func meet(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        let (star, any) = (UInt8(ascii: "*"), UInt8(ascii: "?"))
        // reach[j]: what is left of `a` from the row on, and of `b` from `j` on, have a text in common.
        var below = [Bool](repeating: false, count: b.count + 1)
        for i in stride(from: a.count, through: 0, by: -1) {
            var reach = [Bool](repeating: false, count: b.count + 1)
            for j in stride(from: b.count, through: 0, by: -1) {
                if i == a.count && j == b.count {
                    reach[j] = true
                } else if i < a.count && a[i] == star {
                    reach[j] = below[j] || (j < b.count && reach[j + 1])
                } else if j < b.count && b[j] == star {
                    reach[j] = reach[j + 1] || (i < a.count && below[j])
                } else if i < a.count && j < b.count && (a[i] == b[j] || a[i] == any || b[j] == any) {
                    reach[j] = below[j + 1]
                }
            }
            below = reach
        }
        return below[0]
    }
}
