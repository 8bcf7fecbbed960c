import Events
import Risk

/// The rules of a plan in the flat form that is matched against every event: no arrays, no strings, no retains.
///
/// Not thread safe, because it remembers which names of actions fit: it belongs to one engine.
public final class CompiledPolicy: @unchecked Sendable {
    struct CompiledRule {
        var clause: UnsafeMutablePointer<CompiledConditions.Clause>
        var isReport: Bool
        var verdict: Verdict
        /// `also` or `unless` asks for something.
        var hasScope: Bool
        var also: CompiledConditions.Run
        var unless: CompiledConditions.Run
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
    private var arena: [UnsafeMutablePointer<UInt8>] = []
    private let conditions: CompiledConditions
    private let kinds: RuleKinds
    let fallback: Verdict
    /// What `evaluate` reads of its context.
    public let needs: ContextNeeds

    /// What is asked of every session once somebody has said “that's not me”.
    public var alarm: Demand { demands[count] }

    /// At most `ReportedRules.capacity` rules; what they name is in the vocabulary.
    public init(
        rules source: [Rule], fallback: Verdict, assurance: AssuranceOptions = AssuranceOptions(), vocabulary: Vocabulary = Vocabulary()
    ) {
        precondition(source.count <= ReportedRules.capacity, "a policy has at most 256 rules")
        self.fallback = fallback
        count = source.count
        rules = .allocate(capacity: max(count, 1))
        names = .allocate(capacity: max(count, 1))
        demands = .allocate(capacity: count + 1)
        var compiler = ConditionCompiler(vocabulary)
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
        var scopes: [(clause: Int32, also: CompiledConditions.Run, unless: CompiledConditions.Run)] = []
        for (index, rule) in source.enumerated() {
            scopes.append((compiler.add(rule.conditions), compiler.add(all: rule.also), compiler.add(all: rule.unless)))
            (names + index).initialize(to: keep(rule.name))
            (demands + index).initialize(to: compile(rule.stepUp))
        }
        (demands + count).initialize(to: compile(Self.alarm(assurance)))
        self.arena = arena
        let conditions = CompiledConditions(compiler)
        for (index, (rule, scope)) in zip(source, scopes).enumerated() {
            (rules + index).initialize(
                to: CompiledRule(
                    clause: conditions.clauses + Int(scope.clause), isReport: rule.mode == .report, verdict: rule.verdict,
                    hasScope: !rule.also.isEmpty || !rule.unless.isEmpty, also: scope.also, unless: scope.unless))
        }
        self.conditions = conditions
        let clauses = scopes.map { conditions.clauses[Int($0.clause)] }
        kinds = RuleKinds(clauses) { conditions.mayFit(clauses[$0], $1, mark: $2) }
        needs = conditions.needs
    }

    deinit {
        rules.deallocate()
        names.deallocate()
        demands.deallocate()
        kinds.deallocate()
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

    /// The rules of these names that ask, for the copy that an override has made may deny; names of no rule count for nothing.
    public func questions(named names: [String]) -> ReportedRules {
        (0..<count).reduce(into: ReportedRules()) {
            if verdict(of: $1) == .stepUp && names.contains(name(of: $1).string) { $0.insert($1) }
        }
    }

    /// The first enforced rule that matches, -1 for none, and the report-only rules that matched before it. The event and the
    /// assessment stay where they are, as does the context: as values they would be copied, which costs as much as matching
    /// them.
    /// - Parameter relaxed: rules that count as report-only this time.
    /// - Complexity: O(rules)
    public func evaluate(
        _ event: UnsafePointer<Event>, _ assessment: UnsafePointer<Assessment>, _ context: UnsafePointer<PolicyContext>,
        relaxed: ReportedRules = .none
    ) -> (verdict: Verdict, rule: Int, reported: ReportedRules) {
        // Most events can be matched by none.
        for word in 0..<kinds.words where kinds.rules(of: event, assessment, word: word) != 0 {
            return evaluate(from: word, event, assessment, context, relaxed)
        }
        return (fallback, -1, ReportedRules())
    }

    /// The same from the first word of rules that may match.
    @inline(never)
    private func evaluate(
        from first: Int, _ event: UnsafePointer<Event>, _ assessment: UnsafePointer<Assessment>,
        _ context: UnsafePointer<PolicyContext>, _ relaxed: ReportedRules
    ) -> (verdict: Verdict, rule: Int, reported: ReportedRules) {
        var reported = ReportedRules()
        var subject = conditions.subject(event, assessment)
        for word in first..<kinds.words {
            var left = kinds.rules(of: event, assessment, word: word)
            while left != 0 {
                let index = word &<< 6 | left.trailingZeroBitCount
                left &= left &- 1
                let rule = rules + index
                guard conditions.holdsOfKind(rule.pointee.clause, &subject, context) else { continue }
                if rule.pointee.hasScope {
                    guard conditions.holdsAll(rule.pointee.also, &subject, context) else { continue }
                    if conditions.holdsAny(rule.pointee.unless, &subject, context) { continue }
                }
                if rule.pointee.isReport || relaxed.contains(index) {
                    reported.insert(index)
                } else {
                    return (rule.pointee.verdict, index, reported)
                }
            }
        }
        return (fallback, -1, reported)
    }

    /// The same of an event and an assessment at hand.
    public func evaluate(
        _ event: borrowing Event, _ assessment: borrowing Assessment, _ context: PolicyContext
    ) -> (verdict: Verdict, rule: Int, reported: ReportedRules) {
        withUnsafePointer(to: event) { event in
            withUnsafePointer(to: assessment) { assessment in
                withUnsafePointer(to: context) { evaluate(event, assessment, $0) }
            }
        }
    }
}

extension String {
    fileprivate func withContiguousBytes(_ body: (ByteView) -> Void) {
        var copy = self
        copy.withUTF8 { body(ByteView(base: $0.baseAddress, count: $0.count)) }
    }
}
