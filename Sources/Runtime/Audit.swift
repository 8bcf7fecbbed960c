import Engine
import Events

/// Holds what came out against what should have: every partition is decided again by one thread, along the recorded cuts,
/// and compared with the decisions and dead letters that a read-committed subscriber finds.
public final class Audit {
    /// The topics of a run.
    public struct Topics: Sendable {
        public var decisions: String
        public var deadLetters: String
        public var cuts: String
        public var state: String
        public var networks: String
        public init(decisions: String, deadLetters: String, cuts: String, state: String, networks: String) {
            self.decisions = decisions
            self.deadLetters = deadLetters
            self.cuts = cuts
            self.state = state
            self.networks = networks
        }
    }

    public struct Report: Sendable {
        public var cuts = 0
        public var records = 0
        public var decisions = 0
        public var deadLetters = 0
        /// Outputs that came more than once, with equal ids: an error only when exactly once was promised.
        public var repeated = 0
        /// Users whose state in the state topic was compared.
        public var users = 0
        /// At most 20, and how many there were.
        public var problems: [String] = []
        public var problemCount = 0

        mutating func note(_ problem: String) {
            problemCount += 1
            if problems.count < 20 { problems.append(problem) }
        }
    }

    private struct Origin: Hashable {
        var topic: String
        var partition: Int32
        var offset: Int64
    }
    private struct Expected {
        var order: Int
        var key: [UInt8]?
        var value: [UInt8]?
        /// Nil: either.
        var isDeadLetter: Bool?
        var times = 0
    }

    private let log: any TopicLog
    private let plan: EnginePlan
    private let enrichment: EventEnrichment
    private let topics: Topics
    private let clock: any RuntimeClock
    /// An origin has at most one output of its own.
    private var expected: [Origin: Expected] = [:]
    public private(set) var report = Report()
    /// By partition, the engine as it should be at the end.
    public private(set) var engines: [Int32: Engine] = [:]

    public init(
        log: any TopicLog, plan: EnginePlan, enrichment: EventEnrichment = EventEnrichment(), topics: Topics,
        clock: any RuntimeClock = SystemClock()
    ) {
        self.log = log
        self.plan = plan
        self.enrichment = enrichment
        self.topics = topics
        self.clock = clock
    }

    /// Checks all partitions. `isExact`: nothing may be repeated, and what is in the cuts is all there is. Throws
    /// `LogFailure` when the topics can't be read.
    public func run(isExact: Bool = true) throws -> Report {
        let partitions = try log.partitions(of: plan.inputs[0].topic) ?? 0
        for partition in 0..<Int32(partitions) {
            if isExact { try replay(partition) } else { try expectAll(partition) }
        }
        try compare(topics.decisions, isDeadLetter: false, isExact: isExact)
        try compare(topics.deadLetters, isDeadLetter: true, isExact: isExact)
        for (origin, wanted) in expected where wanted.times == 0 {
            report.note("\(origin.topic)/\(origin.partition)/\(origin.offset): its \(wanted.isDeadLetter == true ? "dead letter" : "decision") is missing")
        }
        return report
    }

    private func replay(_ partition: Int32) throws {
        let replay = PartitionReplay(
            log: log, plans: [LoadedPlan(plan, enrichment: enrichment)], partition: partition, networks: topics.networks,
            clock: clock)
        var effects = Effects()
        let cuts = try PartitionReplay.cuts(
            of: topics.cuts, partition: partition, inputs: plan.inputs.count, in: log, clock: clock)
        for cut in cuts {
            do {
                try replay.replay(cut, into: &effects) { _ in report.records += 1 }
            } catch let error as StateError {
                report.note("partition \(partition): \(error)")
                return
            }
            for output in effects.outputs {
                let origin = Origin(
                    topic: plan.inputs[Int(output.input)].topic, partition: output.partition, offset: output.offset)
                expected[origin] = Expected(
                    order: expected.count, key: output.key.map { Array(effects.view($0).bytes) },
                    value: output.value.map { Array(effects.view($0).bytes) }, isDeadLetter: output.kind == .deadLetter)
            }
            effects.removeAll()
        }
        report.cuts += cuts.count
        try compareState(partition, with: replay, cuts)
        engines[partition] = replay.engine
        for (input, position) in (replay.positions ?? plan.inputs.map { _ in 0 }).enumerated() {
            var left = 0
            try log.readAll(plan.inputs[input].topic, partition: partition, from: position, clock: clock) { _ in left += 1 }
            if left > 0 { report.note("\(plan.inputs[input].topic)/\(partition): \(left) records from \(position) on are in no cut") }
        }
    }

