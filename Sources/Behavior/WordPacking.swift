import Glibc

/// Words with their zero bytes left out: for each word a byte that says which of its bytes are there, then those; for a
/// run of zero words a zero byte and the run's length in two bytes. Mostly empty tables shrink to what is in them.
public enum WordPacking {
    /// - Complexity: O(words)
    public static func pack(_ words: [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        words.withUnsafeBufferPointer { words in
            guard let base = words.baseAddress else { return }
            var at = 0
            while at < words.count {
                let run = zeroRun(base + at, atMost: min(words.count - at, 0xFFFF))
                if run > 0 {
                    bytes += [0, UInt8(truncatingIfNeeded: run), UInt8(truncatingIfNeeded: run >> 8)]
                    at += run
                    continue
                }
                var word = base[at]
                let tag = bytes.count
                bytes.append(0)
                var (mask, bit): (UInt8, UInt8) = (0, 1)
                while word != 0 {
                    if word & 0xFF != 0 {
                        mask |= bit
                        bytes.append(UInt8(truncatingIfNeeded: word))
                    }
                    word >>= 8
                    bit <<= 1
                }
                bytes[tag] = mask
                at += 1
            }
        }
        return bytes
    }

    /// How many zero words come first. Empty tables are passed a page at a time.
    private static func zeroRun(_ words: UnsafePointer<UInt64>, atMost most: Int) -> Int {
        guard words[0] == 0 else { return 0 }
        var run = 1
        while run + 512 <= most && memcmp(words, words + run, 8 * min(run, 512)) == 0 { run += min(run, 512) }
        while run < most && words[run] == 0 { run += 1 }
        return run
    }

    /// Exactly `count` words; nil where the bytes are no packed form of so many.
    /// - Complexity: O(bytes + `count`)
    public static func unpack(_ bytes: UnsafeRawBufferPointer, count: Int) -> [UInt64]? {
        var words = [UInt64](repeating: 0, count: count)
        var (at, next) = (0, 0)
        while at < bytes.count {
            let mask = bytes[at]
            at += 1
            if mask == 0 {
                guard at + 2 <= bytes.count else { return nil }
                let run = Int(bytes[at]) | Int(bytes[at + 1]) << 8
                at += 2
                guard run > 0, next + run <= count else { return nil }
                next += run
                continue
            }
            guard at + mask.nonzeroBitCount <= bytes.count, next < count else { return nil }
            var word: UInt64 = 0
            for byte in 0..<8 where mask >> UInt8(byte) & 1 != 0 {
                word |= UInt64(bytes[at]) << UInt64(byte * 8)
                at += 1
            }
            words[next] = word
            next += 1
        }
        return next == count ? words : nil
    }
}
