import Events

/// Everything that shapes generated command sequences. Equal options give equal bytes.
public struct CommandOptions: Sendable, Equatable {
    /// People whose accounts are watched.
    public var users = 50
    /// People outside of these, from whom masqueraders come.
    public var strangers = 20
    /// Commands in a block, which is a session.
    public var blockLength = 100
    /// A user's blocks that are his own for certain, before the others.
    public var cleanBlocks = 50
    /// The blocks after those.
    public var testBlocks = 100
    /// Probability that a masquerade begins with a block; one in a hundred makes some 5 % of the blocks another's.
    public var masqueradeStart = 0.01
    /// Probability that one goes on in the next block.
    public var masqueradeContinue = 0.8
    /// Seconds between commands, lognormal.
    public var gapMedian = 8.0
    /// Sigma of its logarithm.
    public var gapSigma = 1.2
    /// What people do.
    public var habits = CommandHabits()
    /// Whatever is random follows from it.
    public var seed: UInt64 = 1
    /// The day of everybody's first block.
    public var start = TrafficOptions().start
    /// Written into every event; nil for none.
    public var tenant: String? = "acme"

    /// The defaults: as in the data of Schonlau, DuMouchel, Ju, Karr, Theus and Vardi, "Computer Intrusion: Detecting
    /// Masquerades", Statistical Science 16, 2001.
    public init() {}

    /// The same with every number in its range, so that no value can trap.
    var bounded: CommandOptions {
        func finite(_ value: Double, _ range: ClosedRange<Double>) -> Double {
            value.isNaN ? range.lowerBound : min(max(value, range.lowerBound), range.upperBound)
        }
        func within(_ range: ClosedRange<Int>, _ bounds: ClosedRange<Int>) -> ClosedRange<Int> {
            let low = min(max(range.lowerBound, bounds.lowerBound), bounds.upperBound)
            return low...min(max(range.upperBound, low), bounds.upperBound)
        }
        var copy = self
        copy.users = min(max(users, 1), 10_000)
        copy.strangers = min(max(strangers, 1), 10_000)
        copy.blockLength = min(max(blockLength, 1), 1_000)
        copy.cleanBlocks = min(max(cleanBlocks, 0), 3_000)
        copy.testBlocks = min(max(testBlocks, 0), 3_000)
        copy.masqueradeStart = finite(masqueradeStart, 0...1)
        copy.masqueradeContinue = finite(masqueradeContinue, 0...1)
        copy.gapMedian = finite(gapMedian, 0.001...20)
        copy.gapSigma = finite(gapSigma, 0...2)
        let days = Int64(copy.cleanBlocks + copy.testBlocks + 2)
        copy.start = min(max(start, .earliest), Timestamp.latest + -days * TrafficOptions.dayMilliseconds)
        copy.habits.vocabulary = min(max(habits.vocabulary, 2), 20_000)
        copy.habits.topics = min(max(habits.topics, 1), 1_000)
        copy.habits.topicConcentration = finite(habits.topicConcentration, 0.1...1e9)
        copy.habits.ordinaryShare = finite(habits.ordinaryShare, 0...1)
        copy.habits.userConcentration = finite(habits.userConcentration, 0.1...1e9)
        copy.habits.taskConcentration = finite(habits.taskConcentration, 0.1...1e9)
        copy.habits.tasks = within(habits.tasks, 1...1_000)
        copy.habits.taskLength = finite(habits.taskLength, 1...1e9)
        copy.habits.turnover = finite(habits.turnover, 0...1)
        copy.habits.turnoverSigma = finite(habits.turnoverSigma, 0...5)
        copy.habits.sharedShare = finite(habits.sharedShare, 0...1)
        copy.habits.sharedTasks = min(max(habits.sharedTasks, 1), 10_000)
        copy.habits.scripts = within(habits.scripts, 1...1_000)
        copy.habits.scriptShare = finite(habits.scriptShare, 0...1)
        copy.habits.habitShare = finite(habits.habitShare, 0...1)
        copy.habits.repeatShare = finite(habits.repeatShare, 0...1)
        return copy
    }
}

extension CommandOptions: Settable {
    /// Every parameter of the command sequences.
    public static var settings: [Setting<CommandOptions>] {
        [
            Setting("users", \.users, 1...10_000, "people whose accounts are watched"),
            Setting("strangers", \.strangers, 1...10_000, "people from whom masqueraders come"),
            Setting("block_length", \.blockLength, 1...1_000, "commands in a block, which is a session"),
            Setting("clean_blocks", \.cleanBlocks, 0...3_000, "a user's first blocks, which are his own"),
            Setting("test_blocks", \.testBlocks, 0...3_000, "the blocks after those"),
            Setting("masquerade_start", \.masqueradeStart, 0...1, "probability that a masquerade begins with a block"),
            Setting("masquerade_continue", \.masqueradeContinue, 0...1, "probability that it goes on in the next"),
            Setting("gap_median", \.gapMedian, 0.001...20, "seconds between commands, lognormal"),
            Setting("gap_sigma", \.gapSigma, 0...2, "sigma of its logarithm"),
            Setting("vocabulary", \.habits.vocabulary, 2...20_000, "commands there are"),
            Setting("topics", \.habits.topics, 1...1_000, "kinds of work, each with commands of its own"),
            Setting("topic_concentration", \.habits.topicConcentration, 0.1...1e9, "how alike kinds of work are (Dirichlet)"),
            Setting("ordinary_share", \.habits.ordinaryShare, 0...1, "share of what everybody does"),
            Setting("user_concentration", \.habits.userConcentration, 0.1...1e9, "how alike people of the same work are (Dirichlet)"),
            Setting("task_concentration", \.habits.taskConcentration, 0.1...1e9, "how alike a person's tasks are (Dirichlet)"),
            Setting("tasks", \.habits.tasks, 1...1_000, "tasks a person has at a time"),
            Setting("task_length", \.habits.taskLength, 1...1e9, "commands until a person turns to another task"),
            Setting("turnover", \.habits.turnover, 0...1, "probability of a new task each block, lognormal across people"),
            Setting("turnover_sigma", \.habits.turnoverSigma, 0...5, "sigma of its logarithm"),
            Setting("shared_share", \.habits.sharedShare, 0...1, "share of tasks that others have as well"),
            Setting("shared_tasks", \.habits.sharedTasks, 1...10_000, "how many such tasks there are"),
            Setting("scripts", \.habits.scripts, 1...1_000, "routines a person has"),
            Setting("script_share", \.habits.scriptShare, 0...1, "probability that a command begins one"),
            Setting("habit_share", \.habits.habitShare, 0...1, "probability that a command is the usual follower of the last"),
            Setting("repeat_share", \.habits.repeatShare, 0...1, "probability that a command is repeated"),
        ]
    }
}
