import Events
import Foundation
import Risk
import Testing

/// What a decision says of each signal is JSON, and has room, whatever stands in the event and in the evidence.
@Suite struct ReasonTextTests {
    private let texts = [
        "", "a", "Ærlig \"talt\"", "\\", String(repeating: "\u{1}", count: 15), String(repeating: "\u{7F}\n", count: 300),
        "私は and sixteen more", "\"seven\"", "four",
    ].map { Array($0.utf8) }

    private func views(_ body: ([ByteView]) throws -> Void) rethrows {
        let copies = texts.map { text in
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count + 1)
            _ = copy.initialize(from: text)
            return copy
        }
        defer { copies.forEach { $0.deallocate() } }
        try body(zip(copies, texts).map { ByteView(base: UnsafePointer($0.baseAddress), count: $1.count) } + [.absent])
    }

    @Test(arguments: Signal.allCases) func everyReasonIsJSON(signal: Signal) throws {
        try views { views in
            for text in views {
                for device in [text, .absent] {
                    for value in [-3, 0, 0.4, 1, 7.25, 99.95, 1234.5, 4_660, 1e9, 3e12] {
                        try check(signal, value, text, device)
                    }
                }
            }
        }
    }

    private func check(_ signal: Signal, _ value: Double, _ text: ByteView, _ device: ByteView) throws {
        var event = Event()
        (event.deviceID, event.userAgent) = (device, device)
        (event.browser, event.os, event.action, event.city, event.currency) = (text, text, text, text, text)
        (event.country, event.asn) = (UInt16(truncatingIfNeeded: Int(value)), 64_500)
        var evidence = Evidence()
        (evidence.points, evidence.observed, evidence.expected, evidence.detail) = (value, value, value, value)
        evidence.samples = Float(value)
        var buffer = OutputBuffer(capacity: 64)
        let room = Explanation.room(for: &event)
        withUnsafePointer(to: &evidence) { evidence in
            withUnsafePointer(to: &event) { event in
                buffer.write(atMost: room) { $0 = Explanation.write(signal, evidence, of: event, to: $0) }
            }
        }
        #expect(buffer.count <= room)
        let json = buffer.view(from: 0).string
        let reason = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any], "\(json)")
        #expect(reason["signal"] as? String == signal.name.description)
        #expect(reason["observed"] is String && reason["expected"] is String, "\(json)")
        #expect(reason["samples"] as? Int == Int(max(0, min(1e9, value))))
        if signal == .actionRare && text.isPresent { #expect(reason["observed"] as? String == text.string) }
    }

    @Test func amountsAreAsShortAsTheyCanBe() {
        let forms: [(Double, String)] = [
            (0, "0"), (1200, "1200"), (9.5, "9.50"), (0.004, "0"), (0.005, "0.01"), (1e9 + 0.5, "1000000001"),
            (1e300, "9000000000000000"),
        ]
        for (value, form) in forms {
            var (event, evidence) = (Event(), Evidence())
            var buffer = OutputBuffer()
            (evidence.observed, evidence.expected) = (value, value)
            withUnsafePointer(to: &event) { event in
                buffer.write(atMost: Explanation.room(for: event)) {
                    $0 = Explanation.write(.amountUnusual, &evidence, of: event, to: $0)
                }
            }
            #expect(buffer.view(from: 0).string.contains("\"observed\":\"\(form)\",\"expected\":\"up to \(form)\""), "\(value)")
        }
    }
}
