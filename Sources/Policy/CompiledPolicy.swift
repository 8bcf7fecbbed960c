import Events
import Risk

/// The rules of a plan in the flat form that is matched against every event: no arrays, no strings, no retains.
public final class CompiledPolicy: @unchecked Sendable {
    /// Patterns of one condition: a run of `patterns`.
    struct Run {
        var first: Int32 = 0
        var count: Int32 = 0
    }

    struct CompiledRule {
        var types: UInt8
        var levels: UInt8
        var confidence: UInt8
        /// 0 any, else 1 << `LoginOutcome`.
        var outcomes: UInt8
        var needsAmount: Bool
        var isReport: Bool
        var verdict: Verdict
        var scoreLow: Double
        var scoreHigh: Double
        var amountLow: Double
        var amountHigh: Double
        var ageLow: Double
        var ageHigh: Double
        var anySignals: UInt64
        var allSignals: UInt64
        var anyMethods: UInt32
        var noMethods: UInt32
        var actions: Run
        var resources: Run
        var tenants: Run
        var currencies: Run
        var acr: Run
        /// Identifies what a step-up asks for, across versions of the pipeline.
        var demand: UInt32
    }

    /// What a step-up rule says, as it goes on the wire.
    public struct Demand {
        public var acrValuesJSON: ByteView
        /// Of the rule, those that prove what is needed.
        public var methods: MethodList
        /// Of all methods.
        public var sufficient: ChallengeMethods
        public var maxAgeSeconds: Int?
        public var prompt: ByteView
        public var expires: Int64
        public var validForSeconds: UInt32
        public var fingerprint: UInt32
        /// What a session has to prove.
        public var need: AssuranceLevel
    }

    public let count: Int
    let rules: UnsafeMutablePointer<CompiledRule>
    let names: UnsafeMutablePointer<ByteView>
    let demands: UnsafeMutablePointer<Demand>
    private var patterns: UnsafeMutablePointer<ByteView>
    private var arena: [UnsafeMutablePointer<UInt8>] = []
    let fallback: Verdict
    /// A rule asks for the score itself, and not only for its level.
    private let needsScore: Bool

    /// What is asked of every session once somebody has said “that's not me”.
    public var alarm: Demand { demands[count] }

