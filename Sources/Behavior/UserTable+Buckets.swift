import Glibc

/// The hash table of rows: open addressing, linear probing, deletion by shifting back (Knuth 6.4, algorithm R).
extension UserTable {
    /// The row's user counts already, or is about to.
    func link(_ row: UserRow) {
        if (count - pages.count + 1) * 2 > mask + 1 { rehash() }
        var index = Int(truncatingIfNeeded: row.header.pointee.hash) & mask
        while buckets[index].row != nil { index = (index + 1) & mask }
        buckets[index] = Bucket(hash: row.header.pointee.hash, row: row.base)
    }

    func bucket(of row: UserRow) -> Int {
        var index = Int(truncatingIfNeeded: row.header.pointee.hash) & mask
        while buckets[index].row != row.base { index = (index + 1) & mask }
        return index
    }

    func relink(_ row: UserRow, to moved: UserRow) { buckets[bucket(of: row)].row = moved.base }

    func unlink(_ row: UserRow) {
        var hole = bucket(of: row)
        var index = hole
        while true {
            buckets[hole].row = nil
            while true {
                index = (index + 1) & mask
                guard buckets[index].row != nil else { return }
                let home = Int(truncatingIfNeeded: buckets[index].hash) & mask
                if ((index - home) & mask) >= ((index - hole) & mask) { break }
            }
            buckets[hole] = buckets[index]
            hole = index
        }
    }

    /// Empty buckets, in huge pages where they fill some: as with rows, nearly every look into them would miss the
    /// translation cache.
    static func makeBuckets(_ count: Int) -> UnsafeMutablePointer<Bucket> {
        let byteCount = count * MemoryLayout<Bucket>.stride
        let alignment = byteCount >= RowPool.chunkBytes ? RowPool.chunkBytes : 64
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: alignment)
        if byteCount >= RowPool.chunkBytes { madvise(memory, byteCount, MADV_HUGEPAGE) }
        let buckets = memory.bindMemory(to: Bucket.self, capacity: count)
        buckets.initialize(repeating: Bucket(hash: 0, row: nil), count: count)
        return buckets
    }

    func rehash() {
        let old = buckets
        let oldCount = mask + 1
        let newCount = oldCount * 2
        buckets = Self.makeBuckets(newCount)
        mask = newCount - 1
        for index in 0..<oldCount where old[index].row != nil {
            var target = Int(truncatingIfNeeded: old[index].hash) & mask
            while buckets[target].row != nil { target = (target + 1) & mask }
            buckets[target] = old[index]
        }
        old.deallocate()
    }
}
