import Behavior

public typealias Eviction = Behavior.Eviction

/// Evictions are part of what a commit tells its cut: redo does them again where they were done.
extension Engine {
    /// Who gave way since the last mark, in order. None are kept before the first mark.
    public var evictions: [Eviction] { table.evictions }

    /// The count of records stepped.
    public var sequence: UInt64 { table.sequence }

    /// From now on recovering steps evict nothing by themselves; what is listed here, and by later calls, happens right
    /// after the step at whose count it happened. What lies behind the engine's count is passed over.
    public func follow(_ evictions: [Eviction]) {
        mode.pointee.isFollowing = true
        followed.append(contentsOf: evictions.filter { $0.sequence > sequence })
    }

    /// Evictions are the engine's own again.
    public func stopFollowing() {
        mode.pointee.isFollowing = false
        table.followsEvictions = false
        followed.removeAll()
        nextFollowed = 0
    }

    /// Does what happened at the count that was just reached.
    func followEvictions() {
        while nextFollowed < followed.count && followed[nextFollowed].sequence <= sequence {
            table.follow(followed[nextFollowed])
            nextFollowed += 1
        }
        if nextFollowed == followed.count {
            followed.removeAll(keepingCapacity: true)
            nextFollowed = 0
        }
    }
}

extension Eviction {
    /// The log's form of a list: little-endian; count, then for each count of records, kind (a byte), last record's
    /// count, and the recent ones with their count before them.
    public static func encode(_ evictions: [Eviction]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        append(UInt32(evictions.count))
        for eviction in evictions {
            append(eviction.sequence)
            append(eviction.proven ? 1 : 0 as UInt8)
            append(eviction.touchedUpTo)
            append(UInt32(eviction.recent.count))
            for touched in eviction.recent { append(touched) }
        }
        return bytes
    }

    /// Reads what `encode` wrote. Throws `StateError` for anything else.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(StateError) -> [Eviction] {
        var reader = StateReader(bytes, of: "the list of evictions")
        var evictions: [Eviction] = []
        for _ in 0..<(try reader.count(of: 21)) {
            let sequence = try reader.next(UInt64.self)
            let kind = try reader.next(UInt8.self)
            guard kind <= 1 else { throw StateError("the list of evictions names a kind that does not exist") }
            let touchedUpTo = try reader.next(UInt64.self)
            var recent: [UInt64] = []
            for _ in 0..<(try reader.count(of: 8)) { recent.append(try reader.next(UInt64.self)) }
            evictions.append(
                Eviction(sequence: sequence, proven: kind == 1, touchedUpTo: touchedUpTo, recent: recent))
        }
        try reader.end()
        return evictions
    }
}
