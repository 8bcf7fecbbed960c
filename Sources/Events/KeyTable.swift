/// Finds one of a fixed set of short names (at most 16 bytes) by its length and first and last eight bytes.
/// The multiplier is searched when the table is made, so that every name has a slot of its own.
struct KeyTable: @unchecked Sendable {
    struct Entry {
        var first: UInt64 = 0
        var last: UInt64 = 0
        var count = -1
        var index = -1
    }

    /// Never freed: tables live as long as the process.
    private let entries: UnsafeMutablePointer<Entry>
    private let multiplier: UInt64
    private let shift: UInt64

    init(_ names: [String]) {
        let bits: UInt64 = 7
        let size = 1 << Int(bits)
        precondition(names.count < size / 2)
        let wanted = names.enumerated().map { index, text in
            let name = Array(text.utf8)
            precondition((1...16).contains(name.count), "a key is 1 to 16 bytes long")
            return Entry(
                first: Self.word(name, from: 0),
                last: name.count > 8 ? Self.word(name, from: name.count - 8) : 0,
                count: name.count, index: index)
        }
        entries = .allocate(capacity: size)
        shift = 64 - bits
        var candidate: UInt64 = 0x9E37_79B9_7F4A_7C15
        search: while true {
            entries.update(repeating: Entry(), count: size)
            for entry in wanted {
                let slot = Int(Self.mix(entry.first, entry.last, entry.count, candidate) >> shift)
                if entries[slot].count >= 0 {
                    candidate = candidate &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 | 1
                    continue search
                }
                entries[slot] = entry
            }
            break
        }
        multiplier = candidate
    }

    private static func word(_ name: [UInt8], from start: Int) -> UInt64 {
        var word: UInt64 = 0
        for i in 0..<min(8, name.count - start) {
            word |= UInt64(name[start + i]) << UInt64(8 * i)
        }
        return word
    }

    @inline(__always)
    private static func mix(_ first: UInt64, _ last: UInt64, _ count: Int, _ multiplier: UInt64) -> UInt64 {
        (first ^ (last &* 0xD6E8_FEB8_6659_FD93) ^ UInt64(truncatingIfNeeded: count)) &* multiplier
    }

    /// The index of the name, or -1. Eight bytes from `p` must be readable, as they are in the parser's string buffer.
    @inline(__always)
    func index(_ p: UnsafePointer<UInt8>, _ count: Int) -> Int {
        guard count > 0, count <= 16 else { return -1 }
        var first = UInt64(littleEndian: UnsafeRawPointer(p).loadUnaligned(as: UInt64.self))
        var last: UInt64 = 0
        if count < 8 {
            first &= (1 << UInt64(truncatingIfNeeded: 8 &* count)) &- 1
        } else if count > 8 {
            last = UInt64(littleEndian: UnsafeRawPointer(p + (count - 8)).loadUnaligned(as: UInt64.self))
        }
        let entry = entries + Int(truncatingIfNeeded: Self.mix(first, last, count, multiplier) >> shift)
        guard entry.pointee.first == first, entry.pointee.last == last, entry.pointee.count == count else { return -1 }
        return entry.pointee.index
    }
}

extension KeyTable {
    /// As `index`, for bytes after which nothing may be read.
    func index(copying view: ByteView) -> Int {
        guard let p = view.base, view.count <= 16 else { return -1 }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { copy in
            copy.initialize(repeating: 0)
            for i in 0..<view.count { copy[i] = p[i] }
            return index(UnsafePointer(copy.baseAddress!), view.count)
        }
    }
}
