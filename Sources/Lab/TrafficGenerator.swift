import Events

/// What a generated event is, as its label says.
public struct EventLabel: Sendable, Equatable {
    /// Nil for legitimate events.
    public var attack: AttackKind?
    /// What a legitimate event resembles, if anything.
    public var twin: BenignTwin?
    /// What tells one occurrence of the twin from another; `case` in the label, in hexadecimal.
    public var occurrence: UInt32 = 0
}

/// One generated event. Ranges are into the buffer that `TrafficGenerator.next(into:)` was given.
public struct GeneratedEvent: Sendable {
    /// What topic it belongs on.
    public var type: EventType
    /// Event time.
    public var time: Timestamp
    /// The JSON object, without a line end.
    public var value: Range<Int>
    /// The record key, the user's name: a part of `value`.
    public var key: Range<Int>
    /// The event's id: a part of `value`.
    public var id: Range<Int>
    /// What the event's `label` says.
    public var label: EventLabel
    /// The number in the id of the scenario's first hostile event; 0 for legitimate events.
    public var onset: UInt64

    /// Whose number is `onset`: the form of every generated event's id.
    public static func eventID(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return "evt-" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }
}

/// Labelled synthetic traffic in the order of event time: users with habits, benign twins, and attacks among them.
///
/// Deterministic: equal options give equal bytes. Streaming: it holds the events of one day and what reaches over
/// into the next, never the whole stream; users' habits are computed from the seed when they are needed.
public struct TrafficGenerator: Sendable {
    /// The options in force, with every number in its range.
    public let options: TrafficOptions
    private let sessions: LegitimateSessions
    private let attacks: Attacks
    private let writer: EventWriter
    private var schedule: [ScheduledAttack]
    private var nextAttack = 0
    /// Attacks that found no session on their day.
    private var postponed: [ScheduledAttack] = []
    private var day: Day
    private var nextDay = 0
    /// Indices of the current day's drafts in the order of time, and how many of them were handed out.
    private var order: [UInt32] = []
    private var position = 0

    /// Values out of range are moved to the nearest in range.
    public init(_ options: TrafficOptions) {
        let bounded = options.bounded
        self.options = bounded
        sessions = LegitimateSessions(bounded)
        attacks = Attacks(sessions: sessions)
        writer = EventWriter(bounded)
        schedule = Attacks.schedule(bounded)
        day = Day(users: bounded.users)
    }

    /// Events now held in memory.
    public var heldEvents: Int { day.drafts.count }
    /// Attacks planned for the stream, by kind. On a stream with little traffic some may find no session to attack.
    public func plannedAttacks(_ kind: AttackKind) -> Int { schedule.count { $0.kind == kind } }

    /// Appends the next event to `buffer`; nil at the end of the stream.
    /// - Complexity: O(1) but for the first event of a day, which makes that day: O(users + *n* log *n*).
    public mutating func next(into buffer: inout OutputBuffer) -> GeneratedEvent? {
        guard let draft = nextDraft() else { return nil }
        let start = buffer.count
        let (id, user) = writer.write(draft, into: &buffer)
        return GeneratedEvent(
            type: draft.type, time: Timestamp(milliseconds: draft.time), value: start..<buffer.count, key: user, id: id,
            label: EventLabel(attack: draft.attack, twin: draft.twin, occurrence: draft.occurrence),
            onset: draft.attack == nil ? 0 : writer.number(draft.onset))
    }

    /// The next event, not yet written.
    mutating func nextDraft() -> Draft? {
        while position == order.count {
            if nextDay == options.days { return nil }
            makeDay()
        }
        position += 1
        return day.drafts[Int(order[position - 1])]
    }

    private mutating func makeDay() {
        let start = options.start.milliseconds + Int64(nextDay) * TrafficOptions.dayMilliseconds
        let end = start + TrafficOptions.dayMilliseconds
        day.drop(before: start)
        for user in 0..<options.users { sessions.append(user: UInt32(user), day: nextDay, to: &day) }
        let due = postponed
        postponed.removeAll()
        for attack in due { attempt(attack) }
        while nextAttack < schedule.count, schedule[nextAttack].day == nextDay {
            attempt(schedule[nextAttack])
            nextAttack += 1
        }
        // What reaches over the day's end waits; no event of a later day is earlier than that day's start.
        order.removeAll(keepingCapacity: true)
        for (index, draft) in day.drafts.enumerated() where draft.time < end { order.append(UInt32(index)) }
        let drafts = day.drafts
        order.sort {
            let (a, b) = (drafts[Int($0)], drafts[Int($1)])
            return a.time != b.time ? a.time < b.time : a.ordinal < b.ordinal
        }
        position = 0
        nextDay += 1
    }

    private mutating func attempt(_ attack: ScheduledAttack) {
        if !attacks.append(attack, to: &day) {
            var later = attack
            later.day = nextDay + 1
            postponed.append(later)
        }
    }
}
