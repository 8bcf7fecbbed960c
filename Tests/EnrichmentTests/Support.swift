import Foundation

/// A file that is gone with it.
final class Scratch {
    let path: String

    init(bytes: [UInt8], named name: String = "file") throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("vigil-enrichment-\(UUID().uuidString)-\(name)").path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    convenience init(_ text: String, named name: String = "file") throws { try self.init(bytes: Array(text.utf8), named: name) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
