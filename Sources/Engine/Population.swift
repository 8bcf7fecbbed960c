import Behavior
import Events

/// What every event asks about the open pane, and every turn of it. Behind a pointer, because a class's own variables are
/// checked for exclusive access.
struct PaneInProgress {
    /// Event time, in milliseconds, from which on the pane is over.
    var end: Int64
    var open: OpenPane
    /// Of a file: the line to take next.
    var line: Int64 = 0
    var book = PaneBook()
    /// Sealed and not taken yet.
    var sealed: [SealedPane] = []
}

/// A sealed pane that waits for this partition's time to come to it.
struct PendingPane {
    var pane: SealedPane
    var partition: Int32
    /// Of the record that brought it; −1: it is this partition's own.
    var offset: Int64

    /// The order in which panes are folded, whichever came first.
    var order: (Int64, Int32, UInt32, Int64) { (pane.index, partition, pane.part, offset) }
}

/// How far a partition of the networks topic was absorbed.
public struct PanePosition: Sendable, Equatable {
    /// The offset of the next record.
    public var next: Int64 = 0
    /// The newest pane and its part: one that is no newer came twice. −1 before the first.
    var pane: Int64 = -1
    var part: UInt32 = 0
    public init() {}
}

/// The open pane's number, what waits to be folded, and what was absorbed. A value, so that a mark is a copy.
struct PaneBook {
    var index: Int64 = 0
    var part: UInt32 = 0
    /// Ascending by `order`.
    var pending: [PendingPane] = []
    var pendingBytes = 0
    /// By partition of the networks topic.
    var positions: [PanePosition] = []
    /// Where events come from a file that several partitions share: the line to take next, as of a mark or an image.
    var line: Int64 = 0
}

/// A moment of everything about panes.
struct PaneMark {
    /// In the view's journal.
    var place: Int
    var book: PaneBook
    var open: OpenPane
    var logins: Int
    var actions: Int
}

/// What crosses users. Every login and action contributes to the open pane before anything is asked about its user's row,
/// so that redo contributes the same. A pane is sealed when event time has left it; an event in pane k sees what was
/// sealed of panes up to k − 2, its own partition's and others'.
///
/// An engine has one of its own, which is told other partitions' panes. Where one reader sees all events in one order, as
/// with a file, the engines of a shard share one that is told all of them.
public final class Population {
    /// What the panes have been folded into.
    public let shared: SharedView
    let hash: KeyedHash
    let length: Int64
    let pane: UnsafeMutablePointer<PaneInProgress>
    var book: PaneBook {
        @inline(__always) _read { yield pane.pointee.book }
        @inline(__always) _modify { yield &pane.pointee.book }
    }
    private var sealed: [SealedPane] {
        @inline(__always) _read { yield pane.pointee.sealed }
        @inline(__always) _modify { yield &pane.pointee.sealed }
    }
    var toAbsorb: [Int64] = []
    /// Something was restored.
    private var isRestored = false

    public init(plan: EnginePlan) {
        hash = KeyedHash(secret: plan.secret)
        shared = SharedView(windows: plan.windows, bounds: plan.bounds, hash: hash)
        length = max(plan.windows.pane, 1)
        pane = .allocate(capacity: 1)
        pane.initialize(to: PaneInProgress(end: 0, open: OpenPane()))
    }

    deinit {
        pane.deinitialize(count: 1)
        pane.deallocate()
    }

    /// Time has come so far; it comes before what is added.
    @inline(__always)
    func advance(to time: Int64, of partition: Int32, recovering: Bool) {
        if time >= pane.pointee.end { turnPane(to: time, partition, recovering: recovering) }
    }

    @inline(__always)
    func add(action: UInt32, by user: UInt64, of partition: Int32, recovering: Bool) {
        open(partition, recovering: recovering)._withUnsafeGuaranteedRef { $0.add(action: action, user: user) }
    }

    func add(_ login: Contribution, of partition: Int32, recovering: Bool) {
        open(partition, recovering: recovering)._withUnsafeGuaranteedRef { $0.add(login) }
    }

    /// The open pane, with room in it; held by `pane` until another is opened.
    @inline(__always)
    private func open(_ partition: Int32, recovering: Bool) -> Unmanaged<OpenPane> {
        let isFull = Unmanaged.passUnretained(pane.pointee.open)._withUnsafeGuaranteedRef { $0.isFull }
        if isFull { sealPane(partition, recovering: recovering) }
        return Unmanaged.passUnretained(pane.pointee.open)
    }

    /// The line of a file that comes next, if it does.
    public var line: Int64 { pane.pointee.line }

    /// Takes in what a line of a file contributes, in the order of lines; one that was taken before changes nothing.
    /// - Complexity: O(1) amortised, beside folding
    public func take(_ event: Contributed, line: Int64) {
        guard line >= pane.pointee.line else { return }
        pane.pointee.line = line + 1
        advance(to: event.time, of: 0, recovering: true)
        switch event.kind {
        case .nothing: break
        case .login: add(event.login, of: 0, recovering: true)
        case .action: add(action: event.action, by: event.login.user, of: 0, recovering: true)
        }
    }

