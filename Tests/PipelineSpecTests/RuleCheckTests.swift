import Testing

@testable import PipelineSpec

/// What `vigil validate` says of rules that make no sense, and nothing of their twins that do.
@Suite struct RuleCheckTests {
    /// Each name names the one before, twice or once.
    static func doubled(_ last: Int) -> String { named(last) { "{any: [\($0), \($0)]}" } }
    static func chained(_ last: Int) -> String { named(last) { $0 } }
    private static func named(_ last: Int, _ use: (String) -> String) -> String {
        "conditions: {c0: {country: NO}" + (1...last).map { ", c\($0): {is: \(use("c\($0 - 1)"))}" }.joined() + "}"
    }

    /// Rules in flow style; what is found, by the number of the rule from 1 and the code.
    static let cases: [(rules: [String], more: String, expected: [String])] = [
        // Covered by one before it.
        (["when: {level: [medium, high]}, then: deny", "when: {level: high, type: login}, then: step_up"], "", ["2 rule.unreachable"]),
        (["when: {level: high}, then: deny", "when: {level: [medium, high]}, then: step_up"], "", []),
        (["when: {action: \"transfer.*\"}, then: deny", "when: {action: [transfer.create, \"transfer.x*\"]}, then: allow"], "", ["2 rule.unreachable"]),
        (["when: {action: \"transfer.*\"}, then: deny", "when: {action: [transfer.create, payment.create]}, then: allow"], "", []),
        (["when: {amount: {at_least: 100}}, then: deny", "when: {amount: {at_least: 500, at_most: 900}}, then: allow"], "", ["2 rule.unreachable"]),
        (["when: {amount: {at_least: 500}}, then: deny", "when: {amount: {at_least: 100}}, then: allow"], "", []),
        (["when: {signals: [device.new, place.new]}, then: deny", "when: {signals: {all: [device.new, travel.impossible]}}, then: allow"], "", ["2 rule.unreachable"]),
        (["when: {signals: {all: [device.new, place.new]}}, then: deny", "when: {signals: device.new}, then: allow"], "", []),
        (["when: {level: [high, critical]}, then: deny", "when: {score: {at_least: 75}}, then: step_up"], "", ["2 rule.unreachable"]),
        (["when: {level: critical}, then: deny", "when: {score: {at_least: 75}}, then: step_up"], "", []),
        (["when: {ip: 10.0.0.0/8}, then: deny", "when: {ip: [10.1.0.0/16, 10.2.3.4]}, then: allow"], "", ["2 rule.unreachable"]),
        (["when: {ip: 10.1.0.0/16}, then: deny", "when: {ip: 10.0.0.0/8}, then: allow"], "", []),
        (["when: {is: x}, then: deny", "when: {level: high, is: x}, then: allow"], "conditions: {x: {country: NO}}", ["2 rule.unreachable"]),
        (["when: {is: x}, then: deny", "when: {country: NO, level: low}, then: allow"], "conditions: {x: {country: [NO, SE]}}", ["2 rule.unreachable"]),
        (["when: {user: \"@l\"}, then: deny", "when: {user: bob}, then: allow"], "lists: {l: [bob, eve]}", ["2 rule.unreachable"]),
        (["when: {user: \"@l\"}, then: deny", "when: {user: ann}, then: allow"], "lists: {l: [bob, eve]}", []),
        (["when: {level: high}, mode: report, then: deny", "when: {level: high, type: login}, then: allow"], "", []),
        (["when: {level: high}, unless: {country: NO}, then: deny", "when: {level: high, type: login}, then: allow"], "", []),
        (["when: {level: high}, unless: {country: NO}, then: deny", "when: {level: high, type: login}, unless: {country: NO}, then: allow"], "", ["2 rule.unreachable"]),
        (["then: deny", "when: {level: high}, then: allow, mode: report"], "", ["2 rule.unreachable"]),
        (["when: {level: low}, then: deny", "when: {level: low, user: bob}, then: allow"], "overrides: [{tenant: t, rules: {r1: {enabled: false}}}]", []),
        (["when: {level: low}, then: deny", "when: {level: low, user: bob}, then: allow"], "overrides: [{tenant: t, rules: {r1: {then: allow}}}]", ["2 rule.unreachable"]),
        // The same conditions.
        (["when: {level: high}, then: deny", "when: {level: [high]}, then: step_up"], "", ["2 rule.shadowed"]),
        (["when: {level: high}, then: deny", "when: {level: critical}, then: step_up"], "", []),
        // Nothing can be so.
        (["when: {level: high, score: {at_most: 10}}, then: deny"], "", ["1 rule.never"]),
        (["when: {level: low, score: {at_most: 10}}, then: deny"], "", []),
        (["when: {level: medium, score: {at_least: 40}}, then: deny"], "model: {levels: {medium: 30, high: 40}}", ["1 rule.never"]),
        (["when: {level: medium, score: {at_least: 39}}, then: deny"], "model: {levels: {medium: 30, high: 40}}", []),
        (["when: {type: [challenge, feedback]}, then: deny"], "", ["1 rule.never"]),
        (["when: {type: [challenge, login]}, then: deny"], "", []),
        (["when: {amr: {any: [pwd, pin], none: [pwd, pin]}}, then: deny"], "", ["1 rule.never"]),
        (["when: {amr: {any: [pwd, pin], none: pwd}}, then: deny"], "", []),
        (["when: {assurance: {at_least: aal2, below: aal2}}, then: deny"], "", ["1 rule.never"]),
        (["when: {assurance: {at_least: aal1, below: aal2}}, then: deny"], "", []),
        (["when: {time_of_day: {days: []}}, then: deny"], "", ["1 rule.never"]),
        (["when: {time_of_day: {days: mon}}, then: deny"], "", []),
        (["when: {level: high, is: x}, then: deny"], "conditions: {x: {score: {at_most: 5}}}", ["1 rule.never"]),
        (["when: {level: high}, unless: {level: [high, critical]}, then: deny"], "", ["1 rule.never"]),
        (["when: {level: high}, unless: {level: [high, critical], country: NO}, then: deny"], "", []),
        (["when: {rate: {actions: {at_least: 5, at_most: 4}}}, then: deny"], "", ["1 rule.interval"]),
        (["when: {rate: {actions: {at_least: 4, at_most: 5}}}, then: deny"], "", []),
        (["when: {rate: {failures: {at_least: 17}}}, then: deny"], "", ["1 value.range"]),
        (["when: {rate: {failures: {at_least: 16}}}, then: deny"], "", []),
        (["when: {rate: {challenges: {at_least: 13}}}, then: deny"], "", ["1 value.range"]),
        // Of events of a type.
        (["when: {type: action, outcome: failure}, then: deny"], "", ["1 rule.type"]),
        (["when: {type: login, outcome: failure}, then: deny"], "", []),
        (["when: {type: login, action: x, amount: {at_least: 5}}, then: deny"], "", ["1 rule.type", "1 rule.type"]),
        (["when: {type: [login, action], action: x, amount: {at_least: 5}}, then: deny"], "", []),
        (["when: {signals: {all: [device.new, time.unusual]}}, then: deny"], "model: {signals: {time.unusual: {enabled: false}}}", ["1 rule.signal_off"]),
        (["when: {signals: [device.new, time.unusual]}, then: deny"], "model: {signals: {time.unusual: {enabled: false}}}", []),
        // Names.
        (["when: {user: \"@a\"}, then: deny"], "", ["1 name.unknown"]),
        (["when: {is: c8}, then: deny"], doubled(8), []),
        (["when: {is: c9}, then: deny"], doubled(9), ["0 name.size"]),
        (["when: {is: c512}, then: deny"], chained(512), ["0 name.size"]),
        (["when: {is: c40}, then: deny"], chained(40), []),
        (["when: {group: g, tag: t, is: c}, then: deny"], "", ["1 name.unknown", "1 name.unknown", "1 name.unknown"]),
        (["when: {group: g, tag: t, is: c}, then: deny"], "groups: {g: bob}\ntags: {t: \"hr/*\"}\nconditions: {c: {level: high}}", []),
        (["when: {ip: \"@a\"}, then: deny"], "lists: {a: [10.0.0.0/8, 300.1.1.1]}", ["0 list.entry"]),
        (["when: {ip: \"@a\", user: \"@b\"}, then: deny"], "lists: {a: [10.0.0.0/8], b: [300.1.1.1]}", []),
        (["when: {asn: \"@a\"}, then: deny"], "lists: {a: [AS64496, 64497]}", []),
        (["when: {asn: \"@a\", country: \"@a\"}, then: deny"], "lists: {a: [AS64496]}", ["0 list.entry"]),
        (["when: {ip: 10.0.0.0/33}, then: deny"], "", ["1 value.type"]),
        (["when: {country: Norway}, then: deny"], "", ["1 value.type"]),
        (["when: {time_of_day: {from: \"25:00\", zone: Europe/Olso}}, then: deny"], "", ["1 value.type", "1 value.choice"]),
        (["when: {level: high}, then: deny"], "overrides: [{group: g, rules: {r1: {then: allow}, r7: {}}}]\ngroups: {g: bob}", ["0 name.unknown"]),
        (["when: {level: high}, then: deny"], "overrides: [{tenant: t, rules: {r1: {step_up: {}}}}]", ["0 rule.step_up"]),
        (["when: {level: high}, then: deny"], "overrides: [{tenant: t, rules: {r1: {then: step_up, step_up: {}}}}]", []),
        (["when: {level: high}, then: deny"], "shadow: [{name: s, policies: [{name: a, then: allow}, {name: b, then: deny}]}]", ["0 rule.unreachable"]),
        (["when: {level: high}, then: deny"], "shadow: [{name: s, policies: []}, {name: s, policies: []}]", ["0 rule.duplicate"]),
        (["when: {level: high}, then: deny"], "shadow: [{name: s, policies: []}, {name: t, policies: [{name: r1, then: deny}]}]", []),
        (["when: {level: high}, then: deny"], "shadow: [{name: s, file: absent.yaml}]", ["0 file.missing"]),
    ]

