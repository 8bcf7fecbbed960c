import Behavior
import Events

/// A moment of what users share.
struct SharedMark {
    var sequence: UInt64
    var watermark: Watermark
    var positions: [Int64]
    var panes: PaneMark
}

/// What the users of the partition share, in its persisted form: the watermark, the count of events, how far each input
/// was stepped, and what crosses users.
extension Engine {
    private static let sharedVersion: Int64 = 4

    func markShared() -> SharedMark {
        SharedMark(sequence: table.sequence, watermark: watermarks.pointee, positions: table.positions, panes: population.mark(returns: contributes))
    }

    /// What users share, as it is now.
    public func sharedImage() -> [UInt8] { sharedImage(at: nil) }

    /// The same as it was at a mark. Little-endian 64-bit words: version, count of events, current watermark, each input's
    /// greatest event time, each input's last offset; the open pane's number and part, the line to take next; for each partition of the networks
    /// topic where reading begins again, up to where it was absorbed, newest pane and part before that; the open pane's
    /// logins and actions; own panes that wait; `Breaker.image`. Then the view. Others' panes that wait are read again.
    func sharedImage(at mark: SharedMark?) -> [UInt8] {
        let watermark = mark?.watermark ?? watermarks.pointee
        let book = mark?.panes.book ?? population.book
        let open = mark?.panes.open ?? population.pane.pointee.open
        let (logins, actions) = (mark?.panes.logins ?? open.logins.count, mark?.panes.actions ?? open.actions.count)
        var words =
            [Self.sharedVersion, Int64(bitPattern: mark?.sequence ?? table.sequence), watermark.current.milliseconds]
            + watermark.greatest + (mark?.positions ?? table.positions)
        words += [book.index, Int64(book.part), mark?.panes.book.line ?? population.line, Int64(book.positions.count)]
        var firsts = [PendingPane?](repeating: nil, count: book.positions.count)
        for waiting in book.pending where waiting.offset >= 0 && firsts[Int(waiting.partition)] == nil {
            firsts[Int(waiting.partition)] = waiting
        }
        for (partition, position) in book.positions.enumerated() {
            if let first = firsts[partition] {
                words += [first.offset, position.next, first.pane.index, Int64(first.pane.part) - 1]
            } else {
                words += [position.next, position.next, position.pane, Int64(position.part)]
            }
        }
        words += [Int64(logins), Int64(actions)]
        for login in open.logins[..<logins] {
            words += withUnsafeBytes(of: login) { bytes in (0..<Contribution.words).map { bytes.load(fromByteOffset: $0 * 8, as: Int64.self) } }
        }
        for action in open.actions[..<actions] { words.append(Int64(bitPattern: action)) }
        let own = book.pending.filter { $0.offset < 0 }
        words.append(Int64(own.count))
        for waiting in own {
            words += [Int64(waiting.partition), Int64(waiting.pane.words.count)]
            words += waiting.pane.words.map { Int64(bitPattern: $0) }
        }
        breaker.pointee.follow(before: table.sequence &+ 1)
        words += breaker.pointee.image(from: mark?.sequence ?? table.sequence, now: table.sequence)
        let packed = WordPacking.pack(words.map { UInt64(bitPattern: $0) })
        return [Int64(words.count), Int64(packed.count)].flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
            + packed + shared.image(at: contributes ? mark?.panes.place : nil)
    }

    /// Restores what `sharedImage` returned. Throws `StateError` when the bytes are not such an image.
    public func restore(shared image: UnsafeRawBufferPointer) throws(StateError) {
        var reader = StateReader(image, of: "the partition's shared state")
        let (count, size) = (try reader.next(Int64.self), try reader.next(Int64.self))
        guard (0...(1 << 20)).contains(count), (0...Int64(reader.rest.count)).contains(size) else {
            throw StateError("the partition's shared state is not of version \(Self.sharedVersion)")
        }
        let packed = UnsafeRawBufferPointer(rebasing: reader.rest[..<Int(size)])
        guard let found = WordPacking.unpack(packed, count: Int(count)) else {
            throw StateError("the partition's shared state can't be unpacked")
        }
        var words = SharedWords(found.map { Int64(bitPattern: $0) })
        guard try words.next() == Self.sharedVersion else {
            throw StateError("the partition's shared state is not of version \(Self.sharedVersion)")
        }
        let (sequence, current) = (try words.next(), try words.next())
        let greatest = try words.next(plan.inputs.count)
        let positions = try words.next(plan.inputs.count)
        guard greatest.allSatisfy({ $0 == .min || (0..<Timestamp.latest.milliseconds).contains($0) }) else {
            throw StateError("the partition's shared state holds a time that no event can have")
        }
        guard current < Timestamp.latest.milliseconds else {
            throw StateError("the partition's shared state holds a watermark that no event can have set")
        }
        guard sequence >= 0, positions.allSatisfy({ $0 >= -1 }) else {
            throw StateError("the partition's shared state holds a count below zero")
        }
        let (book, open, absorbed) = try readPanes(&words)
        let (openings, followedTo, counted) = try readBreaker(&words)
        try words.end()
        let view = UnsafeRawBufferPointer(rebasing: reader.rest[Int(size)...])
        guard population.restore(book, open, absorbed: absorbed, view: view) else {
            throw StateError("the partition's shared view can't be read")
        }
        guard breaker.pointee.restore(openings: openings, followedTo: followedTo, count: counted, sequence: UInt64(sequence)) else {
            throw StateError("the partition's shared state holds a breaker that can't be")
        }
        table.sequence = UInt64(sequence)
        table.positions = positions
        watermarks.pointee.restore(greatest: greatest, current: Timestamp(milliseconds: current))
    }

