/// A growing, reusable run of bytes. Appending allocates only while it grows to its working size.
public struct OutputBuffer: ~Copyable {
    public private(set) var base: UnsafeMutablePointer<UInt8>
    public private(set) var count = 0
    @usableFromInline var capacity: Int

    public init(capacity: Int = 4096) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    public mutating func removeAll() { count = 0 }

    @inline(__always)
    public mutating func append(_ byte: UInt8) {
        if count == capacity { grow(by: 1) }
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    public mutating func append(_ text: StaticString) { append(text.utf8Start, count: text.utf8CodeUnitCount) }
    public mutating func append(_ view: ByteView) { if let base = view.base { append(base, count: view.count) } }
    public mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        if let base = bytes.baseAddress { append(base, count: bytes.count) }
    }
    /// For text made off the hot path.
    public mutating func append(text: String) { for byte in text.utf8 { append(byte) } }

    @inline(__always)
    public mutating func append(_ bytes: UnsafePointer<UInt8>, count added: Int) {
        if capacity &- count < added { grow(by: added) }
        (base + count).update(from: bytes, count: added)
        count &+= added
    }

    /// Appends what `body` writes, which must be no more than so many bytes: room is made for them once.
    @inlinable @inline(__always)
    public mutating func write(atMost bytes: Int, _ body: (inout TextCursor) -> Void) {
        if capacity &- count < bytes { grow(by: bytes) }
        var cursor = TextCursor(base + count)
        body(&cursor)
        end(at: cursor)
    }

    @usableFromInline
    mutating func end(at cursor: TextCursor) {
        count = cursor.next - base
        precondition(count <= capacity)
    }

    /// The bytes from `start` to the end: valid until the next append.
    public func view(from start: Int) -> ByteView { ByteView(base: UnsafePointer(base + start), count: count - start) }
    public func view(_ range: Range<Int>) -> ByteView {
        ByteView(base: UnsafePointer(base + range.lowerBound), count: range.count)
    }

    @usableFromInline @inline(never)
    mutating func grow(by added: Int) {
        capacity = max(capacity * 2, count + added)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
    }
}
