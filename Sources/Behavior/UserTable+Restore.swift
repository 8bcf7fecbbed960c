import Events

/// Rows that come from outside.
extension UserTable {
    /// Puts back a persisted row. Returns what is wrong with it, or nil.
    /// - Complexity: O(row)
    public func restore(number: UInt32, bytes: UnsafeRawBufferPointer) -> StaticString? {
        if Int(number) < directory.count, directory[Int(number)] != nil { return "its number is taken" }
        var isSuperseded = false
        let fault = load(bytes, number: number) { row in
            if let another = otherRow(of: row) {
                guard newerRowWins else { return "its user has another row" }
                if another.touched >= row.header.pointee.touched {
                    isSuperseded = true
                    return "its user has a newer row"
                }
                another.remove()
            }
            hasStaleFreeNumbers = true
            greatestRestored = max(greatestRestored, row.header.pointee.touched)
            place(row, number: number)
            if !row.header.pointee.flags.contains(.proven) { unprovenCount += 1 }
            return nil
        }
        guard isSuperseded else { return fault }
        while directory.count <= Int(number) { directory.append(nil) }
        dirty.append(number)
        return nil
    }

    /// Says that what is persisted under that number is nobody's: the next checkpoint removes it. Returns what is wrong with the
    /// number, or nil. To be called before any user is known.
    public func disown(number: UInt32) -> StaticString? {
        if number > Self.mostNumber { return "its number is out of range" }
        while directory.count <= Int(number) { directory.append(nil) }
        dirty.append(number)
        hasStaleFreeNumbers = true
        return nil
    }

    /// A row of the same user that is here already, in memory or paged out.
    private func otherRow(of row: UserRow) -> (touched: UInt64, remove: () -> Void)? {
        if let found = find(hash: row.header.pointee.hash, tenant: row.tenant, user: row.user) {
            return (found.header.pointee.touched, { self.remove(found) })
        }
        guard newerRowWins, let page = pages.find(row.header.pointee.hash) else { return nil }
        return (page.touched, { self.remove(page: page) })
    }

    /// Shows a persisted row without keeping it; nil when it can't be used.
    /// - Complexity: O(row)
    public func withRow<T>(bytes: UnsafeRawBufferPointer, _ body: (UserRow) -> T) -> T? {
        var result: T?
        guard bytes.count >= UserRow.headerBytes else { return nil }
        let number = bytes.loadUnaligned(fromByteOffset: MemoryLayout<UserHeader>.offset(of: \.number)!, as: UInt32.self)
        _ = load(bytes, number: number) { row in
            result = body(row)
            return "it is only shown"
        }
        return result
    }

    /// Copies a row in and checks it; `keep` says what else is wrong with it, or puts it in its place.
    func load(
        _ bytes: UnsafeRawBufferPointer, number: UInt32, keep: (UserRow) -> StaticString?
    ) -> StaticString? {
        guard bytes.count >= UserRow.headerBytes, bytes.count % UserRow.rowGranule == 0, bytes.count < 65_536 else {
            return "its length is not that of a row"
        }
        let base = pool.allocate(bytes.count)
        base.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        let row = UserRow(base: base)
        if let fault = fault(in: row, number: number, byteCount: bytes.count) ?? keep(row) {
            pool.deallocate(base, bytes.count)
            return fault
        }
        row.header.pointee.flags.subtract(.transient)
        return nil
    }

    private func fault(in row: UserRow, number: UInt32, byteCount: Int) -> StaticString? {
        let header = row.header
        if header.pointee.checksum != Self.checksum(row.bytes(byteCount)) { return "its checksum is wrong" }
        if header.pointee.layout != UserRow.layoutVersion { return "its layout is of another version" }
        if header.pointee.number != number || row.byteCount != byteCount { return "it is another user's row" }
        if number > Self.mostNumber { return "its number is out of range" }
        if header.pointee.identityBytes < header.pointee.tenantBytes { return "its identity is out of range" }
        var end = UserRow.headerBytes + Int(header.pointee.identityBytes)
        for section in Section.allCases {
            let entry = header.pointee.sections[Int(section.rawValue)]
            let start = Int(entry.offset) * 8
            if entry.count > entry.capacity || start < end { return "its sections are out of range" }
            end = start + Int(entry.capacity) * UserRow.stride(of: section)
        }
        if end > byteCount { return "its sections are out of range" }
        if row.absorbed.count != inputs || row.sessions.capacity == 0 { return "its sections are not those of these inputs" }
        return row.hasValidValues ? nil : "a value in it is out of range"
    }

    /// More users than this no partition has, whatever its bounds were when the row was written.
    private static let mostNumber: UInt32 = 1 << 27

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let behind = UnsafeRawBufferPointer(rebasing: bytes[8...])
        return KeyedHash(k0: 0x5657_494C_524F_5731, k1: 0x9E37_79B9_7F4A_7C15)(ByteView(behind))
    }
}
