import Behavior
import Events

/// Forgetting a person on request.
extension Engine {
    /// Markers kept at most; at the bound the oldest goes.
    static let mostErased = 10_000

    /// Drops the user's row and number, keeps a marker by which redo passes over what came before, and says that it is
    /// done. A second request finds nothing and says so.
    func erase(
        _ record: Record, _ known: UserRow?, _ key: UInt64, into effects: inout Effects, recovering: Bool
    ) {
        // The row is of somebody who came after the one that was forgotten.
        if recovering, let known, known.absorbed[Int(record.input)] >= record.offset { return }
        if let known { table.remove(known) }
        if recovering && isErased(key, record) { return }
        tally.pointee.erasures &+= 1
        if erased.count >= Self.mostErased, erased[key] == nil,
            let oldest = erased.values.min(by: { $0.sequence < $1.sequence })
        {
            erased[oldest.hash] = nil
            tally.pointee.droppedMarkers &+= 1
        }
        erased[key] = ErasedUser(hash: key, absorbed: table.positions, sequence: table.sequence)
        effects.emit(
            ErasureReceipt(
                id: decisionID(record), erased: known != nil, source: texts.source,
                topic: texts.topics[Int(record.input)], partition: record.partition, offset: record.offset),
            for: event.pointee, input: record.input, mode: plan.cloudEvents)
    }

    /// Whether the record is one that a person's erasure has covered.
    func isErased(_ key: UInt64, _ record: Record) -> Bool {
        guard let marker = erased[key] else { return false }
        return record.offset <= marker.absorbed[Int(record.input)]
    }

    /// Markers that redo from that count of records on needs, oldest first.
    func markers(after sequence: UInt64) -> [ErasedUser] {
        erased.values.filter { $0.sequence > sequence }.sorted { $0.sequence < $1.sequence }
    }
}
