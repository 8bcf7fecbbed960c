/// A key as most producers write it, from the opening quote to the colon, and what followed it last time.
struct ExpectedKey {
    var key: ContractKey
    /// Where it is a key; nil: nowhere, as it is too long to be compared, or stands for the record's beginning.
    var object: ContractObject?
    /// Its first sixteen bytes, the first in the lowest, and which of them count.
    var low: UInt64 = 0
    var high: UInt64 = 0
    var lowMask: UInt64 = 0
    var highMask: UInt64 = 0
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
/// looking it up. Only a guess: what stands in the record decides. Belongs to one decoder.
struct ExpectedKeys {
    /// By the keys' numbers, and one that stands for the beginning.
    private let keys: UnsafeMutablePointer<ExpectedKey>
    private let count: Int

    init(_ names: [(text: String, object: ContractObject, key: ContractKey)]) {
        count = names.count
        keys = .allocate(capacity: count + 1)
        let beginning = keys + count
        func word(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        func mask(_ count: Int) -> UInt64 { count >= 8 ? .max : 1 << UInt64(max(count, 0) * 8) - 1 }
        for (number, name) in names.enumerated() {
            let bytes = Array("\"\(name.text)\":".utf8)
            (keys + number).initialize(
                to: ExpectedKey(
                    key: name.key, object: bytes.count <= 16 ? name.object : nil, low: word(bytes.prefix(8)),
                    high: word(bytes.dropFirst(8).prefix(8)), lowMask: mask(bytes.count), highMask: mask(bytes.count - 8),
                    next: beginning))
        }
        beginning.initialize(to: ExpectedKey(key: names[0].key, object: nil, next: beginning))
    }

    func deallocate() { keys.deallocate() }

    @inline(__always)
    var beginning: UnsafeMutablePointer<ExpectedKey> { keys + count }

    /// Where that key of the contract is kept.
    @inline(__always)
    func place(of key: ContractKey) -> UnsafeMutablePointer<ExpectedKey> { keys + key.bit.trailingZeroBitCount }
}
