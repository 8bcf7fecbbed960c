import Engine
import Events
import Foundation
import Logging
import Runtime
import StateStore
import Synchronization
import Testing

@Suite struct FileLogTests {
    /// Routes by the text between `"user":"` and the next quote.
    static func router() -> LineRouter {
        { line in
            let text = String(decoding: line, as: UTF8.self)
            guard let start = text.range(of: #""user":""#), let end = text[start.upperBound...].firstIndex(of: "\"") else {
                return LineRoute(user: nil)
            }
            var user = String(text[start.upperBound..<end])
            return LineRoute(user: user.withUTF8 {
                StableHash.of(tenant: UnsafeRawBufferPointer(start: nil, count: 0), user: UnsafeRawBufferPointer($0))
            })
        }
    }

    struct Read: Sendable, Equatable {
        var partition: Int32
        var offset: Int64
        var text: String
    }

    /// Everything the shards read, each on its own thread, by offset.
    func readAll(_ path: String, shards: Int = 1, batch: Int = 7, from: Int64 = 0, lineBytes: Int = 1 << 24) throws -> [Read] {
        var options = FileReaderOptions()
        options.shards = shards
        options.blockBytes = 100
        options.queuedChunks = 2
        options.lineBytes = lineBytes
        let reader = try FileReader(path: path, options: options) { Self.router() }
        // A thread for each shard: reading begins only when all of them have started.
        let found = Found()
        let finished = DispatchGroup()
        for number in 0..<shards {
            finished.enter()
            Thread {
                Self.read(reader.input(shard: number), batch: batch, from: from, into: found)
                finished.leave()
            }.start()
        }
        try #require(finished.wait(timeout: .now() + 30) == .success)
        return found.reads.withLock { $0.sorted { $0.offset < $1.offset } }
    }

    final class Found: Sendable {
        let reads = Mutex<[Read]>([])
    }

    static func read(_ input: FileInputLog, batch: Int, from: Int64, into found: Found) {
        var records: [Record] = []
        while let event = try? input.poll(into: &records, maxRecords: batch, timeoutMilliseconds: 100), event != .ended {
            if case .assigned(let partitions) = event {
                input.start(at: partitions.map { InputPosition(partition: $0, offset: from) })
            }
            let read = records.map { Read(partition: $0.partition, offset: $0.offset, text: $0.value.string) }
            found.reads.withLock { $0 += read }
            records = []
        }
        input.close()
    }

    func file(_ text: String, in directory: TemporaryDirectory) throws -> String {
        let path = directory.file("events.ndjson")
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    @Test func linesBecomeRecordsWhateverTheShards() throws {
        let directory = TemporaryDirectory()
        let lines = (0..<300).map { Fixture.event($0, user: "user\($0 % 23)") }
        let path = try file(lines.joined(separator: "\n"), in: directory)
        let one = try readAll(path)
        #expect(one.map(\.text) == lines)
        #expect(one.map(\.offset) == (0..<300).map(Int64.init))
        #expect(Set(one.map(\.partition)).count > 4)
        #expect(try readAll(path, shards: 2, batch: 1) == one)
        #expect(try readAll(path, shards: 4, batch: 512) == one)
        #expect(try readAll(path, shards: 3, from: 250) == Array(one.suffix(50)))
    }

    @Test func blankLinesCountButMakeNoRecord() throws {
        let directory = TemporaryDirectory()
        let read = try readAll(file("\n a\r\n  \n\nb\n", in: directory))
        #expect(read == [Read(partition: 0, offset: 1, text: " a"), Read(partition: 0, offset: 4, text: "b")])
    }

    @Test func longLinesAreCutAtTheCap() throws {
        let directory = TemporaryDirectory()
        let long = String(repeating: "x", count: 1_000)
        let read = try readAll(file("a\n\(long)\nb\n\(long)", in: directory), lineBytes: 300)
        #expect(read.map(\.text.count) == [1, 300, 1, 300])
    }

    @Test func missingFile() {
        #expect { try FileReader(path: "/nowhere/at/all") { Self.router() } } throws: { "\($0)".contains("/nowhere/at/all: No such file") }
    }

    @Test func tornLastLineIsCutOff() throws {
        let directory = TemporaryDirectory()
        let path = try file("{\"a\":1}\n{\"b\":2}\n{\"c\"", in: directory)
        _ = try LineFile(path: path, keeping: true)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"a\":1}\n{\"b\":2}\n")
        _ = try LineFile(path: path, keeping: false)
        #expect(try Data(contentsOf: URL(filePath: path)).isEmpty)
    }