    /// At least once every record has an output, where everything is emitted. Its bytes depend on what was decided before it
    /// where processes died, and a process shut out of the group may have left cuts of its own.
    private func expectAll(_ partition: Int32) throws {
        for input in plan.inputs {
            try log.readAll(input.topic, partition: partition, clock: clock) { record in
                report.records += 1
                let origin = Origin(topic: input.topic, partition: partition, offset: record.offset)
                expected[origin] = Expected(order: expected.count, key: nil, value: nil, isDeadLetter: nil)
            }
        }
    }

    /// What the state topic alone comes to, redo included, against what the replay came to.
    private func compareState(_ partition: Int32, with replay: PartitionReplay, _ cuts: [Cut]) throws {
        let rebuilt: Engine
        do {
            rebuilt = try RebuiltState.engine(
                log: log, plans: [LoadedPlan(plan, enrichment: enrichment)], partition: partition, topic: topics.state,
                networks: topics.networks, cuts: cuts, clock: clock)
        } catch let error as StateError {
            return report.note("partition \(partition): the state topic can't be used: \(error)")
        }
        let (wanted, found) = (Self.rows(replay.engine), Self.rows(rebuilt))
        report.users += wanted.count
        for (name, row) in wanted where found[name] != row {
            report.note("partition \(partition): a user's state \(found[name] == nil ? "is missing in" : "is another in") the state topic")
        }
        for name in found.keys where wanted[name] == nil {
            report.note("partition \(partition): the state topic has a user who should not be known")
        }
        if replay.engine.sharedImage() != rebuilt.sharedImage() {
            report.note("partition \(partition): what users share is another in the state topic")
        }
    }

    /// Every user's state by tenant and user.
    public static func rows(_ engine: Engine) -> [[String]: [UInt8]] {
        var rows: [[String]: [UInt8]] = [:]
        engine.forEachUser { tenant, user, canonical in rows[[tenant, user]] = canonical }
        return rows
    }

    private func compare(_ topic: String, isDeadLetter: Bool, isExact: Bool) throws {
        for partition in 0..<Int32(try log.partitions(of: topic) ?? 0) {
            // Within a partition of the output, what came of one partition of the input keeps its order.
            var last: [Int32: Int] = [:]
            try log.readAll(topic, partition: partition, clock: clock) { record in
                if isDeadLetter { report.deadLetters += 1 } else { report.decisions += 1 }
                let place = "\(topic)/\(partition)/\(record.offset)"
                guard let origin = isDeadLetter ? Self.origin(ofDeadLetter: record) : Self.origin(ofDecision: record) else {
                    return report.note("\(place): it doesn't say which record it is about")
                }
                guard var wanted = expected[origin], wanted.isDeadLetter == nil || wanted.isDeadLetter == isDeadLetter else {
                    return report.note("\(place): nothing should have come of \(origin.topic)/\(origin.partition)/\(origin.offset)")
                }
                wanted.times += 1
                expected[origin] = wanted
                if wanted.times > 1 {
                    report.repeated += 1
                    if isExact { report.note("\(place): it came \(wanted.times) times") }
                    return
                }
                if isExact && (record.value != wanted.value || record.key != wanted.key) {
                    report.note("\(place): it is not what \(origin.topic)/\(origin.partition)/\(origin.offset) should have given")
                }
                if isExact, let before = last[origin.partition], before > wanted.order {
                    report.note("\(place): it is out of order")
                }
                last[origin.partition] = wanted.order
            }
        }
    }

    private static func origin(ofDeadLetter record: StoredRecord) -> Origin? {
        guard let topic = record.header("vigil-topic"), let partition = record.header("vigil-partition").flatMap({ Int32($0) }),
            let offset = record.header("vigil-offset").flatMap({ Int64($0) })
        else { return nil }
        return Origin(topic: topic, partition: partition, offset: offset)
    }

    /// Decisions and receipts end with their source.
    private static func origin(ofDecision record: StoredRecord) -> Origin? {
        DecisionSource(in: record.value ?? []).map { Origin(topic: $0.topic, partition: $0.partition, offset: $0.offset) }
    }
}
