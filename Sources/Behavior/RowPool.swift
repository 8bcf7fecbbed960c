import Glibc

/// Memory for rows: size classes in steps of 64 bytes up to 64 KiB less one step, cut from 2 MiB chunks, with a free
/// list a class. Nothing is given back to the system before the pool goes.
struct RowPool: ~Copyable {
    private var free: [UnsafeMutableRawPointer?]
    private var chunks: [UnsafeMutableRawPointer] = []
    private var cursor: UnsafeMutableRawPointer?
    private var left = 0
    private(set) var usedBytes = 0
    static let granule = 64
    static let chunkBytes = 2 << 20

    init() { free = Array(repeating: nil, count: 1024) }

    deinit { for chunk in chunks { chunk.deallocate() } }

    /// `byteCount` must be a positive multiple of 64 below 65,536. The bytes are not initialised.
    mutating func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        usedBytes += byteCount
        let index = byteCount / Self.granule
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
        usedBytes -= byteCount
        let index = byteCount / Self.granule
        row.storeBytes(of: free[index], as: UnsafeMutableRawPointer?.self)
        free[index] = row
    }
}
