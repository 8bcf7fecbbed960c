import Events
import Risk

/// Which rules ask for events of a type, level, confidence and outcome, as bits: what most events are settled by, for no rule
/// asks for them.
struct RuleKinds {
    /// 64 rules to a word.
    let words: Int
    /// For each word a row: the rules that ask for each type, then for each level, confidence and outcome.
    private let table: UnsafeMutablePointer<UInt64>
    private static var levels: Int { 5 }
    private static var confidence: Int { 9 }
    private static var outcomes: Int { 12 }
    private static var row: Int { 16 }

    init(_ clauses: [CompiledConditions.Clause]) {
        let counts = [
            EventType.allCases.count, RiskLevel.allCases.count, Confidence.allCases.count, Int(LoginOutcome.failure.rawValue) + 1,
        ]
        precondition(counts == [Self.levels, Self.confidence - Self.levels, Self.outcomes - Self.confidence, 3])
        words = (clauses.count + 63) / 64
        table = .allocate(capacity: max(words, 1) * Self.row)
        table.initialize(repeating: 0, count: max(words, 1) * Self.row)
        for (index, clause) in clauses.enumerated() {
            let row = table + index / 64 * Self.row
            var first = 0
            for (count, asked) in zip(counts, [clause.types, clause.levels, clause.confidence, clause.outcomes]) {
                for value in 0..<count where asked >> UInt8(value) & 1 == 1 { row[first + value] |= 1 << UInt64(index % 64) }
                first += count
            }
        }
    }

    func deallocate() { table.deallocate() }

    /// The rules of a word that ask for such an event.
    @inline(__always)
    func rules(of event: UnsafePointer<Event>, _ assessment: UnsafePointer<Assessment>, word: Int) -> UInt64 {
        let row = table + word * Self.row
        return row[Int(event.pointee.type.rawValue)] & row[Self.levels + Int(assessment.pointee.level.rawValue)]
            & row[Self.confidence + Int(assessment.pointee.confidence.rawValue)]
            & row[Self.outcomes + Int(event.pointee.outcome.rawValue)]
    }
}
