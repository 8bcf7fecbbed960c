import Events

/// All users of one partition: rows by (tenant, user), each with a number that is stable while the user is kept.
public final class UserTable {
    struct Bucket {
        var hash: UInt64
        /// nil: never used, or given up (see `remove`).
        var row: UnsafeMutableRawPointer?
    }

    private(set) var bounds: StateBounds
    let inputs: Int
    private var pool = RowPool()
    /// What every event touches. Behind a pointer, because a class's own variables are checked for exclusive access.
    private struct Hot {
        var buckets: UnsafeMutablePointer<Bucket>
        var mask: Int
        var sequence: UInt64 = 0
    }
    private let hot: UnsafeMutablePointer<Hot>
    private var buckets: UnsafeMutablePointer<Bucket> {
        @inline(__always) get { hot.pointee.buckets }
        @inline(__always) set { hot.pointee.buckets = newValue }
    }
    private var mask: Int {
        @inline(__always) get { hot.pointee.mask }
        @inline(__always) set { hot.pointee.mask = newValue }
    }
    /// Row of each number.
    private var directory: [UnsafeMutableRawPointer?] = []
    private var freeNumbers: [UInt32] = []
    private var dirty: [UInt32] = []
    /// Events so far: the clock of coldness.
    public var sequence: UInt64 {
        get { hot.pointee.sequence }
        set { hot.pointee.sequence = newValue }
    }

    public private(set) var count = 0
    /// Of them, those who never logged in successfully nor acted.
    public private(set) var unprovenCount = 0
    public private(set) var evicted: UInt64 = 0
    public var bytes: Int { pool.usedBytes + (mask + 1) * MemoryLayout<Bucket>.stride + directory.count * 8 }

    public init(bounds: StateBounds, inputs: Int) {
        self.bounds = bounds
        self.bounds.bytesPerUser = min(bounds.bytesPerUser, UserRow.mostBytes)
        self.inputs = inputs
        let buckets = UnsafeMutablePointer<Bucket>.allocate(capacity: 1024)
        buckets.initialize(repeating: Bucket(hash: 0, row: nil), count: 1024)
        hot = .allocate(capacity: 1)
        hot.initialize(to: Hot(buckets: buckets, mask: 1023))
    }

    deinit {
        hot.pointee.buckets.deallocate()
        hot.deallocate()
    }

    /// The user's row, or nil.
    /// - Complexity: O(1) expected.
    @inline(__always)
    public func find(hash: UInt64, tenant: ByteView, user: ByteView) -> UserRow? {
        let (buckets, mask) = (buckets, mask)
        var index = Int(truncatingIfNeeded: hash) & mask
        while let base = buckets[index].row {
            if buckets[index].hash == hash {
                let row = UserRow(base: base)
                if row.tenant.isEqual(to: tenant) && row.user.isEqual(to: user) { return row }
            }
            index = (index + 1) & mask
        }
        return nil
    }

    /// The user's row, made if there is none. May evict: a new name only ever displaces the coldest of its own kind.
    public func findOrInsert(hash: UInt64, tenant: ByteView, user: ByteView, at time: Timestamp) -> UserRow {
        if let row = find(hash: hash, tenant: tenant, user: user) { return row }
        if unprovenCount >= bounds.unprovenPerPartition { evictColdest(proven: false) }
        let row = allocate(identity: tenant.count + user.count)
        let header = row.header
        header.pointee.hash = hash
        header.pointee.tenantBytes = UInt16(tenant.count)
        header.pointee.firstSeen = time
        header.pointee.agedTo = Self.day(of: time)
        let identity = row.base + UserRow.headerBytes
        if let base = tenant.base { identity.copyMemory(from: base, byteCount: tenant.count) }
        if let base = user.base { (identity + tenant.count).copyMemory(from: base, byteCount: user.count) }
        let number = freeNumbers.popLast() ?? UInt32(directory.count)
        place(row, number: number)
        for input in 0..<inputs { row.absorbed[input] = -1 }
        unprovenCount += 1
        return row
    }

