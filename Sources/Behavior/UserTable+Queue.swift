/// Which users are to be persisted, in which order, and in which form.
extension UserTable {
    /// Users whose persisted form is out of date, removed ones included.
    public var dirtyCount: Int { dirty.count }

    /// The place of the longest dirty user in the queue, and the place after the newest. Places never change meaning.
    public var dirtyPlaces: Range<Int> { dirty.start..<dirty.end }

    /// Every number in the queue.
    public var dirtyNumbers: Set<UInt32> {
        var numbers: Set<UInt32> = []
        dirty.forEach { numbers.insert($0) }
        return numbers
    }

    /// The number at a place of the queue.
    public func dirtyNumber(at place: Int) -> UInt32 { dirty[place] }

    /// What persisting the user takes, in bytes.
    public func persistedBytes(of number: UInt32) -> Int { row(numbered: number)?.byteCount ?? Self.removalBytes }

    /// What a removal takes where it is written. Were it nothing, a slice could hold any number of them.
    private static var removalBytes: Int { 32 }

    /// Says that the first `count` of the queue are persisted as they are now.
    public func markPersisted(_ count: Int) {
        for place in dirty.start..<dirty.start + count {
            let number = dirty[place]
            if let row = row(numbered: number) {
                row.header.pointee.flags.remove(.dirty)
            } else {
                freeNumbers.append(number)
            }
        }
        dirty.removeFirst(count)
    }

    /// Queues every user who is not queued yet.
    public func markAllDirty() {
        baseline.didQueueAll = true
        forEach { row in
            guard !row.header.pointee.flags.contains(.dirty) else { return }
            row.header.pointee.flags.insert(.dirty)
            dirty.append(row.header.pointee.number)
        }
    }

    /// The row in its persisted form: with its checksum, and without what only memory knows. Valid during the call.
    public func withPersistedForm<T, E: Error>(
        of row: UserRow, _ body: (UnsafeRawBufferPointer) throws(E) -> T
    ) throws(E) -> T {
        let header = row.header
        let transient = header.pointee.flags.intersection(.transient)
        header.pointee.flags.subtract(.transient)
        defer { header.pointee.flags.formUnion(transient) }
        header.pointee.checksum = Self.checksum(row.bytes)
        return try body(row.bytes)
    }
}
