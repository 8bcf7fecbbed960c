import Behavior
import Events

/// What every event asks about the open pane.
struct PaneInProgress {
    /// Event time, in milliseconds, from which on the pane is over.
    var end: Int64
    var open: OpenPane
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

/// What crosses users. Every login and action contributes to the partition's open pane before anything is asked about its
/// user's row, so that redo contributes the same. A pane is sealed when the partition's event time has left it; an event
/// in pane k sees what was sealed of panes up to k − 2, its own partition's and others'.
extension Engine {
    /// Panes beyond this are folded before the partition's time has come to them.
    static let mostPendingBytes = 4 << 20

    @inline(__always)
    func contribute(_ seen: Observation, _ key: UInt64, of partition: Int32, recovering: Bool) {
        if seen.time.milliseconds >= pane.pointee.end { turnPane(to: seen.time, partition, recovering: recovering) }
        switch event.pointee.type {
        case .login:
            if pane.pointee.open.isFull { sealPane(partition, recovering: recovering) }
            pane.pointee.open.add(
                Contribution(of: seen, user: hash(key, 11), failed: event.pointee.outcome != .success))
        case .action where seen.action != 0:
            if pane.pointee.open.isFull { sealPane(partition, recovering: recovering) }
            pane.pointee.open.add(action: seen.action, user: hash(key, 11))
        default: break
        }
    }

    /// The partition's time has left the open pane.
    @inline(never)
    private func turnPane(to time: Timestamp, _ partition: Int32, recovering: Bool) {
        let length = max(plan.windows.pane, 1)
        sealPane(partition, recovering: recovering)
        book.index = time.milliseconds / length
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
        guard isPacedByPartition else { return }
        queue(PendingPane(pane: whole, partition: partition, offset: -1))
    }

    private func queue(_ waiting: PendingPane) {
        var at = book.pending.count
        while at > 0 && waiting.order < book.pending[at - 1].order { at -= 1 }
        book.pending.insert(waiting, at: at)
        book.pendingBytes += waiting.pane.byteCount
        while book.pendingBytes > Self.mostPendingBytes, book.pending.count > 1 { foldFirst(1) }
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

    /// Moves the panes sealed since the last call to the end of `list`: they are to be told to the other partitions, with
    /// the outputs of the steps that sealed them.
    public func takeSealed(into list: inout [SealedPane]) {
        guard !sealed.isEmpty else { return }
        list += sealed
        sealed.removeAll(keepingCapacity: true)
    }

    /// The networks topic as far as it was absorbed, by partition.
    public var panePositions: [PanePosition] { book.positions }

    /// Takes in another partition's pane: at once when this partition's time has passed it, else when it comes. To be
    /// called between steps, in the order of offsets; what was absorbed before changes nothing. `recovering` as the steps
    /// that follow.
    /// - Complexity: O(entries of the pane + panes waiting)
    public func absorb(_ other: SealedPane, partition: Int32, offset: Int64, recovering: Bool = false) {
        guard pass(partition: partition, offset: offset, recovering: recovering) else { return }
        let last = book.positions[Int(partition)]
        guard (other.index, other.part) > (last.pane, last.part) else { return }
        (book.positions[Int(partition)].pane, book.positions[Int(partition)].part) = (other.index, other.part)
        if other.index <= book.index - 2 {
            shared.fold(other)
        } else {
            queue(PendingPane(pane: other, partition: partition, offset: offset))
        }
    }

    /// Passes over a record that holds nothing for this partition; false where it was passed before.
    @discardableResult
    public func pass(partition: Int32, offset: Int64, recovering: Bool = false) -> Bool {
        guard partition >= 0, offset >= 0 else { return false }
        if mode.pointee.keepsPreImages && (recovering || !mode.pointee.hasBaseline) { settleBaseline(recovering: recovering) }
        while book.positions.count <= Int(partition) { book.positions.append(PanePosition()) }
        guard offset >= book.positions[Int(partition)].next else { return false }
        book.positions[Int(partition)].next = offset + 1
        return true
    }

    /// Paced from outside: seals the open pane and opens that one. The caller takes what was sealed, and folds it into the
    /// view that engines share.
    public func turnPane(to index: Int64, partition: Int32) {
        precondition(!isPacedByPartition, "an engine with a view of its own turns its panes by itself")
        guard index > book.index else { return }
        sealPane(partition, recovering: false)
        (book.index, book.part) = (index, 0)
    }

    /// The offset of the next record to absorb of a partition of the networks topic.
    public func panePosition(of partition: Int) -> Int64 {
        book.positions.indices.contains(partition) ? book.positions[partition].next : 0
    }

    /// That partition's offsets begin anew: its topic was made anew.
    public func rewindPanes(of partition: Int) {
        if book.positions.indices.contains(partition) { book.positions[partition].next = 0 }
        if toAbsorb.indices.contains(partition) { toAbsorb[partition] = 0 }
    }

    /// What `toAbsorb` names was absorbed, as far as it is still there.
    public func absorbedWhatWasOwed() { toAbsorb = [] }

    // MARK: - Marks

    func markPanes() -> PaneMark {
        PaneMark(
            place: isPacedByPartition ? shared.mark() : 0, book: book, open: pane.pointee.open,
            logins: pane.pointee.open.logins.count, actions: pane.pointee.open.actions.count)
    }

    func takeBack(to mark: PaneMark) {
        if isPacedByPartition {
            shared.undo(to: mark.place)
            pane.pointee.end = mark.book.index == 0 ? 0 : (mark.book.index + 1) * max(plan.windows.pane, 1)
        }
        book = mark.book
        pane.pointee.open = mark.open
        pane.pointee.open.truncate(logins: mark.logins, actions: mark.actions)
        sealed.removeAll()
    }

    /// Fewer marks where much has changed between them: whoever belongs to one that goes belongs to the one before.
    func thinMarks() {
        guard shared.journalBytes > Self.mostJournalBytes, marks.count > 4 else { return }
        let last = marks.count - 1
        marks = marks.enumerated().filter { $0.offset == 0 || $0.offset == last || $0.offset % 2 == 0 }.map(\.element)
        for (index, place) in shared.thin(keeping: marks.map(\.shared.panes.place)).enumerated() {
            marks[index].shared.panes.place = place
        }
    }

    static let mostJournalBytes = 8 << 20
}
