/// A number up to 255, in its place above the length and three bytes of a name.
struct KeyGroup {
    let bits: UInt64
    @inline(__always) init(_ number: UInt8) { bits = UInt64(number) << 56 }
}

/// Finds what one of a fixed set of short names means, each in a group, without a loop: group, length and first three
/// bytes choose a slot, and the whole name is compared there. The multiplier is searched when the table is made, so
/// that every name has a slot of its own.
struct KeyTable<Meaning>: @unchecked Sendable {
    private struct Entry {
        /// First, so that a pointer to the entry is one to it.
        var meaning: Meaning
        /// The first eight bytes, the first in the lowest; shorter names have zeros.
        var first: UInt64
        /// The last eight bytes of a name longer than that.
        var last: UInt64
        /// Length (32 bits), first three bytes, group.
        var head: UInt64
    }

    /// A slot that no name has holds any entry: none equals it. Never freed: tables live as long as the process.
    private let entries: UnsafeMutablePointer<Entry>
    private let multiplier: UInt64
    private static var bits: UInt64 { 7 }

    /// Names of 2 to 16 bytes, the first three of them unlike those of other names of their group and length.
    init(_ names: [(text: String, group: KeyGroup, meaning: Meaning)]) {
        let made = names.map { name in
            let bytes = Array(name.text.utf8)
            precondition((2...16).contains(bytes.count), "a key is 2 to 16 bytes long")
            return Entry(
                meaning: name.meaning, first: Self.word(bytes.prefix(8)),
                last: bytes.count > 8 ? Self.word(bytes.suffix(8)) : 0, head: Self.head(bytes, name.group))
        }
        precondition(Set(made.map(\.head)).count == made.count && made.count < 64)
        var candidate: UInt64 = 0x9E37_79B9_7F4A_7C15
        while Set(made.map { Self.slot($0.head, candidate) }).count < made.count {
            candidate = candidate &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 | 1
        }
        multiplier = candidate
        entries = .allocate(capacity: 1 << Int(Self.bits))
        entries.initialize(repeating: made[0], count: 1 << Int(Self.bits))
        for entry in made { entries[Self.slot(entry.head, candidate)] = entry }
    }

    private static func word(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func head(_ bytes: some Collection<UInt8>, _ group: KeyGroup) -> UInt64 {
        word(bytes.prefix(3)) << 32 | group.bits | UInt64(bytes.count)
    }

    @inline(__always)
    private static func slot(_ head: UInt64, _ multiplier: UInt64) -> Int {
        Int(truncatingIfNeeded: (head &* multiplier) >> (64 - bits))
    }

    /// For a name in one of the parser's buffers or in a record in the plain form, where at least eight bytes can be read from
    /// its start on.
    @inline(__always)
    func find(parsed name: ByteView, group: KeyGroup) -> UnsafePointer<Meaning>? {
        let p = UnsafeRawPointer(name.base.unsafelyUnwrapped)
        let excess = UInt64(truncatingIfNeeded: max(0, 8 &- name.count) &* 8)
        // What stands behind a shorter name goes. An empty one is found by no length.
        let first = (UInt64(littleEndian: p.loadUnaligned(as: UInt64.self)) &<< excess) &>> excess
        let head = (first & 0xFF_FFFF) << 32 | UInt64(truncatingIfNeeded: name.count) | group.bits
        let entry = entries + Self.slot(head, multiplier)
        guard entry.pointee.head == head, entry.pointee.first == first else { return nil }
        if name.count > 8 {
            let last = UInt64(littleEndian: (p + (name.count &- 8)).loadUnaligned(as: UInt64.self))
            guard entry.pointee.last == last else { return nil }
        }
        return UnsafeRawPointer(entry).assumingMemoryBound(to: Meaning.self)
    }

    /// For a name that lies anywhere.
    func find(_ name: ByteView, group: KeyGroup) -> Meaning? {
        guard (2...16).contains(name.count) else { return nil }
        let head = Self.head(name.bytes, group)
        let entry = entries[Self.slot(head, multiplier)]
        guard entry.head == head, entry.first == Self.word(name.bytes.prefix(8)),
            name.count <= 8 || entry.last == Self.word(name.bytes.suffix(8))
        else { return nil }
        return entry.meaning
    }
}
