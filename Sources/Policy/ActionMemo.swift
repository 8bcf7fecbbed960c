import Events

/// Which names of actions fit what a policy's conditions ask for, remembered by the whole name: few names make most events,
/// and trying dozens of patterns for each of them is too dear. What it has forgotten changes only the time it takes.
///
/// Not thread safe: it belongs to one policy, and that to one engine.
struct ActionMemo {
    /// One name, and what is known of it.
    struct Slot {
        /// Bytes of the name; 0 while the slot is free.
        var count = 0
        /// The name, in words that overlap where it doesn't fill them.
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        /// Sets that it was compared with, as bits, and those of them that it fits.
        var known: UInt64 = 0
        var fitting: UInt64 = 0
    }

    /// Sets of names that are remembered of; of those beyond, the patterns are tried for each event.
    static let mostSets = 64
    /// Bytes of the longest name that is remembered.
    static let mostBytes = 32
    private static let pairs = 128
    private let slots: UnsafeMutablePointer<Slot>

    init() {
        slots = .allocate(capacity: 2 * Self.pairs)
        slots.initialize(repeating: Slot(), count: 2 * Self.pairs)
    }

    func deallocate() { slots.deallocate() }

    /// What is known of the name, for which two places may be: the later of two others gives way last. Nil for a name that is
    /// too long, or none.
    /// - Complexity: O(1)
    func slot(of name: ByteView) -> UnsafeMutablePointer<Slot>? {
        guard let base = name.base, name.count > 0, name.count <= Self.mostBytes else { return nil }
        let words = Self.words(base, name.count)
        let mixed = (words.0 &+ words.2.byteSwapped) &* 0x9E37_79B9_7F4A_7C15 ^ (words.1 &+ words.3) &* 0xC2B2_AE3D_27D4_EB4F
        let place = slots + 2 * Int(((mixed ^ mixed >> 29) &* 0x1656_67B1_9E37_79F9) >> 57)
        if place.pointee.count == name.count && place.pointee.words == words { return place }
        if place[1].count == name.count && place[1].words == words { return place + 1 }
        place[1] = place[0]
        place[0] = Slot(count: name.count, words: words)
        return place
    }

    /// 1 to `mostBytes` bytes; equal for equal names of one length alone.
    @inline(__always)
    private static func words(_ base: UnsafePointer<UInt8>, _ count: Int) -> (UInt64, UInt64, UInt64, UInt64) {
        let raw = UnsafeRawPointer(base)
        func eight(_ at: Int) -> UInt64 { raw.loadUnaligned(fromByteOffset: at, as: UInt64.self) }
        func four(_ at: Int) -> UInt64 { UInt64(raw.loadUnaligned(fromByteOffset: at, as: UInt32.self)) }
        if count > 16 { return (eight(0), eight(8), eight(count - 16), eight(count - 8)) }
        if count >= 8 { return (eight(0), eight(count - 8), 0, 0) }
        if count >= 4 { return (four(0), four(count - 4), 0, 0) }
        return (UInt64(base[0]) << 16 | UInt64(base[count >> 1]) << 8 | UInt64(base[count - 1]), 0, 0, 0)
    }
}