    private func readBreaker(_ words: inout SharedWords) throws(StateError) -> ([Breaker.Opening], UInt64, Breaker.Count) {
        var openings: [Breaker.Opening] = []
        for _ in 0..<(try words.count(of: 3)) {
            let (sequence, from) = (try words.next(), try words.next())
            openings.append(Breaker.Opening(sequence: UInt64(bitPattern: sequence), from: from, until: try words.next()))
        }
        let followedTo = UInt64(bitPattern: try words.next())
        let (window, users, asked) = (try words.next(), try words.next(), try words.next())
        return (
            openings, followedTo,
            Breaker.Count(window: UInt32(clamping: window), users: UInt32(clamping: users), asked: UInt32(clamping: asked))
        )
    }

    private func readPanes(_ words: inout SharedWords) throws(StateError) -> (PaneBook, OpenPane, [Int64]) {
        var book = PaneBook()
        let bad = StateError("the partition's shared state holds a pane that can't be")
        let most = Timestamp.latest.milliseconds
        book.index = try words.next()
        guard (0...most).contains(book.index) else { throw bad }
        book.part = UInt32(truncatingIfNeeded: try words.next())
        book.line = try words.next()
        guard book.line >= 0 else { throw bad }
        var absorbed: [Int64] = []
        for _ in 0..<(try words.count(of: 4)) {
            var position = PanePosition()
            position.next = try words.next()
            absorbed.append(try words.next())
            position.pane = try words.next()
            let part = try words.next()
            guard position.next >= 0, absorbed.last! >= position.next, (-1...most).contains(position.pane) else { throw bad }
            // Part −1 of a pane is behind all of the pane before.
            if part < 0 { (position.pane, position.part) = (position.pane - 1, .max) } else { position.part = UInt32(clamping: part) }
            book.positions.append(position)
        }
        let (logins, actions) = (try words.next(), try words.next())
        guard (0...Int64(OpenPane.mostLogins)).contains(logins), (0...Int64(OpenPane.mostActions)).contains(actions) else { throw bad }
        let open = OpenPane()
        for _ in 0..<logins {
            let entry = try words.next(Contribution.words)
            open.add(entry.withUnsafeBytes { $0.load(as: Contribution.self) })
        }
        for action in try words.next(Int(actions)) {
            let action = UInt64(bitPattern: action)
            open.add(action: UInt32(action >> 32), user: action << 32)
        }
        for _ in 0..<(try words.count(of: SealedPane.leastWords + 2)) {
            let partition = Int32(truncatingIfNeeded: try words.next())
            let entry = try words.next(try words.count(of: 1))
            guard let pane = SealedPane(words: entry.map { UInt64(bitPattern: $0) }), pane.index <= book.index else { throw bad }
            book.pending.append(PendingPane(pane: pane, partition: partition, offset: -1))
            book.pendingBytes += pane.byteCount
        }
        guard zip(book.pending, book.pending.dropFirst()).allSatisfy({ $0.order <= $1.order }) else { throw bad }
        return (book, open, absorbed)
    }
}

/// Words that come from outside, one after the other.
private struct SharedWords {
    private let words: [Int64]
    private var at = 0

    init(_ words: [Int64]) { self.words = words }

    mutating func next() throws(StateError) -> Int64 { try next(1)[0] }

    mutating func next(_ count: Int) throws(StateError) -> [Int64] {
        guard count >= 0, words.count - at >= count else { throw StateError("the partition's shared state is cut short") }
        defer { at += count }
        return Array(words[at..<at + count])
    }

    /// A count of things that take at least so many words each.
    mutating func count(of size: Int) throws(StateError) -> Int {
        let count = try next()
        guard count >= 0, count <= Int64((words.count - at) / size) else {
            throw StateError("the partition's shared state is cut short")
        }
        return Int(count)
    }

    func end() throws(StateError) {
        guard at == words.count else { throw StateError("the partition's shared state is longer than it says") }
    }
}