    @Test(arguments: cases.indices) func onlyNonsenseIsReported(index: Int) {
        let (rules, more, expected) = Self.cases[index]
        var text = "name: a\npolicies:\n"
        for (number, rule) in rules.enumerated() { text += "  - {name: r\(number + 1), \(rule)}\n" }
        let found = diagnostics(text + more + "\n")
        let ruleLines = 3...2 + rules.count
        let shown = found.map { "\(ruleLines.contains($0.line) ? $0.line - 2 : 0) \($0.code)" }
        #expect(shown.sorted() == expected.sorted(), "\(text)\(more)\n\(found.map(\.description).joined(separator: "\n"))")
    }

    @Test func messagesSayWhatAndWhere() {
        let text = """
            name: a
            groups: { admins: [root] }
            conditions:
              hours: { time_of_day: { from: "09:00" } }
            policies:
              - { name: one, when: { group: admin, level: high }, then: deny }
              - { name: two, when: { level: high }, then: deny }
              - { name: three, when: { level: high, country: NO }, then: step_up }
              - { name: four, when: { level: high }, unless: { is: hour }, then: allow }
            overrides:
              - { tenant: t, rules: { tow: { enabled: false } } }
            """
        #expect(messages(text) == [
            "p.yaml:2:11: warning[name.unused]: `groups.admins` is used by nothing",
            "p.yaml:4:3: warning[name.unused]: `conditions.hours` is used by nothing",
            "p.yaml:6:33: error[name.unknown]: `groups` has no group `admin` (did you mean `admins`?)",
            "p.yaml:8:5: warning[rule.unreachable]: never reached: the rule on line 7 matches every event that this one does",
            "p.yaml:9:56: error[name.unknown]: `conditions` has no conditions `hour` (did you mean `hours`?)",
            "p.yaml:11:27: error[name.unknown]: no rule is named `tow` (did you mean `two`?)",
        ])
    }
}
