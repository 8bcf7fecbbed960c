import Events

/// A list that rules name as `@name`: texts, in which `*` stands for any run of characters and `?` for one, or networks.
/// Whole texts are found by hash, so that a million of them cost no more than one; patterns are tried one by one.
///
/// Immutable, and shared by all policies that name it: the content is held once, in flat memory.
public final class EntryList: Sendable {
    /// Bytes of the longest entry.
    public static let mostEntryBytes = 1024
    /// Entries of the longest list.
    public static let mostEntries = 16_000_000

    /// `sha256:…` of the entries in their order: part of the plan's version.
    public let identity: String
    public let count: Int
    let table: EntryTable
    /// Bit 0 is the list's; nil where nothing asks it for an address.
    let networks: NetworkTable?

    /// `bytes` holds the entries, each without blanks at its ends, at `entries`. `isOfNetworks`: those that are network
    /// prefixes are found by address as well.
    /// - Complexity: O(*n*) in the bytes; O(*n* log *n*) in the networks.
    public init(bytes: [UInt8], entries: [Range<Int>], isOfNetworks: Bool = false) {
        precondition(entries.count <= Self.mostEntries, "a list has at most 16 million entries")
        precondition(entries.allSatisfy { $0.count <= Self.mostEntryBytes }, "an entry has at most 1024 bytes")
        count = entries.count
        table = EntryTable(bytes, entries)
        var prefixes: [NetworkPrefix] = []
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for entry in entries {
            text += bytes[entry]
            text.append(UInt8(ascii: "\n"))
            if isOfNetworks, let prefix = NetworkPrefix(String(decoding: bytes[entry], as: UTF8.self)[...]) { prefixes.append(prefix) }
        }
        networks = isOfNetworks ? NetworkTable([(1, prefixes)]) : nil
        identity = "sha256:" + Digest.hex(text.withUnsafeBufferPointer { Digest.sha256(ByteView(base: $0.baseAddress, count: $0.count)) })
    }

    /// A list of these texts.
    public convenience init(_ texts: [String], isOfNetworks: Bool = false) {
        var bytes: [UInt8] = []
        var entries: [Range<Int>] = []
        for text in texts {
            entries.append(bytes.count..<bytes.count + text.utf8.count)
            bytes += text.utf8
        }
        self.init(bytes: bytes, entries: entries, isOfNetworks: isOfNetworks)
    }

    deinit { table.deallocate() }

    /// Whether `text` is one of the entries, or fits a pattern among them.
    public func contains(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { table.contains(ByteView(base: $0.baseAddress, count: $0.count)) }
    }
}

extension EntryList: Equatable {
    public static func == (a: EntryList, b: EntryList) -> Bool {
        a.identity == b.identity && (a.networks == nil) == (b.networks == nil)
    }
}

/// Where a list's entries lie: borrowed from an `EntryList`, valid as long as that lives.
struct EntryTable: @unchecked Sendable {
    /// Any key does: what is looked for can choose where its search begins, but not what lies there.
    private static let hash = KeyedHash(k0: 0x6C69_7374_206F_6620, k1: 0x656E_7472_6965_7331)

    private let bytes: UnsafeMutablePointer<UInt8>
    /// Upper half: the upper half of an entry's hash; lower half: its number from 1. 0 where free.
    private let slots: UnsafeMutablePointer<UInt64>
    private let mask: Int
    /// Begin of each entry, and in the lowest 12 bits its length.
    private let places: UnsafeMutablePointer<UInt64>
    /// Entries with `*` or `?`.
    private let patterns: UnsafeMutablePointer<UInt32>
    private let patternCount: Int
    /// The marks of texts that may be an entry or fit one, as bits.
    private let marks: UnsafeMutablePointer<UInt64>

    init(_ content: [UInt8], _ entries: [Range<Int>]) {
        bytes = .allocate(capacity: max(content.count, 1))
        bytes.initialize(from: content, count: content.count)
        places = .allocate(capacity: max(entries.count, 1))
        var size = 4
        while size < 2 * entries.count { size *= 2 }
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        mask = size - 1
        marks = .allocate(capacity: 4)
        marks.initialize(repeating: 0, count: 4)
        var found: [UInt32] = []
        for (index, entry) in entries.enumerated() {
            (places + index).initialize(to: UInt64(entry.lowerBound) << 12 | UInt64(entry.count))
            if content[entry].prefix(3).contains(where: GlobPattern.isWild) {
                marks.update(repeating: .max, count: 4)
            } else if let mark = GlobPattern.mark(of: ByteView(base: UnsafePointer(bytes + entry.lowerBound), count: entry.count)) {
                marks[Int(mark >> 6)] |= 1 << UInt64(mark & 63)
            }
            if content[entry].contains(where: GlobPattern.isWild) {
                found.append(UInt32(index))
                continue
            }
            let hash = Self.hash(ByteView(base: UnsafePointer(bytes + entry.lowerBound), count: entry.count))
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = (hash & 0xFFFF_FFFF_0000_0000) | UInt64(index + 1)
        }
        patternCount = found.count
        patterns = .allocate(capacity: max(found.count, 1))
        patterns.initialize(from: found, count: found.count)
    }

    func deallocate() {
        bytes.deallocate()
        slots.deallocate()
        places.deallocate()
        patterns.deallocate()
        marks.deallocate()
    }

    /// False where a text of this mark is sure not to be an entry or fit one.
    func mayContain(mark: UInt8) -> Bool { marks[Int(mark >> 6)] >> UInt64(mark & 63) & 1 == 1 }

    private func entry(_ index: Int) -> ByteView {
        ByteView(base: UnsafePointer(bytes + Int(places[index] >> 12)), count: Int(places[index] & 0xFFF))
    }

    /// - Complexity: O(text), and for each pattern O(text × pattern)
    func contains(_ text: ByteView) -> Bool {
        let hash = Self.hash(text)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash >> 32, entry(Int(slots[slot] & 0xFFFF_FFFF) - 1).isEqual(to: text) { return true }
            slot = (slot + 1) & mask
        }
        for index in 0..<patternCount where Events.matches(glob: entry(Int(patterns[index])), text) { return true }
        return false
    }

    /// Whether a text that holds a `/` fits a pattern that holds none.
    func hasUnqualified(_ text: ByteView) -> Bool {
        for index in 0..<patternCount {
            let pattern = entry(Int(patterns[index]))
            if !pattern.bytes.contains(UInt8(ascii: "/")) && Events.matches(glob: pattern, text) { return true }
        }
        return false
    }
}
