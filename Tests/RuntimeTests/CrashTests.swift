import Runtime
import Testing
import VigilTesting

/// A fixed run, killed at every call it makes across the log seam, before and after the log has done what was asked:
/// every event gets its outputs, a repeated output has the same bytes, and the users' rows (offsets absorbed among
/// them) end up as if nothing had happened.
@Suite struct CrashTests {
    static let events = 60

    func driver(in directory: TemporaryDirectory) -> TestDriver {
        let driver = TestDriver(plan: Fixture.plan(), partitions: 2, stateDirectory: directory.path, seed: 7)
        driver.options.batchRecords = 6
        driver.options.commitMilliseconds = 3
        driver.options.interventionCommitMilliseconds = 2
        driver.options.checkpointMilliseconds = 7
        Fixture.fill(driver.log, count: Self.events)
        return driver
    }

    @Test(arguments: [false, true])
    func everyCallMayBeTheLast(afterEffect: Bool) throws {
        let calm = TemporaryDirectory()
        let reference = driver(in: calm)
        let wanted = try reference.run()
        #expect(try reference.stopShard() == .stopped)
        let calls = reference.log.trace.count
        let rows = try Fixture.rows(in: calm)
        #expect(wanted.count == Self.events)
        #expect(rows.count == 7)
        let bytes = Dictionary(uniqueKeysWithValues: wanted.map { (Source($0), $0.value) })

        for call in 1...calls {
            let directory = TemporaryDirectory()
            let driver = driver(in: directory)
            driver.log.faults.crashAtCall = call
            driver.log.faults.crashAfterEffect = afterEffect
            // The last calls are those of the stop.
            if (try? driver.run()) != nil { _ = try driver.stopShard() }
            #expect(driver.log.hasCrashed)
            driver.crash()
            let outputs = try driver.run()
            #expect(try driver.stopShard() == .stopped)
            #expect(Set(outputs.map(Source.init)).count == Self.events, "crash at call \(call)")
            #expect(outputs.allSatisfy { bytes[Source($0)] == $0.value }, "crash at call \(call)")
            #expect(try Fixture.rows(in: directory) == rows, "crash at call \(call)")
        }
    }

    /// Two inputs: redo must finish on both before either goes live.
    @Test func redoOfSeveralInputs() throws {
        let directory = TemporaryDirectory()
        let driver = TestDriver(plan: Fixture.plan(inputs: 2), partitions: 2, stateDirectory: directory.path, seed: 3)
        driver.options.batchRecords = 8
        driver.options.commitMilliseconds = 2
        driver.options.checkpointMilliseconds = 1_000_000
        Fixture.fill(driver.log, count: 40, input: 0)
        Fixture.fill(driver.log, from: 40, count: 40, input: 1)
        try driver.run()
        driver.crash()
        Fixture.fill(driver.log, from: 80, count: 40, input: 0)
        Fixture.fill(driver.log, from: 120, count: 10, input: 1)
        let outputs = try driver.run()
        let shard = try driver.start()
        #expect(shard.counters.redone == 80)
        #expect(shard.counters.records == 50)
        #expect(outputs.count == 130)
        #expect(Set(outputs.map(Source.init)).count == 130)
    }

    @Test func stateSurvivesARestart() throws {
        let directory = TemporaryDirectory()
        let driver = driver(in: directory)
        try driver.run()
        #expect(try driver.stopShard() == .stopped)
        driver.log.restart()
        Fixture.fill(driver.log, from: Self.events, count: 10)
        try driver.run()
        let status = try driver.start().status()
        #expect(status.users == 7)
        #expect(status.counters.redone == 0)
        #expect(status.counters.records == 10)
        #expect(status.lag == 0)
    }
}