    /// At most 64 rules: report-only matches are kept in a 64-bit mask.
    public init(rules source: [Rule], fallback: Verdict, assurance: AssuranceOptions = AssuranceOptions()) {
        precondition(source.count <= 64, "a policy has at most 64 rules")
        self.fallback = fallback
        // Every score lies within 0 and 100.
        needsScore = source.contains { rule in
            rule.conditions.score.map { ($0.atLeast ?? 0) > 0 || ($0.atMost ?? 100) < 100 } ?? false
        }
        count = source.count
        rules = .allocate(capacity: max(count, 1))
        names = .allocate(capacity: max(count, 1))
        demands = .allocate(capacity: count + 1)
        var texts: [String] = []
        func run(_ patterns: [String]) -> Run {
            defer { texts += patterns }
            return Run(first: Int32(texts.count), count: Int32(patterns.count))
        }
        func mask<T>(_ values: [T], _ bit: (T) -> UInt8) -> UInt8 {
            values.isEmpty ? 0xFF : values.reduce(0) { $0 | 1 << bit($1) }
        }
        var arena: [UnsafeMutablePointer<UInt8>] = []
        func keep(_ text: String) -> ByteView {
            let bytes = Array(text.utf8)
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
            copy.initialize(from: bytes, count: bytes.count)
            arena.append(copy)
            return ByteView(base: UnsafePointer(copy), count: bytes.count)
        }
        func json(_ values: [String]) -> ByteView {
            var buffer = OutputBuffer()
            buffer.append("[")
            for (index, value) in values.enumerated() {
                if index > 0 { buffer.append(",") }
                value.withContiguousBytes { buffer.append(jsonString: $0) }
            }
            buffer.append("]")
            return keep(buffer.view(from: 0).string)
        }
        func compile(_ stepUp: StepUpOptions) -> Demand {
            let need = stepUp.need(assurance)
            let methods = stepUp.sufficient(assurance)
            let sufficient = ChallengeMethod.allCases.filter { assurance.level(of: $0) >= need }
            let asked = json(stepUp.acrValues.isEmpty ? assurance.values(satisfying: need) : stepUp.acrValues)
            let offered = json(methods.map(\.rawValue))
            return Demand(
                acrValuesJSON: asked, methods: MethodList(methods), sufficient: ChallengeMethods(rawValue: sufficient.bits),
                maxAgeSeconds: stepUp.maxAge, prompt: keep(stepUp.prompt), expires: stepUp.expires,
                validForSeconds: UInt32(clamping: stepUp.validFor / 1000),
                fingerprint: Self.fingerprint(asked, offered, maxAge: stepUp.maxAge, need: need), need: need)
        }
        for (index, rule) in source.enumerated() {
            let when = rule.conditions
            let demand = compile(rule.stepUp)
            (rules + index).initialize(
                to: CompiledRule(
                    types: mask(when.types) { $0.rawValue }, levels: mask(when.levels) { $0.rawValue },
                    confidence: mask(when.confidence) { $0.rawValue },
                    outcomes: when.outcome.map { 1 << $0.rawValue } ?? 0, needsAmount: when.amount != nil,
                    isReport: rule.mode == .report, verdict: rule.verdict,
                    scoreLow: when.score?.atLeast ?? -.infinity, scoreHigh: when.score?.atMost ?? .infinity,
                    amountLow: when.amount?.atLeast ?? -.infinity, amountHigh: when.amount?.atMost ?? .infinity,
                    ageLow: when.authAge?.atLeast ?? -.infinity, ageHigh: when.authAge?.atMost ?? .infinity,
                    anySignals: when.anySignals.rawValue, allSignals: when.allSignals.rawValue,
                    anyMethods: when.anyMethods.rawValue, noMethods: when.noMethods.rawValue,
                    actions: run(when.actions), resources: run(when.resources), tenants: run(when.tenants),
                    currencies: run(when.currencies), acr: run(when.acr), demand: demand.fingerprint))
            (names + index).initialize(to: keep(rule.name))
            (demands + index).initialize(to: demand)
        }
        (demands + count).initialize(to: compile(Self.alarm(assurance)))
        patterns = .allocate(capacity: max(texts.count, 1))
        for (index, text) in texts.enumerated() { (patterns + index).initialize(to: keep(text)) }
        self.arena = arena
    }

    deinit {
        rules.deallocate()
        names.deallocate()
        demands.deallocate()
        patterns.deallocate()
        for text in arena { text.deallocate() }
    }

    /// Whoever is asked for that much, may answer with anything that proves as much.
    private static func alarm(_ assurance: AssuranceOptions) -> StepUpOptions {
        var question = StepUpOptions()
        question.assurance = assurance.alarmNeed
        question.methods = ChallengeMethod.allCases.filter { assurance.level(of: $0) >= assurance.alarmNeed }
        question.validFor = assurance.alarm
        question.prompt = "Somebody said of a question about this account that it was not them: confirm it is you"
        return question
    }

    private static func fingerprint(_ a: ByteView, _ b: ByteView, maxAge: Int?, need: AssuranceLevel) -> UInt32 {
        let hash = KeyedHash(k0: 0x706F_6C69_6379, k1: 0x9E37_79B9_7F4A_7C15)
        let rest = UInt64(bitPattern: Int64(maxAge ?? -1)) ^ UInt64(need.rawValue) << 56
        return UInt32(truncatingIfNeeded: hash(hash(hash(a), hash(b)), rest)) | 1
    }

    public func name(of rule: Int) -> ByteView { names[rule] }
    public func demand(of rule: Int) -> Demand { demands[rule] }

