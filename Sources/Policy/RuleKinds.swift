import Events
import Risk

/// Which rules may hold of an event, as bits; of most events none may. Exact as to the type, level, confidence and outcome
/// that a rule asks for; of signals and texts it is told only as much as can be without looking at
/// each rule.
struct RuleKinds {
    /// 64 rules to a word.
    let words: Int
    /// For each word a row: the rules that ask for each type, then for each level, confidence and outcome; those that ask for
    /// no signal, and the signals that any of the others asks for; then for each text the rules that it may fit by its mark.
    private let table: UnsafeMutablePointer<UInt64>
    private static var levels: Int { 5 }
    private static var confidence: Int { 9 }
    private static var outcomes: Int { 12 }
    private static var unsignalled: Int { 15 }
    private static var signals: Int { 16 }
    private static var users: Int { 24 }
    private static var actions: Int { users + 256 }
    private static var resources: Int { actions + 256 }
    private static var row: Int { resources + 256 }

    /// `mayFit`: whether such a text of this mark may be what the rule asks for.
    init(_ clauses: [CompiledConditions.Clause], _ mayFit: (_ rule: Int, _ text: CompiledConditions.Asking, _ mark: UInt8) -> Bool) {
        let counts = [
            EventType.allCases.count, RiskLevel.allCases.count, Confidence.allCases.count, Int(LoginOutcome.failure.rawValue) + 1,
        ]
        precondition(counts == [Self.levels, Self.confidence - Self.levels, Self.outcomes - Self.confidence, 3])
        words = (clauses.count + 63) / 64
        table = .allocate(capacity: max(words, 1) * Self.row)
        table.initialize(repeating: 0, count: max(words, 1) * Self.row)
        for (index, clause) in clauses.enumerated() {
            let row = table + index / 64 * Self.row
            let bit: UInt64 = 1 << UInt64(index % 64)
            var first = 0
            for (count, asked) in zip(counts, [clause.types, clause.levels, clause.confidence, clause.outcomes]) {
                for value in 0..<count where asked >> UInt8(value) & 1 == 1 { row[first + value] |= bit }
                first += count
            }
            let signals = clause.anySignals | clause.allSignals
            if signals == 0 { row[Self.unsignalled] |= bit } else { row[Self.signals] |= signals }
            for mark in UInt8.min...UInt8.max {
                if mayFit(index, .user, mark) { row[Self.users + Int(mark)] |= bit }
                if mayFit(index, .action, mark) { row[Self.actions + Int(mark)] |= bit }
                if mayFit(index, .resource, mark) { row[Self.resources + Int(mark)] |= bit }
            }
        }
    }

    func deallocate() { table.deallocate() }

    /// The rules of a word that may hold of such an event.
    @inline(__always)
    func rules(of event: UnsafePointer<Event>, _ assessment: UnsafePointer<Assessment>, word: Int) -> UInt64 {
        let row = table + word &* Self.row
        var rules = row[Int(event.pointee.type.rawValue)] & row[Self.levels &+ Int(assessment.pointee.level.rawValue)]
        rules &= row[Self.confidence &+ Int(assessment.pointee.confidence.rawValue)]
        rules &= row[Self.outcomes &+ Int(event.pointee.outcome.rawValue)]
        if assessment.pointee.fired.rawValue & row[Self.signals] == 0 { rules &= row[Self.unsignalled] }
        if let mark = GlobPattern.mark(of: event.pointee.action) { rules &= row[Self.actions &+ Int(mark)] }
        if let mark = GlobPattern.mark(of: event.pointee.resource) { rules &= row[Self.resources &+ Int(mark)] }
        // A tenant's user may be asked for by the tenant's name.
        if event.pointee.tenant.isEmpty, let mark = GlobPattern.mark(of: event.pointee.user) { rules &= row[Self.users &+ Int(mark)] }
        return rules
    }
}
