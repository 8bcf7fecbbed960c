import Engine
import Events

/// Two numbers that belong together: under A, and under B.
public struct Both<Value> {
    public var a: Value
    public var b: Value

    init(_ a: Value, _ b: Value) {
        self.a = a
        self.b = b
    }

    /// Side 0 is A, side 1 is B.
    subscript(side: Int) -> Value {
        get { side == 0 ? a : b }
        set { if side == 0 { a = newValue } else { b = newValue } }
    }
}

extension Both: Sendable where Value: Sendable {}
extension Both: Encodable where Value: Encodable {}

/// Who is asked, blocked and let through by either of two pipelines. Bounded by users and rules, not by events.
struct BacktestTally {
    /// What a rule did, by side.
    struct Rule {
        var name: String
        var interventions = Both(0, 0)
        var questions = Both(0, 0)
        /// Questions put where the other pipeline let pass.
        var added = Both(0, 0)
    }

    static let verdicts = Verdict.allCases.count
    var events = 0
    /// A's verdict × B's.
    private(set) var cells = [Int](repeating: 0, count: verdicts * verdicts)
    /// By user: the cells that the user was in.
    private(set) var cellsOfUser: [UInt16] = []
    private var lastDay: [Int32] = []
    /// Days on which somebody did something, summed over all users.
    private(set) var userDays = 0
    private(set) var questions = Both(0, 0)
    /// Events on which the scores differ.
    private(set) var scoredApart = 0
    private var rules: [UInt64: Rule] = [:]

    /// Notes both decisions on one event. Answers whether the user has not been in that cell before.
    mutating func note(
        _ judgements: (a: Judgement, b: Judgement), rules names: (a: ByteView, b: ByteView), user: UInt32, time: Timestamp
    ) -> Bool {
        events += 1
        while cellsOfUser.count <= Int(user) {
            cellsOfUser.append(0)
            lastDay.append(.min)
        }
        let day = Int32(clamping: time.milliseconds / 86_400_000)
        if day > lastDay[Int(user)] {
            lastDay[Int(user)] = day
            userDays += 1
        }
        if judgements.a.logit != judgements.b.logit { scoredApart += 1 }
        note(judgements.a, against: judgements.b, rule: names.a, side: 0)
        note(judgements.b, against: judgements.a, rule: names.b, side: 1)
        let cell = Self.cell(judgements.a.verdict, judgements.b.verdict)
        cells[cell] += 1
        let isFirst = cellsOfUser[Int(user)] & 1 << UInt16(cell) == 0
        cellsOfUser[Int(user)] |= 1 << UInt16(cell)
        return isFirst
    }

    static func cell(_ a: Verdict, _ b: Verdict) -> Int { Int(a.rawValue) * verdicts + Int(b.rawValue) }

    private mutating func note(_ judgement: Judgement, against other: Judgement, rule: ByteView, side: Int) {
        guard judgement.verdict != .allow else { return }
        let asks = judgement.verdict == .stepUp && !judgement.repeatsQuestion
        if asks { questions[side] += 1 }
        let name = StreamNames.hash(rule)
        var tally = rules[name] ?? Rule(name: rule.string)
        tally.interventions[side] += 1
        if asks { tally.questions[side] += 1 }
        if asks, other.verdict == .allow { tally.added[side] += 1 }
        rules[name] = tally
    }

    /// Rules that intervened, by name.
    var rulesByName: [Rule] { rules.values.sorted { $0.name < $1.name } }

    /// How many users were in the cell at least once.
    func users(in cell: Int) -> Int { cellsOfUser.count { $0 & 1 << UInt16(cell) != 0 } }
}
