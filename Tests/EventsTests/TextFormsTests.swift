import Foundation
import Testing

@testable import Events

@Suite struct TextFormsTests {
    private func time(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { Timestamp(rfc3339: ByteView(UnsafeRawBufferPointer($0)))?.milliseconds }
    }
    private func ip(_ text: String) -> IPAddress? {
        var text = text
        return text.withUTF8 { IPAddress(text: ByteView(UnsafeRawBufferPointer($0))) }
    }

    @Test func times() {
        #expect(time("1970-01-01T00:00:00Z") == 0)
        #expect(time("2026-11-23T10:00:00.123456789+05:30") == 1_795_408_200_123)
        #expect(time("2026-11-23 10:00:00.1z") == 1_795_428_000_100)
        #expect(time("2016-12-31T23:59:60Z") == 1_483_228_799_999)
        for bad in [
            "", "2026-11-23", "2026-11-23T10:00:00", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
            "2026-11-23T24:00:00Z", "2026-11-23T10:00:00.Z", "2026-11-23T10:00:00+5:30", "2026-11-23T10:00:00ZZ",
        ] { #expect(time(bad) == nil, "\(bad)") }
    }

    @Test func timesRoundTripAndAgreeWithGlibc() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("timesRoundTripAndAgreeWithGlibc seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let ms = Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &random)
            var buffer = OutputBuffer()
            buffer.append(Timestamp(milliseconds: ms))
            let text = buffer.view(from: 0).string
            #expect(time(text) == ms, "\(text)")
            var seconds = time_t(ms >= 0 ? ms / 1000 : (ms - 999) / 1000)
            var parts = tm()
            gmtime_r(&seconds, &parts)
            #expect(text.hasPrefix(String(
                format: "%04d-%02d-%02dT%02d:%02d:%02d.", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                parts.tm_hour, parts.tm_min, parts.tm_sec)), "\(text)")
        }
    }

    @Test func addressesAgreeWithGlibc() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("addressesAgreeWithGlibc seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let parts = ["0", "1", "ff", "ffff", "::", ":", ".", "127", "1.2.3.4", "255", "256", "01", "10000", "%", "fe80", "g"]
        var texts = ["::", "::1", "1::", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "fe80::1%eth0"]
        for _ in 0..<20_000 {
            texts.append((0..<Int.random(in: 1...16, using: &random)).map { _ in parts.randomElement(using: &random)! }.joined())
        }
        for _ in 0..<2000 {
            texts.append((0..<8).map { _ in String(UInt16.random(in: 0...UInt16.max, using: &random), radix: 16) }.joined(separator: ":"))
            let four = (0..<4).map { _ in String(UInt8.random(in: 0...255, using: &random)) }.joined(separator: ".")
            var odd = Array(four.utf8)
            odd[Int.random(in: 0..<odd.count, using: &random)] = "0123456789./:a ".utf8.randomElement(using: &random)!
            texts += [four, String(decoding: odd, as: UTF8.self), four + "0", "0" + four, four + "."]
        }
        for text in texts { #expect(ip(text) == reference(text), "\(text)") }
    }

    private func reference(_ text: String) -> IPAddress? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            return IPAddress(family: .v4, high: 0, low: UInt64(UInt32(bigEndian: four.s_addr)))
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        return withUnsafeBytes(of: &six) {
            let high = UInt64(bigEndian: $0.load(as: UInt64.self))
            let low = UInt64(bigEndian: $0.load(fromByteOffset: 8, as: UInt64.self))
            if high == 0, low >> 32 == 0xFFFF { return IPAddress(family: .v4, high: 0, low: low & 0xFFFF_FFFF) }
            return IPAddress(family: .v6, high: high, low: low)
        }
    }

    @Test func numbersAreRoundedAsPrintfDoes() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("numbersAreRoundedAsPrintfDoes seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var values = [0.15, 0.25, 0.35, 1.005, 2.5, -0.05, -0.04, 99.95, 0.00005, 1e9]
        for _ in 0..<3000 { values.append(Double(Int.random(in: -100_000...100_000, using: &random)) / 1000) }
        for value in values {
            for decimals in [1, 4] {
                var buffer = OutputBuffer()
                buffer.append(number: value, decimals: decimals)
                var expected = String(format: "%.\(decimals)f", value)
                if Double(expected) == 0, expected.hasPrefix("-") { expected.removeFirst() }
                #expect(buffer.view(from: 0).string == expected)
            }
        }
    }

    @Test func wholeNumbersAreWrittenInFull() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("wholeNumbersAreWrittenInFull seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var values: [Int64] = [0, 9, 10, 9_999_999, 10_000_000, 99_999_999, .max, .min]
        for _ in 0..<2000 { values.append(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random)) }
        for value in values {
            var buffer = OutputBuffer()
            buffer.append(integer: value)
            #expect(buffer.view(from: 0).string == String(value))
            buffer.removeAll()
            buffer.append(hex: UInt64(bitPattern: value))
            #expect(buffer.view(from: 0).string == String(format: "%016llx", value))
        }
    }

    @Test func textsAreEscapedByteByByte() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("textsAreEscapedByteByByte seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let special: [UInt8: String] = [0x22: "\\\"", 0x5C: "\\\\", 0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0C: "\\f", 0x0D: "\\r"]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: Int.random(in: 0..<30, using: &random) == 0 ? 0...0x7F : 0x23...0x5B, using: &random)
            }
            var expected: [UInt8] = []
            for byte in text {
                let escaped = special[byte] ?? (byte < 0x20 || byte == 0x7F ? "\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16) : nil)
                if let escaped { expected += escaped.utf8 } else { expected.append(byte) }
            }
            var buffer = OutputBuffer()
            text.withUnsafeBufferPointer { buffer.appendEscaped(ByteView(base: $0.baseAddress, count: $0.count)) }
            #expect(Array(buffer.view(from: 0).bytes) == expected)
        }
        var buffer = OutputBuffer()
        buffer.append(jsonString: ByteView(staticText: "«Ærlig talt», sa hun — 私は"))
        #expect(buffer.view(from: 0).string == "\"«Ærlig talt», sa hun — 私は\"")
    }

    /// RFC 4231, cases 1, 2 and 6: keys shorter than a block, and longer.
    @Test func messagesAreAuthenticatedAsTheRFCSays() {
        func code(_ key: [UInt8], _ text: StaticString) -> String {
            Digest.hex(Digest.hmacSHA256(key: key, ByteView(staticText: text)))
        }
        #expect(code([UInt8](repeating: 0x0B, count: 20), "Hi There") == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(code(Array("Jefe".utf8), "what do ya want for nothing?") == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(code([UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First")
            == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }
}
