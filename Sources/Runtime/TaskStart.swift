/// Where a partition begins after it was assigned, decided from what is persisted, what is committed and what the log
/// still has. All offsets are per input.
struct TaskStart: Equatable {
    /// The checkpoint may be used.
    var usesCheckpoint: Bool
    /// Where reading begins.
    var from: [Int64]
    /// What needs no decision any more: from `from` up to here records are redone with their output suppressed.
    var acknowledged: [Int64]
    /// What an operator should hear.
    var remarks: [String]
    /// Why the partition must not be started; nil when it may be.
    var refusal: String?
    /// Where the operator wants to go on, when that is not where Vigil was; only with `acceptsOffsets`.
    var moved: [Int64]?

    /// Never guesses: a checkpoint that contradicts the log is not used.
    ///
    /// - Parameters:
    ///   - checkpoint: the redo point's positions; nil where there is no state.
    ///   - recorded: how far Vigil's own internal topics say everything is committed; nil where they say nothing.
    ///   - isExact: the recorded positions were committed in one transaction with the offsets.
    init(
        checkpoint: [Int64]?, recorded: [Int64]? = nil, isExact: Bool = false, acceptsOffsets: Bool = false,
        committed given: [Int64?], bounds: [(first: Int64, end: Int64)], topics: [String]
    ) {
        var remarks: [String] = []
        var refusal: String?
        var moved: [Int64]?
        var committed: [Int64]
        if let recorded {
            let found = given.indices.map { given[$0] ?? -1 }
            let expired = found.indices.filter { found[$0] < 0 && isExact && recorded[$0] > bounds[$0].first }
            for input in expired {
                remarks.append("\(topics[input]): the committed offset has expired; going on at \(recorded[input]), which Vigil recorded itself. Lengthen the brokers' offsets.retention.minutes beyond the longest stop")
            }
            let changed = found.indices.filter { input in
                guard found[input] >= 0 else { return false }
                // Committed plainly, offsets may lie on either side of the newest cut, but never before the redo point.
                return isExact ? found[input] != recorded[input] : found[input] < (checkpoint?[input] ?? 0)
            }
            let reached = found.indices.map { isExact ? recorded[$0] : max(recorded[$0], found[$0]) }
            let lost = found.indices.filter { reached[$0] > bounds[$0].end }
            committed = found.indices.map { input in
                if isExact { return recorded[input] }
                // What was never committed plainly may not have been acknowledged either.
                return found[input] < 0 ? checkpoint?[input] ?? -1 : found[input]
            }
            if !changed.isEmpty || !lost.isEmpty {
                let facts = Set(changed + lost).sorted().map { input in
                    lost.contains(input)
                        ? "\(topics[input]): Vigil had come to \(reached[input]), but the log ends at \(bounds[input].end)"
                        : "\(topics[input]): the committed offset is \(found[input]), but Vigil had come to \(recorded[input])"
                }.joined(separator: "; ")
                if acceptsOffsets {
                    remarks.append("\(facts): going on from the committed offsets, as was asked; baselines are kept")
                    moved = found.indices.map { input in
                        let wanted = found[input] < 0 ? recorded[input] : found[input]
                        return min(max(wanted, bounds[input].first), bounds[input].end)
                    }
                } else {
                    refusal = "\(facts). Something other than Vigil has moved the offsets or made the topic anew, so decisions would be missing or repeated. Put them back, or start once with --accept-offsets to go on from there"
                }
            }
        } else {
            committed = given.indices.map { input -> Int64 in
                guard let offset = given[input] else { return -1 }
                guard offset <= bounds[input].end else {
                    remarks.append("\(topics[input]): the committed offset \(offset) is beyond the log's end \(bounds[input].end); it is ignored")
                    return -1
                }
                return offset
            }
        }
        var checkpoint = checkpoint
        if recorded == nil {
            for (input, position) in (checkpoint ?? []).enumerated() {
                let limit = committed[input] >= 0 ? committed[input] : bounds[input].end
                guard position > limit else { continue }
                let what = committed[input] >= 0 ? "what was committed" : "the log's end"
                remarks.append("\(topics[input]): the checkpoint's position \(position) is ahead of \(what), \(limit)")
                checkpoint = nil
            }
        }
        if checkpoint == nil && committed.contains(where: { $0 >= 0 }) {
            remarks.append("there is no checkpoint for the committed offsets: users start with empty baselines")
        }
        let from = bounds.indices.map { input in
            let wanted = checkpoint.map { $0[input] } ?? committed[input]
            if wanted >= 0 && wanted < bounds[input].first {
                let first = bounds[input].first
                remarks.append("\(topics[input]): offsets \(wanted) to \(first - 1) are gone from the log; starting after them")
                let undecided = max(wanted, committed[input])
                if undecided < first {
                    remarks.append("\(topics[input]): \(first - undecided) offsets from \(undecided) on were never decided and can't be: retention deleted them first. Lengthen the topic's retention beyond the longest outage")
                }
            }
            return max(wanted, bounds[input].first)
        }
        usesCheckpoint = checkpoint != nil
        // What an input made anew has lost can't be redone, and what it holds now was never decided.
        let isLost = moved != nil && bounds.indices.contains { committed[$0] > bounds[$0].end }
        self.from = isLost ? moved ?? from : from
        acknowledged = isLost ? moved ?? from : from.indices.map { max(from[$0], committed[$0]) }
        self.remarks = remarks
        self.refusal = refusal
        self.moved = moved
    }
}
