import Events
import Runtime

/// A member of a group that does nothing but read: it answers changes of assignment, starts at the committed offsets
/// and remembers what came.
public final class GroupReader {
    public struct Seen: Sendable, Equatable {
        public var place: InputPartition
        public var offset: Int64
        /// Nil: a tombstone.
        public var text: String?
    }

    public let input: any InputLog
    /// `assigned N`, `revoked`, `lost`, in the order they came.
    public private(set) var events: [String] = []
    /// What it reads now.
    public private(set) var assigned: [InputPartition] = []
    /// As of the latest assignment.
    public private(set) var membership: (any GroupMembership)?
    public private(set) var seen: [Seen] = []
    /// Called at a revocation, before the partitions are given back.
    public var beforeRelease: () throws -> Void = {}
    private var pending: [InputPartition]?
    private var batch: [Record] = []

    public init(_ input: any InputLog) { self.input = input }

    /// One poll and the answer to it. What fails in passing is tried again at the next turn.
    public func turn(timeoutMilliseconds: Int = 20, maxRecords: Int = 100) throws {
        batch.removeAll()
        switch try poll(maxRecords, timeoutMilliseconds) {
        case .records:
            for record in batch {
                seen.append(Seen(
                    place: InputPartition(input: Int(record.input), partition: record.partition), offset: record.offset,
                    text: record.value.isPresent ? record.value.string : nil))
            }
        case .assigned(let partitions):
            events.append("assigned \(partitions.count)")
            membership = try input.membership()
            pending = partitions
        case .revoked:
            events.append("revoked")
            try beforeRelease()
            try release()
        case .lost:
            events.append("lost")
            try release()
        case .ended: break
        }
        try start()
    }

    private func poll(_ maxRecords: Int, _ timeoutMilliseconds: Int) throws(LogFailure) -> LogEvent {
        do {
            return try input.poll(into: &batch, maxRecords: maxRecords, timeoutMilliseconds: timeoutMilliseconds)
        } catch .retry {
            return .records
        } catch {
            throw error
        }
    }

    private func release() throws(LogFailure) {
        assigned = []
        pending = nil
        try input.release()
    }

    private func start() throws(LogFailure) {
        guard let partitions = pending else { return }
        do {
            let committed = try input.committed(partitions)
            let bounds = try input.bounds(partitions)
            try input.start(at: partitions.indices.map {
                InputPosition(partition: partitions[$0], offset: committed[$0] ?? bounds[$0].first)
            })
        } catch .retry {
            return
        } catch {
            throw error
        }
        assigned = partitions
        pending = nil
    }

    /// The next offset of every partition of which something was read.
    public var positions: [InputPosition] {
        var next: [InputPosition] = []
        for entry in seen.reversed() where !next.contains(where: { $0.partition == entry.place }) {
            next.append(InputPosition(partition: entry.place, offset: entry.offset + 1))
        }
        return next
    }
}
