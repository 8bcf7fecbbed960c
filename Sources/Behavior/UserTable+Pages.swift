import Events

/// More users than memory: a clean row can leave it, for its persisted form is as good, and must be back before its user
/// is decided on. Whoever is paged out counts, and gives way at the bounds, as if they were not: decisions don't depend
/// on paging.
extension UserTable {
    /// Bytes of the rows in memory.
    public var residentBytes: Int { pool.pointee.usedBytes }

    /// Users whose rows are only in the state file.
    public var pagedCount: Int { pages.count }

    /// The number of the paged-out user with this hash, to be asked about a user who is not in memory.
    /// - Complexity: O(1) expected
    public func page(of hash: UInt64) -> UInt32? { pages.find(hash)?.number }

    /// Every paged-out user's number, in no order that means anything.
    public func forEachPage(_ body: (UInt32) -> Void) { pages.forEach { body($0.number) } }

    /// Drops the coldest clean rows until rows use at most 9/10 of `bytes`; does nothing while they fit into `bytes`.
    /// Never a row that was changed since it was persisted or since the last commit. Returns how many.
    /// - Complexity: O(users)
    public func pageOut(toFit bytes: Int) -> Int {
        guard residentBytes > bytes else { return 0 }
        var candidates: [Candidate] = []
        forEach { row in
            let header = row.header
            let isPending = hot.pointee.keepsPreImages && header.pointee.touched > hot.pointee.marked
            guard !header.pointee.flags.contains(.dirty), !isPending else { return }
            candidates.append(
                Candidate(
                    touched: header.pointee.touched, number: header.pointee.number,
                    weight: UInt32(RowPool.size(for: row.byteCount).bytes)))
        }
        let count = Candidate.selectColdest(&candidates, weighing: residentBytes - bytes / 10 * 9)
        var dropped = 0
        for candidate in candidates[..<count] {
            if let row = row(numbered: candidate.number), pageOut(row) { dropped += 1 }
        }
        return dropped
    }

    /// Of two users with one hash one stays in memory, so that a hash says which page it is.
    private func pageOut(_ row: UserRow) -> Bool {
        let header = row.header
        guard pages.find(header.pointee.hash) == nil else { return false }
        let number = header.pointee.number
        pages.insert(
            PagedUser(
                hash: header.pointee.hash, touched: header.pointee.touched, number: number,
                isProven: header.pointee.flags.contains(.proven)))
        directory[Int(number)] = Self.elsewhere
        unlink(row)
        pool.pointee.deallocate(row.base, row.byteCount)
        return true
    }

    /// Puts a paged-out user's row back. Returns what is wrong with it, or nil.
    /// - Complexity: O(row)
    public func restore(page number: UInt32, bytes: UnsafeRawBufferPointer) -> StaticString? {
        guard isPaged(number) else { return "its user is not paged out" }
        return load(bytes, number: number) { row in
            let header = row.header
            guard let page = pages.find(header.pointee.hash), page.number == number,
                page.touched == header.pointee.touched, page.isProven == header.pointee.flags.contains(.proven)
            else { return "it is not the row that was paged out" }
            pages.remove(page.hash)
            directory[Int(number)] = row.base
            link(row)
            return nil
        }
    }

    /// Checks a persisted row as `restore` does, and keeps its user as paged out. One who shares a hash with a user
    /// already paged out stays in memory. Returns what is wrong with the row, or nil.
    /// - Complexity: O(row)
    public func restorePaged(number: UInt32, bytes: UnsafeRawBufferPointer) -> StaticString? {
        if let fault = restore(number: number, bytes: bytes) { return fault }
        if let row = row(numbered: number) { _ = pageOut(row) }
        return nil
    }

    /// Lets a paged-out user give way; the next checkpoint removes the persisted row.
    func remove(page: PagedUser) {
        if hot.pointee.keepsPreImages { preImages.add(page.number, .page(page)) }
        pages.remove(page.hash)
        directory[Int(page.number)] = nil
        dirty.append(page.number)
        if !page.isProven { unprovenCount -= 1 }
        count -= 1
    }

    func isPaged(_ number: UInt32) -> Bool {
        Int(number) < directory.count && directory[Int(number)] == Self.elsewhere
    }

    /// Stands in the directory for a row that is not in memory. Rows are aligned to more than this.
    static var elsewhere: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }
}
