/// What users were at the last commit, for those that changed since: a log of first changes, undone from its end. The
/// arena is used again from commit to commit.
struct PreImages: ~Copyable {
    enum Change {
        /// A user who was there; the bytes of the row lie in the arena.
        case row(offset: Int, count: Int)
        /// A number that nobody had.
        case created
        /// A user who was paged out.
        case page(PagedUser)
    }
    struct Entry {
        var number: UInt32
        var change: Change
    }

    private(set) var entries: [Entry] = []
    private var arena: UnsafeMutableRawPointer
    private var capacity = 1 << 16
    private var used = 0

    init() { arena = .allocate(byteCount: capacity, alignment: 8) }

    deinit { arena.deallocate() }

    mutating func save(_ row: UserRow) {
        let count = row.byteCount
        if used + count > capacity { grow(to: used + count) }
        (arena + used).copyMemory(from: row.base, byteCount: count)
        entries.append(Entry(number: row.header.pointee.number, change: .row(offset: used, count: count)))
        used += count
    }

    mutating func add(_ number: UInt32, _ change: Change) { entries.append(Entry(number: number, change: change)) }

    func bytes(at offset: Int, count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: arena + offset, count: count)
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        used = 0
    }

    private mutating func grow(to needed: Int) {
        capacity = max(capacity * 2, needed)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        larger.copyMemory(from: arena, byteCount: used)
        arena.deallocate()
        arena = larger
    }
}
