import Behavior
import Engine
import Events
import Foundation
import Policy
import Risk
import Testing

/// What rules may ask for, each with an event that is so and its twin that isn't.
@Suite struct RuleConditionTests {
    typealias Change = @Sendable (inout RuleConditions) -> Void

    /// Whether a rule of these conditions decides an action with these fields.
    func matches(
        _ vocabulary: Vocabulary = Vocabulary(), at time: Int64? = nil, _ fields: [String: Any] = [:], unless: [RuleConditions] = [],
        also: [RuleConditions] = [], _ change: Change
    ) -> Bool {
        let story = Story { plan in
            var rule = Rule(name: "r", verdict: .deny)
            change(&rule.conditions)
            (rule.unless, rule.also) = (unless, also)
            (plan.rules, plan.vocabulary) = ([rule], vocabulary)
        }
        if let time { story.now = time - 10_000 }
        return story.act("transfer.create", fields).decision == "deny"
    }

    static var vocabulary: Vocabulary {
        var vocabulary = Vocabulary()
        vocabulary.lists = [
            "staff": EntryList(["alice", "acme/carol", "temp-*"]), "hostile": EntryList(["198.51.100.0/24", "2001:db8::/32"], isOfNetworks: true),
            "systems": EntryList(["64496", "29695"]), "sanctioned": EntryList(["KP", "RU"]),
        ]
        vocabulary.groups = ["admins": ["bob", "acme/b?b*"], "staff": ["@staff"]]
        vocabulary.tags = ["payroll": ["hr/*", "ledger/salaries"]]
        return vocabulary
    }

    /// Whoever empties a group doesn't mean everybody.
    @Test func nobodyIsInAnEmptyGroup() {
        var vocabulary = Vocabulary()
        (vocabulary.groups, vocabulary.tags) = (["nobody": [], "all": ["*"]], ["nothing": [], "all": ["*"]])
        #expect(!matches(vocabulary) { $0.groups = ["nobody"] })
        #expect(matches(vocabulary) { $0.groups = ["nobody", "all"] })
        #expect(!matches(vocabulary, ["resource": "r"]) { $0.tags = ["nothing"] })
        #expect(matches(vocabulary, ["resource": "r"]) { $0.tags = ["nothing", "all"] })
        var some = RuleConditions()
        some.groups = ["nobody"]
        #expect(!matches(vocabulary, also: [some]) { _ in })
        #expect(matches(vocabulary, unless: [some]) { _ in })
    }

    /// Fields of an action, and whether the rule matches it.
    static let cases: [(what: String, change: Change, matching: [String: any Sendable], other: [String: any Sendable])] = [
        ("user", { $0.users = ["al*"] }, [:], ["user": "bob"]),
        ("user of a tenant", { $0.users = ["acme/alice"] }, ["tenant": "acme"], ["tenant": "other"]),
        ("user without a tenant", { $0.users = ["acme/alice"] }, ["tenant": "acme"], [:]),
        ("user of a tenant, not one of that name", { $0.users = ["acme/alice"] }, ["tenant": "acme"], ["tenant": "evil", "user": "acme/alice"]),
        ("users of a tenant, not one of such a name", { $0.users = ["acme/*"] }, ["tenant": "acme"], ["tenant": "evil", "user": "acme/x"]),
        ("listed user of a tenant, not one of that name", { $0.users = ["@staff"] }, ["tenant": "evil", "user": "temp-a/b"], ["tenant": "evil", "user": "acme/carol"]),
        ("user with a slash", { $0.users = ["CORP/al*"] }, ["user": "CORP/alice"], ["user": "CORQ/alice"]),
        ("user with a slash in a tenant", { $0.users = ["al*"] }, ["tenant": "acme", "user": "al/ice"], ["tenant": "acme", "user": "x/al"]),
        ("user in a list", { $0.users = ["@staff"] }, [:], ["user": "malice"]),
        ("user of a tenant in a list", { $0.users = ["@staff"] }, ["user": "carol", "tenant": "acme"], ["user": "carol"]),
        ("pattern in a list", { $0.users = ["@staff"] }, ["user": "temp-7"], ["user": "tem-7"]),
        ("group", { $0.groups = ["admins"] }, ["user": "bob"], [:]),
        ("group of a tenant", { $0.groups = ["admins"] }, ["user": "bib2", "tenant": "acme"], ["user": "bib2"]),
        ("group by a list", { $0.groups = ["admins", "staff"] }, [:], ["user": "dave"]),
        ("tag", { $0.tags = ["payroll"] }, ["resource": "hr/1"], ["resource": "ledger/1"]),
        ("tag of nothing", { $0.tags = ["payroll"] }, ["resource": "ledger/salaries"], [:]),
        ("ip", { $0.addresses = ["203.0.113.0/28"] }, [:], ["ip": "203.0.113.16"]),
        ("ip by a list", { $0.addresses = ["10.0.0.0/8", "@hostile"] }, ["ip": "198.51.100.200"], [:]),
        ("ipv6 by a list", { $0.addresses = ["@hostile"] }, ["ip": "2001:db8:1::1"], ["ip": "2001:db9::1"]),
        ("asn", { $0.providers = ["29695"] }, [:], ["asn": 2969]),
        ("asn by a list", { $0.providers = ["@systems"] }, ["asn": 64496], ["asn": 64497]),
        ("country", { $0.countries = ["SE", "NO"] }, [:], ["geo": ["country": "RU"]]),
        ("country by a list", { $0.countries = ["@sanctioned"] }, ["geo": ["country": "RU"]], ["geo": ["city": "Nowhere"]]),
        ("device", { $0.devices = ["lap*"] }, [:], ["device": ["id": "phone"]]),
        ("device class", { $0.deviceClasses = [.tablet, .mobile] }, ["device": ["type": "phone"]], ["device": ["type": "desktop"]]),
    ]

