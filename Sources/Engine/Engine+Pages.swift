import Behavior
import Events

/// More users than memory: see `UserTable+Pages`. Whoever keeps the state file brings pages in when `step` asks for them.
extension Engine {
    /// Bytes of the rows in memory.
    public var residentBytes: Int { table.residentBytes }

    /// Users whose rows are only in the state file; `userCount` counts them too.
    public var pagedCount: Int { table.pagedCount }

    /// Drops the coldest clean rows until rows use at most 9/10 of `bytes`; does nothing while `residentBytes` is within
    /// `bytes`. Never a row that is dirty or was changed since the last mark. Returns how many.
    /// - Complexity: O(users) when it drops any, else O(1)
    @discardableResult
    public func pageOut(toFit bytes: Int) -> Int { table.pageOut(toFit: bytes) }

    /// Puts back the row of a paged-out user. Throws `StateError` when it is not that very row, or damaged.
    public func restore(page number: UInt32, row: UnsafeRawBufferPointer) throws(StateError) {
        try check(table.restore(page: number, bytes: row), number)
    }

    /// Checks a persisted row as `restore(user:row:)` does, and registers its user as paged out. Throws `StateError` on a
    /// bad checksum, version or length.
    public func restorePaged(user number: UInt32, row: UnsafeRawBufferPointer) throws(StateError) {
        try check(table.restorePaged(number: number, bytes: row), number)
    }

    /// The number of a user who is paged out, so that their row can be put back before they are asked about; nil when
    /// they are in memory or not known.
    public func page(tenant: String, user: String) -> UInt32? {
        withKey(tenant: tenant, user: user) { key, tenant, user in
            table.find(hash: key, tenant: tenant, user: user) == nil ? table.page(of: key) : nil
        }
    }

    /// Every paged-out user's number, in no order that means anything.
    public func forEachPage(_ body: (UInt32) -> Void) { table.forEachPage(body) }

    func check(_ fault: StaticString?, _ number: UInt32) throws(StateError) {
        if let fault { throw StateError("row \(number) can't be used: \(fault)") }
        table.row(numbered: number)?.dropForeignWindows(
            hop: plan.windows.rateHop, length: plan.windows.rate, breadth: plan.model.breadthWindow,
            exports: plan.model.exportsWindow)
    }
}
