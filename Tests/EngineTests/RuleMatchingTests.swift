import Behavior
import Events
import Policy
import Risk
import Testing

/// Rules as they are matched, against what they say.
@Suite struct RuleMatchingTests {
    private static let names = [
        "", "a", "ab", "abc", "abcd", "abcdefg", "abcdefgh", "abcdefgi", "report.export", "reports.export", "transfer.create",
        "transfer.creatf", "beneficiary.add", "beneficiary.added.for.somebody", "thirty-two bytes are remembered.",
        "thirty-three bytes are forgotten.", "tenant/a", "tenant/abc", "*", "a*", "hr/payroll/march", "hr/payrol",
    ]
    private static let patterns = [
        "", "*", "?", "a", "ab", "a*", "*c", "a?c", "*.export", "transfer.*", "transfer.create", "?ransfer.creat?", "*er*",
        "beneficiary.add*", "thirty-t*", "*.", "abcdefg*", "*bcdefgh", "hr/payroll/*", "tenant/a*", "abcdefgh?", "**",
    ]

    private struct Case {
        var event = Event()
        var bytes: [UnsafeMutableBufferPointer<UInt8>] = []

        mutating func keep(_ text: String?) -> ByteView {
            guard let text else { return .absent }
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(text.utf8.count, 1))
            _ = copy.initialize(from: text.utf8)
            bytes.append(copy)
            return ByteView(base: UnsafePointer(copy.baseAddress), count: text.utf8.count)
        }
    }

    private static func fits(_ patterns: [String], _ text: ByteView) -> Bool {
        text.isPresent && patterns.contains { pattern in
            var pattern = pattern
            return pattern.withUTF8 { matches(glob: ByteView(base: $0.baseAddress, count: $0.count), text) }
        }
    }

    /// Nothing asked for, or one of it.
    private static func holds(_ when: RuleConditions, _ vocabulary: Vocabulary, _ event: Event, _ level: RiskLevel, _ fired: SignalSet) -> Bool {
        func text(_ asked: [String], _ text: ByteView) -> Bool { asked.isEmpty || fits(asked, text) }
        let lists = when.actions.flatMap { $0.hasPrefix("@") ? ["a", "*.export", "beneficiary.add"] : [$0] }
        let age = event.authTime == .distantPast ? .infinity : max(0, Double(event.time - event.authTime))
        return (when.types.isEmpty || when.types.contains(event.type)) && (when.levels.isEmpty || when.levels.contains(level))
            && (when.outcome == nil || when.outcome == event.outcome) && when.allSignals.isSubset(of: fired)
            && (when.anySignals.isEmpty || !when.anySignals.isDisjoint(with: fired))
            && (when.confidence.isEmpty || when.confidence.contains(.learning))
            && when.noMethods.isDisjoint(with: event.amr) && text(lists, event.action) && text(when.resources, event.resource)
            && text(when.users, event.user) && text(when.groups.flatMap { vocabulary.groups[$0] ?? [] }, event.user)
            && text(when.tags.flatMap { vocabulary.tags[$0] ?? [] }, event.resource)
            && (when.authAge == nil || (when.authAge?.atLeast ?? 0) <= age && age <= (when.authAge?.atMost ?? .infinity))
            && (when.amount == nil || (when.amount?.atLeast ?? 0) <= event.amount)
    }

    @Test func rulesHoldAsTheySay() {
        let seed = UInt64.random(in: 0 ... .max)
        print("rulesHoldAsTheySay seed \(seed)")
        var random = SplitMix(seed)
        func chance(_ one: UInt64) -> Bool { random.next() % one == 0 }
        func some(_ all: [String], most: UInt64 = 3) -> [String] {
            (0..<1 + random.next() % most).map { _ in all[Int(random.next() % UInt64(all.count))] }
        }
        func conditions() -> RuleConditions {
            var when = RuleConditions()
            if chance(3) { when.types = chance(2) ? [.login] : [.action, .login] }
            if chance(4) { when.levels = chance(2) ? [.low] : [.medium, .high] }
            if chance(4) { when.confidence = chance(2) ? [.learning, .partial] : [.established] }
            if chance(4) { when.outcome = chance(2) ? .success : .failure }
            if chance(6) { when.anySignals = SignalSet(.deviceNew) }
            if chance(2) { when.actions = some(Self.patterns) + (chance(5) ? ["@listed"] : []) }
            if chance(4) { when.resources = some(Self.patterns) }
            if chance(4) { when.users = some(Self.patterns) }
            if chance(4) { when.groups = chance(2) ? ["few"] : ["few", "some"] }
            if chance(4) { when.tags = ["pay"] }
            if chance(5) { when.noMethods = AuthenticationMethods(rawValue: 1 << UInt32(random.next() % 3)) }
            if chance(5) { when.authAge = Interval(atLeast: chance(2) ? 100 : nil, atMost: 1000) }
            if chance(5) { when.amount = Interval(atLeast: 10) }
            return when
        }
        var vocabulary = Vocabulary()
        vocabulary.lists = ["listed": EntryList(["a", "*.export", "beneficiary.add"])]
        for _ in 0..<60 {
            vocabulary.groups = ["few": some(Self.patterns), "some": some(Self.patterns)]
            vocabulary.tags = ["pay": some(Self.patterns)]
            let rules = (0..<1 + random.next() % (chance(3) ? 200 : 8)).map { index in
                var rule = Rule(name: "r\(index)", verdict: chance(2) ? .deny : .stepUp)
                rule.conditions = conditions()
                if chance(4) { rule.also = [conditions()] }
                if chance(4) { rule.unless = [conditions()] }
                if !chance(3) { rule.mode = .report }
                return rule
            }
            let policy = CompiledPolicy(rules: rules, fallback: .allow, vocabulary: vocabulary)
            for _ in 0..<40 {
                var given = Case()
                defer { for text in given.bytes { text.deallocate() } }
                let (name, resource, user) = (some(Self.names)[0], some(Self.names)[0], some(Self.names)[0])
                (given.event.type, given.event.outcome) = chance(2) ? (.action, .none) : (.login, chance(2) ? .success : .failure)
                given.event.action = given.keep(chance(9) ? nil : name)
                given.event.resource = given.keep(chance(9) ? nil : resource)
                given.event.user = given.keep(user)
                given.event.amr = AuthenticationMethods(rawValue: UInt32(random.next() % 8))
                given.event.time = Timestamp(milliseconds: 1_700_000_000_000)
                if chance(2) { given.event.authTime = given.event.time + (Int64(random.next() % 2000) - 1500) }
                if chance(2) { given.event.amount = Double(random.next() % 20) }
                var expected = (verdict: Verdict.allow, rule: -1, reported: ReportedRules())
                for (index, rule) in rules.enumerated() {
                    func holds(_ when: RuleConditions) -> Bool { Self.holds(when, vocabulary, given.event, .low, []) }
                    guard holds(rule.conditions), rule.also.allSatisfy(holds), !rule.unless.contains(where: holds) else { continue }
                    if rule.mode == .report {
                        expected.reported.insert(index)
                    } else {
                        (expected.verdict, expected.rule) = (rule.verdict, index)
                        break
                    }
                }
                let found = policy.evaluate(given.event, Assessment(), PolicyContext())
                #expect(found == expected, "seed \(seed): \(rules.count) rules of \(name), \(resource), \(user)")
            }
        }
    }
}
