import CSimdjson

/// Asks for memory to be brought into the cache, for whoever knows what it will read before it can. Nothing is read.
/// - Complexity: O(`bytes`), an instruction for a cache line of 64.
@inlinable @inline(__always)
public func prefetch(_ start: UnsafeRawPointer, bytes: Int) { vj_prefetch(start, bytes) }
