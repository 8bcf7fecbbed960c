/// Bytes borrowed from a batch or from the decoder: valid until the next record is decoded at least (see
/// `EventDecoder.borrowsRecordOnly`), never stored.
///
/// A pointer pair instead of `RawSpan` because an `Event` holds thirty of them and lives in reused storage;
/// `Engine.step` is the only scope in which one is read.
public struct ByteView: @unchecked Sendable {
    public var base: UnsafePointer<UInt8>?
    public var count: Int

    @inlinable public init(base: UnsafePointer<UInt8>?, count: Int) {
        self.base = base
        self.count = count
    }

    @inlinable public init(_ bytes: UnsafeRawBufferPointer) {
        self.init(base: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    }

    /// Bytes that live as long as the process.
    @inlinable public init(staticText: StaticString) {
        self.init(base: staticText.utf8Start, count: staticText.utf8CodeUnitCount)
    }

    /// No value at all, which is not the same as an empty one.
    @inlinable public static var absent: ByteView { ByteView(base: nil, count: 0) }

    @inlinable public var isPresent: Bool { base != nil }
    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable public var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }
    @inlinable public subscript(index: Int) -> UInt8 { base.unsafelyUnwrapped[index] }

    /// The first `count` bytes.
    @inlinable public func prefix(_ count: Int) -> ByteView { ByteView(base: base, count: min(count, self.count)) }

    @inlinable public static func == (a: ByteView, b: StaticString) -> Bool {
        a.count == b.utf8CodeUnitCount && memcmp(a.base, b.utf8Start, a.count) == 0
    }

    @inline(__always)
    @inlinable public func isEqual(to other: ByteView) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8, count <= 16, let base, let start = other.base else { return memcmp(base, other.base, count) == 0 }
        // Most names take two words that overlap.
        let (mine, theirs, last) = (UnsafeRawPointer(base), UnsafeRawPointer(start), count &- 8)
        let first = mine.loadUnaligned(as: UInt64.self) ^ theirs.loadUnaligned(as: UInt64.self)
        let second = mine.loadUnaligned(fromByteOffset: last, as: UInt64.self)
        return first | (second ^ theirs.loadUnaligned(fromByteOffset: last, as: UInt64.self)) == 0
    }

    /// A copy, for messages and tests; not for the hot path.
    public var string: String { String(decoding: bytes, as: UTF8.self) }
}

@usableFromInline
func memcmp(_ a: UnsafePointer<UInt8>?, _ b: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    if count == 0 { return 0 }
    guard let a, let b else { return a == b ? 0 : 1 }
    return Glibc.memcmp(a, b, count)
}
import Glibc
