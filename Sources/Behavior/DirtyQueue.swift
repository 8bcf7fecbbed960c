/// Numbers of users in the order in which they became dirty. A place in it is counted from the first user ever queued,
/// so that it stays what it is while the queue moves on.
struct DirtyQueue {
    private var numbers: [UInt32] = []
    /// Of `numbers`, those already gone.
    private var gone = 0
    /// The place of the oldest.
    private(set) var start = 0
    /// The place after the newest.
    var end: Int { start + count }
    var count: Int { numbers.count - gone }

    mutating func append(_ number: UInt32) { numbers.append(number) }

    subscript(place: Int) -> UInt32 { numbers[place - start + gone] }

    /// - Complexity: O(1) amortised.
    mutating func removeFirst(_ count: Int) {
        start += count
        gone += count
        guard gone * 2 > numbers.count else { return }
        numbers.removeFirst(gone)
        gone = 0
    }

    /// Drops what was queued at `place` and after it.
    mutating func truncate(to place: Int) {
        numbers.removeLast(max(0, min(count, end - place)))
    }

    func forEach(_ body: (UInt32) -> Void) {
        for index in gone..<numbers.count { body(numbers[index]) }
    }
}
