import Events

/// Back to the last commit. A user's first change since then is known by the count of records at the user's last one:
/// it lies at or before `marked`. So nothing needs to be cleared when a commit is done.
extension UserTable {
    /// What `undo` puts back beside users.
    struct Baseline {
        var positions = InlineArray<8, Int64>(repeating: -1)
        var evicted: UInt64 = 0
        var evictions = 0
        var dirtyEnd = 0
        var numbers = 0
        /// Everybody was queued since, whatever happened to them.
        var didQueueAll = false
    }

    /// Begins to keep pre-images: `undo` returns to here. What was kept before is dropped.
    public func keepPreImages() {
        preImages.removeAll()
        // Rows put back may be ahead of a log that has lost its end; their counts must not pass for later ones.
        hot.pointee.sequence = max(sequence, greatestRestored)
        hot.pointee.marked = sequence
        hot.pointee.keepsPreImages = true
        baseline = Baseline(
            positions: hot.pointee.positions, evicted: evicted, evictions: evictions.count, dirtyEnd: dirty.end,
            numbers: directory.count)
    }

    /// Keeps none until `keepPreImages` is called again; what was kept is dropped.
    public func dropPreImages() {
        preImages.removeAll()
        hot.pointee.keepsPreImages = false
        hot.pointee.marked = 0
    }

    /// Returns to where pre-images began to be kept, and goes on keeping them from there. Does nothing where none are.
    /// - Complexity: O(bytes of the users changed since)
    public func undo() {
        guard hot.pointee.keepsPreImages else { return }
        hot.pointee.keepsPreImages = false
        for entry in preImages.entries.reversed() {
            switch entry.change {
            case .created:
                if let row = row(numbered: entry.number) { discard(row) }
                if entry.number < baseline.numbers { freeNumbers.append(entry.number) }
            case .page(let page):
                pages.insert(page)
                directory[Int(entry.number)] = Self.elsewhere
                count += 1
                if !page.isProven { unprovenCount += 1 }
            case .row(let offset, let count):
                putBack(preImages.bytes(at: offset, count: count), number: entry.number)
            }
        }
        directory.removeLast(max(0, directory.count - baseline.numbers))
        if baseline.didQueueAll {
            for place in max(baseline.dirtyEnd, dirty.start)..<dirty.end {
                row(numbered: dirty[place])?.header.pointee.flags.remove(.dirty)
            }
        }
        dirty.truncate(to: baseline.dirtyEnd)
        if baseline.didQueueAll { markAllDirty() }
        hot.pointee.positions = baseline.positions
        hot.pointee.sequence = hot.pointee.marked
        evicted = baseline.evicted
        evictions.removeLast(max(0, evictions.count - baseline.evictions))
        preImages.removeAll()
        hot.pointee.keepsPreImages = true
    }

    /// The user's first change since the last commit, or since they were last persisted.
    @inline(never)
    func noteChange(_ row: UserRow) {
        let header = row.header
        if hot.pointee.keepsPreImages && header.pointee.touched <= hot.pointee.marked { preImages.save(row) }
        if !header.pointee.flags.contains(.dirty) {
            header.pointee.flags.insert(.dirty)
            dirty.append(header.pointee.number)
        }
    }

    /// Takes the row away without a trace.
    private func discard(_ row: UserRow) {
        if !row.header.pointee.flags.contains(.proven) { unprovenCount -= 1 }
        directory[Int(row.header.pointee.number)] = nil
        unlink(row)
        pool.pointee.deallocate(row.base, row.byteCount)
        count -= 1
    }

    private func putBack(_ bytes: UnsafeRawBufferPointer, number: UInt32) {
        if let row = row(numbered: number) {
            if row.byteCount == bytes.count {
                // In place; whether the user has proven to be real may differ.
                if !row.header.pointee.flags.contains(.proven) { unprovenCount -= 1 }
                row.base.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                if !row.header.pointee.flags.contains(.proven) { unprovenCount += 1 }
                return
            }
            discard(row)
        }
        let base = pool.pointee.allocate(bytes.count)
        base.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        let row = UserRow(base: base)
        place(row, number: number)
        if !row.header.pointee.flags.contains(.proven) { unprovenCount += 1 }
    }
}
