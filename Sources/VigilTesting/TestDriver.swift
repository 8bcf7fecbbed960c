import Engine
import Events
import Logging
import Runtime
import StateStore

/// Runs the real shard and engine over a simulated log, on the caller's thread: append records, `run`, read the outputs.
///
///     let driver = TestDriver(plan: plan)
///     driver.log.append(key: "alice", value: #"{"id":"1","type":"login",…}"#)
///     let outputs = try driver.run()
public final class TestDriver {
    public let plan: EnginePlan
    public let log: SimulatedLog
    public var options = ShardOptions()
    public var logger: Logger
    public private(set) var shard: Shard?
    private let stateDirectory: String?
    private var stop = StopRequest()

    /// Without `stateDirectory` nothing survives `crash` or `stopShard`.
    public init(plan: EnginePlan, partitions: Int32 = 1, stateDirectory: String? = nil, seed: UInt64 = 1) {
        self.plan = plan
        self.stateDirectory = stateDirectory
        log = SimulatedLog(inputs: plan.inputs.count, partitions: partitions, seed: seed)
        logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    }

    /// The shard at work, made when there is none. Throws `LogFailure` or `StoreError`.
    @discardableResult
    public func start() throws -> Shard {
        if let shard { return shard }
        stop = StopRequest()
        let log = log
        let world = ShardWorld(
            input: { () throws(LogFailure) in log.input() }, output: { () throws(LogFailure) in log.output() },
            directory: try stateDirectory.map { path throws(StoreError) in try StateDirectory(path: path) },
            clock: log.clock, logger: logger, stop: stop)
        let made = try Shard(plan: plan, options: options, world: world)
        shard = made
        return made
    }

    /// Turns the loop until everything appended is decided and committed, and returns all outputs so far. Throws
    /// `LogFailure` when the shard fails or doesn't come to an end within `turns`.
    @discardableResult
    public func run(turns: Int = 10_000) throws -> [SimulatedOutput] {
        let shard = try start()
        for _ in 0..<turns {
            if let outcome = shard.turn() { throw LogFailure.stop("ended: \(outcome)") }
            if log.isDrained && shard.state == .running { return log.outputs }
        }
        throw LogFailure.stop("not drained after \(turns) turns, in state \(shard.state)")
    }

    /// Stops the shard as SIGTERM would.
    @discardableResult
    public func stopShard() throws -> ShardOutcome {
        let shard = try start()
        stop.request()
        let outcome = shard.run()
        self.shard = nil
        return outcome
    }

    /// Forgets the process as SIGKILL would; the log and the state directory stay.
    public func crash() {
        shard?.abandon()
        shard = nil
        log.restart()
    }
}
