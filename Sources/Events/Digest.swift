import COpenSSL

/// SHA-256 and HMAC-SHA-256 of what comes once.
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
        let words = AuthenticationKey(key)(bytes)
        return [words.0, words.1, words.2, words.3].flatMap { word in withUnsafeBytes(of: word.bigEndian) { [UInt8]($0) } }
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

/// A key of HMAC-SHA-256, of which the hash has taken its part once for all messages.
public final class AuthenticationKey: @unchecked Sendable {
    private let prepared: UnsafeMutablePointer<vc_hmac_key>

    public init(_ key: [UInt8]) {
        prepared = .allocate(capacity: 1)
        prepared.initialize(to: vc_hmac_key())
        let done = key.withUnsafeBufferPointer { vc_hmac_prepare(prepared, $0.baseAddress, $0.count) }
        precondition(done == 1, "HMAC-SHA-256 failed")
    }

    deinit {
        vc_hmac_forget(prepared)
        prepared.deallocate()
    }

    /// The message's code (RFC 2104) as big-endian words.
    public func callAsFunction(_ message: ByteView) -> (UInt64, UInt64, UInt64, UInt64) {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let done = withUnsafeMutableBytes(of: &words) {
            vc_hmac(prepared, message.base, message.count, $0.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        precondition(done == 1, "HMAC-SHA-256 failed")
        return (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    }
}
