import Events

/// A stretch of the day on some days of the week, by the clocks of a zone.
public struct TimeOfDay: Sendable, Equatable {
    /// Minutes since midnight, 0…1439.
    public var from = 0
    /// The minute at which it ends, 1…1440; one that is not after `from` is of the next day.
    public var to = 1440
    /// Bit 0 is Monday. The day counts on which the stretch begins.
    public var days: UInt8 = 0x7F
    public var zone = ZoneOffsets.utc
    public init() {}
}

/// What the clocks of a zone are ahead of UTC, and when that changes. Times before the first change have the offset before
/// it, times after the last the one behind it.
public struct ZoneOffsets: Sendable, Equatable {
    public struct Change: Sendable, Equatable {
        /// Seconds since 1970 from which the offset holds.
        public var from: Int64
        /// Seconds ahead of UTC.
        public var offset: Int32
        public init(from: Int64, offset: Int32) {
            self.from = from
            self.offset = offset
        }
    }

    /// As written: `+01:00`, or a name of the tz database.
    public var name: String
    /// Ascending, the first from the beginning of time; never empty.
    public private(set) var changes: [Change]

    /// A fixed offset, in seconds ahead of UTC.
    public init(name: String, offset: Int32) {
        self.name = name
        changes = [Change(from: .min, offset: offset)]
    }

    /// `changes` ascend.
    public init(name: String, before offset: Int32, changes: [Change]) {
        self.init(name: name, offset: offset)
        self.changes += changes
    }

    public static let utc = ZoneOffsets(name: "UTC", offset: 0)
}

/// A `TimeOfDay` in flat form; borrowed from the policy that made it.
struct CompiledTime {
    let from: Int64
    let to: Int64
    let days: UInt8
    let changes: UnsafeMutablePointer<ZoneOffsets.Change>
    let count: Int

    init(_ time: TimeOfDay) {
        (from, to, days) = (Int64(time.from), Int64(time.to), time.days)
        count = time.zone.changes.count
        changes = .allocate(capacity: count)
        changes.initialize(from: time.zone.changes, count: count)
    }

    func deallocate() { changes.deallocate() }

    /// - Complexity: O(log changes)
    func holds(at time: Timestamp) -> Bool {
        let seconds = time.milliseconds / 1000
        var (low, high) = (0, count)
        while high - low > 1 {
            let middle = (low + high) >> 1
            if changes[middle].from <= seconds { low = middle } else { high = middle }
        }
        let local = seconds &+ Int64(changes[low].offset)
        let day = (local >= 0 ? local : local &- 86_399) / 86_400
        let minute = (local &- day &* 86_400) / 60
        // 1 January 1970 was a Thursday.
        let weekday = UInt8(truncatingIfNeeded: ((day &+ 3) % 7 &+ 7) % 7)
        let isToday = days >> weekday & 1 == 1
        if from < to { return isToday && minute >= from && minute < to }
        let wasYesterday = days >> ((weekday &+ 6) % 7) & 1 == 1
        return (isToday && minute >= from) || (wasYesterday && minute < to)
    }
}
