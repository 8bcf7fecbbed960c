import Engine
import Runtime
import Testing

/// What the cuts topic holds.
@Suite struct CutTests {
    static func cut() -> Cut {
        var cut = Cut(from: [3, 10])
        cut.version = "sha256:test 1"
        cut.batches = [[3, 12], [7, 12], [9, 20]]
        cut.watermark = 1_763_892_000_000
        cut.sequence = 26
        cut.evictions = [
            Eviction(sequence: 9, proven: true, touchedUpTo: 4),
            Eviction(sequence: .max, proven: false, touchedUpTo: 8, recent: [5, 6, 8]),
        ]
        return cut
    }

    @Test func aCutComesBack() throws {
        let cut = Self.cut()
        #expect(try cut.encoded().withUnsafeBytes { try Cut(decoding: $0, inputs: 2) } == cut)
        #expect(cut.ends == [9, 20])
        #expect(Cut(from: [1]).ends == [1])
    }

    /// Whatever is cut short, of another pipeline or goes backwards is refused.
    @Test func whatIsNoCutIsRefused() throws {
        let bytes = Self.cut().encoded()
        for count in 0..<bytes.count {
            #expect(throws: StateError.self) { try Array(bytes[..<count]).withUnsafeBytes { try Cut(decoding: $0, inputs: 2) } }
        }
        #expect(throws: StateError.self) { try bytes.withUnsafeBytes { try Cut(decoding: $0, inputs: 3) } }
        var backwards = Self.cut()
        backwards.batches[1] = [2, 12]
        var newer = Self.cut()
        newer.v = Cut.format + 1
        for cut in [backwards, newer] {
            #expect(throws: StateError.self) { try cut.encoded().withUnsafeBytes { try Cut(decoding: $0, inputs: 2) } }
        }
    }
}
