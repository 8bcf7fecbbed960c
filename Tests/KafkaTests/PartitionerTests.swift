import Events
import Runtime
import Testing

@testable import Kafka

@Suite struct PartitionerTests {
    /// The vectors of Apache Kafka's `UtilsTest.testMurmur2`.
    @Test(arguments: [
        ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ] as [(String, Int32)])
    func murmur2AsInJava(key: String, hash: Int32) {
        withView(key) { #expect(Int32(bitPattern: Partitioner.murmur2($0)) == hash) }
    }

    @Test(arguments: [("", 0), ("123456789", 0xcbf4_3926), ("a", 0xe8b7_be43)] as [(String, UInt32)])
    func crc32AsInZlib(key: String, crc: UInt32) {
        withView(key) { #expect(Partitioner.crc32($0) == crc) }
    }

    private func observe(
        _ recognizer: inout PartitionerRecognizer, _ input: Int, _ numbers: Range<Int>, count: Int,
        partition: (ByteView) -> Int32
    ) throws(LogFailure) {
        for number in numbers {
            let key = Array("user-\(number)".utf8)
            let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: key.count)
            defer { bytes.deallocate() }
            _ = bytes.initialize(from: key)
            let view = ByteView(base: bytes.baseAddress, count: bytes.count)
            try recognizer.observe(input: input, partition: partition(view), key: view)
        }
    }

    @Test func bothAreRecognised() throws {
        for partitioner in [Partitioner.murmur2, .crc32] {
            var recognizer = PartitionerRecognizer(topics: ["a", "b"], partitionCounts: [6, 6])
            for input in 0..<2 {
                #expect(recognizer.verdict(of: input) == nil)
                try observe(&recognizer, input, 0..<40, count: 6) { partitioner.partition(of: $0, count: 6) }
                #expect(recognizer.verdict(of: input) == partitioner)
            }
        }
    }

    @Test func differingTopicsStop() throws {
        var recognizer = PartitionerRecognizer(topics: ["logins", "actions"], partitionCounts: [6, 6])
        try observe(&recognizer, 0, 0..<40, count: 6) { Partitioner.murmur2.partition(of: $0, count: 6) }
        let failure = #expect(throws: LogFailure.self) {
            try observe(&recognizer, 1, 0..<40, count: 6) { Partitioner.crc32.partition(of: $0, count: 6) }
        }
        let text = failure?.description ?? ""
        for word in ["logins", "actions", "murmur2", "CRC32", "partitioner=murmur2_random"] { #expect(text.contains(word)) }
    }

    @Test func oneTopicOfTwoMindsStops() {
        var recognizer = PartitionerRecognizer(topics: ["logins"], partitionCounts: [6])
        #expect(throws: LogFailure.self) {
            try observe(&recognizer, 0, 0..<30, count: 6) { Partitioner.murmur2.partition(of: $0, count: 6) }
            try observe(&recognizer, 0, 0..<30, count: 6) { Partitioner.crc32.partition(of: $0, count: 6) }
        }
    }

    @Test func unexplainedPlacesStop() {
        var recognizer = PartitionerRecognizer(topics: ["logins"], partitionCounts: [6])
        #expect(throws: LogFailure.self) {
            try observe(&recognizer, 0, 0..<60, count: 6) { Int32($0.bytes.reduce(0) { $0 + Int($1) } % 6) }
        }
    }

    @Test func strayRecordsAreForgiven() throws {
        var recognizer = PartitionerRecognizer(topics: ["logins"], partitionCounts: [6])
        try observe(&recognizer, 0, 0..<2, count: 6) { (Partitioner.murmur2.partition(of: $0, count: 6) + 1) % 6 }
        try observe(&recognizer, 0, 2..<60, count: 6) { Partitioner.murmur2.partition(of: $0, count: 6) }
        #expect(recognizer.verdict(of: 0) == .murmur2)
    }

    @Test func fewRecordsAndSinglePartitionsStayUndecided() throws {
        var recognizer = PartitionerRecognizer(topics: ["few", "one"], partitionCounts: [6, 1])
        try observe(&recognizer, 0, 0..<5, count: 6) { Partitioner.crc32.partition(of: $0, count: 6) }
        try observe(&recognizer, 1, 0..<500, count: 1) { _ in 0 }
        try recognizer.observe(input: 0, partition: 3, key: .absent)
        #expect(recognizer.verdict(of: 0) == nil && recognizer.verdict(of: 1) == nil)
    }
}
