/// The keys of one record that the contract doesn't know, to find one that comes twice in its object.
/// Only touched by such keys. Its owner frees it.
struct SeenKeys {
    /// Round (32 bits), object (3 bits), place in the parser's string buffer plus one (29 bits).
    private let slots: UnsafeMutablePointer<UInt64>
    private let mask: Int
    private var round: UInt32 = 0
    private let hash = KeyedHash(k0: 0x2545_F491_4F6C_DD1D, k1: 0x9E37_79B9_7F4A_7C15)

    init(capacity: Int) {
        var size = 64
        while size < capacity * 2 { size *= 2 }
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        mask = size - 1
    }

    func deallocate() { slots.deallocate() }

    /// Forgets every key.
    mutating func begin() {
        if round == .max {
            slots.update(repeating: 0, count: mask + 1)
            round = 0
        }
        round += 1
    }

    /// False when the object had the key already.
    func insert(_ key: ByteView, of object: ContractObject, in tape: Tape) -> Bool {
        let place = UInt64(UInt(bitPattern: key.base! - tape.strings)) + 1
        var slot = Int(truncatingIfNeeded: hash(key)) & mask
        while true {
            let held = slots[slot]
            if UInt32(truncatingIfNeeded: held >> 32) != round {
                slots[slot] = UInt64(round) << 32 | UInt64(object.rawValue) << 29 | place
                return true
            }
            let p = tape.strings + Int(held & 0x1FFF_FFFF) - 1
            let count = UnsafeRawPointer(p - 4).loadUnaligned(as: UInt32.self)
            if UInt8(truncatingIfNeeded: held >> 29) & 7 == object.rawValue,
                key.isEqual(to: ByteView(base: p, count: Int(UInt32(littleEndian: count))))
            {
                return false
            }
            slot = (slot + 1) & mask
        }
    }
}
