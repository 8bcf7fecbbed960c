/// A moment of event time, in milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Comparable, Hashable, Sendable {
    public var milliseconds: Int64

    @inlinable public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

    /// Milliseconds from `other` to `self`; negative when `self` is earlier.
    @inlinable public static func - (a: Timestamp, b: Timestamp) -> Int64 { a.milliseconds &- b.milliseconds }
    @inlinable public static func + (a: Timestamp, milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: a.milliseconds &+ milliseconds)
    }

    /// "Never": earlier than every time an event may carry.
    @inlinable public static var distantPast: Timestamp { Timestamp(milliseconds: .min / 4) }
    /// 2000-01-01T00:00:00Z. An event before it is a dead letter (`time_out_of_range`).
    @inlinable public static var earliest: Timestamp { Timestamp(milliseconds: 946_684_800_000) }
    /// 2100-01-01T00:00:00Z. An event at or after it is a dead letter (`time_out_of_range`).
    @inlinable public static var latest: Timestamp { Timestamp(milliseconds: 4_102_444_800_000) }
}