    @Test(arguments: cases.indices) func oneMatchesItsTwinDoesNot(index: Int) {
        let (what, change, matching, other) = Self.cases[index]
        #expect(matches(Self.vocabulary, matching, change), "\(what)")
        #expect(!matches(Self.vocabulary, other, change), "\(what)")
    }

    @Test func whatIsNotGivenAsksForNothing() { #expect(matches { _ in }) }

    @Test func unlessExcludes() {
        func conditions(_ change: Change) -> RuleConditions {
            var conditions = RuleConditions()
            change(&conditions)
            return conditions
        }
        let bob = conditions { $0.users = ["bob"] }
        let rich = conditions { ($0.users, $0.amount) = (["alice"], Interval(atLeast: 100)) }
        #expect(matches(unless: [bob, rich]) { _ in })
        #expect(matches(Vocabulary(), ["amount": 50], unless: [bob, rich]) { _ in }, "all of an exception must hold")
        #expect(!matches(Vocabulary(), ["amount": 150], unless: [bob, rich]) { _ in }, "any of the exceptions does")
        #expect(!matches(also: [bob]) { _ in })
        #expect(matches(also: [conditions { $0.users = ["alice"] }]) { $0.actions = ["transfer.*"] })
    }

    @Test func namesStandForConditions() {
        var vocabulary = Vocabulary()
        func name(_ name: String, _ changes: Change...) {
            vocabulary.conditions[name] = changes.map { change in
                var conditions = RuleConditions()
                change(&conditions)
                return conditions
            }
        }
        name("large", { $0.amount = Interval(atLeast: 100) })
        name("odd", { $0.users = ["bob"] }, { $0.countries = ["RU"] })
        name("both", { $0.named = [["large"], ["odd"]] })
        let russia: [String: Any] = ["geo": ["country": "RU"], "amount": 200]
        #expect(matches(vocabulary, ["amount": 200]) { $0.named = [["large", "odd"]] }, "any of them")
        #expect(!matches(vocabulary, ["amount": 20]) { $0.named = [["large", "odd"]] })
        #expect(!matches(vocabulary, ["amount": 200]) { $0.named = [["large"], ["odd"]] }, "each of them")
        #expect(matches(vocabulary, russia) { $0.named = [["large"], ["odd"]] })
        #expect(matches(vocabulary, russia) { $0.named = [["both"]] }, "names of names")
        #expect(!matches(vocabulary, ["amount": 200]) { $0.named = [["both"]] })
        var exception = RuleConditions()
        exception.named = [["odd"]]
        #expect(!matches(vocabulary, russia, unless: [exception]) { $0.named = [["large"]] })
        #expect(matches(vocabulary, ["amount": 200], unless: [exception]) { $0.named = [["large"]] })
    }

    /// 2026-03-06 is a Friday.
    ///
    /// ```
    /// Fri 22:00 ├──────── the stretch ────────┤ Sat 06:00
    /// ```
    @Test func aStretchBelongsToTheDayItBeginsOn() {
        var night = TimeOfDay()
        (night.from, night.to, night.days) = (22 * 60, 6 * 60, 1 << 4)
        func holds(_ day: Int64, _ hour: Int64, _ minute: Int64 = 0) -> Bool {
            let friday: Int64 = 1_772_755_200_000
            return matches(at: friday + ((day * 24 + hour) * 60 + minute) * 60_000) { [night] in $0.times = [night] }
        }
        #expect(!holds(0, 21, 59) && holds(0, 22) && holds(0, 23, 59) && holds(1, 0) && holds(1, 5, 59) && !holds(1, 6))
        #expect(!holds(0, 3), "Thursday's night")
        #expect(!holds(1, 22), "Saturday's night")
        night.zone = ZoneOffsets(name: "+02:00", offset: 7200)
        #expect(holds(0, 20) && !holds(0, 19, 59) && !holds(1, 4) && holds(1, 3, 59))
    }

    @Test func clocksAreChanged() {
        var office = TimeOfDay()
        (office.from, office.to) = (9 * 60, 17 * 60)
        office.zone = ZoneOffsets(name: "zone", before: 3600, changes: [.init(from: 1_774_746_000, offset: 7200)])
        func holds(_ time: Int64) -> Bool { matches(at: time * 1000) { [office] in $0.times = [office] } }
        let before: Int64 = 1_774_656_000  // 2026-03-28T00:00Z
        let after: Int64 = 1_774_828_800  // 2026-03-30T00:00Z
        #expect(!holds(before + 7 * 3600) && holds(before + 8 * 3600) && !holds(before + 16 * 3600))
        #expect(holds(after + 7 * 3600) && holds(after + 14 * 3600) && !holds(after + 15 * 3600))
    }

    // MARK: - Recent counts

    func counting(_ count: RecentCount, _ least: Double, _ change: (inout EnginePlan) -> Void = { _ in }) -> Story {
        Story { plan in
            var rule = Rule(name: "r", verdict: .deny)
            rule.conditions.counts = [CountRange(count, Interval(atLeast: least))]
            plan.rules = [rule]
            change(&plan)
        }
    }

    @Test func actionsInTheirWindow() {
        let story = counting(.actions, 5)
        #expect((0..<4).allSatisfy { _ in story.act(after: 5).decision == "allow" })
        #expect(story.act(after: 5).decision == "deny", "the fifth within a minute")
        #expect(story.act(after: 300).decision == "allow")
    }

    @Test func failuresUntilOneSucceeds() {
        let story = counting(.failures, 3)
        #expect(story.login(outcome: "failure").decision == "allow" && story.login(outcome: "failure").decision == "allow")
        #expect(story.login(outcome: "failure").decision == "deny")
        #expect(story.login(after: 601, outcome: "failure").decision == "allow", "out of the window")
    }

    @Test func exportsAndResources() {
        let story = counting(.exports, 3)
        let first = (0..<3).map { _ in story.act("report.export") }.map(\.decision)
        #expect(first == ["allow", "allow", "deny"])
        #expect(story.act("report.export", after: 7200).decision == "allow", "another window")

        let wide = counting(.resources, 4)
        let decisions = (0..<4).map { wide.act("file.read", ["resource": "r/\($0)"]).decision }
        #expect(decisions == ["allow", "allow", "allow", "deny"])
        #expect(wide.act("file.read", after: 1800, ["resource": "r/1"]).decision == "allow", "another window")
    }

    @Test func challengesThatCameToNothing() {
        let story = counting(.challenges, 1) { plan in
            var ask = Rule(name: "ask", verdict: .stepUp)
            ask.conditions.actions = ["ask"]
            ask.stepUp.expires = 10_000
            plan.rules.append(ask)
        }
        #expect(story.act("page.view").decision == "allow")
        #expect(story.act("ask").decision == "step_up")
        #expect(story.act("page.view", after: 5).decision == "allow", "still open")
        story.act("page.view", after: 600)
        #expect(story.act("page.view", after: 10).decision == "deny", "not answered")
        #expect(story.act("page.view", after: 3700).decision == "allow")
    }

    /// Panes are sealed some seconds later; then everybody on the network is asked about.
    @Test func whatHappensOnTheNetwork() {
        let story = counting(.networkFailures, 6)
        for user in 0..<8 {
            story.user = "u\(user)"
            #expect(story.login(after: 0.1, outcome: "failure").decision == "allow")
        }
        story.user = "alice"
        #expect(story.login(after: 30).decision == "deny")
        #expect(story.login(after: 1, in: .hotel).decision == "allow", "another network")

        let users = counting(.networkUsersFailing, 5)
        for _ in 0..<8 { users.login(after: 0.1, outcome: "failure") }
        #expect(users.login(after: 30).decision == "allow", "one user failing")
    }

    @Test func policiesSayWhatTheyNeed() {
        func needs(_ change: Change, unless: [RuleConditions] = []) -> ContextNeeds {
            var rule = Rule(name: "r", verdict: .deny)
            change(&rule.conditions)
            rule.unless = unless
            return CompiledPolicy(rules: [rule], fallback: .allow, vocabulary: Self.vocabulary).needs
        }
        #expect(needs { ($0.users, $0.groups, $0.levels) = (["a"], ["staff"], [.high]) } == [])
        #expect(needs { $0.counts = [CountRange(.failures, Interval(atLeast: 3))] } == ContextNeeds(.failures))
        #expect(needs { $0.sessionLevels = [.high] } == .sessionLevel)
        #expect(needs { $0.assurance = AssuranceRange(atLeast: .single) } == .assurance)
        #expect(needs { $0.assurance = AssuranceRange(atLeast: AssuranceLevel.none) } == [])
        var exception = RuleConditions()
        exception.counts = [CountRange(.networkTries, Interval(atLeast: 3))]
        #expect(needs({ _ in }, unless: [exception]) == ContextNeeds(.networkTries))
    }

    @Test func sessionRiskAndAssuranceAreAskedOfTheContext() {
        func matches(_ change: Change, _ context: (inout PolicyContext) -> Void) -> Bool {
            var rule = Rule(name: "r", verdict: .deny)
            change(&rule.conditions)
            var given = PolicyContext()
            context(&given)
            let policy = CompiledPolicy(rules: [rule], fallback: .allow)
            return policy.evaluate(Event(), Assessment(), given).verdict == .deny
        }
        #expect(matches({ $0.sessionLevels = [.high, .medium] }) { $0.sessionLevel = .high })
        #expect(!matches({ $0.sessionLevels = [.high, .medium] }) { $0.sessionLevel = .low })
        for level in AssuranceLevel.allCases {
            #expect(matches({ $0.assurance = AssuranceRange(atLeast: .multiple) }) { $0.assurance = level } == (level >= .multiple))
            #expect(matches({ $0.assurance = AssuranceRange(below: .multiple) }) { $0.assurance = level } == (level < .multiple))
        }
    }

    // MARK: - Lists

    /// Against the definition, for texts that collide, repeat and are patterns.
    @Test func aListHoldsWhatItSays() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed)
        let letters = Array("ababab*?")
        func text() -> String { String((0..<random.next() % 5).map { _ in letters[Int(random.next() % 8)] }) }
        for _ in 0..<200 {
            let entries = (0..<random.next() % 20).map { _ in text() }.filter { !$0.isEmpty }
            let list = EntryList(entries)
            for _ in 0..<40 {
                let asked = text().replacing("*", with: "c").replacing("?", with: "b")
                let expected = entries.contains { entry in
                    var (pattern, text) = (entry, asked)
                    return pattern.withUTF8 { pattern in
                        text.withUTF8 { text in
                            Events.matches(
                                glob: ByteView(base: pattern.baseAddress, count: pattern.count), ByteView(base: text.baseAddress, count: text.count))
                        }
                    }
                }
                #expect(list.contains(asked) == expected, "seed \(seed): \(asked) in \(entries)")
            }
        }
        #expect(EntryList(["a", "b"]) == EntryList(["a", "b"]) && EntryList(["a", "b"]) != EntryList(["ab"]))
    }

    /// A million names, each found where it is and nowhere else.
    @Test func aLargeListIsSearchedLikeASmallOne() {
        var bytes: [UInt8] = []
        var entries: [Range<Int>] = []
        bytes.reserveCapacity(8_000_000)
        entries.reserveCapacity(1_000_000)
        for number in 0..<1_000_000 {
            let start = bytes.count
            var rest = number
            repeat {
                bytes.append(UInt8(97 + rest % 26))
                rest /= 26
            } while rest > 0
            bytes.append(UInt8(ascii: "!"))
            entries.append(start..<bytes.count)
        }
        var vocabulary = Vocabulary()
        vocabulary.lists["large"] = EntryList(bytes: bytes, entries: entries)
        #expect(matches(vocabulary, ["user": "abcd!"]) { $0.users = ["@large"] })
        #expect(!matches(vocabulary, ["user": "abcd"]) { $0.users = ["@large"] })
        let list = vocabulary.lists["large"]
        #expect(entries.indices.filter { $0 % 9973 == 0 }.allSatisfy { list?.contains(String(decoding: bytes[entries[$0]], as: UTF8.self)) == true })
        #expect(list?.contains("!") == false && list?.contains("zzzzz!") == false && list?.contains("ABCD!") == false)
    }
}
