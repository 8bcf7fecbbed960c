/// A pair of things that followed each other, and its faded count. All-zero bytes are a free slot.
public struct BigramSlot: Sendable, BitwiseCopyable {
    /// 16 bits of each fingerprint: two of a hundred actions share them in 7 % of cases, and are then taken for one.
    public var previous: UInt16 = 0
    public var next: UInt16 = 0
    /// 0 when free.
    public var weight: Float = 0
    public init() {}
}

/// What is known of what follows one thing.
public struct BigramContext: Sendable, Equatable {
    /// Faded count of the one follower that was asked about.
    public var pair: Float
    /// Faded count of all followers, and how many different ones there are.
    public var total: Float
    public var kinds: Int
    public init(pair: Float = 0, total: Float = 0, kinds: Int = 0) {
        self.pair = pair
        self.total = total
        self.kinds = kinds
    }

    /// p(next | previous), where the pairs seen take what they have and the rest goes by `unigram`, p(next), with a
    /// weight of one observation for each kind of follower: λ·pair/total + (1 − λ)·unigram with λ = total/(total + kinds)
    /// (Witten, Bell, "The zero-frequency problem", IEEE Transactions on Information Theory 1991, method C).
    @inlinable public func probability(unigram: Float) -> Float {
        total > 0 ? (pair + Float(kinds) * unigram) / (total + Float(kinds)) : unigram
    }
}

/// Counts of pairs in slots that somebody else keeps: in a user's row, or one table for everybody. Fixed in size; nothing
/// is allocated. All-zero slots are the empty table.
///
/// The pairs of one previous thing share a run of 16 slots, or all where there are fewer, so that one pass over at most 128
/// bytes finds a pair, its context's total and the number of kinds. A new pair takes a free slot of its run, else that of the
/// lightest pair; while no run is full the counts are exact.
public struct BigramTable {
    @usableFromInline let slots: UnsafeMutablePointer<BigramSlot>
    @usableFromInline let mask: Int
    @usableFromInline let run: Int

    /// - Precondition: `count` is a power of two.
    @inlinable public init(slots: UnsafeMutablePointer<BigramSlot>, count: Int) {
        precondition(count > 0 && count & (count - 1) == 0, "the slots of a table are a power of two")
        self.slots = slots
        mask = count - 1
        run = min(count, 16)
    }

    /// Weights below this are as good as none.
    @usableFromInline static var negligible: Float { 0.02 }

    @inlinable static func short(_ fingerprint: UInt32) -> UInt16 { UInt16(truncatingIfNeeded: fingerprint ^ fingerprint >> 16) }

    @inlinable func home(_ previous: UInt16) -> Int { Int((UInt32(previous) &* 0x9E37_79B1) >> 8) & mask }

    /// Counts that `next` followed `previous`. A weight that is not above 0 and finite changes nothing.
    /// - Complexity: O(1), at most 16 slots.
    @inlinable public func add(_ next: UInt32, after previous: UInt32, weight: Float = 1) {
        guard weight > 0 && weight.isFinite else { return }
        let (previous, next) = (Self.short(previous), Self.short(next))
        let home = home(previous)
        var lightest = home
        for step in 0..<run {
            let index = (home + step) & mask
            if slots[index].weight > 0 && slots[index].previous == previous && slots[index].next == next {
                slots[index].weight = min(slots[index].weight + weight, 1e9)
                return
            }
            if slots[index].weight < slots[lightest].weight { lightest = index }
        }
        slots[lightest].previous = previous
        slots[lightest].next = next
        slots[lightest].weight = min(weight, 1e9)
    }

    /// What is known of what follows `previous`, and of `next` among it.
    /// - Complexity: O(1), at most 16 slots.
    @inlinable public func context(of next: UInt32, after previous: UInt32) -> BigramContext {
        let (previous, next) = (Self.short(previous), Self.short(next))
        let home = home(previous)
        var context = BigramContext()
        for step in 0..<run {
            let slot = slots[(home + step) & mask]
            guard slot.weight > 0 && slot.previous == previous else { continue }
            if slot.next == next { context.pair = slot.weight }
            context.total += slot.weight
            context.kinds += 1
        }
        return context
    }

    /// Multiplies every count by a factor from 0 to 1 and gives up what has become negligible.
    /// - Complexity: O(slots)
    public func decay(by factor: Float) {
        guard factor >= 0 && factor < 1 else { return }
        for index in 0...mask {
            let weight = slots[index].weight * factor
            if weight < Self.negligible { slots[index] = BigramSlot() } else { slots[index].weight = weight }
        }
    }

    /// Adds another's counts, pair by pair: exact while no run is full. The sizes may differ.
    /// - Complexity: O(slots of the other)
    public func merge(_ other: BigramTable) {
        for index in 0...other.mask where other.slots[index].weight > 0 {
            let slot = other.slots[index]
            // A fingerprint below 2¹⁶ is its own short form.
            add(UInt32(slot.next), after: UInt32(slot.previous), weight: slot.weight)
        }
    }
}
