/// Reads little-endian values from bytes that come from outside.
struct StateReader {
    private let bytes: UnsafeRawBufferPointer
    private let subject: StaticString
    private(set) var at = 0

    /// `subject` is what the bytes are, for messages.
    init(_ bytes: UnsafeRawBufferPointer, of subject: StaticString) {
        self.bytes = bytes
        self.subject = subject
    }

    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[at...]) }

    mutating func next<T: FixedWidthInteger>(_: T.Type) throws(StateError) -> T {
        guard bytes.count - at >= MemoryLayout<T>.size else { throw StateError("\(subject) is cut short") }
        defer { at += MemoryLayout<T>.size }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: T.self))
    }

    /// A 32-bit count of things that take at least so many bytes each; they must be there.
    mutating func count(of size: Int) throws(StateError) -> Int {
        let count = Int(try next(UInt32.self))
        guard count <= (bytes.count - at) / size else { throw StateError("\(subject) is cut short") }
        return count
    }

    mutating func words(_ count: Int) throws(StateError) -> [Int64] {
        var words: [Int64] = []
        for _ in 0..<count { words.append(try next(Int64.self)) }
        return words
    }

    /// A run of bytes behind its 32-bit length.
    mutating func run() throws(StateError) -> UnsafeRawBufferPointer {
        let length = try count(of: 1)
        defer { at += length }
        return UnsafeRawBufferPointer(rebasing: bytes[at..<at + length])
    }

    func end() throws(StateError) {
        guard at == bytes.count else { throw StateError("\(subject) is longer than it says") }
    }
}
