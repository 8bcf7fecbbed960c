import Events

/// How what the user does joins the baseline.
extension UserTable {
    /// Joins one action to the baseline, and that it followed `previous`, 0 where nothing is known to precede it.
    /// `found` says where whoever scored it has found it. The row may move.
    ///
    /// Slots are kept with the heaviest first, so that what a user does often is found at once. At the bound a new action
    /// takes one of the eight lightest slots, by its fingerprint: heavy ones stay whatever comes, and two new ones don't
    /// push each other out by turns. The fast baseline always learns in full.
    /// - Complexity: O(actions + pairs), O(1) where both are found.
    public func learnAction(
        _ action: UInt32, after previous: UInt32, of row: UserRow, weight: Float, found: ActionPlace = ActionPlace()
    ) -> UserRow {
        row.header.pointee.actionTotal += weight
        row.header.pointee.recentActions += 1
        var row = row
        var slots = row.actions
        var index = found.action == ActionPlace.unknown ? slots.firstIndex(ofAction: action) : found.action
        assert(index == slots.firstIndex(ofAction: action), "the action is not where it was found")
        if index >= 0 {
            slots.base[index].weight += weight
            slots.base[index].recent += 1
        } else {
            if let (moved, appended) = append(.actions, to: row) {
                (row, index) = (moved, appended)
                slots = row.actions
            } else {
                guard slots.count > 0 else { return row }
                index = slots.lightIndex(by: action)
            }
            slots[index] = ActionSlot(fingerprint: action, weight: weight, recent: 1)
        }
        slots.settle(index)
        return previous == 0 ? row : learnPair(previous, action, of: row, weight: weight, found: found.pair)
    }

    private func learnPair(
        _ previous: UInt32, _ next: UInt32, of start: UserRow, weight: Float, found: Int
    ) -> UserRow {
        var row = start
        var slots = row.pairs
        let (previous, next) = (PairSlot.short(previous), PairSlot.short(next))
        var index = found == ActionPlace.unknown ? slots.lastIndex(of: previous, next) : found
        assert(index == slots.lastIndex(of: previous, next), "the pair is not where it was found")
        if index >= 0 {
            slots.base[index].weight += weight
        } else {
            if let (moved, appended) = append(.pairs, to: row) {
                (row, index) = (moved, appended)
                slots = row.pairs
            } else {
                guard slots.count > 0 else { return row }
                index = slots.lightIndex(by: UInt32(previous) &* 0x9E37 ^ UInt32(next))
            }
            slots[index] = PairSlot(previous: previous, next: next, weight: weight)
        }
        slots.settle(index)
        return row
    }

    /// Amounts from which what is usual can be told.
    static let leastAmounts: Float = 5

    /// ln(amount + 1) up to which an amount that nothing has proven is learned as it is: a larger one counts as this much.
    /// So amounts that rise step by step leave what is usual behind, and don't take it with them.
    @inline(__always)
    static func usualAmount(_ amounts: DecayedMoments) -> Float {
        amounts.weight < leastAmounts ? .infinity : amounts.mean + 1.5 * max(amounts.variance.squareRoot(), 0.3)
    }

    /// Joins one amount, as ln(amount + 1), to the baseline.
    public func learnAmount(_ amount: Float, of row: UserRow, isProven: Bool) {
        var one = DecayedMoments()
        one.add(amount)
        learnAmounts(one, of: row, weight: 1, isProven: isProven)
    }

    func learnAmounts(_ amounts: DecayedMoments, of row: UserRow, weight: Float, isProven: Bool) {
        guard amounts.weight > 0 else { return }
        let header = row.header
        header.pointee.recentAmounts.merge(amounts, weight: weight)
        var kept = amounts
        if !isProven { kept.mean = min(kept.mean, Self.usualAmount(header.pointee.amounts)) }
        let isHeld = kept.mean < amounts.mean
        header.pointee.amounts.merge(kept, weight: weight)
        header.pointee.amountSpread.add(
            Float(Portable.exp(Double(amounts.mean))), weight: amounts.weight * weight * (isHeld ? Self.unvouchedWeight : 1))
    }
}

extension Slots where T == ActionSlot {
    /// -1 where it is not there.
    /// - Complexity: O(actions); what the user does often is found first.
    @inline(__always)
    public func firstIndex(ofAction action: UInt32) -> Int {
        for index in 0..<count where base[index].fingerprint == action { return index }
        return -1
    }
}

/// Where an action, and the pair it makes with the one before it, lie in their sections; −1 where there is no slot.
public struct ActionPlace: Sendable {
    /// Nobody has looked.
    public static let unknown = -2
    public var action = ActionPlace.unknown
    public var pair = ActionPlace.unknown
    @inlinable public init() {}
}

extension Slots where T == PairSlot {
    /// What is known of what follows `previous`, and of `next` among it; the index of that pair, −1 where there is none.
    ///
    /// All slots are compared before the few that match are visited, in their order: a branch for each of them would be
    /// guessed wrong more often than not.
    /// - Complexity: O(pairs)
    public func context(of next: UInt32, after previous: UInt32) -> (context: BigramContext, index: Int) {
        let (previous, next) = (PairSlot.short(previous), PairSlot.short(next))
        var context = BigramContext()
        var index = -1
        var first = 0
        while first < count {
            // The lower half of a slot's first word is its `previous`.
            var matches = matches(of: UInt32(previous), mask: 0xFFFF, in: base + first, count: Swift.min(count &- first, 64))
            while matches != 0 {
                let slot = first + matches.trailingZeroBitCount
                matches &= matches - 1
                let weight = base[slot].weight
                if base[slot].next == next { (index, context.pair) = (slot, weight) }
                context.total += weight
                context.kinds &+= 1
            }
            first &+= 64
        }
        return (context, index)
    }

    /// The index of the pair, as `context(of:after:)` finds it; −1 where it is not there.
    /// - Complexity: O(pairs)
    func lastIndex(of previous: UInt16, _ next: UInt16) -> Int {
        let pair = UInt32(next) << 16 | UInt32(previous)
        var first = (count &- 1) & ~63
        while first >= 0 {
            let matches = matches(of: pair, mask: .max, in: base + first, count: Swift.min(count &- first, 64))
            if matches != 0 { return first + 63 - matches.leadingZeroBitCount }
            first &-= 64
        }
        return -1
    }
}

/// What lies heaviest first in its section.
protocol Weighed { var weight: Float { get } }
extension ActionSlot: Weighed {}
extension PairSlot: Weighed {}

extension Slots where T: Weighed {
    /// Moves a slot whose weight has changed to its place among the others.
    @inline(__always)
    func settle(_ start: Int) {
        var index = start
        let slot = base[start]
        while index > 0 && base[index &- 1].weight < slot.weight {
            base[index] = base[index &- 1]
            index &-= 1
        }
        while index &+ 1 < count && slot.weight < base[index &+ 1].weight {
            base[index] = base[index &+ 1]
            index &+= 1
        }
        base[index] = slot
    }

    /// One of the eight lightest.
    func lightIndex(by hash: UInt32) -> Int { count - 1 - Int(hash &* 0x9E37_79B1 >> 16) % Swift.min(8, count) }
}