    /// Replays `events` in a group of shards; returns the decisions, sorted.
    func replay(
        _ events: String, to directory: TemporaryDirectory, output: String, shards: Int, batch: Int, state: Bool = false
    ) throws -> [String] {
        var records = Fixture.plan()
        records.inputs[0].decode.requiresKey = false
        let plan = records
        var options = FileReaderOptions()
        options.shards = shards
        options.blockBytes = 4096
        let reader = try FileReader(path: events, options: options) { lineRouter(plan) }
        let decisions = try LineFile(path: directory.file(output), keeping: state)
        let deadLetters = try LineFile(path: directory.file(output + ".dead"), keeping: state)
        let stateDirectory = state ? try StateDirectory(path: directory.file("state")) : nil
        let group = ShardGroup(shards: shards) { number, mailbox, stop throws(LogFailure) in
            var options = ShardOptions()
            options.batchRecords = batch
            let feed = PopulationFeed(plan: plan)
            var world = ShardWorld(
                input: { () throws(LogFailure) in reader.input(shard: number, feed: feed) },
                output: { () throws(LogFailure) in
                    FileOutputLog(decisions: decisions, deadLetters: deadLetters, topics: ["logins"])
                },
                directory: stateDirectory, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                mailbox: mailbox, stop: stop)
            world.feed = feed
            return try Shard(plan: plan, options: options, world: world)
        }
        group.start()
        #expect(group.wait(milliseconds: 60_000) == Array(repeating: .ended, count: shards))
        return try String(contentsOfFile: directory.file(output), encoding: .utf8).split(separator: "\n").map(String.init).sorted()
    }

    @Test func replayIsTheSameForEveryBatchAndShardCount() throws {
        let directory = TemporaryDirectory()
        let lines = (0..<500).map { $0 % 50 == 49 ? "not json \"\\" : Fixture.event($0, user: "user\($0 % 23)") }
        let events = try file(lines.joined(separator: "\n"), in: directory)
        let reference = try replay(events, to: directory, output: "one", shards: 1, batch: 512)
        #expect(reference.count == 490)
        for (shards, batch) in [(1, 1), (1, 7), (2, 7), (2, 512), (4, 512)] {
            let again = try replay(events, to: directory, output: "out-\(shards)-\(batch)", shards: shards, batch: batch)
            #expect(again == reference, "\(shards) shards, batches of \(batch)")
        }
        let dead = try String(contentsOfFile: directory.file("one.dead"), encoding: .utf8).split(separator: "\n")
        #expect(dead.count == 10)
        let line = try #require(dead.first)
        let first = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(first["value"] as? String == "not json \"\\")
        #expect(first["reason"] as? String == "not_json")
        #expect(first["topic"] as? String == "logins")
        #expect(first["partition"] as? Int == 0)
        #expect(first["offset"] as? Int == 49)
    }

    /// People of every partition, and a spray against all of them from one network.
    static func sprayed(_ number: Int) -> String {
        let time = 1_763_892_000_000 + number * 700
        let isSpray = number % 3 == 0
        let rest = isSpray ? #""ip":"198.51.100.\#(number % 200)","outcome":"failure""# : #""ip":"203.0.113.\#(number % 7)","outcome":"success""#
        return #"{"id":"e\#(number)","type":"login","time":\#(time),"user":"user\#(number % 61)",\#(rest)}"#
    }

    /// whole:    ├──────────────────────────┤
    /// in parts: ├───── 2 shards ─┤├─ 4 ───┤
    @Test func whatCrossesUsersIsTheSameForEveryShardCountAndAfterAStop() throws {
        let directory = TemporaryDirectory()
        let lines = (0..<600).map(Self.sprayed)
        let whole = try file(lines.joined(separator: "\n") + "\n", in: directory)
        let reference = try replay(whole, to: directory, output: "whole", shards: 1, batch: 64)
        #expect(reference.count { $0.contains("network.spray") } > 100)
        for (shards, batch) in [(2, 1), (3, 50), (8, 7)] {
            #expect(try replay(whole, to: directory, output: "\(shards)", shards: shards, batch: batch) == reference, "\(shards) shards")
        }
        let path = try file(lines.prefix(333).joined(separator: "\n") + "\n", in: directory)
        _ = try replay(path, to: directory, output: "parts", shards: 2, batch: 64, state: true)
        _ = try file(lines.joined(separator: "\n") + "\n", in: directory)
        #expect(try replay(path, to: directory, output: "parts", shards: 4, batch: 7, state: true) == reference)
    }

    /// What shards hold, a state directory's lock above all, is free as soon as they have ended, while the group is still there.
    @Test func whatShardsHoldIsFreeWhenTheGroupHasEnded() {
        final class Held: Sendable {}
        weak var held: Held?
        func start() -> ShardGroup {
            let mine = Held()
            held = mine
            let group = ShardGroup(shards: 3) { _, _, _ throws(LogFailure) in
                throw withExtendedLifetime(mine) { LogFailure.stop("no shard is made") }
            }
            group.start()
            return group
        }
        let group = start()
        #expect(group.wait(milliseconds: 60_000).allSatisfy { $0 != nil })
        #expect(held == nil)
        withExtendedLifetime(group) {}
    }

    @Test func replayGoesOnWhereTheCheckpointIs() throws {
        let directory = TemporaryDirectory()
        let lines = (0..<400).map { Fixture.event($0, user: "user\($0 % 23)") }
        let whole = try file(lines.joined(separator: "\n") + "\n", in: directory)
        let reference = try replay(whole, to: directory, output: "whole", shards: 1, batch: 64)
        let path = try file(lines.prefix(150).joined(separator: "\n") + "\n", in: directory)
        #expect(try replay(path, to: directory, output: "parts", shards: 2, batch: 64, state: true).count == 150)
        _ = try file(lines.joined(separator: "\n") + "\n", in: directory)
        let parts = try replay(path, to: directory, output: "parts", shards: 4, batch: 7, state: true)
        #expect(parts == reference)
    }
}
