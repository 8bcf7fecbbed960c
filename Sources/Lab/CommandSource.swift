import Glibc

/// One person's commands, one after the other: tasks that come and go, each with its share of a vocabulary of one's
/// own, scripts, and commands that use to follow each other.
struct CommandSource: Sendable {
    private let habits: CommandHabits
    private var random: Random
    /// What this person does in the long run.
    private let taste: [Double]
    private let world: CommandWorld
    /// How restless this person is.
    private let turnover: Double
    /// What uses to follow what: places in the distribution of commands, in cells of equal probability, follow each other
    /// as this permutation says. So habits don't change how often a command is used.
    private let habit: [UInt8]
    private var place = 0.0
    private var scripts: [[UInt16]] = []
    private var tasks: [Task] = []
    private var task = 0
    private var script: (number: Int, place: Int)?
    private var last: UInt16 = 0

    private static let cells = 64

    private struct Task: Sendable {
        /// Running sums of the probabilities of commands.
        var sums: [Float]
        var weight: Double
    }

    init(number: Int, world: CommandWorld) {
        habits = world.habits
        var random = Random(seed: Random.mix(world.seed, UInt64(number), 0x75736572))
        // What everybody does, and two or three kinds of work, one above all.
        let ordinary = random.uniform(habits.ordinaryShare / 2, min(1, habits.ordinaryShare * 1.5))
        var mixture = world.popularity.map { ordinary * $0 }
        for share in [0.65, 0.25, 0.1] {
            let topic = world.topics[random.below(world.topics.count)]
            for index in mixture.indices { mixture[index] += (1 - ordinary) * share * topic[index] }
        }
        taste = random.dirichlet(mixture, habits.userConcentration)
        let sums = CommandWorld.sums(taste)
        habit = (0..<Self.cells).map { UInt8($0) }.shuffled(using: &random)
        for _ in 0..<random.within(habits.scripts) {
            let isShared = random.chance(0.5)
            scripts.append(isShared ? world.scripts[random.below(world.scripts.count)] : CommandWorld.script(sums, &random))
        }
        for _ in 0..<random.within(habits.tasks) { tasks.append(Self.task(taste, world, &random)) }
        self.world = world
        turnover = min(1, random.lognormal(median: habits.turnover, sigma: habits.turnoverSigma))
        self.random = random
        turn()
    }

    private static func task(_ taste: [Double], _ world: CommandWorld, _ random: inout Random) -> Task {
        let habits = world.habits
        let sums = random.chance(habits.sharedShare) ? world.tasks[random.below(world.tasks.count)]
            : CommandWorld.sums(random.dirichlet(taste, habits.taskConcentration))
        return Task(sums: sums, weight: random.lognormal(median: 1, sigma: 1))
    }

    private mutating func turn() { task = random.pick(tasks.map(\.weight)) }

    /// The next command.
    /// - Complexity: O(log vocabulary).
    mutating func next() -> UInt16 {
        last = choose()
        return last
    }

    private mutating func choose() -> UInt16 {
        if let (number, place) = script {
            script = place + 1 < scripts[number].count ? (number, place + 1) : nil
            // Now and then something comes between.
            if !random.chance(0.03) { return scripts[number][place] }
        } else if random.chance(habits.scriptShare) {
            // A few are used much more than the others.
            let number = Int(Double(scripts.count) * pow(random.uniform(), 2))
            script = (number, 1)
            return scripts[number][0]
        }
        if random.chance(1 / habits.taskLength) { turn() }
        if random.chance(habits.repeatShare) { return last }
        let follows = random.chance(habits.habitShare)
        place = follows ? (Double(habit[Int(place * Double(Self.cells))]) + random.uniform()) / Double(Self.cells) : random.uniform()
        return CommandWorld.command(at: place, tasks[task].sums)
    }

    /// Between two blocks: a task may be given up for a new one, others gain or lose weight.
    mutating func pause() {
        for index in tasks.indices { tasks[index].weight *= exp(0.15 * random.normal()) }
        if random.chance(turnover) {
            let leaves = tasks.indices.min { tasks[$0].weight < tasks[$1].weight } ?? 0
            tasks[leaves] = Self.task(taste, world, &random)
        }
        script = nil
        turn()
    }
}
