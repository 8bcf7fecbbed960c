import Engine
import Runtime

/// Options of one measurement.
struct Settings {
    let given: [String: String]
    init(_ given: [String: String]) { self.given = given }

    func number(_ name: String, _ standard: Int) -> Int { given[name].flatMap { Int($0) } ?? standard }

    var stream: Stream {
        Stream(
            users: number("users", 100_000), access: given["access"].flatMap { Stream.Access(rawValue: $0) } ?? .uniform,
            rate: number("rate", 20_000))
    }

    var options: ShardOptions {
        var options = ShardOptions()
        options.name = "benchmark"
        options.checkpointMilliseconds = number("interval", 10) * 1000
        options.checkpointBytesPerSecond = number("budget", 64 << 20)
        return options
    }

    var emission: Emission { given["emit"].flatMap { Emission(rawValue: $0) } ?? .interventions }
}
