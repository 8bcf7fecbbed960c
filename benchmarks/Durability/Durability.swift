import Foundation
import Runtime

/// `durability recovery|paging|commits [--name value]…`: one measurement, one line of tab-separated values. The scripts
/// `recovery`, `paging` and `commits` run it for every line of their tables.
@main struct Durability {
    static func main() throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        guard !arguments.isEmpty else { return fail("say what to measure: recovery, paging or commits") }
        let what = arguments.removeFirst()
        var given: [String: String] = [:]
        while arguments.count >= 2, arguments[0].hasPrefix("--") {
            given[String(arguments[0].dropFirst(2))] = arguments[1]
            arguments.removeFirst(2)
        }
        guard arguments.isEmpty else { return fail("every option is a name and a value") }
        switch what {
        case "recovery": try recovery(Settings(given))
        case "paging": try paging(Settings(given))
        case "commits": try commits(Settings(given))
        default: fail("there is no measurement of \(what)")
        }
    }

    private static func fail(_ what: String) {
        FileHandle.standardError.write(Data("durability: \(what)\n".utf8))
        exit(64)
    }

    static func show(_ cells: [String]) { print(cells.joined(separator: "\t")) }

    static func text(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }

    // MARK: Recovery

    /// Writes for some intervals of traffic, dies, and comes back twice: on another host, and in its own directory.
    static func recovery(_ settings: Settings) throws {
        var options = settings.options
        let interval = settings.number("interval", 10)
        options.checkpointMilliseconds = interval * 1000
        let log = MemoryLog(stream: settings.stream, keepsState: true)
        let bench = try Bench(log: log, mode: .exactlyOnce, options: options)
        try bench.run(to: Int64(log.stream.users))
        try bench.run(seconds: Double(max(2 * interval, 10)))
        let rowBytes = Double(bench.residentBytes) / Double(log.stream.users)
        let (records, bytes, written, began) = (log.stateRecords, log.stateBytes, Bench.writtenBytes, log.clock.milliseconds)
        try bench.run(seconds: Double(settings.number("intervals", 3) * max(interval, 5)))
        let seconds = Double(log.clock.milliseconds - began) / 1000
        let rows = Double(log.stateRecords - records) / seconds
        let topic = Double(log.stateBytes - bytes) / seconds
        let file = Double(Bench.writtenBytes - written) / seconds
        bench.die()
        log.limit = log.end
        let kept = log.entries(.state).count
        let local = try bench.comeBack(inEmptyDirectory: false)
        let redone = bench.shard.counters.redone
        bench.die()
        // The second death finds what the first return has written since, so its redo is the shorter by that.
        let remote = try bench.comeBack(inEmptyDirectory: true)
        // A user is written `interval` after becoming dirty, at the next slice, and becomes dirty again with the next event.
        var simple = 0.0, renewed = 0.0
        let period = Double(interval) * 1.05
        for user in 0..<log.stream.users {
            let events = log.stream.share(of: user) * Double(log.stream.rate)
            simple += (1 - exp(-events * Double(interval))) / Double(interval)
            renewed += events / (1 + events * period)
        }
        show([
            "\(interval)", text(simple * rowBytes / 1e6), text(renewed * rowBytes / 1e6), text(topic / 1e6), text(rows, 0), text(file / 1e6),
            "\(redone)", text(Double(redone) / Double(log.stream.rate)), "\(kept)", text(local.restore.wall),
            text(local.restore.processor), text(remote.restore.wall), text(remote.restore.processor), text(local.redo.wall),
            text(local.redo.processor),
        ])
    }

    // MARK: Paging

    /// Throughput with so much memory for rows.
    static func paging(_ settings: Settings) throws {
        var options = settings.options
        options.memoryBytes = settings.number("memory", .max)
        let log = MemoryLog(stream: settings.stream, keepsState: false)
        let bench = try Bench(log: log, mode: .local, options: options)
        try bench.run(to: Int64(log.stream.users))
        try bench.run(seconds: Double(settings.number("warm", 30)))
        _ = bench.takePageIns()
        log.making = Times()
        let (before, began) = (bench.shard.counters.records, Times.now())
        try bench.run(seconds: Double(settings.number("seconds", 30)))
        let time = Times.now() - began - log.making
        let records = Double(bench.shard.counters.records - before)
        show([
            log.stream.access.rawValue, "\(bench.residentBytes)", text(records / time.wall / 1000, 1),
            text(records / time.processor / 1000, 1), text(Double(bench.takePageIns()) / records * 1000, 1),
            "\(Bench.memoryBytes / 1_000_000)",
        ])
    }

    // MARK: Commits

    /// Events a second with one way of committing.
    static func commits(_ settings: Settings) throws {
        let log = MemoryLog(stream: settings.stream, keepsState: false)
        guard let mode = Bench.Mode(rawValue: settings.given["mode"] ?? "exactly-once") else { return fail("no such mode") }
        let bench = try Bench(log: log, mode: mode, options: settings.options, emission: settings.emission)
        try bench.run(to: Int64(log.stream.users))
        try bench.run(seconds: Double(settings.number("warm", 20)))
        log.making = Times()
        let (before, outputs, began) = (bench.shard.counters, log.outputs, Times.now())
        try bench.run(seconds: Double(settings.number("seconds", 30)))
        let time = Times.now() - began - log.making
        let after = bench.shard.counters
        let records = Double(after.records - before.records)
        show([
            mode.rawValue, text(records / time.wall / 1000, 1), text(records / time.processor / 1000, 1),
            "\(after.commits - before.commits)", "\(log.outputs - outputs)",
        ])
    }
}