    /// The partition's time has left the open pane.
    @inline(never)
    private func turnPane(to time: Int64, _ partition: Int32, recovering: Bool) {
        sealPane(partition, recovering: recovering)
        book.index = time / length
        book.part = 0
        pane.pointee.end = (book.index + 1) * length
        shared.advance(to: book.index)
        foldDue()
    }

    /// Seals what the open pane holds, all of it or, when it is full, a part.
    @inline(never)
    private func sealPane(_ partition: Int32, recovering: Bool) {
        guard !pane.pointee.open.isEmpty else { return }
        let whole = SealedPane(pane.pointee.open, index: book.index, part: book.part)
        book.part &+= 1
        if isKnownUniquelyReferenced(&pane.pointee.open) {
            pane.pointee.open.truncate(logins: 0, actions: 0)
        } else {
            pane.pointee.open = OpenPane()
        }
        if !recovering { sealed.append(whole) }
        queue(PendingPane(pane: whole, partition: partition, offset: -1))
    }

    /// What may wait: three or four full panes of each of some hundred busy partitions, or many more of quiet ones. The words
    /// of a pane are shared by all the engines of a shard that it waits in.
    ///
    /// Beyond that the older half is folded before this partition's time has come to it: its next events see more than they
    /// would have, and by its own time's measure see it early. So a partition that stands still while others are busy stays
    /// bounded. It depends on nothing but what waits, so redo folds the same.
    static let mostPendingBytes = 64 << 20
    static let mostPending = 16_384

    private func queue(_ waiting: PendingPane) {
        var at = book.pending.count
        while at > 0 && waiting.order < book.pending[at - 1].order { at -= 1 }
        book.pending.insert(waiting, at: at)
        book.pendingBytes += waiting.pane.byteCount
        while book.pendingBytes > Self.mostPendingBytes || book.pending.count > Self.mostPending, book.pending.count > 1 {
            foldFirst(book.pending.count / 2)
        }
    }

    private func foldDue() {
        var due = 0
        while due < book.pending.count && book.pending[due].pane.index <= book.index - 2 { due += 1 }
        foldFirst(due)
    }

    private func foldFirst(_ count: Int) {
        for waiting in book.pending[..<count] {
            shared.fold(waiting.pane)
            book.pendingBytes -= waiting.pane.byteCount
        }
        book.pending.removeFirst(count)
    }

    // MARK: - Exchange

    func takeSealed(into list: inout [SealedPane]) {
        guard !sealed.isEmpty else { return }
        list += sealed
        sealed.removeAll(keepingCapacity: true)
    }

    func absorb(_ other: SealedPane, partition: Int32, offset: Int64) {
        guard pass(partition: partition, offset: offset) else { return }
        let last = book.positions[Int(partition)]
        guard (other.index, other.part) > (last.pane, last.part) else { return }
        (book.positions[Int(partition)].pane, book.positions[Int(partition)].part) = (other.index, other.part)
        if other.index <= book.index - 2 {
            shared.fold(other)
        } else {
            queue(PendingPane(pane: other, partition: partition, offset: offset))
        }
    }

    func pass(partition: Int32, offset: Int64) -> Bool {
        guard partition >= 0, offset >= 0 else { return false }
        while book.positions.count <= Int(partition) { book.positions.append(PanePosition()) }
        guard offset >= book.positions[Int(partition)].next else { return false }
        book.positions[Int(partition)].next = offset + 1
        return true
    }

    func rewind(_ partition: Int) {
        if book.positions.indices.contains(partition) { book.positions[partition].next = 0 }
        if toAbsorb.indices.contains(partition) { toAbsorb[partition] = 0 }
    }

    // MARK: - Marks

    /// `returns`: one may want to go back there.
    func mark(returns: Bool) -> PaneMark {
        book.line = line
        return PaneMark(
            place: returns ? shared.mark() : 0, book: book, open: pane.pointee.open, logins: pane.pointee.open.logins.count,
            actions: pane.pointee.open.actions.count)
    }

    func takeBack(to mark: PaneMark) {
        shared.undo(to: mark.place)
        become(mark.book, mark.open)
        pane.pointee.open.truncate(logins: mark.logins, actions: mark.actions)
    }

    /// Takes over what was restored. Of several images, of partitions that share this population, that of the earliest line
    /// counts: what comes after it comes again.
    func restore(_ book: PaneBook, _ open: OpenPane, absorbed: [Int64], view: UnsafeRawBufferPointer) -> Bool {
        if isRestored && book.line > 0 && book.line >= line { return true }
        guard shared.restore(view) else { return false }
        isRestored = true
        become(book, open)
        toAbsorb = absorbed
        return true
    }

    private func become(_ book: PaneBook, _ open: OpenPane) {
        self.book = book
        pane.pointee.line = book.line
        pane.pointee.open = open
        pane.pointee.end = book.index == 0 ? 0 : (book.index + 1) * length
        sealed.removeAll()
    }
}