    /// Says that the row is about to change: it will be in the next checkpoint, and it is warm.
    @inline(__always)
    public func touch(_ row: UserRow) {
        let header = row.header
        header.pointee.touched = sequence
        if !header.pointee.flags.contains(.dirty) {
            header.pointee.flags.insert(.dirty)
            dirty.append(header.pointee.number)
        }
    }

    /// Marks the user as real. May evict the coldest real user to keep the bound, never this one.
    public func prove(_ row: UserRow) {
        if row.header.pointee.flags.contains(.proven) { return }
        row.header.pointee.flags.insert(.proven)
        unprovenCount -= 1
        if count - unprovenCount > bounds.usersPerPartition { evictColdest(proven: true) }
    }

    /// A slot for a new element of `section`, growing the row if it must. Returns nil at the bound: the caller then
    /// overwrites the element it values least. On growth the row moves: use the returned one.
    func append(_ section: Section, to row: UserRow) -> (row: UserRow, index: Int)? {
        let entry = row.header.pointee.sections[Int(section.rawValue)]
        var moved = row
        if entry.count == entry.capacity {
            guard let grown = grow(row, section) else { return nil }
            moved = grown
        }
        moved.header.pointee.sections[Int(section.rawValue)].count += 1
        return (moved, Int(entry.count))
    }

    func limit(of section: Section) -> Int { min(wantedLimit(of: section), Int(UInt8.max)) }

    private func wantedLimit(of section: Section) -> Int {
        switch section {
        case .absorbed: inputs
        case .devices: bounds.devices
        case .networks: bounds.networks
        case .places: bounds.places
        case .actions: bounds.actions
        case .sessions: bounds.sessions
        case .challenges: bounds.challenges
        case .holds: bounds.sessions
        case .failures: 1
        }
    }

    /// The row of that number, or nil.
    public func row(numbered number: UInt32) -> UserRow? {
        Int(number) < directory.count ? directory[Int(number)].map(UserRow.init) : nil
    }

    /// Removes the user; the number is free again, and the next checkpoint removes the persisted row.
    public func remove(_ row: UserRow) {
        let header = row.header
        let number = header.pointee.number
        if !header.pointee.flags.contains(.dirty) { dirty.append(number) }
        if !header.pointee.flags.contains(.proven) { unprovenCount -= 1 }
        directory[Int(number)] = nil
        freeNumbers.append(number)
        unlink(row)
        pool.deallocate(row.base, row.byteCount)
        count -= 1
    }

    // MARK: - Persistence

    public var dirtyCount: Int { dirty.count }

    /// Dirty users in ascending number; nil for a number whose user is gone.
    public func forEachDirty(_ body: (UInt32, UnsafeRawBufferPointer?) throws -> Void) rethrows {
        dirty.sort()
        var previous: UInt32?
        for number in dirty where number != previous {
            previous = number
            guard let base = directory[Int(number)] else {
                try body(number, nil)
                continue
            }
            let row = UserRow(base: base)
            row.header.pointee.checksum = Self.checksum(row.bytes)
            try body(number, row.bytes)
        }
    }

    public func markClean() {
        for number in dirty {
            if let base = directory[Int(number)] { UserRow(base: base).header.pointee.flags.remove(.dirty) }
        }
        dirty.removeAll(keepingCapacity: true)
    }

    /// All users, in ascending number.
    public func forEach(_ body: (UserRow) throws -> Void) rethrows {
        for base in directory { if let base { try body(UserRow(base: base)) } }
    }

