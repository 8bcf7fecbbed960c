/// A key as most producers write it, from the opening quote to the colon, and what followed it last time.
struct ExpectedKey {
    var key: ContractKey
    /// The object whose key it is, as a number; `nowhere` when it is too long to be compared, or stands for the record's
    /// beginning.
    var object: UInt8
    static let nowhere = UInt8.max
    /// In bytes.
    var length = 0
    /// Its first sixteen bytes, the first in the lowest, and which of them count.
    var low: UInt64 = 0
    var high: UInt64 = 0
    var lowMask: UInt64 = 0
    var highMask: UInt64 = 0
    /// A string of `least` bytes and up to as many more as `room` is more than nothing is kept as it is, that many bytes from
    /// the beginning of the event. No room where strings are something else.
    var least = 0
    var room: UInt = 0
    var place = 0
    var next: UnsafeMutablePointer<ExpectedKey>

    /// Whether it stands there, sixteen bytes of which can be read.
    @inline(__always)
    func stands(at start: UnsafePointer<UInt8>) -> Bool {
        let p = UnsafeRawPointer(start)
        let first = UInt64(littleEndian: p.loadUnaligned(as: UInt64.self))
        let second = UInt64(littleEndian: p.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        return (first ^ low) & lowMask | (second ^ high) & highMask == 0
    }
}

/// What the keys of the next record are expected to be: a producer writes its fields in one order, so each key is most often
/// followed by what followed it in the record before, and one comparison takes the place of finding where it ends and
/// looking it up. Keys the contract doesn't know are learned as they come. Only a guess: what stands in the record decides. Belongs to one decoder.
struct ExpectedKeys {
    /// By the keys' numbers, and one that stands for the beginning.
    private let keys: UnsafeMutablePointer<ExpectedKey>
    private let count: Int
    /// Keys the contract doesn't know, as they come.
    private let learned: UnsafeMutablePointer<ExpectedKey>
    private let oldest: UnsafeMutablePointer<Int>
    private static var learnedCount: Int { 8 }
    /// Every key the contract doesn't know and that is too long to be learned; it has no bit.
    let unknown: UnsafeMutablePointer<ExpectedKey>
    /// The names of those in one record.
    let unknownNames: UnsafeMutablePointer<ByteView>
    static var mostUnknown: Int { 8 }
    /// As many bytes can be compared, less quotes and colon.
    static var mostLearned: Int { 13 }

    init(_ names: [(text: String, object: ContractObject, key: ContractKey)], _ bounds: DecodeBounds) {
        count = names.count
        keys = .allocate(capacity: count + 2 + Self.learnedCount)
        let beginning = keys + count
        unknown = beginning + 1
        learned = beginning + 2
        oldest = .allocate(capacity: 1)
        oldest.initialize(to: 0)
        unknownNames = .allocate(capacity: Self.mostUnknown)
        func word(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        for (number, name) in names.enumerated() {
            let bytes = Array("\"\(name.text)\":".utf8)
            let key = keys + number
            key.initialize(
                to: ExpectedKey(
                    key: name.key, object: bytes.count <= 16 ? name.object.rawValue : ExpectedKey.nowhere, length: bytes.count,
                    low: word(bytes.prefix(8)), high: word(bytes.dropFirst(8).prefix(8)), lowMask: Self.mask(bytes.count),
                    highMask: Self.mask(bytes.count - 8), next: beginning))
            guard name.key.isField, let place = Event.place(of: name.key.field) else { continue }
            key.pointee.place = place
            key.pointee.least = name.key.value == .identifier ? 1 : 0
            key.pointee.room = UInt(name.key.value == .identifier ? bounds.idBytes : bounds.textBytes + 1)
        }
        let none = ContractKey(bit: 0, value: .skipped)
        beginning.initialize(to: ExpectedKey(key: none, object: ExpectedKey.nowhere, next: beginning))
        unknown.initialize(to: ExpectedKey(key: none, object: ExpectedKey.nowhere, next: beginning))
        precondition(count + Self.learnedCount <= 64)
        for number in 0..<Self.learnedCount {
            (learned + number).initialize(
                to: ExpectedKey(
                    key: ContractKey(bit: 1 << UInt64(count + number), value: .skipped), object: ExpectedKey.nowhere, next: beginning))
        }
    }

    /// The lowest `count` bytes of a word.
    private static func mask(_ count: Int) -> UInt64 { count >= 8 ? .max : 1 << UInt64(max(count, 0) * 8) - 1 }

    func deallocate() {
        keys.deallocate()
        unknownNames.deallocate()
        oldest.deallocate()
    }

    @inline(__always)
    var beginning: UnsafeMutablePointer<ExpectedKey> { keys + count }

    /// The place of a key the contract doesn't know, of at most `mostLearned` bytes; nil when it was met already in this
    /// record, or as many others were as there is room for.
    func learn(_ name: ByteView, of object: UInt8, _ met: UInt64) -> UnsafeMutablePointer<ExpectedKey>? {
        var text = InlineArray<16, UInt8>(repeating: 0)
        text[0] = UInt8(ascii: "\"")
        for i in 0..<name.count { text[i + 1] = name[i] }
        (text[name.count + 1], text[name.count + 2]) = (UInt8(ascii: "\""), UInt8(ascii: ":"))
        var made = ExpectedKey(key: learned.pointee.key, object: object, length: name.count + 3, next: beginning)
        for i in (0..<8).reversed() {
            (made.low, made.high) = (made.low << 8 | UInt64(text[i]), made.high << 8 | UInt64(text[i + 8]))
        }
        (made.lowMask, made.highMask) = (Self.mask(made.length), Self.mask(made.length - 8))
        var free: Int?
        for turn in 0..<Self.learnedCount {
            let number = (oldest.pointee + turn) % Self.learnedCount
            let held = learned + number
            let isMet = held.pointee.key.bit & met != 0
            if held.pointee.object == object, held.pointee.length == made.length, held.pointee.low == made.low,
                held.pointee.high == made.high
            {
                return isMet ? nil : held
            }
            if !isMet, free == nil { free = number }
        }
        guard let free else { return nil }
        oldest.pointee = (free + 1) % Self.learnedCount
        made.key.bit = (learned + free).pointee.key.bit
        learned[free] = made
        return learned + free
    }

    /// Where that key of the contract is kept.
    @inline(__always)
    func place(of key: ContractKey) -> UnsafeMutablePointer<ExpectedKey> { keys + key.bit.trailingZeroBitCount }
}

extension Event {
    /// Where `set` puts the text of a field, in bytes from the event's beginning; nil when it doesn't.
    fileprivate static func place(of field: EventField) -> Int? {
        let mark = ByteView(staticText: "mark")
        var event = Event()
        event.set(field, mark)
        return withUnsafeBytes(of: &event) { bytes in
            stride(from: 0, to: bytes.count - MemoryLayout<ByteView>.size, by: MemoryLayout<ByteView>.alignment).first { place in
                let view = bytes.load(fromByteOffset: place, as: (base: UInt, count: Int).self)
                return view.base == UInt(bitPattern: mark.base) && view.count == mark.count
            }
        }
    }
}
