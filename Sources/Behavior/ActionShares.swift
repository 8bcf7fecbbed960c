/// Shares of actions as they were last asked for: few kinds of action are most of what is done, and nothing changes their
/// shares between two panes.
struct ActionShares {
    private struct Slot {
        var action: UInt32 = 0
        /// `stamp` when the share was found.
        var stamp: UInt32 = 0
        var share = 0.0
    }

    private static let pairs = 128
    private let slots: UnsafeMutablePointer<Slot>
    /// Counts changes of what is remembered.
    private let stamp: UnsafeMutablePointer<UInt32>

    init() {
        slots = .allocate(capacity: 2 * Self.pairs)
        slots.initialize(repeating: Slot(), count: 2 * Self.pairs)
        stamp = .allocate(capacity: 1)
        stamp.initialize(to: 1)
    }

    func deallocate() {
        slots.deallocate()
        stamp.deallocate()
    }

    /// The share of an action; made by `find` where it is not known. It has two places, of which the one written longer ago gives
    /// way.
    /// - Complexity: O(1)
    @inline(__always)
    func share(of action: UInt32, _ find: () -> Double) -> Double {
        let place = slots + 2 * Int(action % UInt32(Self.pairs))
        if place.pointee.action == action && place.pointee.stamp == stamp.pointee { return place.pointee.share }
        if place[1].action == action && place[1].stamp == stamp.pointee { return place[1].share }
        let share = find()
        place[1] = place[0]
        place[0] = Slot(action: action, stamp: stamp.pointee, share: share)
        return share
    }

    /// Nothing is known any more.
    func forget() { stamp.pointee &+= 1 }
}
