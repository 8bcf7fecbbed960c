/// A text of up to sixteen bytes, which one comparison finds where it may stand.
struct ExpectedText: Equatable {
    static var mostBytes: Int { 16 }

    /// In bytes.
    private(set) var length = 0
    /// The bytes, the first in the lowest, and which of them count.
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var lowMask: UInt64 = 0
    private var highMask: UInt64 = 0

    /// Of a longer text the first sixteen bytes.
    init(_ text: some Sequence<UInt8>) {
        for byte in text { append(byte) }
    }

    mutating func append(_ byte: UInt8) {
        guard length < Self.mostBytes else { return }
        let shift = UInt64(8 * (length % 8))
        if length < 8 {
            low |= UInt64(byte) << shift
            lowMask |= 0xFF << shift
        } else {
            high |= UInt64(byte) << shift
            highMask |= 0xFF << shift
        }
        length += 1
    }

    /// Whether it stands there, sixteen bytes of which can be read.
    @inline(__always)
    func stands(at start: UnsafePointer<UInt8>) -> Bool {
        let p = UnsafeRawPointer(start)
        let first = UInt64(littleEndian: p.loadUnaligned(as: UInt64.self))
        let second = UInt64(littleEndian: p.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        return (first ^ low) & lowMask | (second ^ high) & highMask == 0
    }
}

/// A key as most producers write it, and what followed it last time.
struct ExpectedKey {
    var key: ContractKey
    /// The object whose key it is, as a number; `nowhere` when it is too long to be compared, or stands for the record's
    /// beginning.
    var object: UInt8
    static let nowhere = UInt8.max
    /// From the opening quote to the colon.
    var text: ExpectedText
    /// A string is kept as it is when what it has more than `least` bytes is less than `room`; none is where there is no room.
    var least = 0
    var room: UInt = 0
    /// Where it is kept, in bytes from the event's beginning.
    var place = 0
    var next: UnsafeMutablePointer<ExpectedKey>
    /// The list of names it had last, with its brackets, and the bits they stand for; at first what is no list, so that nothing
    /// is taken for it.
    var list = ExpectedText(CollectionOfOne(UInt8(ascii: "\"")))
    var names: UInt32 = 0

    /// Of no text.
    init(_ key: ContractKey, next: UnsafeMutablePointer<ExpectedKey>) {
        (self.key, object, text, self.next) = (key, Self.nowhere, ExpectedText(EmptyCollection()), next)
    }

    init(_ name: ByteView, of object: UInt8, _ key: ContractKey, next: UnsafeMutablePointer<ExpectedKey>) {
        (self.key, self.object, self.next) = (key, name.count <= Self.mostBytes ? object : Self.nowhere, next)
        text = ExpectedText(CollectionOfOne(UInt8(ascii: "\"")))
        for byte in name.bytes { text.append(byte) }
        text.append(UInt8(ascii: "\""))
        text.append(UInt8(ascii: ":"))
    }

    /// Of a name that can be compared: without quotes and colon.
    static var mostBytes: Int { ExpectedText.mostBytes - 3 }
}

/// What the keys of the next record are expected to be: a producer writes its fields in one order, so each key is most often
/// followed by what followed it in the record before, and one comparison takes the place of finding where it ends and
/// looking it up. Keys the contract doesn't know are learned as they come. Only a guess: what stands in the record decides.
/// Belongs to one decoder.
struct ExpectedKeys {
    /// By the keys' numbers, and one that stands for the beginning.
    private let keys: UnsafeMutablePointer<ExpectedKey>
    private let count: Int
    /// Keys the contract doesn't know, of ASCII and not too long to be compared, as they come.
    private let learned: UnsafeMutablePointer<ExpectedKey>
    private static var learnedCount: Int { 8 }
    private let oldest: UnsafeMutablePointer<Int>
    /// Every other key the contract doesn't know; it has no bit.
    let unknown: UnsafeMutablePointer<ExpectedKey>
    /// The names of those in one record.
    let unknownNames: UnsafeMutablePointer<ByteView>
    static var mostUnknown: Int { 8 }

    init(_ names: [(text: String, object: ContractObject, key: ContractKey)], _ bounds: DecodeBounds) {
        precondition(names.count + Self.learnedCount <= 64)
        count = names.count
        keys = .allocate(capacity: count + 2 + Self.learnedCount)
        let beginning = keys + count
        unknown = beginning + 1
        learned = beginning + 2
        oldest = .allocate(capacity: 1)
        oldest.initialize(to: 0)
        unknownNames = .allocate(capacity: Self.mostUnknown)
        for (number, name) in names.enumerated() {
            let key = keys + number
            var text = name.text
            text.withUTF8 {
                key.initialize(
                    to: ExpectedKey(ByteView(UnsafeRawBufferPointer($0)), of: name.object.rawValue, name.key, next: beginning))
            }
            guard name.key.isField, let place = Event.place(of: name.key.field) else { continue }
            key.pointee.place = place
            key.pointee.least = name.key.value == .identifier ? 1 : 0
            key.pointee.room = UInt(name.key.value == .identifier ? bounds.idBytes : bounds.textBytes + 1)
        }
        for key in [beginning, unknown] { key.initialize(to: ExpectedKey(ContractKey(bit: 0, value: .skipped), next: beginning)) }
        for number in 0..<Self.learnedCount {
            let key = ContractKey(bit: 1 << UInt64(count + number), value: .skipped)
            (learned + number).initialize(to: ExpectedKey(key, next: beginning))
        }
    }

    func deallocate() {
        keys.deallocate()
        unknownNames.deallocate()
        oldest.deallocate()
    }

    @inline(__always)
    var beginning: UnsafeMutablePointer<ExpectedKey> { keys + count }

    /// The place of a key the contract doesn't know, of ASCII and at most `ExpectedKey.mostBytes`; nil when this record had it
    /// already, or as many others as there is room for.
    func learn(_ name: ByteView, of object: UInt8, _ met: UInt64) -> UnsafeMutablePointer<ExpectedKey>? {
        var made = ExpectedKey(name, of: object, learned.pointee.key, next: beginning)
        var free: Int?
        for turn in 0..<Self.learnedCount {
            let number = (oldest.pointee + turn) % Self.learnedCount
            let held = learned + number
            let isMet = held.pointee.key.bit & met != 0
            if held.pointee.object == object, held.pointee.text == made.text { return isMet ? nil : held }
            if !isMet, free == nil { free = number }
        }
        guard let free else { return nil }
        oldest.pointee = (free + 1) % Self.learnedCount
        made.key = learned[free].key
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
