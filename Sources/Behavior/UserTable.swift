import Events

/// All users of one partition: rows by (tenant, user), each with a number that is stable while the user is kept.
public final class UserTable {
    struct Bucket {
        var hash: UInt64
        /// nil: never used, or given up (see `remove`).
        var row: UnsafeMutableRawPointer?
    }

    let bounds: StateBounds
    let inputs: Int
    /// What events touch. It and the pool are behind pointers, because a class's own variables are checked for exclusive
    /// access.
    struct Hot: ~Copyable {
        var buckets: UnsafeMutablePointer<Bucket>
        var mask: Int
        var sequence: UInt64 = 0
        var positions = InlineArray<8, Int64>(repeating: -1)
        var keepsPreImages = false
        /// The count of records at the last commit, while pre-images are kept.
        var marked: UInt64 = 0
        var preImages = PreImages()
        var directory: [UnsafeMutableRawPointer?] = []
        var freeNumbers: [UInt32] = []
        var dirty = DirtyQueue()
        var count = 0
        var unprovenCount = 0
    }
    let hot: UnsafeMutablePointer<Hot>
    let pool: UnsafeMutablePointer<RowPool>
    var buckets: UnsafeMutablePointer<Bucket> {
        @inline(__always) get { hot.pointee.buckets }
        @inline(__always) set { hot.pointee.buckets = newValue }
    }
    var mask: Int {
        @inline(__always) get { hot.pointee.mask }
        @inline(__always) set { hot.pointee.mask = newValue }
    }
    /// Row of each number; `elsewhere` where it is paged out.
    var directory: [UnsafeMutableRawPointer?] {
        @inline(__always) _read { yield hot.pointee.directory }
        @inline(__always) _modify { yield &hot.pointee.directory }
    }
    /// Numbers without a user, in memory or persisted. A number is free again only when its user's removal is persisted:
    /// were it given away before, one user could be persisted under two numbers.
    var freeNumbers: [UInt32] {
        @inline(__always) _read { yield hot.pointee.freeNumbers }
        @inline(__always) _modify { yield &hot.pointee.freeNumbers }
    }
    /// `freeNumbers` is out of date, because rows were put back.
    var hasStaleFreeNumbers = false
    /// Users whose persisted form is out of date, longest first.
    var dirty: DirtyQueue {
        @inline(__always) _read { yield hot.pointee.dirty }
        @inline(__always) _modify { yield &hot.pointee.dirty }
    }
    /// Events so far: the clock of coldness.
    public var sequence: UInt64 {
        get { hot.pointee.sequence }
        set { hot.pointee.sequence = newValue }
    }
    /// Per input, the offset of the last record stepped; −1 before the first.
    public var positions: [Int64] {
        get { (0..<inputs).map { hot.pointee.positions[$0] } }
        set { for input in 0..<inputs { hot.pointee.positions[input] = newValue[input] } }
    }

    public internal(set) var count: Int {
        get { hot.pointee.count }
        set { hot.pointee.count = newValue }
    }
    /// Of them, those who never logged in successfully nor acted.
    public internal(set) var unprovenCount: Int {
        get { hot.pointee.unprovenCount }
        set { hot.pointee.unprovenCount = newValue }
    }
    public internal(set) var evicted: UInt64 = 0

    /// What gave way since the list was last cleared, if it is kept.
    public var evictions: [Eviction] = []
    public var recordsEvictions = false
    /// Nobody gives way by the bounds: what the log says is followed instead.
    public var followsEvictions = false

    var pages = PagedUsers()
    var preImages: PreImages {
        @inline(__always) _read { yield hot.pointee.preImages }
        @inline(__always) _modify { yield &hot.pointee.preImages }
    }
    var baseline = Baseline()
    /// The greatest count of records in a row that was put back.
    var greatestRestored: UInt64 = 0
    /// Of two restored rows of one user the newer is kept, and the other's number is removed by the next checkpoint.
    public var newerRowWins = false

    public var bytes: Int {
        pool.pointee.usedBytes + (mask + 1) * MemoryLayout<Bucket>.stride + pages.bytes + directory.count * 8
    }

    public init(bounds: StateBounds, inputs: Int) {
        var bounds = bounds
        bounds.bytesPerUser = min(bounds.bytesPerUser, UserRow.mostBytes)
        self.bounds = bounds
        self.inputs = inputs
        let buckets = Self.makeBuckets(1024)
        hot = .allocate(capacity: 1)
        hot.initialize(to: Hot(buckets: buckets, mask: 1023))
        pool = .allocate(capacity: 1)
        pool.initialize(to: RowPool())
    }

