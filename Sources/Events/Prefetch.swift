import CSimdjson

/// Asks the processor to bring these bytes into its cache. A hint: it never faults and changes nothing.
public func prefetch(_ base: UnsafeRawPointer, bytes: Int) { vj_prefetch(base, bytes) }
