import Engine
import Events
import Foundation
import Runtime
import StateStore
import Testing
import VigilTesting

@Suite struct FaultTests {
    func driver(_ directory: TemporaryDirectory?, _ heard: Heard, count: Int = 40) -> TestDriver {
        let driver = TestDriver(plan: Fixture.plan(), partitions: 2, stateDirectory: directory?.path, seed: 5)
        driver.options.batchRecords = 5
        driver.options.commitMilliseconds = 2
        driver.options.checkpointMilliseconds = 5
        driver.logger = heard.logger
        Fixture.fill(driver.log, count: count)
        return driver
    }

    @Test func revokedAndAssignedAgain() throws {
        let directory = TemporaryDirectory()
        let driver = driver(directory, Heard())
        driver.log.faults.groupEvents = [6: .revoked]
        let outputs = try driver.run()
        #expect(outputs.count == 40)
        #expect(try driver.start().counters.redone == 0)
        #expect(try driver.start().counters.rebalances == 3)
    }

    @Test func lostAndAssignedAgain() throws {
        let directory = TemporaryDirectory()
        let driver = driver(directory, Heard())
        driver.log.faults.groupEvents = [6: .lost]
        let outputs = try driver.run()
        #expect(Set(outputs.map(Source.init)).count == 40)
        let bytes = Dictionary(grouping: outputs, by: Source.init).mapValues { Set($0.map(\.value)) }
        #expect(bytes.values.allSatisfy { $0.count == 1 })
    }

    @Test func fencedStartsAfresh() throws {
        let directory = TemporaryDirectory()
        let heard = Heard()
        let driver = driver(directory, heard)
        driver.log.faults.fencedAtCommit = 3
        let outputs = try driver.run()
        #expect(Set(outputs.map(Source.init)).count == 40)
        #expect(heard.contains("fenced"))
    }

    @Test func brokerAwayPausesAndResumes() throws {
        let heard = Heard()
        let driver = driver(TemporaryDirectory(), heard)
        driver.log.faults.away = 4..<60_000
        let outputs = try driver.run()
        #expect(outputs.count == 40)
        #expect(try driver.start().counters.outages == 1)
        #expect(driver.log.clock.milliseconds >= 60_000)
        #expect(heard.count("reading is paused") == 1)
        #expect(heard.count("going on") == 1)
    }

    @Test func smallQueueLosesNothing() throws {
        let driver = driver(nil, Heard())
        driver.log.faults.queueRecords = 2
        #expect(try driver.run().count == 40)
    }

    @Test func fullQueueDuringAnOutageKeepsWhatIsLeft() throws {
        let heard = Heard()
        let driver = driver(nil, heard)
        driver.log.faults.queueRecords = 2
        driver.log.faults.away = 3..<30_000
        let outputs = try driver.run()
        #expect(outputs.count == 40)
        #expect(Set(outputs.map(Source.init)).count == 40)
        #expect(heard.count("doesn't answer") <= 1)
        #expect(heard.count("reading is paused") == 1)
    }

    @Test func stopGivesUpAtItsDeadline() throws {
        let driver = driver(nil, Heard())
        try driver.run()
        Fixture.fill(driver.log, from: 40, count: 5)
        driver.log.faults.away = driver.log.clock.milliseconds + 1..<Int64.max
        let shard = try driver.start()
        _ = shard.turn()
        guard case .gaveUp = try driver.stopShard() else {
            Issue.record("the shard waited on")
            return
        }
    }

    @Test func inputsMustBeCoPartitioned() throws {
        let driver = TestDriver(plan: Fixture.plan(inputs: 2), partitions: 2)
        driver.log.faults.groupEvents = [1: .assigned(driver.log.all.dropLast())]
        #expect { try driver.run(turns: 5) } throws: { "\($0)".contains("same number of partitions") }
    }

    /// Runs, stops, spoils the file of partition 0, and runs on: a start with what is left, said loudly.
    func afterSpoiling(_ spoil: (String, TestDriver) throws -> Void) throws -> (Heard, TestDriver, TemporaryDirectory) {
        let directory = TemporaryDirectory()
        let heard = Heard()
        let driver = driver(directory, heard)
        try driver.run()
        try driver.stopShard()
        driver.log.restart()
        #expect(heard.all == [])
        try spoil(StateDirectory.file(in: directory.path, partition: 0), driver)
        Fixture.fill(driver.log, from: 40, count: 10)
        let outputs = try driver.run()
        #expect(Set(outputs.map(Source.init)).count == 50)
        return (heard, driver, directory)
    }

