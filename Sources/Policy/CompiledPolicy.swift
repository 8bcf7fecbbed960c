import Events
import Risk

/// The rules of a plan in the flat form that is matched against every event: no arrays, no strings, no retains.
public final class CompiledPolicy: @unchecked Sendable {
    struct CompiledRule {
        var clause: Int32
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
        public var methodsJSON: ByteView
        /// The same without push; a security key where nothing is left.
        public var methodsWithoutPushJSON: ByteView
        public var offersPush: Bool
        public var maxAgeSeconds: Int?
        public var prompt: ByteView
        public var expires: Int64
        public var validForSeconds: UInt32
        public var fingerprint: UInt32
    }

    public let count: Int
    let rules: UnsafeMutablePointer<CompiledRule>
    let names: UnsafeMutablePointer<ByteView>
    let demands: UnsafeMutablePointer<Demand>
    private var arena: [UnsafeMutablePointer<UInt8>] = []
    private let conditions: CompiledConditions
    let fallback: Verdict
    /// What `evaluate` reads of its context.
    public let needs: ContextNeeds

    /// At most `ReportedRules.capacity` rules; what they name is in the vocabulary.
    public init(rules source: [Rule], fallback: Verdict, vocabulary: Vocabulary = Vocabulary()) {
        precondition(source.count <= ReportedRules.capacity, "a policy has at most 256 rules")
        self.fallback = fallback
        count = source.count
        rules = .allocate(capacity: max(count, 1))
        names = .allocate(capacity: max(count, 1))
        demands = .allocate(capacity: max(count, 1))
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
        for (index, rule) in source.enumerated() {
            let stepUp = rule.stepUp
            let asked = json(stepUp.acrValues)
            let methods = json(stepUp.methods.map(\.rawValue))
            let others = stepUp.methods.filter { $0 != .push }
            let withoutPush = json((others.isEmpty ? [.webauthn] : others).map(\.rawValue))
            let fingerprint = Self.fingerprint(asked, methods, maxAge: stepUp.maxAge)
            (rules + index).initialize(
                to: CompiledRule(
                    clause: compiler.add(rule.conditions), isReport: rule.mode == .report, verdict: rule.verdict,
                    hasScope: !rule.also.isEmpty || !rule.unless.isEmpty, also: compiler.add(all: rule.also),
                    unless: compiler.add(all: rule.unless)))
            (names + index).initialize(to: keep(rule.name))
            (demands + index).initialize(
                to: Demand(
                    acrValuesJSON: asked, methodsJSON: methods, methodsWithoutPushJSON: withoutPush,
                    offersPush: others.count < stepUp.methods.count, maxAgeSeconds: stepUp.maxAge, prompt: keep(stepUp.prompt),
                    expires: stepUp.expires, validForSeconds: UInt32(clamping: stepUp.validFor / 1000),
                    fingerprint: fingerprint))
        }
        self.arena = arena
        conditions = CompiledConditions(compiler)
        needs = conditions.needs
    }

    deinit {
        rules.deallocate()
        names.deallocate()
        demands.deallocate()
        for text in arena { text.deallocate() }
    }

    /// An answer that was fresh enough for one maximum age need not be for another.
    private static func fingerprint(_ a: ByteView, _ b: ByteView, maxAge: Int?) -> UInt32 {
        let hash = KeyedHash(k0: 0x706F_6C69_6379, k1: 0x9E37_79B9_7F4A_7C15)
        return UInt32(truncatingIfNeeded: hash(hash(hash(a), hash(b)), UInt64(bitPattern: Int64(maxAge ?? -1)))) | 1
    }

    public func name(of rule: Int) -> ByteView { names[rule] }
    public func demand(of rule: Int) -> Demand { demands[rule] }
    public func verdict(of rule: Int) -> Verdict { rules[rule].verdict }

    /// The first enforced rule that matches, -1 for none, and the report-only rules that matched before it.
    /// - Complexity: O(rules)
    public func evaluate(
        _ event: borrowing Event, _ assessment: borrowing Assessment, _ context: borrowing PolicyContext
    ) -> (verdict: Verdict, rule: Int, reported: ReportedRules) {
        var reported = ReportedRules()
        let facts = conditions.facts(event, assessment)
        for index in 0..<count {
            let rule = rules + index
            guard conditions.holds(Int(rule.pointee.clause), event, facts, context) else { continue }
            if rule.pointee.hasScope {
                guard conditions.holdsAll(rule.pointee.also, event, facts, context) else { continue }
                if conditions.holdsAny(rule.pointee.unless, event, facts, context) { continue }
            }
            if rule.pointee.isReport {
                reported.insert(index)
            } else {
                return (rule.pointee.verdict, index, reported)
            }
        }
        return (fallback, -1, reported)
    }
}

extension String {
    fileprivate func withContiguousBytes(_ body: (ByteView) -> Void) {
        var copy = self
        copy.withUTF8 { body(ByteView(base: $0.baseAddress, count: $0.count)) }
    }
}
