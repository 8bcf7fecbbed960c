import COpenSSL

/// SHA-256 and HMAC-SHA-256, off the hot path.
public enum Digest {
    /// 32 bytes.
    public static func sha256(_ bytes: ByteView) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { out, count in
            let empty: [UInt8] = [0]
            let done = empty.withUnsafeBufferPointer {
                vc_sha256(bytes.base ?? $0.baseAddress!, bytes.count, out.baseAddress!)
            }
            precondition(done == 1, "SHA-256 failed")
            count = 32
        }
    }

    /// 32 bytes; RFC 2104.
    public static func hmacSHA256(key: [UInt8], _ bytes: ByteView) -> [UInt8] {
        let words = hmacWords(key: key, bytes)
        return [words.0, words.1, words.2, words.3].flatMap { word in withUnsafeBytes(of: word.bigEndian) { [UInt8]($0) } }
    }

    /// The same as big-endian words.
    public static func hmacWords(key: [UInt8], _ bytes: ByteView) -> (UInt64, UInt64, UInt64, UInt64) {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let done = withUnsafeMutableBytes(of: &words) { out in
            key.withUnsafeBufferPointer { vc_hmac_sha256($0.baseAddress, $0.count, bytes.base, bytes.count, out.baseAddress) }
        }
        precondition(done == 1, "HMAC-SHA-256 failed")
        return (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    }

    public static func hex(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes {
            let digits = String(byte, radix: 16)
            text += digits.count == 1 ? "0" + digits : digits
        }
        return text
    }
}
