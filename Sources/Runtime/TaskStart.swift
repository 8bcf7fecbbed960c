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

    /// Never guesses: a checkpoint that contradicts the log is not used.
    init(checkpoint: [Int64]?, committed given: [Int64?], bounds: [(first: Int64, end: Int64)], topics: [String]) {
        var remarks: [String] = []
        let committed = given.indices.map { input -> Int64 in
            guard let offset = given[input] else { return -1 }
            guard offset <= bounds[input].end else {
                remarks.append("\(topics[input]): the committed offset \(offset) is beyond the log's end \(bounds[input].end); it is ignored")
                return -1
            }
            return offset
        }
        var checkpoint = checkpoint
        for (input, position) in (checkpoint ?? []).enumerated() {
            let limit = committed[input] >= 0 ? committed[input] : bounds[input].end
            guard position > limit else { continue }
            let what = committed[input] >= 0 ? "what was committed" : "the log's end"
            remarks.append("\(topics[input]): the checkpoint's position \(position) is ahead of \(what), \(limit)")
            checkpoint = nil
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
        self.from = from
        acknowledged = from.indices.map { max(from[$0], committed[$0]) }
        self.remarks = remarks
    }
}
