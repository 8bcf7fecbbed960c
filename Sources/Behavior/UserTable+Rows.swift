import Events

/// How a row is laid out, and how it grows.
extension UserTable {
    /// Capacities of a new user's sections: what nearly everybody needs.
    private func initialCapacity(_ section: Section) -> Int {
        switch section {
        case .absorbed: inputs
        case .devices, .networks, .places, .sessions: 1
        case .actions: 4
        case .pairs, .challenges, .holds, .failures, .asks, .judged: 0
        }
    }

    func allocate(identity: Int) -> UserRow {
        var capacities = InlineArray<12, Int>(repeating: 0)
        for section in Section.allCases { capacities[Int(section.rawValue)] = initialCapacity(section) }
        let (size, offsets) = Self.layOut(identity: identity, capacities: capacities)
        let base = pool.pointee.allocate(size)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        let row = UserRow(base: base)
        base.initializeMemory(as: UserHeader.self, repeating: UserHeader(), count: 1)
        row.header.pointee.rowBytes = UInt16(size)
        row.header.pointee.identityBytes = UInt16(identity)
        for section in Section.allCases {
            let index = Int(section.rawValue)
            row.header.pointee.sections[index] = SectionEntry(
                offset: UInt16(offsets[index] / 8), count: section == .absorbed ? UInt8(inputs) : 0,
                capacity: UInt8(capacities[index]))
        }
        return row
    }

    private static func layOut(identity: Int, capacities: InlineArray<12, Int>) -> (Int, InlineArray<12, Int>) {
        var offsets = InlineArray<12, Int>(repeating: 0)
        var end = wholeWords(UserRow.headerBytes + identity)
        for section in Section.allCases {
            offsets[Int(section.rawValue)] = end
            end = wholeWords(end + capacities[Int(section.rawValue)] * UserRow.stride(of: section))
        }
        return (wholeGranules(end), offsets)
    }

    private static func wholeWords(_ bytes: Int) -> Int { (bytes + 7) & ~7 }

    private static func wholeGranules(_ bytes: Int) -> Int { (bytes + UserRow.rowGranule - 1) & ~(UserRow.rowGranule - 1) }

    /// The row a new user begins with, with room for what must never be crowded out: a challenge and that it was asked, a
    /// hold, a decision, and the failed logins.
    public static func smallestRow(inputs: Int, identityBytes: Int) -> Int {
        let table = UserTable(bounds: StateBounds(), inputs: inputs)
        var capacities = InlineArray<12, Int>(repeating: 0)
        for section in Section.allCases { capacities[Int(section.rawValue)] = table.initialCapacity(section) }
        return layOut(identity: identityBytes, capacities: reserving(capacities)).0
    }

    private static func reserving(_ capacities: InlineArray<12, Int>) -> InlineArray<12, Int> {
        var reserved = capacities
        for section in Section.allCases where section.isReserved {
            reserved[Int(section.rawValue)] = max(reserved[Int(section.rawValue)], 1)
        }
        return reserved
    }

    /// The largest row these bounds can make for an identity of `identityBytes`.
    public static func largestRow(bounds: StateBounds, inputs: Int, identityBytes: Int) -> Int {
        let table = UserTable(bounds: bounds, inputs: inputs)
        var capacities = InlineArray<12, Int>(repeating: 0)
        for section in Section.allCases { capacities[Int(section.rawValue)] = table.limit(of: section) }
        return layOut(identity: identityBytes, capacities: capacities).0
    }

    /// What a section grows to when it begins. Of pairs nearly everybody who has one soon has eight; but only where the row has
    /// room for the most of everything do they take nothing from others that come later.
    private func leastGrown(_ section: Section, of row: UserRow) -> Int {
        guard section == .pairs else { return 1 }
        var most = Self.wholeWords(UserRow.headerBytes + Int(row.header.pointee.identityBytes))
        for other in Section.allCases {
            let capacity = Int(row.header.pointee.sections[Int(other.rawValue)].capacity)
            most += Self.wholeWords(max(limit(of: other), capacity) * UserRow.stride(of: other))
        }
        return Self.wholeGranules(most) <= bounds.bytesPerUser ? 8 : 1
    }

    /// Bytes kept free for what must never be crowded out of the row, beside `section`.
    private static func reserve(in row: UserRow, beside section: Section) -> Int {
        var bytes = 0
        for index in Int(Section.challenges.rawValue)..<Section.count where index != Int(section.rawValue) {
            guard row.header.pointee.sections[index].capacity == 0, let other = Section(rawValue: UInt8(index)) else { continue }
            bytes += wholeWords(UserRow.stride(of: other))
        }
        return bytes
    }

    /// Everything behind the section moves by as much as it grows. The row itself moves only where its memory is of another size.
    func grow(_ row: UserRow, _ section: Section) -> UserRow? {
        let header = row.header
        let index = Int(section.rawValue)
        let old = header.pointee.sections[index]
        let limit = limit(of: section)
        guard Int(old.capacity) < limit else { return nil }
        // Sections lie one behind the other, whether or not there is anything in them.
        let last = header.pointee.sections[Section.count - 1]
        let end = Int(last.offset) * 8 + Self.wholeWords(Int(last.capacity) * UserRow.stride(of: .judged))
        let stride = UserRow.stride(of: section)
        let oldBytes = Self.wholeWords(Int(old.capacity) * stride)
        let behind = Int(old.offset) * 8 + oldBytes
        // What an attacker can fill must not keep out what would tell on him.
        let most = bounds.bytesPerUser & ~(UserRow.rowGranule - 1) - end - Self.reserve(in: row, beside: section)
        let capacity = min(limit, old.capacity == 0 ? leastGrown(section, of: row) : Int(old.capacity) * 2)
        let growth = Self.wholeWords(capacity * stride) - oldBytes
        guard growth <= most else { return nil }
        let size = Self.wholeGranules(end + growth)
        // A row from outside may have had more room than it needs, and needs less memory than it has.
        let isInPlace = RowPool.size(for: row.byteCount).index == RowPool.size(for: size).index
        let base = isInPlace ? row.base : pool.pointee.allocate(size)
        (base + behind + growth).copyMemory(from: row.base + behind, byteCount: end - behind)
        if !isInPlace { base.copyMemory(from: row.base, byteCount: behind) }
        (base + behind).initializeMemory(as: UInt8.self, repeating: 0, count: growth)
        (base + end + growth).initializeMemory(as: UInt8.self, repeating: 0, count: size - end - growth)
        let moved = UserRow(base: base)
        if !isInPlace {
            relink(row, to: moved)
            directory[Int(header.pointee.number)] = base
            pool.pointee.deallocate(row.base, row.byteCount)
        }
        moved.header.pointee.rowBytes = UInt16(size)
        moved.header.pointee.sections[index].capacity = UInt8(capacity)
        for later in index + 1..<Section.count { moved.header.pointee.sections[later].offset += UInt16(growth / 8) }
        return moved
    }
}
