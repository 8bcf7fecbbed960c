import CSimdjson

/// Asks for memory to be brought into the cache, for whoever knows what it will read before it can. Nothing is read.
/// - Complexity: O(`bytes`), an instruction for a cache line of 64.
@inlinable @inline(__always)
public func prefetch(_ start: UnsafeRawPointer, bytes: Int) { vj_prefetch(start, bytes) }

/// Bit i: the first word of slot i, masked, is `value`; of up to 64 slots of two words of 32 bits.
/// - Complexity: O(slots), sixteen at a time where the processor can.
@inlinable @inline(__always)
public func matches(of value: UInt32, mask: UInt32, in slots: UnsafeRawPointer, count: Int) -> UInt64 {
    vj_matches(slots, count, value, mask)
}
