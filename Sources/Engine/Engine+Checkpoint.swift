import Behavior
import Events

/// A committed cut as the engine keeps it: what redo from there begins with.
struct Mark {
    var cut: CutMark
    var shared: SharedMark
    /// The engine's count of records then.
    var sequence: UInt64
    /// The place in the queue of dirty users from which they belong to this cut.
    var start: Int
}

/// The oldest dirty users, and where redo begins once they are persisted. Made by `Engine.slice`.
public struct StateSlice: Sendable {
    /// Users to write or to remove, ascending.
    public let numbers: [UInt32]
    public var redo: RedoPoint
    /// Bytes that their rows take.
    public let bytes: Int
    public var isEmpty: Bool { numbers.isEmpty }
    /// The engine's count of records at the redo point.
    let sequence: UInt64
}

/// Fuzzy checkpoints. Users become dirty one by one and queue up; each commit marks where in the queue it fell. Slices
/// are taken from the head, so that what is still dirty is younger than everything persisted: redo begins at the mark of
/// the oldest user left.
extension Engine {
    /// Changes whenever the same records under the same plan would give other decisions or another state.
    public static let version = "5"

    /// The pipeline's version and the engine's: redo under another one may come to another state.
    public var version: String { plan.engineVersion }

    /// Says that everything stepped so far is committed, and where: users who become dirty later belong to this cut, and
    /// what came before can't be undone. To be called at the start, and after every commit.
    /// - Complexity: O(1) amortised
    public func mark(_ cut: CutMark) {
        let mark = Mark(cut: cut, shared: markShared(), sequence: table.sequence, start: table.dirtyPlaces.upperBound)
        // A cut to which nobody belongs is nobody's redo point.
        if let last = marks.last, last.start == mark.start { marks.removeLast() }
        marks.append(mark)
        if let first = marks.first { shared.drop(before: first.shared.panes.place) }
        thinMarks()
        table.evictions.removeAll()
        table.recordsEvictions = true
        // What is redone was committed before; the first step beyond takes the baseline.
        if !mode.pointee.isRecovering { takeBaseline() }
    }

    /// Evictions are listed from here on, for whoever decides again what cuts tell and never returns to a mark.
    public func beginCut() {
        table.evictions.removeAll()
        table.recordsEvictions = true
    }

    /// Users whose persisted form is out of date, removed ones included.
    public var dirtyCount: Int { table.dirtyCount }

    /// Their numbers.
    /// - Complexity: O(dirty)
    public var dirtyNumbers: Set<UInt32> { table.dirtyNumbers }

    /// The cut to which the longest dirty user belongs; nil when nobody is dirty.
    public var oldestMark: CutMark? { table.dirtyCount == 0 ? nil : firstNeeded.map { marks[$0].cut } ?? marks.first?.cut }

    /// The longest dirty users whose cut was made by `milliseconds` (`.max`: whoever is dirty), as many as fit into
    /// `maxBytes`; at least one if any is due. Changes nothing.
    ///
    /// `now` is the cut this commit will set, the redo point when nobody stays dirty. Whoever became dirty before the
    /// first mark is taken whatever the bounds: there is no cut to redo from.
    /// - Complexity: O(slice · log slice + marks)
    public func slice(at now: CutMark, dirtyBefore milliseconds: Int64, maxBytes: Int) -> StateSlice {
        var numbers: [UInt32] = []
        var bytes = 0
        let places = table.dirtyPlaces
        var mark = -1
        func isNextMark(_ place: Int) -> Bool { mark + 1 < marks.count && marks[mark + 1].start <= place }
        var place = places.lowerBound
        while place < places.upperBound {
            while isNextMark(place) { mark += 1 }
            let number = table.dirtyNumber(at: place)
            let size = table.persistedBytes(of: number)
            if mark >= 0 {
                if marks[mark].cut.milliseconds > milliseconds { break }
                if !numbers.isEmpty && bytes + size > maxBytes { break }
            }
            numbers.append(number)
            bytes += size
            place += 1
        }
        let isWhole = place == places.upperBound
        let cut = isWhole ? nil : marks[mark]
        numbers.sort()
        return StateSlice(
            numbers: numbers, redo: redoPoint(cut?.cut ?? now, cut), bytes: bytes, sequence: cut?.sequence ?? table.sequence)
    }

    /// Redo from a mark; nil: from here on.
    private func redoPoint(_ cut: CutMark, _ mark: Mark?) -> RedoPoint {
        RedoPoint(
            positions: cut.positions, cutsOffset: cut.cutsOffset, shared: sharedImage(at: mark?.shared),
            erased: markers(after: mark?.sequence ?? table.sequence), version: version)
    }

