import Glibc

/// What shapes people's commands.
public struct CommandHabits: Sendable, Equatable {
    /// Commands there are, all people together.
    public var vocabulary = 850
    /// Kinds of work, each with commands of its own.
    public var topics = 6
    /// How alike the kinds of work are: the concentration of a Dirichlet distribution around what is popular.
    public var topicConcentration = 1_500.0
    /// How much of what people do is what everybody does; from half to one and a half times that for each.
    public var ordinaryShare = 0.6
    /// How alike people of the same work are.
    public var userConcentration = 6_000.0
    /// How alike the tasks of one person are.
    public var taskConcentration = 2.5
    /// Share of tasks that others have as well.
    public var sharedShare = 0.82
    /// How many such tasks there are.
    public var sharedTasks = 40
    /// Tasks a person has at a time.
    public var tasks = 4...16
    /// Commands until a person turns to another task, on average.
    public var taskLength = 100.0
    /// Probability that a task is given up for a new one, each block: lognormal across people.
    public var turnover = 0.02
    /// Sigma of its logarithm.
    public var turnoverSigma = 1.0
    /// Scripts and typed routines a person has: runs of three to ten commands.
    public var scripts = 6...24
    /// Probability that a command begins one.
    public var scriptShare = 0.012
    /// Probability that a command is followed by the one that the person uses to have follow it.
    public var habitShare = 0.35
    /// Probability that a command is repeated.
    public var repeatShare = 0.07
    /// The defaults.
    public init() {}
}

/// The commands there are and the kinds of work that use them.
struct CommandWorld: Sendable {
    let habits: CommandHabits
    /// What popularity alone would have people do: Zipf's law.
    let popularity: [Double]
    let topics: [[Double]]
    /// Tasks that many people have, as running sums of the probabilities of commands.
    let tasks: [[Float]]
    /// Routines that many people have.
    let scripts: [[UInt16]]
    let seed: UInt64

    init(_ habits: CommandHabits, seed: UInt64) {
        self.habits = habits
        self.seed = Random.mix(seed, 0x636F6D6D616E64)
        let weights = (0..<habits.vocabulary).map { 1 / Double($0 + 1) }
        let total = weights.reduce(0, +)
        let popularity = weights.map { $0 / total }
        var random = Random(seed: self.seed)
        topics = (0..<habits.topics).map { _ in random.dirichlet(popularity, habits.topicConcentration) }
        let sums = Self.sums(popularity)
        scripts = (0..<24).map { _ in Self.script(sums, &random) }
        tasks = (0..<habits.sharedTasks).map { [topics] number in
            Self.sums(random.dirichlet(topics[number % topics.count], habits.taskConcentration))
        }
        self.popularity = popularity
    }

    /// A run of three to ten commands.
    static func script(_ sums: [Float], _ random: inout Random) -> [UInt16] {
        (0..<(3 + random.below(8))).map { _ in command(at: random.uniform(), sums) }
    }

    /// Running sums of probabilities.
    static func sums(_ probabilities: [Double]) -> [Float] {
        var total = 0.0
        return probabilities.map {
            total += $0
            return Float(total)
        }
    }

    /// The command at a place, 0..<1, of a distribution.
    /// - Complexity: O(log vocabulary).
    static func command(at place: Double, _ sums: [Float]) -> UInt16 {
        let wanted = Float(place) * (sums.last ?? 1)
        var low = 0
        var high = sums.count - 1
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > wanted { high = middle } else { low = middle + 1 }
        }
        return UInt16(low)
    }

    private static let common = [
        "ls", "cd", "cat", "vi", "grep", "more", "rm", "cp", "mv", "echo", "man", "make", "mail", "ps", "awk", "sed", "sort",
        "find", "date", "who", "chmod", "mkdir", "tar", "diff", "head", "tail", "wc", "cut", "tr", "expr", "test", "sh", "ksh",
        "csh", "kill", "du", "df", "file", "ftp", "telnet", "finger", "lpr", "troff", "nroff", "cc", "ld", "ar", "nm", "adb",
        "touch", "ln", "pwd", "tee", "uniq", "comm", "join", "paste", "pr", "od", "dd", "stty", "env", "nice", "sleep",
    ]
    private static let syllables = [
        "ba", "co", "da", "el", "fo", "gen", "hi", "in", "jo", "ka", "lo", "mk", "net", "op", "pr", "qu", "ra", "st", "ter",
        "un", "ve", "wr", "x", "yo", "ze", "set", "get", "log", "add", "cal", "run", "sub",
    ]

    /// A command's name: known ones for what is popular, invented ones for the rest.
    static func name(_ number: Int) -> String {
        if number < common.count { return common[number] }
        let rest = number - common.count
        let count = syllables.count
        // Coprime to the number of pairs: no two numbers below it share a name.
        let pair = rest * 37 % (count * count)
        let name = syllables[pair / count] + "-" + syllables[pair % count]
        return rest < count * count ? name : name + "\(rest / (count * count))"
    }
}

extension Random {
    /// A distribution drawn around another: Dirichlet with parameters `concentration · mean`.
    mutating func dirichlet(_ mean: [Double], _ concentration: Double) -> [Double] {
        var values = mean.map { $0 > 0 ? gamma(concentration * $0) : 0 }
        let total = values.reduce(0, +)
        if total <= 0 { return mean }
        for index in values.indices { values[index] /= total }
        return values
    }
}
