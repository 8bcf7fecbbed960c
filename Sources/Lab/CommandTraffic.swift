import Events

/// Labelled sequences of commands as `action` events in the order of event time: everybody's first blocks are his own,
/// of those after them some are another person's, who keeps the account's hours and pace. Only the commands differ.
///
/// The form is that of Schonlau and others 2001: a block is a session, a masquerade begins and ends with one, and goes on
/// in the next as likely as asked. Each block of one is a scenario of its own, with its first event as onset.
///
/// Deterministic: equal options give equal bytes. Holds the events of a day and what a person needs to go on.
public struct CommandTraffic: Sendable {
    /// The options in force, with every number in its range.
    public let options: CommandOptions
    private let names: [String]
    private let writer: EventWriter
    private var users: [User]
    private var strangers: [CommandSource]
    private var drafts: [Draft] = []
    private var position = 0
    private var block = 0
    private var nextOrdinal: UInt64 = 0

    private struct User: Sendable {
        var source: CommandSource
        var random: Random
        /// Milliseconds after midnight of UTC at which a block tends to begin.
        var hour: Int64
        /// Index of who sits at the keyboard instead.
        var masquerader: Int?
    }

    private struct Draft: Sendable {
        var time: Int64
        var ordinal: UInt64
        var user: UInt32
        var command: UInt16
        var session: UInt64
        /// Ordinal of the first event of the block, where that is a masquerader's.
        var onset: UInt64?
    }

    /// Values out of range are moved to the nearest in range.
    public init(options asked: CommandOptions) {
        let options = asked.bounded
        self.options = options
        let world = CommandWorld(options.habits, seed: options.seed)
        names = (0..<options.habits.vocabulary).map(CommandWorld.name)
        var form = TrafficOptions()
        (form.seed, form.tenant) = (options.seed, options.tenant)
        writer = EventWriter(form)
        users = (0..<options.users).map { number in
            var random = Random(seed: Random.mix(options.seed, UInt64(number), 0x626C6F636B))
            let hour = Int64(random.uniform(6, 16) * 3_600_000)
            return User(source: CommandSource(number: number, world: world), random: random, hour: hour)
        }
        strangers = (0..<options.strangers).map { CommandSource(number: options.users + $0, world: world) }
    }

    /// Events now held in memory.
    public var heldEvents: Int { drafts.count - position }

    /// Appends the next event to `buffer`; nil at the end of the stream.
    /// - Complexity: O(log vocabulary), but for the first event of a day, which makes everybody's block of that day.
    public mutating func next(into buffer: inout OutputBuffer) -> GeneratedEvent? {
        while true {
            let isWhole = block == options.cleanBlocks + options.testBlocks
            // Blocks of tomorrow begin tomorrow: what is earlier can go.
            if position < drafts.count, isWhole || drafts[position].time < dayStart(block) { break }
            if isWhole { return nil }
            makeDay()
        }
        position += 1
        return write(drafts[position - 1], into: &buffer)
    }

    private func dayStart(_ day: Int) -> Int64 { options.start.milliseconds + Int64(day) * TrafficOptions.dayMilliseconds }

    private mutating func makeDay() {
        drafts.removeFirst(position)
        position = 0
        for number in users.indices { makeBlock(of: number) }
        drafts.sort { $0.time != $1.time ? $0.time < $1.time : $0.ordinal < $1.ordinal }
        block += 1
    }

    private mutating func makeBlock(of number: Int) {
        var user = users[number]
        if block >= options.cleanBlocks {
            if user.masquerader != nil {
                if !user.random.chance(options.masqueradeContinue) { user.masquerader = nil }
            } else if user.random.chance(options.masqueradeStart) {
                user.masquerader = user.random.below(strangers.count)
            }
        }
        var time = dayStart(block) + user.hour + Int64(user.random.uniform(-2, 2) * 3_600_000)
        // A block of any length ends before the person's next begins.
        let longest = 14 * 3_600_000 / Int64(options.blockLength)
        let session = user.random.next() & 0xFFFF_FFFF_FFFF | 1
        let onset = user.masquerader == nil ? nil : nextOrdinal
        for _ in 0..<options.blockLength {
            let command: UInt16
            if let other = user.masquerader { command = strangers[other].next() } else { command = user.source.next() }
            drafts.append(
                Draft(time: time, ordinal: nextOrdinal, user: UInt32(number), command: command, session: session, onset: onset))
            nextOrdinal += 1
            let gap = user.random.lognormal(median: options.gapMedian, sigma: options.gapSigma)
            time += min(max(Int64(gap * 1_000), 1), longest)
        }
        if let other = user.masquerader { strangers[other].pause() } else { user.source.pause() }
        users[number] = user
    }

    private func write(_ draft: Draft, into buffer: inout OutputBuffer) -> GeneratedEvent {
        let begin = buffer.count
        buffer.append("{\"id\":\"")
        var start = buffer.count
        Text.eventID(writer.number(draft.ordinal), &buffer)
        let id = start..<buffer.count
        buffer.append("\",\"type\":\"action\",\"time\":\"")
        Text.time(draft.time, &buffer)
        if let tenant = options.tenant {
            buffer.append("\",\"tenant\":\"")
            Text.escaped(tenant, &buffer)
        }
        buffer.append("\",\"user\":\"")
        start = buffer.count
        Text.user(draft.user, &buffer)
        let user = start..<buffer.count
        buffer.append("\",\"session\":\"s-")
        Text.hex(draft.session, digits: 12, &buffer)
        buffer.append("\",\"action\":\"")
        Text.name(names[Int(draft.command)], &buffer)
        buffer.append("\",\"label\":{\"kind\":\"")
        Text.name(draft.onset == nil ? "legitimate" : AttackKind.masquerade.rawValue, &buffer)
        if let onset = draft.onset {
            buffer.append("\",\"onset\":\"")
            Text.eventID(writer.number(onset), &buffer)
        }
        buffer.append("\"}}")
        return GeneratedEvent(
            type: .action, time: Timestamp(milliseconds: draft.time), value: begin..<buffer.count, key: user, id: id,
            label: EventLabel(attack: draft.onset == nil ? nil : .masquerade, twin: nil),
            onset: draft.onset.map(writer.number) ?? 0)
    }
}
