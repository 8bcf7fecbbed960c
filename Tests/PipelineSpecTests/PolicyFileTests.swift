import Behavior
import Events
import Foundation
import Policy
import Risk
import Testing

@testable import PipelineSpec

/// Policies as they are written: lists and policies in other files, overrides, zones, and what of it is the version's.
@Suite struct PolicyFileTests {
    /// A folder with files; pipelines in it are read as `p.yaml`.
    final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("vigil-policies-\(UUID())")
        init(_ files: [String: String]) throws {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            for (name, text) in files { try write(name, text) }
        }
        deinit { try? FileManager.default.removeItem(at: url) }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: url.appendingPathComponent(name))
        }
        func parse(_ text: String) throws -> Pipeline {
            try PipelineFile.parse(text: text, file: url.path + "/p.yaml", environment: [:])
        }
        /// Every file that reading it looks at.
        func files(_ text: String) throws -> [String] {
            try write("p.yaml", text)
            var files: [String] = []
            _ = try PipelineFile.load(path: url.path + "/p.yaml", environment: [:], files: &files)
            return files.map { $0.replacing(url.path + "/", with: "") }
        }
        /// With the folder left out of what is said.
        func messages(_ text: String) -> [String] {
            do {
                return try parse(text).warnings.map { $0.description.replacing(url.path + "/", with: "") }
            } catch {
                return ((error as? Diagnostics)?.all ?? []).map { $0.description.replacing(url.path + "/", with: "") }
            }
        }
    }

    @Test func everyConditionIsRead() throws {
        let text = """
            name: a
            lists: { hostile: [198.51.100.0/24], systems: [AS64496] }
            groups: { admins: [root, "acme/adm-*"] }
            tags: { payroll: "hr/*" }
            conditions:
              hours: { time_of_day: { from: "08:30", to: "17:00", days: [mon, fri], zone: "-03:30" } }
              odd: [{ country: NO }, { device_type: bot }]
            policies:
              - name: r
                when:
                  is: { any: [hours, odd], all: odd }
                  user: [bob, "x*"]
                  group: admins
                  tag: payroll
                  ip: [10.0.0.0/8, "@hostile"]
                  asn: [AS64500, 64501, "@systems"]
                  country: [NO, SE]
                  device: d-1
                  device_type: [mobile, tablet]
                  rate: { failures: { at_least: 3 }, actions: { at_most: 9 } }
                  network: { users_failing: { at_least: 5 } }
                  session_level: [high, critical]
                  assurance: { at_least: aal1, below: phr }
                unless: [{ user: alice }, { amount: { at_most: 5 } }]
                then: deny
            """
        let plan = try parse(text).plan
        var expected = RuleConditions()
        expected.named = [["hours", "odd"], ["odd"]]
        (expected.users, expected.groups, expected.tags) = (["bob", "x*"], ["admins"], ["payroll"])
        (expected.addresses, expected.providers) = (["10.0.0.0/8", "@hostile"], ["64500", "64501", "@systems"])
        (expected.countries, expected.devices, expected.deviceClasses) = (["NO", "SE"], ["d-1"], [.mobile, .tablet])
        expected.counts = [
            CountRange(.actions, Interval(atMost: 9)), CountRange(.failures, Interval(atLeast: 3)),
            CountRange(.networkUsersFailing, Interval(atLeast: 5)),
        ]
        (expected.sessionLevels, expected.assurance) = ([.high, .critical], AssuranceRange(atLeast: .single, below: .phishingResistant))
        #expect(plan.rules[0].conditions == expected)
        #expect(plan.rules[0].unless.map(\.users) == [["alice"], []] && plan.rules[0].unless[1].amount == Interval(atMost: 5))
        let hours = try #require(plan.vocabulary.conditions["hours"]?.first?.times.first)
        #expect(hours.from == 510 && hours.to == 1020 && hours.days == 0b10001 && hours.zone.changes.map(\.offset) == [-12_600])
        #expect(plan.vocabulary.conditions["odd"]?.count == 2)
        #expect(plan.vocabulary.lists["systems"]?.contains("64496") == true)
        #expect(plan.vocabulary.groups == ["admins": ["root", "acme/adm-*"]] && plan.vocabulary.tags == ["payroll": ["hr/*"]])
    }

    // MARK: - Files

    @Test func listsAreReadFromFiles() throws {
        let folder = try Folder(["l.txt": "# staff\nbob   # the builder\n\n  eve#1\r\ntemp-*\nlast"])
        let text = "name: a\nlists: {l: l.txt}\npolicies: [{name: r, then: deny, when: {user: \"@l\"}}]\n"
        let pipeline = try folder.parse(text)
        let list = try #require(pipeline.plan.vocabulary.lists["l"])
        #expect(list.count == 4)
        #expect(["bob", "eve#1", "temp-9", "last"].allSatisfy { list.contains($0) } && !list.contains("bo") && !list.contains(""))
        #expect(try folder.files(text) == ["p.yaml", "l.txt"])
        try folder.write("l.txt", "bob\neve#1\n# another comment\ntemp-*\nlast\n")
        #expect(try folder.parse(text).plan == pipeline.plan, "comments and layout mean nothing")
        try folder.write("l.txt", "bob\neve#1\ntemp-*\n")
        #expect(try folder.parse(text).plan.version != pipeline.plan.version)
        let inline = text.replacing("l.txt", with: "[bob, \"eve#1\", \"temp-*\", last]")
        #expect(try folder.parse(inline).plan == pipeline.plan, "where the entries stand means nothing either")
    }

    @Test func faultsOfListsHaveTheirLine() throws {
        let folder = try Folder([
            "ip.txt": "10.0.0.0/8\n\n  nonsense # here\n2001:db8::/32\n10.0.0.0/33\n", "long.txt": "a\n" + String(repeating: "x", count: 1025),
        ])
        try Data([0x61, 0x0A, 0xFF, 0xFE, 0x0A]).write(to: folder.url.appendingPathComponent("bytes.txt"))
        func use(_ file: String, _ condition: String) -> [String] {
            folder.messages("name: a\nlists: {l: \(file)}\npolicies: [{name: r, then: deny, when: {\(condition): \"@l\"}}]\n")
        }
        #expect(use("ip.txt", "ip") == [
            "ip.txt:3:3: error[list.entry]: the entry is no network such as `192.0.2.0/24`, which `ip` asks for",
            "ip.txt:5:1: error[list.entry]: the entry is no network such as `192.0.2.0/24`, which `ip` asks for",
        ])
        #expect(use("ip.txt", "user").isEmpty)
        #expect(use("long.txt", "user") == ["long.txt:2:1: error[list.entry]: the entry has more than 1024 bytes"])
        #expect(use("bytes.txt", "user") == ["bytes.txt:2:1: error[list.entry]: the entry is not UTF-8 text"])
        #expect(use("absent.txt", "user") == ["p.yaml:2:12: error[list.missing]: `lists.l`: there is no file absent.txt"])
    }

    @Test func shadowPoliciesAreReadFromFiles() throws {
        let strict = "name: strict\nemit: all\nlists: {l: l.txt}\ngroups: {g: \"@l\"}\npolicies: [{name: s, then: deny, when: {group: g}}]\noverrides: [{tenant: t, otherwise: deny}]\n"
        let folder = try Folder(["strict.yaml": strict, "l.txt": "bob\n"])
        let text = "name: a\nshadow:\n  - {name: file, file: strict.yaml}\n  - {name: here, otherwise: deny, policies: [{name: h, then: allow, when: {level: low}}]}\n"
        let pipeline = try folder.parse(text)
        let (file, here) = (pipeline.plan.shadows[0], pipeline.plan.shadows[1])
        #expect(file.name == "file" && file.rules.map(\.name) == ["s", "otherwise"] && file.fallback == .allow)
        #expect(file.vocabulary.groups == ["g": ["@l"]] && file.vocabulary.lists["l"]?.contains("bob") == true)
        #expect(here.rules.map(\.name) == ["h"] && here.fallback == .deny && here.vocabulary == pipeline.plan.vocabulary)
        #expect(pipeline.plan.emit == .interventions, "nothing else is taken")
        #expect(try folder.files(text) == ["p.yaml", "strict.yaml", "l.txt"])
        let version = pipeline.plan.version
        try folder.write("strict.yaml", strict.replacing("emit: all", with: "shards: 4"))
        #expect(try folder.parse(text).plan.version == version)
        try folder.write("l.txt", "bob\neve\n")
        #expect(try folder.parse(text).plan.version != version)
        try folder.write("l.txt", "bob\n")
        try folder.write("strict.yaml", strict.replacing("then: deny", with: "then: allow"))
        #expect(try folder.parse(text).plan.version != version)
        try folder.write("strict.yaml", strict.replacing("group: g", with: "group: h"))
        #expect(folder.messages(text) == [
            "strict.yaml:4:10: warning[name.unused]: `groups.g` is used by nothing",
            "strict.yaml:5:48: error[name.unknown]: `groups` has no group `h` (did you mean `g`?)",
        ])
    }

    /// A policy tried in itself does not go round in circles.
    @Test func aFileMayTryItself() throws {
        let text = "name: a\npolicies: [{name: r, then: deny, when: {level: high}}]\nshadow: [{name: self, file: p.yaml}]\n"
        let folder = try Folder(["p.yaml": text])
        #expect(try folder.parse(text).plan.shadows.map(\.rules) == [try folder.parse(text).plan.rules])
    }

    // MARK: - Overrides

    /// What rules decide about a user of a tenant.
    private func decide(_ text: String, _ user: StaticString, _ tenant: StaticString = "", level: Int = 0) throws -> (rule: String, verdict: Verdict) {
        let plan = try parse(text).plan
        let policy = CompiledPolicy(rules: plan.rules, fallback: plan.fallback, vocabulary: plan.vocabulary)
        var event = Event()
        event.user = ByteView(staticText: user)
        event.tenant = ByteView(staticText: tenant)
        event.action = ByteView(staticText: "pay")
        let (verdict, rule, reported) = policy.evaluate(event, Assessment(), PolicyContext())
        let first = (0..<policy.count).first { reported.contains($0) }.map { " reports " + policy.name(of: $0).string } ?? ""
        return ((rule >= 0 ? policy.name(of: rule).string : "-") + first, verdict)
    }

    @Test func overridesChangeRulesForSome() throws {
        let text = """
            name: a
            groups: { admins: [root], testers: ["t-*", root] }
            policies:
              - { name: pay, when: { action: pay }, then: step_up }
              - { name: all, when: { type: [action, login] }, then: deny, mode: report }
            overrides:
              - { tenant: sandbox, otherwise: deny, rules: { pay: { enabled: false } } }
              - { group: admins, rules: { pay: { then: deny }, all: { mode: enforce } } }
              - { group: testers, rules: { pay: { mode: report } } }
              - { tenant: bank, group: admins, rules: { pay: { then: terminate_session } } }
            """
        func decide(_ user: StaticString, _ tenant: StaticString = "") throws -> String {
            let (rule, verdict) = try self.decide(text, user, tenant)
            return "\(rule) \(verdict.name)"
        }
        #expect(try decide("bob") == "pay step_up")
        #expect(try decide("bob", "sandbox") == "otherwise reports all deny", "not for them, and closed otherwise")
        #expect(try decide("root") == "pay deny", "the first override that fits counts")
        #expect(try decide("root", "bank") == "pay deny")
        #expect(try decide("t-1") == "- reports pay allow", "reported instead, and not enforced after all")
        #expect(try decide("root", "sandbox") == "all deny", "one override says of pay, another of the rest")
        #expect(try parse(text).plan.rules.count == 7)
    }

    @Test func overridesAreBounded() throws {
        let rules = (0..<200).map { "  - {name: r\($0), then: deny, when: {action: a\($0)}}\n" }.joined()
        let changes = (0..<57).map { "r\($0): {then: allow}" }.joined(separator: ", ")
        let text = "name: a\npolicies:\n" + rules + "overrides: [{tenant: t, rules: {\(changes)}}]\n"
        #expect(messages(text) == [
            "p.yaml:203:12: error[list.too_long]: `overrides` make 257 rules of `policies`, at most 256 are allowed"
        ])
        let fits = text.replacing("r0: {then: allow}, ", with: "")
        #expect(try parse(fits).plan.rules.count == 256)
    }

    // MARK: - Zones

    /// Clocks of Oslo go from +1 to +2 on 29 March 2026 at 01:00 UTC, and back on 25 October.
    @Test func zonesHaveTheirChangesOfClocks() throws {
        let oslo = try #require(ZoneOffsets(named: "Europe/Oslo"))
        #expect(oslo.changes.first == .init(from: .min, offset: 3600))
        #expect(oslo.changes.contains(.init(from: 1_774_746_000, offset: 7200)) && oslo.changes.contains(.init(from: 1_792_890_000, offset: 3600)))
        #expect(oslo.changes.count == 1 + 2 * 31)
        #expect(zip(oslo.changes, oslo.changes.dropFirst()).allSatisfy { $0.from < $1.from && $0.offset != $1.offset })
        #expect(ZoneOffsets(named: "Asia/Kolkata")?.changes == [.init(from: .min, offset: 19_800)])
        #expect(ZoneOffsets(named: "+05:30")?.changes == [.init(from: .min, offset: 19_800)] && ZoneOffsets(named: "UTC") == .utc)
        for name in ["", "Oslo", "Europe/Olso", "+5", "+25:00", "CET5", "+01:60"] { #expect(ZoneOffsets(named: name) == nil, "\(name)") }
    }

    @Test func versionCoversWhatRulesName() throws {
        let base = """
            name: a
            lists: { l: [bob] }
            groups: { g: ["@l"] }
            tags: { t: ["hr/*"] }
            conditions: { c: { level: high, time_of_day: { zone: Europe/Oslo } } }
            policies: [{ name: r, then: deny, when: { group: g, tag: t, is: c }, unless: { user: eve } }]
            overrides: [{ tenant: x, rules: { r: { enabled: false } } }]
            shadow: [{ name: s, policies: [{ name: q, then: deny }] }]
            """
        let version = try parse(base).plan.version
        let others = [
            ("[bob]", "[rob]"), ("\"@l\"", "\"@l\", ann"), ("hr/*", "hr/?"), ("level: high", "level: low"), ("Europe/Oslo", "Europe/London"),
            ("user: eve", "user: eva"), ("tenant: x", "tenant: y"), ("enabled: false", "mode: report"), ("name: q, then: deny", "name: q, then: allow"),
            ("name: s", "name: z"),
        ]
        for (old, new) in others {
            let changed = base.replacing(old, with: new)
            #expect(changed != base)
            #expect(try parse(changed).plan.version != version, "\(old) → \(new)")
        }
        #expect(try parse(base + "\n# comment\nshards: 3\n").plan.version == version)
    }
}