    /// Calls `body` for every user of the slice in ascending number, with the row to write as it is now (checksum
    /// included), or nil for a number whose user is gone. The bytes are valid during the call.
    /// - Complexity: O(bytes of the slice)
    public func forEach(
        in slice: StateSlice, _ body: (_ number: UInt32, _ row: UnsafeRawBufferPointer?) throws -> Void
    ) rethrows {
        for number in slice.numbers { try withRow(number: number) { try body(number, $0) } }
    }

    /// Says that the slice is persisted. Nothing may have been stepped since it was made. With `keepsRedo` a second copy may
    /// not have it yet: `firstRedo` stays what it was, until `dropPassed` is called.
    /// - Complexity: O(slice)
    public func complete(_ slice: StateSlice, keepsRedo: Bool = false) {
        table.markPersisted(slice.numbers.count)
        guard keepsRedo, !marks.isEmpty else { return dropPassed(before: slice.sequence) }
        if let needed = firstNeeded, needed > 1 { marks.removeSubrange(1..<needed) }
    }

    /// Says that the second copy has every slice that was completed.
    public func dropPassed() { dropPassed(before: sequence) }

    /// Where redo begins for a copy that has all that was persisted before `complete(_:keepsRedo:)` kept this, and whatever
    /// later rows. Nil before the first mark.
    public var firstRedo: RedoPoint? { marks.first.map { redoPoint($0.cut, $0) } }

    /// The mark of the oldest dirty user; the newest one where nobody is dirty.
    private var firstNeeded: Int? { marks.lastIndex { $0.start <= table.dirtyPlaces.lowerBound } }

    private func dropPassed(before sequence: UInt64) {
        if let needed = firstNeeded { marks.removeFirst(needed) }
        if let first = marks.first { shared.drop(before: first.shared.panes.place) }
        let sequence = min(sequence, marks.first?.sequence ?? sequence)
        breaker.pointee.forget(before: sequence)
        if !erased.isEmpty { erased = erased.filter { $0.value.sequence > sequence } }
    }

    /// Shows the row of that number in its persisted form, nil when nobody has the number, or the row is paged out. Valid during the call.
    public func withRow<T>(number: UInt32, _ body: (UnsafeRawBufferPointer?) throws -> T) rethrows -> T {
        guard let row = table.row(numbered: number) else { return try body(nil) }
        return try table.withPersistedForm(of: row) { try body($0) }
    }

    /// Queues every user in memory who is not queued yet: the copy elsewhere is lost and must be written again. The rows
    /// of those paged out (`forEachPage`) are in the state file, from where they are copied.
    /// - Complexity: O(users)
    public func markAllDirty() { table.markAllDirty() }

    /// Restores what users share as it was at the redo point, which becomes the first mark. Users' rows are restored one
    /// by one. Throws `StateError` when it is not a redo point of this plan's inputs.
    public func restore(redo: RedoPoint) throws(StateError) {
        guard redo.positions.count == plan.inputs.count else {
            throw StateError("the redo point is of \(redo.positions.count) inputs, the pipeline has \(plan.inputs.count)")
        }
        do {
            try redo.shared.withUnsafeBytes { try restore(shared: $0) }
        } catch let error as StateError {
            throw error
        } catch {
            throw StateError("\(error)")
        }
        guard redo.erased.allSatisfy({ $0.absorbed.count == plan.inputs.count }) else {
            throw StateError("the redo point's forgotten people are of other inputs than the pipeline's")
        }
        erased = Dictionary(redo.erased.map { ($0.hash, $0) }) { $0.sequence > $1.sequence ? $0 : $1 }
        marks.removeAll()
        mark(CutMark(positions: redo.positions, cutsOffset: redo.cutsOffset, milliseconds: 0))
    }

    // MARK: - All at once

    /// Calls `body` for every dirty user in ascending number, as `forEach(in:)` does.
    /// - Complexity: O(dirty · log dirty)
    public func forEachDirty(_ body: (_ number: UInt32, _ row: UnsafeRawBufferPointer?) throws -> Void) rethrows {
        try forEach(in: wholeSlice, body)
    }

    /// Says that everything `forEachDirty` showed is persisted.
    public func markClean() { complete(wholeSlice) }

    private var wholeSlice: StateSlice {
        slice(at: CutMark(positions: [], cutsOffset: 0, milliseconds: 0), dirtyBefore: .max, maxBytes: .max)
    }
}

extension EnginePlan {
    /// `Engine.version` of engines under this plan.
    public var engineVersion: String { version + " " + Engine.version }
}
