import Events
import Testing

@testable import PipelineSpec

/// The section `tests`.
@Suite struct TestSectionTests {
    private let head = "name: a\npolicies: [{name: strict, then: deny, when: {action: x}}, {name: seen, then: deny, mode: report}]\ntests:\n"

    @Test func testsAreNoPartOfTheVersion() throws {
        let bare = try parse("name: a\n").plan.version
        #expect(try parse("name: a\ntests: [{name: t, as: {user: u}, steps: [{login: success}]}]\n").plan.version == bare)
    }

    @Test(arguments: [
        ("{nmae: t}", "name"), ("{name: t, given: [{tmies: 3}]}", "times"), ("{name: t, steps: [{lgoin: success}]}", "login"),
        ("{name: t, as: {usr: u}}", "user"), ("{name: t, as: {geo: {contry: NO}}}", "country"),
        ("{name: t, as: {user: u}, steps: [{login: sucess}]}", "success"),
        ("{name: t, as: {user: u}, steps: [{login: success, expect: alow}]}", "allow"),
        ("{name: t, as: {user: u}, steps: [{login: success, expect: {reasons: device.nwe}}]}", "device.new"),
        ("{name: t, as: {user: u}, steps: [{login: success, expect: {rule: stirct}}]}", "strict"),
        ("{name: t, as: {user: u}, steps: [{login: success, expect: {shadow: sene}}]}", "seen"),
        ("{name: t, as: {user: u}, steps: [{login: success, expect: {levl: low}}]}", "level"),
        ("{name: t, as: {user: u}, steps: [{id: door, login: success}, {answer: {to: dor}}]}", "door"),
    ])
    func typosAreRecognised(test: String, meant: String) {
        let found = diagnostics(head + "  - " + test + "\n")
        #expect(found.first?.suggestion == meant, "\(found)")
        #expect(found.allSatisfy { $0.line == 4 })
    }

    @Test(arguments: [
        ("{name: t, steps: [{login: success}]}", "test.step", "names no `user`"),
        ("{name: t, as: {user: u}, steps: [{after: 5m}]}", "test.step", "is none of `login`"),
        ("{name: t, as: {user: u}, steps: [{login: success, action: x}]}", "test.step", "is several of `login`"),
        ("{name: t, as: {user: u}, steps: [{record: {a: b}}]}", "test.step", "no source maps any"),
        ("{name: t, as: {user: u}, steps: [{source: logins, record: {a: b}}]}", "test.unknown", "no `logins` that maps"),
        ("{name: t, as: {user: u}, steps: [{login: success, expect: {rule: seen}}]}", "test.unknown", "no enforced rule is called `seen`"),
        ("{name: t, as: {user: u}, steps: [{login: success, at: 9am}]}", "value.syntax", "a time of day"),
        ("{name: t, as: {user: u}, steps: [{login: success, at: \"24:00\"}]}", "value.syntax", "a time of day"),
        ("{name: t, as: {user: u, amount: much}}", "value.type", "is a number"),
        ("{name: t, as: {user: u, geo: Oslo}}", "value.type", "is a mapping"),
        ("{name: t, as: {user: u}, given: [{steps: [{login: success, expect: allow}]}]}", "key.unknown", "no key `expect`"),
        ("{name: t, as: {user: u}, steps: [{login: success, expect: {score: {at_least: 9, at_most: 3}}}]}", "rule.interval", "below"),
        ("{name: t, as: {user: u}, given: [{every: 14d, days: weekends, steps: [{login: success}]}]}", "test.step", "the same day of the week"),
        ("{name: t}\n  - {name: t}", "test.duplicate", "already on line 4"),
        ("{name: t, as: {user: u}, steps: [{id: a, login: success}, {id: a, login: success}]}", "test.duplicate", "has this id"),
    ])
    func problemsHaveAPlaceAndARemedy(test: String, code: String, words: String) {
        let found = diagnostics(head + "  - " + test + "\n")
        #expect(found.map(\.code) == [code], "\(found)")
        #expect(found.first?.message.contains(words) == true, "\(found)")
        #expect(found.first.map { $0.line >= 4 } == true)
    }

    @Test(arguments: [
        ("lax/open", nil, nil), ("[seen, lax/otherwise]", nil, nil), ("{lax/open: allow, seen: deny}", nil, nil),
        ("lex/open", "test.unknown", "lax"), ("lax/opne", "test.unknown", "open"), ("{lax/opne: allow}", "test.unknown", "open"),
        ("open", "test.unknown", nil), ("strict/strict", "test.unknown", nil), ("lax/open/", "value.type", nil),
    ] as [(String, String?, String?)])
    func shadowPoliciesAreNamedWithTheirRules(shadow: String, code: String?, meant: String?) {
        let policy = "shadow: [{name: lax, policies: [{name: open, then: allow, when: {action: y}}], otherwise: deny}]\n"
        let found = diagnostics(policy + head + "  - {name: t, as: {user: u}, steps: [{login: success, expect: {shadow: \(shadow)}}]}\n")
        #expect(found.map(\.code) == (code.map { [$0] } ?? []), "\(found)")
        #expect(found.first?.suggestion == meant)
    }

    /// What an override makes of a rule counts as well.
    @Test func rulesAreWhatOverridesMakeOfThem() {
        let overrides = "overrides: [{tenant: acme, rules: {strict: {mode: report}}}]\n"
        let test = "  - {name: t, as: {user: u, tenant: acme}, steps: [{action: x, expect: {shadow: strict}}, {action: x, expect: {rule: strict}}]}\n"
        #expect(diagnostics(overrides + head + test).isEmpty)
    }

    @Test func clocksGoForward() {
        let monday = Timestamp(milliseconds: 1_772_438_400_000)
        #expect(TestTime.clock(9 * 3_600_000).next(from: monday) == monday + 3_600_000)
        #expect(TestTime.clock(8 * 3_600_000).next(from: monday) == monday)
        #expect(TestTime.clock(7 * 3_600_000).next(from: monday) == monday + 23 * 3_600_000)
    }

    /// A secret that an alias brings into a test is not repeated.
    @Test func secretsStaySecret() {
        let found = messages("name: a\nsecret: &s a-very-secret-secret\ntests: [{name: t, start: *s}]\n")
        #expect(!found.isEmpty && !found.joined().contains("very"), "\(found)")
    }
}
