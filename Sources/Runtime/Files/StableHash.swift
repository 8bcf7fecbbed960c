/// A hash that is the same on every machine and in every version: FNV-1a of 64 bits, finished by a mixer so that its
/// low bits are good enough to choose a partition. No secret in it: it routes, it protects nothing.
public struct StableHash: Sendable {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325
    public init() {}

    public mutating func combine(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }

    public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { combine(byte) }
    }

    /// The hash of what was combined so far.
    public var value: UInt64 {
        var mixed = state
        mixed ^= mixed >> 33
        mixed &*= 0xFF51_AFD7_ED55_8CCD
        mixed ^= mixed >> 33
        return mixed
    }

    /// The hash of an identity, (tenant, user). A separator that no id holds keeps ("ab","c") and ("a","bc") apart.
    public static func of(tenant: UnsafeRawBufferPointer, user: UnsafeRawBufferPointer) -> UInt64 {
        var hash = StableHash()
        hash.combine(tenant)
        hash.combine(0)
        hash.combine(user)
        return hash.value
    }
}
