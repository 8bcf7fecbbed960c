import Events

/// How a producer turns a key into a partition.
public enum Partitioner: Sendable, Equatable {
    /// Java's default, and `murmur2_random` of librdkafka.
    case murmur2
    /// `consistent` and `consistent_random` of librdkafka, its default.
    case crc32

    var text: String {
        switch self {
        case .murmur2: "murmur2 (Java's default)"
        case .crc32: "CRC32 (librdkafka's default)"
        }
    }

    /// The partition of `key` among `count`, which is at least 1. Linear in the key's length.
    public func partition(of key: ByteView, count: Int) -> Int32 {
        switch self {
        case .murmur2: Int32((Self.murmur2(key) & 0x7fff_ffff) % UInt32(count))
        case .crc32: Int32(Self.crc32(key) % UInt32(count))
        }
    }

    /// `org.apache.kafka.common.utils.Utils.murmur2`, as unsigned.
    static func murmur2(_ key: ByteView) -> UInt32 {
        let m: UInt32 = 0x5bd1_e995
        var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: key.count)
        var index = 0
        while index + 4 <= key.count {
            var k = UInt32(key[index]) | UInt32(key[index + 1]) << 8 | UInt32(key[index + 2]) << 16
                | UInt32(key[index + 3]) << 24
            k = k &* m
            k ^= k >> 24
            k = k &* m
            hash = hash &* m
            hash ^= k
            index += 4
        }
        let rest = key.count - index
        if rest >= 3 { hash ^= UInt32(key[index + 2]) << 16 }
        if rest >= 2 { hash ^= UInt32(key[index + 1]) << 8 }
        if rest >= 1 {
            hash ^= UInt32(key[index])
            hash = hash &* m
        }
        hash ^= hash >> 13
        hash = hash &* m
        return hash ^ hash >> 15
    }

    /// The CRC of ISO 3309 and zlib.
    static func crc32(_ key: ByteView) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in key.bytes { crc = crcTable[Int((crc ^ UInt32(byte)) & 0xff)] ^ crc >> 8 }
        return ~crc
    }

    private static let crcTable: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 0 ? crc >> 1 : 0xedb8_8320 ^ crc >> 1 }
    }
}