    /// Puts back a persisted row. Returns what is wrong with it, or nil.
    /// - Complexity: O(1) where rows come back in ascending number.
    public func restore(number: UInt32, bytes: UnsafeRawBufferPointer) -> StaticString? {
        guard bytes.count >= UserRow.headerBytes, bytes.count % UserRow.rowGranule == 0, bytes.count < 65_536 else {
            return "its length is not that of a row"
        }
        let base = pool.allocate(bytes.count)
        base.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        let row = UserRow(base: base)
        if let fault = fault(in: row, number: number, byteCount: bytes.count) {
            pool.deallocate(base, bytes.count)
            return fault
        }
        row.header.pointee.flags.remove(.dirty)
        if Int(number) < directory.count, let index = freeNumbers.firstIndex(of: number) { freeNumbers.remove(at: index) }
        place(row, number: number)
        if !row.header.pointee.flags.contains(.proven) { unprovenCount += 1 }
        return nil
    }

    private func fault(in row: UserRow, number: UInt32, byteCount: Int) -> StaticString? {
        let header = row.header
        if header.pointee.checksum != Self.checksum(row.bytes(byteCount)) { return "its checksum is wrong" }
        if header.pointee.layout != UserRow.layoutVersion { return "its layout is of another version" }
        if header.pointee.number != number || row.byteCount != byteCount { return "it is another user's row" }
        if Int(number) < directory.count, directory[Int(number)] != nil { return "its number is taken" }
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

    // MARK: - Rows

    /// Capacities of a new user's sections: what nearly everybody needs.
    private func initialCapacity(_ section: Section) -> Int {
        switch section {
        case .absorbed: inputs
        case .devices, .networks, .places, .sessions: 1
        case .actions: 4
        case .challenges, .holds, .failures: 0
        }
    }

    private func allocate(identity: Int) -> UserRow {
        var capacities = InlineArray<9, Int>(repeating: 0)
        for section in Section.allCases { capacities[Int(section.rawValue)] = initialCapacity(section) }
        let (size, offsets) = Self.layOut(identity: identity, capacities: capacities)
        let base = pool.allocate(size)
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

    private static func layOut(identity: Int, capacities: InlineArray<9, Int>) -> (Int, InlineArray<9, Int>) {
        var offsets = InlineArray<9, Int>(repeating: 0)
        var end = (UserRow.headerBytes + identity + 7) & ~7
        for section in Section.allCases {
            offsets[Int(section.rawValue)] = end
            end = (end + capacities[Int(section.rawValue)] * UserRow.stride(of: section) + 7) & ~7
        }
        return ((end + UserRow.rowGranule - 1) & ~(UserRow.rowGranule - 1), offsets)
    }

    /// The row a new user begins with, with room for what must never be crowded out: a challenge, a hold, and the
    /// failed logins.
    public static func smallestRow(inputs: Int, identityBytes: Int) -> Int {
        let table = UserTable(bounds: StateBounds(), inputs: inputs)
        var capacities = InlineArray<9, Int>(repeating: 0)
        for section in Section.allCases { capacities[Int(section.rawValue)] = table.initialCapacity(section) }
        return layOut(identity: identityBytes, capacities: reserving(capacities)).0
    }

    private static func reserving(_ capacities: InlineArray<9, Int>) -> InlineArray<9, Int> {
        var reserved = capacities
        for section in [Section.challenges, .holds, .failures] {
            reserved[Int(section.rawValue)] = max(reserved[Int(section.rawValue)], 1)
        }
        return reserved
    }

    /// The largest row these bounds can make for an identity of `identityBytes`.
    public static func largestRow(bounds: StateBounds, inputs: Int, identityBytes: Int) -> Int {
        let table = UserTable(bounds: bounds, inputs: inputs)
        var capacities = InlineArray<9, Int>(repeating: 0)
        for section in Section.allCases { capacities[Int(section.rawValue)] = table.limit(of: section) }
        return layOut(identity: identityBytes, capacities: capacities).0
    }

    private func grow(_ row: UserRow, _ section: Section) -> UserRow? {
        let header = row.header
        var capacities = InlineArray<9, Int>(repeating: 0)
        for index in 0..<9 { capacities[index] = Int(header.pointee.sections[index].capacity) }
        let index = Int(section.rawValue)
        let limit = limit(of: section)
        guard capacities[index] < limit else { return nil }
        capacities[index] = min(limit, max(capacities[index] * 2, 1))
        let identity = Int(header.pointee.identityBytes)
        let (size, offsets) = Self.layOut(identity: identity, capacities: capacities)
        // What an attacker can fill must not keep out what would tell on him.
        guard Self.layOut(identity: identity, capacities: Self.reserving(capacities)).0 <= bounds.bytesPerUser else {
            return nil
        }
        let base = pool.allocate(size)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        base.copyMemory(from: row.base, byteCount: UserRow.headerBytes + identity)
        let moved = UserRow(base: base)
        moved.header.pointee.rowBytes = UInt16(size)
        for section in Section.allCases {
            let index = Int(section.rawValue)
            let old = header.pointee.sections[index]
            (base + offsets[index]).copyMemory(
                from: row.base + Int(old.offset) * 8, byteCount: Int(old.count) * UserRow.stride(of: section))
            moved.header.pointee.sections[index] = SectionEntry(
                offset: UInt16(offsets[index] / 8), count: old.count, capacity: UInt8(capacities[index]))
        }
        relink(row, to: moved)
        directory[Int(header.pointee.number)] = base
        pool.deallocate(row.base, row.byteCount)
        return moved
    }

    private func place(_ row: UserRow, number: UInt32) {
        row.header.pointee.number = number
        while directory.count <= Int(number) {
            if directory.count < Int(number) { freeNumbers.append(UInt32(directory.count)) }
            directory.append(nil)
        }
        directory[Int(number)] = row.base
        if (count + 1) * 2 > mask + 1 { rehash() }
        link(row)
        count += 1
    }

    // MARK: - Buckets: open addressing, linear probing, deletion by shifting back (Knuth 6.4, algorithm R)

    private func link(_ row: UserRow) {
        var index = Int(truncatingIfNeeded: row.header.pointee.hash) & mask
        while buckets[index].row != nil { index = (index + 1) & mask }
        buckets[index] = Bucket(hash: row.header.pointee.hash, row: row.base)
    }

    private func bucket(of row: UserRow) -> Int {
        var index = Int(truncatingIfNeeded: row.header.pointee.hash) & mask
        while buckets[index].row != row.base { index = (index + 1) & mask }
        return index
    }

    private func relink(_ row: UserRow, to moved: UserRow) { buckets[bucket(of: row)].row = moved.base }

    private func unlink(_ row: UserRow) {
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

    private func rehash() {
        let old = buckets
        let oldCount = mask + 1
        let newCount = oldCount * 2
        buckets = .allocate(capacity: newCount)
        buckets.initialize(repeating: Bucket(hash: 0, row: nil), count: newCount)
        mask = newCount - 1
        for index in 0..<oldCount where old[index].row != nil {
            var target = Int(truncatingIfNeeded: old[index].hash) & mask
            while buckets[target].row != nil { target = (target + 1) & mask }
            buckets[target] = old[index]
        }
        old.deallocate()
    }

    // MARK: - Eviction

    /// Drops the coldest 1/64 of one kind at once, so that a sweep is rare: O(users) then, O(1) amortised.
    /// Coldness is the order of events in the log, so every replay evicts the same users.
    private func evictColdest(proven: Bool) {
        var candidates: [(touched: UInt64, number: UInt32)] = []
        forEach { row in
            let header = row.header
            if header.pointee.flags.contains(.proven) == proven && header.pointee.touched != sequence {
                candidates.append((header.pointee.touched, header.pointee.number))
            }
        }
        candidates.sort { $0.touched < $1.touched }
        for victim in candidates.prefix(max(1, candidates.count / 64)) {
            if let base = directory[Int(victim.number)] {
                remove(UserRow(base: base))
                evicted += 1
            }
        }
    }

    static func day(of time: Timestamp) -> UInt32 { UInt32(clamping: time.milliseconds / 86_400_000) }
}

extension UserRow {
    func bytes(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
