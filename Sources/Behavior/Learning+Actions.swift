import Events

/// How what the user does joins the baseline.
extension UserTable {
    /// Joins one action to the baseline, and that it followed `previous`, 0 where nothing is known to precede it.
    /// `found` says where whoever scored it has found it. The row may move.
    ///
    /// Actions are kept with the heaviest first, so that what a user does often is found at once. At the bound a new one takes
    /// one of the eight lightest slots, by its fingerprint: heavy ones stay whatever comes, and two new ones don't push each
    /// other out by turns. Pairs, which are always looked through from end to end, stay where they are: a new one takes the
    /// lightest of every eighth slot, for the same reasons. The fast baseline always learns in full.
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
                index = slots.lightestIndex(by: UInt32(previous) &* 0x9E37 ^ UInt32(next))
            }
            slots[index] = PairSlot(previous: previous, next: next, weight: weight)
        }
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
    /// Four slots at a time, of which those that don't match count for nothing: how many match is guessed wrong more often than
    /// not. The last four may reach back over slots that were counted, and before the section into the row.
    /// - Complexity: O(pairs)
    public func context(of next: UInt32, after previous: UInt32) -> (context: BigramContext, index: Int) {
        guard count > 0 else { return (BigramContext(), -1) }
        var sums = FollowerSums(PairSlot.short(previous), PairSlot.short(next))
        var first = 0
        while first &+ 4 < count {
            sums.add(base + first, at: first, from: 0)
            first &+= 4
        }
        let last = count &- 4
        sums.add(base + last, at: last, from: first &- last)
        let index = sums.index
        let pair = index < 0 ? 0 : base[Swift.max(index, 0)].weight
        return (BigramContext(pair: pair, total: sums.total, kinds: sums.kinds), index)
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

/// What `context(of:after:)` sums up, in four lanes.
private struct FollowerSums {
    private let previous: SIMD4<UInt32>
    private let pair: SIMD4<UInt32>
    private var weights = SIMD4<Float>.zero
    private var matches = SIMD4<UInt32>.zero
    /// One more than the index, in the lower half of its lane.
    private var places = SIMD8<Int16>.zero

    @inline(__always)
    init(_ previous: UInt16, _ next: UInt16) {
        self.previous = SIMD4(repeating: UInt32(previous))
        pair = SIMD4(repeating: UInt32(next) << 16 | UInt32(previous))
    }

    /// Four slots, of which the first is the one at `index`; those before lane `lane` count for nothing.
    @inline(__always)
    mutating func add(_ slots: UnsafeMutablePointer<PairSlot>, at index: Int, from lane: Int) {
        let words = UnsafeRawPointer(slots).loadUnaligned(as: SIMD8<UInt32>.self)
        let (keys, values) = (words.evenHalf, words.oddHalf)
        let lanes = SIMD4<Int32>(0, 1, 2, 3)
        let held = unsafeBitCast(lanes .>= SIMD4(repeating: Int32(truncatingIfNeeded: lane)), to: SIMD4<UInt32>.self)
        let follows = unsafeBitCast(keys & 0xFFFF .== previous, to: SIMD4<UInt32>.self) & held
        let isPair = unsafeBitCast(keys .== pair, to: SIMD4<UInt32>.self) & held
        weights += unsafeBitCast(values & follows, to: SIMD4<Float>.self)
        matches &-= follows
        let numbers = unsafeBitCast(lanes &+ Int32(truncatingIfNeeded: index &+ 1), to: SIMD4<UInt32>.self) & isPair
        places = pointwiseMax(places, unsafeBitCast(numbers, to: SIMD8<Int16>.self))
    }

    /// In an order of its own, for the same bits whoever compiles it.
    @inline(__always)
    var total: Float { (weights[0] + weights[2]) + (weights[1] + weights[3]) }

    @inline(__always)
    var kinds: Int { Int(matches.wrappedSum()) }

    @inline(__always)
    var index: Int { Int(places.max()) &- 1 }
}

extension UInt32 {
    /// One of the first eight places, or of so many as there are.
    func place(below count: Int) -> Int { Int(self &* 0x9E37_79B1 >> 16) % Swift.min(8, count) }
}

extension Slots where T == PairSlot {
    /// The lightest of every eighth slot. Bits of weights, which are not negative, compare as the weights do, and with the
    /// index below them without a branch.
    func lightestIndex(by hash: UInt32) -> Int {
        let first = hash.place(below: count)
        var lightest = UInt64.max
        for index in stride(from: first, to: count, by: 8) {
            lightest = Swift.min(lightest, UInt64(base[index].weight.bitPattern) << 32 | UInt64(index))
        }
        return Int(lightest & 0xFFFF_FFFF)
    }
}

extension Slots where T == ActionSlot {
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
    func lightIndex(by hash: UInt32) -> Int { count - 1 - hash.place(below: count) }
}
