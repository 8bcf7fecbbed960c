/// Words with their zero bytes left out: for each word a byte that says which of its bytes are there, then those; for a
/// run of zero words a zero byte and the run's length in two bytes. Mostly empty tables shrink to what is in them.
public enum WordPacking {
    /// - Complexity: O(words)
    public static func pack(_ words: [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        words.withUnsafeBufferPointer { words in
            var at = 0
            while at < words.count {
                var word = words[at]
                if word == 0 {
                    let start = at
                    while at < words.count && words[at] == 0 && at - start < 0xFFFF { at += 1 }
                    bytes += [0, UInt8(truncatingIfNeeded: at - start), UInt8(truncatingIfNeeded: (at - start) >> 8)]
                    continue
                }
                let tag = bytes.count
                bytes.append(0)
                var mask: UInt8 = 0
                var bit: UInt8 = 1
                while word != 0 {
                    if word & 0xFF != 0 {
                        mask |= bit
                        bytes.append(UInt8(truncatingIfNeeded: word))
                    }
                    word >>= 8
                    bit = bit << 1
                }
                bytes[tag] = mask
                at += 1
            }
        }
        return bytes
    }

    /// Exactly `count` words; nil where the bytes are no packed form of so many.
    /// - Complexity: O(bytes + `count`)
    public static func unpack(_ bytes: UnsafeRawBufferPointer, count: Int) -> [UInt64]? {
        var words: [UInt64] = []
        words.reserveCapacity(count)
        var at = 0
        while at < bytes.count {
            let mask = bytes[at]
            at += 1
            if mask == 0 {
                guard at + 2 <= bytes.count else { return nil }
                let run = Int(bytes[at]) | Int(bytes[at + 1]) << 8
                at += 2
                guard run > 0, words.count + run <= count else { return nil }
                words.append(contentsOf: repeatElement(0, count: run))
                continue
            }
            guard at + mask.nonzeroBitCount <= bytes.count, words.count < count else { return nil }
            var word: UInt64 = 0
            for byte in 0..<8 where mask >> UInt8(byte) & 1 != 0 {
                word |= UInt64(bytes[at]) << UInt64(byte * 8)
                at += 1
            }
            words.append(word)
        }
        return words.count == count ? words : nil
    }
}