    /// What was asked under that fingerprint; nil where no rule asks for it any more.
    /// - Complexity: O(rules)
    public func demand(fingerprint: UInt32) -> Demand? {
        for index in 0...count where demands[index].fingerprint == fingerprint { return demands[index] }
        return nil
    }

    public func verdict(of rule: Int) -> Verdict { rules[rule].verdict }

    /// The rules of these names, one bit each; names of no rule count for nothing.
    public func mask(of names: [String]) -> UInt64 {
        (0..<count).reduce(0) { names.contains(name(of: $1).string) ? $0 | 1 << UInt64($1) : $0 }
    }

    /// `evaluate` of an event and an assessment that stay where they are: as values they would be copied, which costs as
    /// much as matching them.
    public func evaluate(
        _ event: UnsafePointer<Event>, _ assessment: UnsafePointer<Assessment>, _ context: PolicyContext, relaxed: UInt64 = 0
    ) -> (verdict: Verdict, rule: Int, reported: UInt64) {
        evaluate(event.pointee, assessment.pointee, context, relaxed: relaxed)
    }

    /// The first enforced rule that matches, -1 for none, and a mask of the report-only rules that matched before it.
    /// - Parameter relaxed: rules that count as report-only this time, one bit each.
    /// - Complexity: O(rules)
    @inline(__always)
    public func evaluate(
        _ event: borrowing Event, _ assessment: borrowing Assessment, _ context: PolicyContext, relaxed: UInt64 = 0
    ) -> (verdict: Verdict, rule: Int, reported: UInt64) {
        var reported: UInt64 = 0
        let fired = assessment.fired.rawValue
        let type = 1 << event.type.rawValue as UInt8
        let level = 1 << assessment.level.rawValue as UInt8
        let confidence = 1 << assessment.confidence.rawValue as UInt8
        let outcome = 1 << event.outcome.rawValue as UInt8
        let age =
            event.authTime == .distantPast ? Double.infinity : max(0, Double(event.time - event.authTime))
        let (amount, methods) = (event.amount, event.amr.rawValue)
        let score = needsScore ? assessment.score : 0
        for index in 0..<count {
            let rule = rules + index
            guard rule.pointee.types & type != 0, rule.pointee.levels & level != 0,
                rule.pointee.confidence & confidence != 0,
                !needsScore || (score >= rule.pointee.scoreLow && score <= rule.pointee.scoreHigh),
                rule.pointee.anySignals == 0 || rule.pointee.anySignals & fired != 0,
                rule.pointee.allSignals & fired == rule.pointee.allSignals,
                rule.pointee.outcomes == 0 || rule.pointee.outcomes & outcome != 0,
                rule.pointee.anyMethods == 0 || rule.pointee.anyMethods & methods != 0,
                rule.pointee.noMethods & methods == 0,
                age >= rule.pointee.ageLow, age <= rule.pointee.ageHigh,
                !rule.pointee.needsAmount
                    || (amount >= rule.pointee.amountLow && amount <= rule.pointee.amountHigh),
                matches(rule.pointee.actions, event.action), matches(rule.pointee.resources, event.resource),
                matches(rule.pointee.tenants, event.tenant), matches(rule.pointee.currencies, event.currency),
                matches(rule.pointee.acr, event.acr)
            else { continue }
            if rule.pointee.isReport || relaxed >> UInt64(index) & 1 == 1 {
                reported |= 1 << UInt64(index)
            } else {
                return (rule.pointee.verdict, index, reported)
            }
        }
        return (fallback, -1, reported)
    }

    @inline(__always)
    private func matches(_ run: Run, _ text: ByteView) -> Bool {
        if run.count == 0 { return true }
        if !text.isPresent { return false }
        for index in run.first..<run.first + run.count where Events.matches(glob: patterns[Int(index)], text) { return true }
        return false
    }
}

extension String {
    fileprivate func withContiguousBytes(_ body: (ByteView) -> Void) {
        var copy = self
        copy.withUTF8 { body(ByteView(base: $0.baseAddress, count: $0.count)) }
    }
}