    deinit {
        hot.pointee.buckets.deallocate()
        hot.deinitialize(count: 1)
        hot.deallocate()
        pool.deinitialize(count: 1)
        pool.deallocate()
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
                if row.isOf(tenant: tenant, user: user) { return row }
            }
            index = (index + 1) & mask
        }
        return nil
    }

    /// The same, sooner where `bucket(of:)` is still right.
    @inline(__always)
    public func find(hash: UInt64, tenant: ByteView, user: ByteView, near index: Int) -> UserRow? {
        let bucket = buckets + (index & mask)
        if bucket.pointee.hash == hash, let base = bucket.pointee.row {
            let row = UserRow(base: base)
            if row.isOf(tenant: tenant, user: user) { return row }
        }
        return find(hash: hash, tenant: tenant, user: user)
    }

    /// Says that the user of that hash will be looked for soon: the first of two hints, some hundred nanoseconds apart.
    @inline(__always)
    public func expectBucket(of hash: UInt64) {
        prefetch(hot.pointee.buckets + Int(truncatingIfNeeded: hash) & hot.pointee.mask, bytes: 64)
    }

    /// The second: the row itself.
    @inline(__always)
    public func expectRow(in bucket: Int) {
        if let base = buckets[bucket & mask].row { prefetch(base, bytes: Self.expectedRowBytes) }
    }

    /// Where the user of that hash lies; where one without a row is missed, an empty bucket.
    @inline(__always)
    public func bucket(of hash: UInt64) -> Int {
        let (buckets, mask) = (buckets, mask)
        var index = Int(truncatingIfNeeded: hash) & mask
        while buckets[index].row != nil, buckets[index].hash != hash { index = (index &+ 1) & mask }
        return index
    }

    /// Header, name and sessions of nearly everybody.
    static let expectedRowBytes = 1536

    /// Says that what the user does will be looked at soon: actions and pairs lie beyond what `expectRow` asks for.
    @inline(__always)
    public func expectCourse(of row: UserRow) {
        let (actions, pairs) = (row.actions, row.pairs)
        let start = max(UnsafeRawPointer(actions.base), UnsafeRawPointer(row.base) + Self.expectedRowBytes)
        let end = UnsafeRawPointer(pairs.base + pairs.count)
        if start < end { prefetch(start, bytes: end - start) }
    }

    /// Takes note of a record: the clock of coldness advances, and so does the input's position.
    @inline(__always)
    public func begin(input: Int, offset: Int64) {
        hot.pointee.sequence &+= 1
        hot.pointee.positions[input] = max(hot.pointee.positions[input], offset)
    }

    /// The user's row, made if there is none. May evict: a new name only ever displaces the coldest of its own kind.
    public func findOrInsert(hash: UInt64, tenant: ByteView, user: ByteView, at time: Timestamp) -> UserRow {
        find(hash: hash, tenant: tenant, user: user) ?? insert(hash: hash, tenant: tenant, user: user, at: time)
    }

    /// Makes a row for a user who has none. May evict: a new name only ever displaces the coldest of its own kind.
    public func insert(hash: UInt64, tenant: ByteView, user: ByteView, at time: Timestamp) -> UserRow {
        if unprovenCount >= bounds.unprovenPerPartition { evictColdest(proven: false) }
        let row = allocate(identity: tenant.count + user.count)
        let header = row.header
        header.pointee.hash = hash
        header.pointee.tenantBytes = UInt16(tenant.count)
        header.pointee.firstSeen = time
        header.pointee.agedTo = Self.day(of: time)
        header.pointee.touched = sequence
        let identity = row.base + UserRow.headerBytes
        if let base = tenant.base { identity.copyMemory(from: base, byteCount: tenant.count) }
        if let base = user.base { (identity + tenant.count).copyMemory(from: base, byteCount: user.count) }
        let number = takeNumber()
        place(row, number: number)
        if hot.pointee.keepsPreImages { preImages.add(number, .created) }
        // Nothing before a user's first record is theirs: what was forgotten of a namesake must not come back by redo.
        for input in 0..<inputs { row.absorbed[input] = hot.pointee.positions[input] }
        unprovenCount += 1
        return row
    }

    /// Says that the row is about to change: it will be in a checkpoint, it is warm, and what it was can be put back.
    /// To be called before anything of it changes.
    @inline(__always)
    public func touch(_ row: UserRow) {
        let header = row.header
        if header.pointee.touched <= hot.pointee.marked || !header.pointee.flags.contains(.dirty) { noteChange(row) }
        header.pointee.touched = hot.pointee.sequence
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
        case .pairs: bounds.pairs
        case .sessions: bounds.sessions
        case .challenges: bounds.challenges + Self.closedChallenges
        case .holds: bounds.sessions
        case .failures: 1
        case .asks: Self.mostAsks
        case .judged: Self.mostJudged
        }
    }

    /// The row of that number, or nil: nobody has it, or the row is paged out.
    public func row(numbered number: UInt32) -> UserRow? {
        guard Int(number) < directory.count, let base = directory[Int(number)], base != Self.elsewhere else { return nil }
        return UserRow(base: base)
    }

    /// Removes the user; the next checkpoint removes the persisted row, and the number is free again.
    public func remove(_ row: UserRow) {
        let header = row.header
        let number = header.pointee.number
        if hot.pointee.keepsPreImages && header.pointee.touched <= hot.pointee.marked { preImages.save(row) }
        if !header.pointee.flags.contains(.dirty) { dirty.append(number) }
        if !header.pointee.flags.contains(.proven) { unprovenCount -= 1 }
        directory[Int(number)] = nil
        unlink(row)
        pool.pointee.deallocate(row.base, row.byteCount)
        count -= 1
    }

    /// All users in memory, in ascending number.
    public func forEach(_ body: (UserRow) throws -> Void) rethrows {
        for base in directory { if let base, base != Self.elsewhere { try body(UserRow(base: base)) } }
    }

    func place(_ row: UserRow, number: UInt32) {
        row.header.pointee.number = number
        while directory.count <= Int(number) { directory.append(nil) }
        directory[Int(number)] = row.base
        link(row)
        count += 1
    }

    func takeNumber() -> UInt32 {
        if hasStaleFreeNumbers { findFreeNumbers() }
        return freeNumbers.popLast() ?? UInt32(directory.count)
    }

    private func findFreeNumbers() {
        hasStaleFreeNumbers = false
        var isTaken = directory.map { $0 != nil }
        dirty.forEach { isTaken[Int($0)] = true }
        freeNumbers = isTaken.indices.reversed().filter { !isTaken[$0] }.map { UInt32($0) }
    }

    static func day(of time: Timestamp) -> UInt32 { UInt32(clamping: time.milliseconds / 86_400_000) }
}

extension UserRow {
    func bytes(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
}
