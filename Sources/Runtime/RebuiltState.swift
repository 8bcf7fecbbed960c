import Engine
import Events

/// A partition's state from its topic alone: rows, redo point, and redo along the cuts.
public enum RebuiltState {
    /// Throws `StateError` when the topic holds no state of these plans, or cuts of another, and `LogFailure`.
    /// - Complexity: O(records of the state topic's partition + records to redo)
    public static func engine(
        log: any TopicLog, plans: [LoadedPlan], partition: Int32, topic: String, networks: String?, cuts: [Cut],
        clock: any RuntimeClock = SystemClock()
    ) throws -> Engine {
        var rows: [UInt32: [UInt8]] = [:]
        var redo: RedoPoint?
        var fault: (any Error)?
        try log.readAll(topic, partition: partition, clock: clock) { record in
            (record.key ?? []).withUnsafeBytes { key in
                let key = ByteView(key)
                if let number = StateKey.number(key) {
                    rows[number] = record.value
                } else if StateKey.isCheckpoint(key), let value = record.value {
                    do {
                        redo = try RedoPoint(decoding: try value.withUnsafeBytes { try TopicCheckpoint(decoding: ByteView($0)) }.redo)
                    } catch {
                        fault = error
                    }
                }
            }
        }
        if let fault { throw fault }
        // Rows are of the plan they were written under; the cuts say when it changed.
        let first = redo.flatMap { redo in plans.firstIndex { $0.plan.engineVersion == redo.version } } ?? 0
        let replay = PartitionReplay(
            log: log, plans: [plans[first]] + plans, partition: partition, networks: networks, clock: clock)
        let engine = replay.engine
        guard let redo else {
            guard cuts.isEmpty else { throw StateError("it has no checkpoint") }
            return engine
        }
        try engine.restore(redo: redo)
        for (number, row) in rows.sorted(by: { $0.key < $1.key }) {
            try row.withUnsafeBytes { try engine.restore(user: number, row: $0) }
        }
        engine.follow(cuts.flatMap(\.evictions))
        try replay.redo(cuts, from: redo.positions)
        replay.engine.stopFollowing()
        return replay.engine
    }

    /// The redo point in a record of the state topic; nil when it holds none.
    public static func redoPoint(key: [UInt8]?, value: [UInt8]?) -> RedoPoint? {
        (key ?? []).withUnsafeBytes { key in
            guard StateKey.isCheckpoint(ByteView(key)), let value else { return nil }
            return try? RedoPoint(decoding: value.withUnsafeBytes { try TopicCheckpoint(decoding: ByteView($0)) }.redo)
        }
    }
}
