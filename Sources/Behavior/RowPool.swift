import Glibc

/// Memory for rows of up to 64 KiB less 64 bytes, cut from 2 MiB chunks, with a free list for each size there is: steps of 64
/// bytes up to a kibibyte, then four to an octave, so that what one user has outgrown soon fits another, and a row mostly
/// grows where it lies. Nothing is given back to the system before the pool goes.
struct RowPool: ~Copyable {
    private var free: [UnsafeMutableRawPointer?]
    private var chunks: [UnsafeMutableRawPointer] = []
    private var cursor: UnsafeMutableRawPointer?
    private var left = 0
    private(set) var usedBytes = 0
    static let chunkBytes = 2 << 20

    /// Which size a row of so many bytes takes, and how many bytes that is; at most a quarter more.
    @inline(__always)
    static func size(for byteCount: Int) -> (index: Int, bytes: Int) {
        let octave = max(Int.bitWidth - 10 - (byteCount - 1).leadingZeroBitCount, 0)
        let shift = octave == 0 ? 6 : octave + 7
        let steps = (byteCount - 1) >> shift + 1
        return (octave == 0 ? steps : octave * 4 + 8 + steps, steps << shift)
    }

    init() { free = Array(repeating: nil, count: Self.size(for: 65_536).index + 1) }

    deinit { for chunk in chunks { chunk.deallocate() } }

    /// `byteCount` must be positive and below 65,536. The bytes are not initialised.
    mutating func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let (index, byteCount) = Self.size(for: byteCount)
        usedBytes += byteCount
        if let row = free[index] {
            free[index] = row.load(as: UnsafeMutableRawPointer?.self)
            return row
        }
        if left < byteCount {
            let chunk = UnsafeMutableRawPointer.allocate(byteCount: Self.chunkBytes, alignment: Self.chunkBytes)
            // Users are met at random: with pages of 4 KiB nearly every event would miss the translation cache.
            madvise(chunk, Self.chunkBytes, MADV_HUGEPAGE)
            chunks.append(chunk)
            cursor = chunk
            left = Self.chunkBytes
        }
        let row = cursor.unsafelyUnwrapped
        cursor = row + byteCount
        left -= byteCount
        return row
    }

    mutating func deallocate(_ row: UnsafeMutableRawPointer, _ byteCount: Int) {
        let (index, byteCount) = Self.size(for: byteCount)
        usedBytes -= byteCount
        row.storeBytes(of: free[index], as: UnsafeMutableRawPointer?.self)
        free[index] = row
    }
}
