/// What is kept of a user whose row is only in the state file: enough to find them, and to let them give way.
struct PagedUser {
    var hash: UInt64
    var touched: UInt64
    var number: UInt32
    var isProven: Bool
}

/// Paged-out users by hash, of whom no two share one: open addressing, linear probing, deletion by shifting back.
struct PagedUsers: ~Copyable {
    private var slots: UnsafeMutablePointer<PagedUser>?
    private var mask = -1
    private(set) var count = 0
    /// The number of no user.
    private static let nobody = UInt32.max

    var bytes: Int { (mask + 1) * MemoryLayout<PagedUser>.stride }

    deinit { slots?.deallocate() }

    /// - Complexity: O(1) expected
    func find(_ hash: UInt64) -> PagedUser? {
        guard count > 0, let slots else { return nil }
        let slot = slots[index(of: hash)]
        return slot.number == Self.nobody ? nil : slot
    }

    /// The hash must not be there yet.
    mutating func insert(_ user: PagedUser) {
        if (count + 1) * 3 > (mask + 1) * 2 { grow() }
        slots.unsafelyUnwrapped[index(of: user.hash)] = user
        count += 1
    }

    /// The hash must be there.
    mutating func remove(_ hash: UInt64) {
        let slots = slots.unsafelyUnwrapped
        var hole = index(of: hash)
        var next = hole
        count -= 1
        while true {
            slots[hole].number = Self.nobody
            while true {
                next = (next + 1) & mask
                if slots[next].number == Self.nobody { return }
                let home = Int(truncatingIfNeeded: slots[next].hash) & mask
                if ((next - home) & mask) >= ((next - hole) & mask) { break }
            }
            slots[hole] = slots[next]
            hole = next
        }
    }

    func forEach(_ body: (PagedUser) -> Void) {
        guard let slots else { return }
        for index in 0...mask where slots[index].number != Self.nobody { body(slots[index]) }
    }

    /// Where the hash is, or would be.
    private func index(of hash: UInt64) -> Int {
        let slots = slots.unsafelyUnwrapped
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].number != Self.nobody && slots[index].hash != hash { index = (index + 1) & mask }
        return index
    }

    private mutating func grow() {
        let (old, oldCount) = (slots, mask + 1)
        let capacity = max(1024, oldCount * 2)
        let larger = UnsafeMutablePointer<PagedUser>.allocate(capacity: capacity)
        larger.initialize(
            repeating: PagedUser(hash: 0, touched: 0, number: Self.nobody, isProven: false), count: capacity)
        slots = larger
        mask = capacity - 1
        guard let old else { return }
        for place in 0..<oldCount where old[place].number != Self.nobody {
            larger[index(of: old[place].hash)] = old[place]
        }
        old.deallocate()
    }
}
