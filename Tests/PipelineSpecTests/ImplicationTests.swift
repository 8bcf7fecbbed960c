import Events
import Foundation
import Policy
import Testing

@testable import PipelineSpec
@testable import Risk

/// What is said of rules, against what rules do: on random conditions and random events.
@Suite struct ImplicationTests {
    struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 32) | (state << 32)
        }
    }

    static let model = ModelOptions()
    static let texts: [StaticString] = ["a", "b", "ab", "aab", "ba", "a/b", "abab"]
    static let patterns = ["a", "b", "a*", "*b", "a?", "?b", "*", "a*b", "**", "ab*", "@list"]

    static var vocabulary: Vocabulary {
        var vocabulary = Vocabulary()
        vocabulary.lists["list"] = EntryList(["ab", "a/*"])
        vocabulary.groups = ["g": ["a*"], "h": ["b"]]
        vocabulary.tags = ["t": ["a*"], "u": ["b"]]
        var loud = RuleConditions()
        loud.levels = [.high, .critical]
        var transfer = RuleConditions()
        (transfer.actions, transfer.score) = (["a*"], Interval(atLeast: 50))
        var both = RuleConditions()
        both.named = [["loud"], ["transfer"]]
        vocabulary.conditions = ["loud": [loud], "transfer": [transfer], "either": [loud, transfer], "both": [both]]
        return vocabulary
    }

    static func some<T>(_ values: [T], _ random: inout Seeded) -> [T] { values.filter { _ in Int.random(in: 0..<3, using: &random) == 0 } }

    static func range(_ bounds: ClosedRange<Int>, _ random: inout Seeded) -> Interval {
        let (a, b) = (Int.random(in: bounds, using: &random), Int.random(in: bounds, using: &random))
        let isOpen = Int.random(in: 0..<4, using: &random)
        return Interval(atLeast: isOpen == 0 ? nil : Double(min(a, b)), atMost: isOpen == 1 ? nil : Double(max(a, b)))
    }

    static func conditions(_ random: inout Seeded) -> RuleConditions {
        var when = RuleConditions()
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            switch Int.random(in: 0..<16, using: &random) {
            case 0: when.types = some([.login, .action], &random)
            case 1: when.actions = some(patterns, &random)
            case 2: when.users = some(patterns, &random)
            case 3: when.levels = some(RiskLevel.allCases, &random)
            case 4: when.score = range(0...100, &random)
            case 5: when.amount = range(0...9, &random)
            case 6: when.anySignals = some([.deviceNew, .networkNew, .placeNew], &random).reduce(into: []) { $0.insert(SignalSet($1)) }
            case 7: when.allSignals = some([.deviceNew, .networkNew, .placeNew], &random).reduce(into: []) { $0.insert(SignalSet($1)) }
            case 8: when.anyMethods = AuthenticationMethods(rawValue: UInt32.random(in: 0...7, using: &random))
            case 9: when.noMethods = AuthenticationMethods(rawValue: UInt32.random(in: 0...7, using: &random))
            case 10: when.groups = some(["g", "h"], &random)
            case 11: when.tags = some(["t", "u"], &random)
            case 12: when.addresses = some(["10.0.0.0/30", "10.0.0.0/31", "10.0.0.2"], &random)
            case 13: when.counts = [CountRange(RecentCount.allCases[Int.random(in: 0...1, using: &random)], range(0...4, &random))]
            case 14: when.assurance = AssuranceRange(atLeast: some(AssuranceLevel.allCases, &random).first, below: some(AssuranceLevel.allCases, &random).last)
            default: when.named = some([["loud"], ["transfer"], ["either"], ["both"], ["loud", "transfer"]], &random)
            }
        }
        if Int.random(in: 0..<9, using: &random) == 0 { when.outcome = Bool.random(using: &random) ? .success : .failure }
        return when
    }

    static func event(_ random: inout Seeded) -> Event {
        var event = Event()
        event.type = Bool.random(using: &random) ? .login : .action
        func text() -> ByteView { ByteView(staticText: texts.randomElement(using: &random)!) }
        (event.user, event.action, event.resource) = (text(), text(), text())
        event.amount = Double(Int.random(in: 0...9, using: &random))
        event.amr = AuthenticationMethods(rawValue: UInt32.random(in: 0...7, using: &random))
        event.ip = IPAddress(family: .v4, high: 0, low: 0x0A00_0000 + UInt64.random(in: 0...3, using: &random))
        event.outcome = Bool.random(using: &random) ? .success : .failure
        return event
    }

    static func assess(_ random: inout Seeded, into assessment: inout Assessment) {
        assessment.clear()
        let score = Double(Int.random(in: 1...99, using: &random)) + 0.5
        assessment.points = 10 * log(score / (100 - score))
        assessment.level = score >= model.criticalScore ? .critical : score >= model.highScore ? .high : score >= model.mediumScore ? .medium : .low
        for signal in some([Signal.deviceNew, .networkNew, .placeNew], &random) { assessment.fired.insert(SignalSet(signal)) }
    }

    static func context(_ random: inout Seeded) -> PolicyContext {
        var context = PolicyContext()
        for count in RecentCount.allCases { context[count] = Float(Int.random(in: 0...4, using: &random)) }
        context.assurance = AssuranceLevel.allCases.randomElement(using: &random)!
        return context
    }

    /// Where a rule is said to cover another, no event matches only the other; where it is said that nothing can match,
    /// nothing does. Both are found often enough to mean something.
    @Test func whatIsSaidIsSo() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        let implication = Implication(vocabulary: Self.vocabulary, model: Self.model)
        var assessment = Assessment()
        var (covered, impossible, matched) = (0, 0, 0)
        for _ in 0..<3_000 {
            var (a, b) = (Rule(name: "a", verdict: .deny), Rule(name: "b", verdict: .deny))
            (a.conditions, b.conditions) = (Self.conditions(&random), Self.conditions(&random))
            if Int.random(in: 0..<4, using: &random) == 0 { b.also = [a.conditions] }
            if Int.random(in: 0..<8, using: &random) == 0 { a.unless = [Self.conditions(&random)] }
            if Int.random(in: 0..<4, using: &random) == 0 { b.unless = a.unless + [Self.conditions(&random)] }
            let covers = implication.covers(a, b)
            let isImpossible = implication.contradiction(implication.facts([b.conditions] + b.also)) != nil
            covered += covers ? 1 : 0
            impossible += isImpossible ? 1 : 0
            guard covers || isImpossible else { continue }
            let first = CompiledPolicy(rules: [a], fallback: .allow, vocabulary: Self.vocabulary)
            let second = CompiledPolicy(rules: [b], fallback: .allow, vocabulary: Self.vocabulary)
            for _ in 0..<60 {
                let event = Self.event(&random)
                Self.assess(&random, into: &assessment)
                let context = Self.context(&random)
                guard second.evaluate(event, assessment, context).rule == 0 else { continue }
                matched += 1
                #expect(!isImpossible, "seed \(seed): \(b) is said to match nothing")
                #expect(!covers || first.evaluate(event, assessment, context).rule == 0, "seed \(seed): \(a) is said to cover \(b)")
            }
        }
        #expect(covered > 200 && impossible > 30 && matched > 500, "seed \(seed): \(covered) \(impossible) \(matched)")
    }

    @Test(arguments: [
        ("*", "a*b", true), ("a*", "ab*", true), ("a*", "a", true), ("a?", "ab", true), ("a?", "a*", false), ("a*", "?b", false),
        ("*b*", "ab?", true), ("a", "a", true), ("a*b", "a*b", true), ("a*b", "a*", false), ("?*", "*?", false), ("*?", "?b", true), ("?", "*", false), ("", "*", false),
    ])
    func patternsCoverPatterns(a: String, b: String, covers: Bool) {
        #expect(Implication.covers(glob: Array(a.utf8), Array(b.utf8)) == covers)
    }
}