    @Test func fileThatIsNoDatabase() throws {
        let (heard, _, directory) = try afterSpoiling { file, _ in
            try Data(repeating: 0x5A, count: 8192).write(to: URL(filePath: file))
        }
        #expect(heard.count("set aside") == 1)
        #expect(heard.count("empty baselines") == 1)
        #expect(directory.names.contains("partition-0.sqlite.set-aside-1"))
        #expect(!directory.names.contains("partition-1.sqlite.set-aside-1"))
    }

    @Test func flippedBitsAreNeverBelieved() throws {
        let directory = TemporaryDirectory()
        let first = driver(directory, Heard())
        try first.run()
        try first.stopShard()
        let file = StateDirectory.file(in: directory.path, partition: 0)
        let good = try Data(contentsOf: URL(filePath: file))
        var random = SeededGenerator(seed: 11)
        var caught = 0
        for _ in 0..<60 {
            var bad = good
            let bit = Int.random(in: 0..<bad.count * 8, using: &random)
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            try bad.write(to: URL(filePath: file))
            let heard = Heard()
            first.log.restart()
            first.logger = heard.logger
            try first.run()
            try first.stopShard()
            if heard.contains("set aside") { caught += 1 }
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + suffix) }
        }
        // Most of a page is free space, where a flipped bit means nothing.
        #expect(caught > 0)
    }

    @Test func everyByteThatMeansSomethingIsGuarded() throws {
        let directory = TemporaryDirectory()
        let first = driver(directory, Heard())
        try first.run()
        try first.stopShard()
        let file = StateDirectory.file(in: directory.path, partition: 0)
        let good = try Data(contentsOf: URL(filePath: file))
        let truth = try #require(Fixture.believed(file))
        var random = SeededGenerator(seed: 12)
        var (refused, wrong) = (0, [Int]())
        // Every byte that isn't zero, one bit each: what is zero is free space, or is in a row and tried below.
        let rows = truth.dropFirst(2).prefix(1).compactMap { good.firstRange(of: Data($0.suffix(256))) }.flatMap { $0 }
        for place in Set(good.indices.filter { good[$0] != 0 }).union(rows).sorted() {
            var bad = good
            bad[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try bad.write(to: URL(filePath: file))
            switch Fixture.believed(file) {
            case nil: refused += 1
            case truth: break
            default: wrong.append(place)
            }
            for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + suffix) }
        }
        #expect(wrong == [])
        #expect(refused > 1_000)
    }

    @Test func fileOfAnotherCluster() throws {
        let (heard, _, _) = try afterSpoiling { _, driver in driver.log.clusterID = "another" }
        #expect(heard.count("another log") == 2)
    }

    @Test func checkpointAheadOfTheLog() throws {
        let (heard, _, _) = try afterSpoiling { _, driver in
            driver.log.committed[InputPartition(input: 0, partition: 0)] = 3
        }
        #expect(heard.count("ahead of") == 2)
        #expect(heard.count("set aside") == 1)
    }

    @Test func recordsGoneFromTheLog() throws {
        let directory = TemporaryDirectory()
        let heard = Heard()
        let driver = driver(directory, heard)
        driver.options.checkpointMilliseconds = 1_000_000
        try driver.run()
        driver.crash()
        driver.log.firstOffsets[InputPartition(input: 0, partition: 0)] = 4
        try driver.run()
        #expect(heard.contains("offsets 0 to 3 are gone"))
    }

    @Test func redoEndsWhenTheLogHasNoMoreRecords() throws {
        let directory = TemporaryDirectory()
        let heard = Heard()
        let driver = driver(directory, heard)
        driver.options.checkpointMilliseconds = 1_000_000
        try driver.run()
        driver.crash()
        let place = InputPartition(input: 0, partition: 0)
        driver.log.hidden[place] = driver.log.end(place) - 1
        try driver.run()
        #expect(heard.contains("redo ends"))
    }

    @Test func fullDiskDoesNotStopDeciding() throws {
        let directory = TemporaryDirectory()
        let heard = Heard()
        let driver = driver(directory, heard, count: 3)
        driver.options.checkpointMilliseconds = 5
        let shard = try driver.start()
        try driver.run()
        try shard.limitStores(pages: 1)
        for number in 0..<400 {
            driver.log.append(
                key: "crowd\(number * 2)", value: Fixture.event(number, user: "crowd\(number * 2)", type: "login"))
        }
        let outputs = try driver.run()
        #expect(outputs.count == 403)
        #expect(shard.counters.failedCheckpoints > 0)
        #expect(heard.count("a checkpoint failed") == 1)
        try shard.limitStores(pages: 0)
        try driver.stopShard()
        #expect(heard.count("checkpoints are written again") == 1)
        #expect(try Fixture.rows(in: directory).count == 403)
    }
}
