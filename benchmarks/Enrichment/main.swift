import Enrichment
import Events
import Foundation

// What enriching costs: nanoseconds of processor time for an event. `enrichment [DATABASE]`; without a database of places
// one is made up of 65,536 networks.

func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

func measure(_ name: String, _ count: Int, _ body: (Int) -> Void) {
    let start = processorTime()
    for index in 0..<count { body(index) }
    let each = (processorTime() - start) / Double(count)
    print("\(name.padding(toLength: 46, withPad: " ", startingAt: 0)) \(String(format: "%10.0f", each)) ns")
}

func random(_ index: Int) -> UInt64 {
    var z = UInt64(index) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
}

let directory = FileManager.default.temporaryDirectory.appendingPathComponent("vigil-enrichment-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: directory) }

var places = CommandLine.arguments.dropFirst().first
if places == nil {
    var writer = DatabaseWriter()
    for network in 0..<65_536 {
        writer.insert(
            [UInt8(10 + network >> 14), UInt8(network >> 6 & 255), UInt8(network << 2 & 255), 0], bits: 22,
            .place("NO", region: "Region \(network % 100)", city: "City \(network)", at: (Double(network % 90), Double(network % 180))))
    }
    let file = directory.appendingPathComponent("places.mmdb")
    try Data(writer.bytes).write(to: file)
    places = file.path
}
let list = directory.appendingPathComponent("hosting.txt")
try (0..<100_000).map { "\(10 + $0 >> 15).\($0 >> 7 & 255).\($0 << 1 & 255).0/24\n" }.joined()
    .write(to: list, atomically: false, encoding: .utf8)

let agentTexts = (0..<5_000).map { index in
    let version = 90 + index % 40
    let platform = [
        "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_\(index % 9)", "X11; Linux x86_64",
        "Linux; Android \(8 + index % 7); SM-G99\(index % 10)B",
    ][index % 4]
    let mobile = index % 4 == 3 ? " Mobile" : ""
    return "Mozilla/5.0 (\(platform)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/\(version).0.\(index).0\(mobile) Safari/537.36"
}
let agents = agentTexts.map { text in
    let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
    _ = bytes.initialize(from: text.utf8)
    return ByteView(base: UnsafePointer(bytes.baseAddress), count: bytes.count)
}
let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: EventEnrichment.scratchBytes)

func source(_ configure: (inout EnrichmentOptions) -> Void) throws -> EnrichmentSource {
    var options = EnrichmentOptions()
    configure(&options)
    return try EnrichmentSource(options)
}

@MainActor func run() throws {
    let start = processorTime()
    let addressSource = try source {
        $0.geo = places
        $0.lists[.hosting] = list.path
    }
    let opened = processorTime()
    let agentSource = try source { $0.agents = EnrichmentOptions.automatic }
    print(String(format: "opening: addresses %.0f ms, agents %.0f ms", (opened - start) / 1e6, (processorTime() - opened) / 1e6))

    var event = Event()
    var sink: UInt64 = 0
    let none = EventEnrichment()
    measure("nothing configured", 2_000_000) { index in
        event.agentMajor = UInt16(truncatingIfNeeded: index)
        none.enrich(&event, scratch: scratch)
        sink &+= UInt64(event.agentMajor)
    }
    let placing = Enricher(addressSource)
    measure("address, found again (4,096 in use)", 2_000_000) { index in
        event.ip = IPAddress(family: .v4, high: 0, low: 0x0A00_0000 | random(index % 4096) & 0x03FF_FFFF)
        placing.enrich(&event, scratch: scratch)
        sink &+= UInt64(event.country)
    }
    measure("address, new", 500_000) { index in
        event.ip = IPAddress(family: .v4, high: 0, low: 0x0A00_0000 | random(index) & 0x03FF_FFFF)
        placing.enrich(&event, scratch: scratch)
        sink &+= UInt64(event.country)
    }
    event.ip = .absent
    guard agentSource.hasAgents else { return print("no rules for user agents are installed (Debian package uap-core)") }
    let naming = Enricher(agentSource)
    measure("agent, new", agents.count) { index in
        event.userAgent = agents[index]
        naming.enrich(&event, scratch: scratch)
        sink &+= UInt64(event.agentMajor)
    }
    measure("agent, found again (5,000 in use)", 2_000_000) { index in
        event.userAgent = agents[index % agents.count]
        naming.enrich(&event, scratch: scratch)
        sink &+= UInt64(event.agentMajor)
    }
    precondition(sink != 0)
}

try run()
