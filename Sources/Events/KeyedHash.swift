/// A fast keyed 64-bit hash for tables and fingerprints: a folded multiply over 16-byte strides, after wyhash
/// (Wang Yi, public domain). The key comes from the pipeline's secret, so that nobody outside can aim collisions
/// at a user's bounded tables; it is not a message authentication code.
public struct KeyedHash: Sendable, Equatable {
    @usableFromInline let k0: UInt64
    @usableFromInline let k1: UInt64

    public init(k0: UInt64, k1: UInt64) {
        self.k0 = k0
        self.k1 = k1
    }

    /// Derived from the secret by HMAC-SHA-256, so that the secret itself is never in a table.
    public init(secret: [UInt8]) {
        let words = AuthenticationKey(secret)(ByteView(staticText: "vigil keyed hash v1"))
        self.init(k0: words.0, k1: words.1 | 1)
    }

    @inlinable static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    @inlinable static func load64(_ p: UnsafePointer<UInt8>) -> UInt64 {
        UnsafeRawPointer(p).loadUnaligned(as: UInt64.self)
    }
    @inlinable static func load32(_ p: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(UnsafeRawPointer(p).loadUnaligned(as: UInt32.self))
    }

    /// - Complexity: O(*n*), about a byte per quarter cycle.
    @inline(__always)
    @inlinable public func callAsFunction(_ view: ByteView, seed: UInt64 = 0) -> UInt64 {
        let n = view.count
        // Most texts are of such a length.
        guard let p = view.base, n >= 4, n <= 16 else { return unusual(view, seed) }
        let middle = n >> 1 & 12
        return finish(
            Self.load32(p) << 32 | Self.load32(p + middle), Self.load32(p + n - 4) << 32 | Self.load32(p + n - 4 - middle),
            k0 ^ seed, n)
    }

    @inline(never)
    @usableFromInline func unusual(_ view: ByteView, _ seed: UInt64) -> UInt64 {
        let n = view.count
        guard let p = view.base else { return Self.fold(k0 ^ seed, k1 ^ 0x9E37_79B9_7F4A_7C15) }
        if n > 16 { return long(p, n, seed) }
        let a = n > 0 ? UInt64(p[0]) << 16 | UInt64(p[n >> 1]) << 8 | UInt64(p[n - 1]) : 0
        return finish(a, 0, k0 ^ seed, n)
    }

    @inline(__always)
    private func long(_ p: UnsafePointer<UInt8>, _ n: Int, _ seed: UInt64) -> UInt64 {
        var state = k0 ^ seed
        var i = n
        var q = p
        while i > 16 {
            state = Self.fold(Self.load64(q) ^ k1, Self.load64(q + 8) ^ state)
            q += 16
            i -= 16
        }
        return finish(Self.load64(q + i - 16), Self.load64(q + i - 8), state, n)
    }

    @inline(__always)
    @inlinable func finish(_ a: UInt64, _ b: UInt64, _ state: UInt64, _ n: Int) -> UInt64 {
        Self.fold(k1 ^ UInt64(n), Self.fold(a ^ k1, b ^ state) ^ 0xA076_1D64_78BD_642F)
    }

    /// Mixes two values.
    @inlinable public func callAsFunction(_ a: UInt64, _ b: UInt64) -> UInt64 {
        Self.fold(Self.fold(a ^ k0, b ^ k1) ^ k1, 0xE703_7ED1_A0B4_28DB)
    }
}
