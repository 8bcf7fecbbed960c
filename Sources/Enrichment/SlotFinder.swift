/// Says which slot of a bounded table belongs to a hash: one of four, so that the few that fall on the same four don't drive
/// each other out while the table is mostly empty. Of four that are taken one chosen by the hash gives way.
struct SlotFinder: ~Copyable {
    /// The hash of each slot's owner; 0 for none. Four in a row share a cache line.
    private let owners: UnsafeMutablePointer<UInt64>
    private let mask: UInt64
    /// Slots, a power of two of at least four.
    let count: Int

    init(atLeast slots: Int) {
        count = max(4, 1 << (Int.bitWidth - max(slots - 1, 0).leadingZeroBitCount))
        mask = UInt64(count / 4 - 1)
        owners = .allocate(capacity: count)
        owners.initialize(repeating: 0, count: count)
    }

    deinit { owners.deallocate() }

    /// The slot of the hash, and whether the hash owned it already; it does from now on.
    @inline(__always)
    func slot(of hash: UInt64) -> (index: Int, isKnown: Bool) {
        let hash = max(hash, 1)
        let first = Int(hash & mask) << 2
        for index in first..<first + 4 where owners[index] == hash { return (index, true) }
        var index = first + Int(hash >> 62)
        for free in first..<first + 4 where owners[free] == 0 {
            index = free
            break
        }
        owners[index] = hash
        return (index, false)
    }
}
