import Behavior
import Engine
import Events
import Runtime

/// What a run should have left in the cluster: every partition decided again by one thread along the cuts that were
/// committed, held against what a read_committed subscriber finds.
struct Oracle {
    private struct Expected {
        var order: Int
        var topic: ClusterTopic
        var key: [UInt8]?
        var value: [UInt8]?
        var headers: [ClusterRecord.Header]
        var times = 0
    }

    let cluster: SimulatedCluster
    let plans: [EnginePlan]
    /// What is wrong, one sentence each.
    var problems: [String] = []
    /// By partition, the engine as it should be at the end.
    private(set) var engines: [Engine] = []
    private var expected: [InputPosition: Expected] = [:]

    /// `plans` are all that were ever in force.
    init(cluster: SimulatedCluster, plans: [EnginePlan]) {
        self.cluster = cluster
        self.plans = plans
    }

    /// Exactly once: everything follows from the cuts, comes once, and keeps its order.
    mutating func checkExactlyOnce() {
        for partition in 0..<cluster.options.partitions { replay(partition) }
        guard problems.isEmpty else { return }
        for partition in 0..<cluster.options.partitions {
            compare(.decisions, partition)
            compare(.deadLetters, partition)
        }
        for (origin, wanted) in expected where wanted.times == 0 {
            problems.append("\(Self.name(origin)): its record in \(wanted.topic) is missing")
        }
        problems.sort()
    }

    /// Everybody who holds a partition's state must hold what the replay came to: live shards and the state topic before the
    /// stop, topic and files after it.
    mutating func check(_ held: [Int32: [HeldState]]) {
        guard problems.isEmpty else { return }
        for (partition, engine) in engines.enumerated() {
            let wanted = HeldState("the replay", engine)
            for state in held[Int32(partition)] ?? [] {
                problems += compare(state, with: wanted, partition: Int32(partition))
            }
        }
    }

    /// At least once there is no single order to replay: the holders are held against each other.
    mutating func checkEqual(_ held: [Int32: [HeldState]]) {
        for (partition, states) in held.sorted(by: { $0.key < $1.key }) {
            guard let wanted = states.last else { continue }
            for state in states.dropLast() { problems += compare(state, with: wanted, partition: partition) }
        }
    }

    /// At least once: of every record but verdicts, which need no answer, something came, always of the same kind and under
    /// the same id; with `once`, one thing.
    mutating func checkAtLeastOnce(once: Bool = false) {
        var found: [InputPosition: Set<String>] = [:]
        var times: [InputPosition: Int] = [:]
        for topic in [ClusterTopic.decisions, .deadLetters] {
            for partition in 0..<cluster.options.partitions {
                for (_, record) in cluster.records(topic, partition: partition) {
                    guard let origin = record.origin else { continue }
                    times[origin, default: 0] += 1
                    found[origin, default: []].insert("\(topic) \(Story.text("id", in: record.value ?? []) ?? "")")
                }
            }
        }
        for (origin, kinds) in found where kinds.count > 1 {
            problems.append("\(Self.name(origin)): it came under \(kinds.count) ids")
        }
        for (origin, times) in times where once && times > 1 { problems.append("\(Self.name(origin)): it came \(times) times") }
        for place in cluster.inputPartitions {
            for (offset, record) in cluster.history(.input(place.input), partition: place.partition) {
                let origin = InputPosition(partition: place, offset: offset)
                if found[origin] == nil && Story.text("type", in: record.value ?? []) != "feedback" { problems.append("\(Self.name(origin)): nothing came of it") }
            }
        }
        problems.sort()
    }

    private static func name(_ origin: InputPosition) -> String {
        "input \(origin.partition.input)/\(origin.partition.partition)/\(origin.offset)"
    }

    // MARK: Cuts

    private mutating func replay(_ partition: Int32) {
        let inputs = plans[0].inputs.indices.map { cluster.history(.input($0), partition: partition) }
        var lent = BorrowedBytes()
        lent.reserve(inputs.reduce(0) { $0 + $1.reduce(0) { $0 + ($1.record.key?.count ?? 0) + ($1.record.value?.count ?? 0) } })
        let records: [[Record]] = inputs.indices.map { input in
            inputs[input].map { offset, record in
                Record(
                    input: UInt16(input), partition: partition, offset: offset,
                    timestamp: Timestamp(milliseconds: record.timestamp), key: lent.lend(record.key),
                    value: lent.lend(record.value))
            }
        }
        let panes = (0..<cluster.options.partitions).map { cluster.history(.networks, partition: $0) }
        let replay = CutReplay(plans: plans.map { LoadedPlan($0) }) { partition, offsets in
            panes[partition].filter { offsets.contains($0.offset) }.compactMap { offset, record in
                record.value.flatMap { $0.withUnsafeBytes { SealedPane($0) } }.map { (offset, $0) }
            }
        }
        var effects = Effects()
        for (offset, stored) in cluster.history(.cuts, partition: partition) {
            do {
                let cut = try (stored.value ?? []).withUnsafeBytes { try Cut(decoding: $0, inputs: inputs.count) }
                if replay.positions == nil, cut.from.contains(where: { $0 != 0 }) {
                    problems.append("partition \(partition): the first cut begins at \(cut.from)")
                }
                try replay.replay(cut, records: { input, offsets in
                    records[input].filter { offsets.contains($0.offset) }
                }, into: &effects)
            } catch {
                problems.append("partition \(partition), cut at \(offset): \(error)")
                return
            }
            for output in effects.outputs { expect(output, of: effects) }
            effects.removeAll()
        }
        engines.append(replay.engine)
        for input in inputs.indices {
            let position = replay.positions?[input] ?? 0
            let left = records[input].filter { $0.offset >= position }.count
            if left > 0 { problems.append("input \(input)/\(partition): \(left) records from \(position) on are in no cut") }
        }
    }

    private mutating func expect(_ output: Effects.Output, of effects: borrowing Effects) {
        let record = ClusterRecord(output, of: effects)
        let topic: ClusterTopic = output.kind == .deadLetter ? .deadLetters : .decisions
        expected[record.origin!] = Expected(
            order: expected.count, topic: topic, key: record.key, value: record.value, headers: record.headers)
    }

    // MARK: Outputs

    private mutating func compare(_ topic: ClusterTopic, _ partition: Int32) {
        // Within a partition of the output, what came of one partition of the inputs keeps its order.
        var last: [Int32: Int] = [:]
        for (offset, record) in cluster.records(topic, partition: partition) {
            guard let origin = record.origin else { continue }
            let place = "\(topic)/\(partition)/\(offset), of \(Self.name(origin))"
            guard var wanted = expected[origin], wanted.topic == topic else {
                problems.append("\(place): nothing of the kind should have come")
                continue
            }
            wanted.times += 1
            expected[origin] = wanted
            if wanted.times > 1 {
                problems.append("\(place): it came \(wanted.times) times")
                continue
            }
            if record.key != wanted.key || record.value != wanted.value || record.headers != wanted.headers {
                problems.append("\(place): it is not what it should be")
            }
            if let before = last[origin.partition.partition], before > wanted.order {
                problems.append("\(place): it is out of order")
            }
            last[origin.partition.partition] = wanted.order
        }
    }
}
