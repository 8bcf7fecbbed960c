import Engine
import Events
import Foundation
import Runtime
import StateStore
import Testing
@testable import VigilTesting

/// What can be wrong with a state directory or the internal topics when a process starts, exactly once: never believed,
/// said loudly, and no decision differs.
@Suite struct RecoveryTests {
    /// A process that decided 150 records and was killed.
    func killed(seed: UInt64) throws -> Deployment {
        let deployment = Deployment(seed: seed)
        deployment.feed(150)
        try deployment.run()
        deployment.kill()
        #expect(deployment.complaints == [])
        return deployment
    }

    func goesOn(_ deployment: Deployment) throws {
        deployment.feed(60)
        try deployment.run()
        deployment.checkDecisions()
    }

    @Test func theFileOfAnotherPartition() throws {
        let deployment = try killed(seed: 41)
        for suffix in ["-wal", "-shm", ""] { try? FileManager.default.removeItem(atPath: deployment.file(partition: 0) + suffix) }
        try FileManager.default.copyItem(atPath: deployment.file(partition: 1), toPath: deployment.file(partition: 0))
        try deployment.run()
        #expect(deployment.heard.count("set aside") == 1)
        #expect(deployment.heard.contains("it holds the state of another partition"))
        #expect(deployment.names.contains("partition-0.sqlite.set-aside-1"))
        #expect(deployment.users.values.allSatisfy { $0 > 0 })
        try goesOn(deployment)
    }

    /// SQLite opens a file in whose schema a bit has flipped, finds it sound, and only doesn't know the column.
    @Test func aColumnOfAnotherName() throws {
        let deployment = Deployment(seed: 52, partitions: 1)
        deployment.feed(50)
        try deployment.run()
        deployment.checkDecisions()
        let file = URL(filePath: deployment.file())
        var bytes = try Data(contentsOf: file)
        let name = try #require(bytes.range(of: Data("tail INTEGER".utf8)))
        bytes[name.lowerBound] ^= 1
        try bytes.write(to: file)
        deployment.feed(50)
        try deployment.run()
        #expect(deployment.heard.count("set aside") == 1)
        try deployment.checkState()
    }

    @Test func aCheckpointOlderThanTombstonesAreKept() throws {
        let deployment = try killed(seed: 42)
        deployment.cluster.clock.advance(milliseconds: 25 * 3_600_000)
        try deployment.run()
        #expect(deployment.heard.count("set aside") == 2)
        #expect(deployment.heard.count("written 25 hours ago, and the state topic keeps tombstones for 24 only") == 2)
        try goesOn(deployment)
    }

    @Test func aDiskOfEightMebibytes() throws {
        let deployment = Deployment(seed: 43, partitions: 1, plan: Fixture.plan())
        deployment.settings.options.batchRecords = 1_000
        deployment.feed(1)
        try deployment.run()
        let shard = try #require(deployment.shard)
        try shard.limitStores(pages: (8 << 20) / 4096)
        let crowd = 20_000
        for number in 0..<crowd {
            deployment.cluster.append(key: "crowd\(number)", value: Fixture.event(number, user: "crowd\(number)", type: "login"))
        }
        try deployment.run()
        #expect(shard.counters.decisions >= UInt64(crowd))
        for _ in 0..<1_000 where shard.counters.failedCheckpoints == 0 { #expect(deployment.turn() == nil) }
        #expect(deployment.heard.count("a checkpoint failed; deciding goes on from memory") == 1)
        let before = try rows(deployment.file())
        #expect(before < crowd)

        try shard.limitStores(pages: 0)
        for number in 0..<50 {
            deployment.cluster.append(key: "crowd\(number)", value: Fixture.event(crowd + number, user: "crowd\(number)"))
        }
        try deployment.run()
        for _ in 0..<1_000 where !deployment.heard.contains("checkpoints are written again") { #expect(deployment.turn() == nil) }
        #expect(deployment.heard.count("checkpoints are written again") == 1)
        deployment.checkDecisions()
        #expect(try rows(deployment.file()) >= crowd)
    }

    private func rows(_ file: String) throws -> Int {
        var count = 0
        try StateStore.forEachRow(file: file) { _, _ in count += 1 }
        return count
    }

    /// What SIGKILL leaves is a database and its log. Cut anywhere, or with a bit flipped, they give a state that once was
    /// committed, or none.
    @Test func aTornOrDamagedWriteAheadLog() throws {
        let deployment = Deployment(seed: 44, partitions: 1)
        let image = TemporaryDirectory()
        let file = image.file("state.sqlite")
        let plan = deployment.settings.plan
        var truths: Set<[[UInt8]]> = []
        try deployment.start()
        try #require(deployment.process).onStep = { step throws(LogFailure) in
            guard step == .stored || step == .loaded else { return }
            copy(deployment.file(), to: file)
            if let truth = Fixture.believed(file, plan: plan) { truths.insert(truth) }
        }
        for _ in 0..<12 {
            deployment.feed(4)
            try deployment.run()
            for _ in 0..<6 { #expect(deployment.turn() == nil) }
        }
        // The image that the damage is done to.
        let database = try Data(contentsOf: URL(filePath: deployment.file()))
        let wal = try Data(contentsOf: URL(filePath: deployment.file() + "-wal"))
        #expect(wal.count > 20_000)
        #expect(truths.count > 10)
        func believed(with wal: Data) throws -> [[UInt8]]? {
            for suffix in ["-wal", "-shm", ""] { try? FileManager.default.removeItem(atPath: file + suffix) }
            try database.write(to: URL(filePath: file))
            try wal.write(to: URL(filePath: file + "-wal"))
            return Fixture.believed(file, plan: plan)
        }
        var found: Set<[[UInt8]]> = []
        for length in stride(from: 0, through: wal.count, by: 512) {
            guard let state = try believed(with: wal.prefix(length)) else { continue }
            #expect(truths.contains(state), "cut at \(length)")
            found.insert(state)
        }
        #expect(found.count > 5)
        var random = SeededGenerator(seed: 45)
        for _ in 0..<100 {
            var bad = wal
            let bit = Int.random(in: 0..<bad.count * 8, using: &random)
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let state = try believed(with: bad) else { continue }
            #expect(truths.contains(state), "bit \(bit)")
        }

        // And a whole process goes on from any of them.
        for length in stride(from: 0, through: wal.count, by: wal.count / 12) {
            deployment.kill()
            for suffix in ["-wal", "-shm", ""] { try? FileManager.default.removeItem(atPath: deployment.file() + suffix) }
            try database.write(to: URL(filePath: deployment.file()))
            try wal.prefix(length).write(to: URL(filePath: deployment.file() + "-wal"))
            deployment.feed(4)
            try deployment.run()
        }
        deployment.checkDecisions()
    }

    private func copy(_ file: String, to target: String) {
        for suffix in ["", "-wal"] {
            try? FileManager.default.removeItem(atPath: target + suffix)
            try? FileManager.default.copyItem(atPath: file + suffix, toPath: target + suffix)
        }
        try? FileManager.default.removeItem(atPath: target + "-shm")
    }

    @Test func committedOffsetsBehindTheState() throws {
        let deployment = try killed(seed: 46)
        let place = InputPartition(input: 0, partition: 1)
        let committed = try #require(deployment.cluster.committed(place))
        deployment.cluster.setCommitted(place, to: committed - 5)
        let refusal = try deployment.refusal()
        #expect(refusal.contains("the committed offset is \(committed - 5), but Vigil had come to \(committed)"))
        #expect(refusal.contains("--accept-offsets"))
        // Put back, as it says, it goes on.
        deployment.cluster.setCommitted(place, to: committed)
        try goesOn(deployment)
    }

    /// The cluster was put back to an earlier day, and the directory was not.
    @Test func aFileAheadOfTheLog() throws {
        let ahead = try killed(seed: 46)
        let behind = Deployment(seed: 46)
        behind.feed(100)
        try behind.run()
        behind.kill()
        try FileManager.default.removeItem(atPath: behind.directory)
        try FileManager.default.copyItem(atPath: ahead.directory, toPath: behind.directory)
        behind.feed(50)
        try behind.run()
        #expect(behind.heard.count("set aside") == 2)
        try goesOn(behind)
    }

    @Test func topicsOfAnotherCluster() throws {
        let first = try killed(seed: 47)
        let second = Deployment(seed: 47, identity: "another")
        try FileManager.default.copyItem(atPath: first.directory, toPath: second.directory)
        second.feed(100)
        try second.run()
        #expect(second.heard.count("it holds the state of another log") == 2)
        try goesOn(second)
    }

    @Test func anotherSecret() throws {
        let deployment = try killed(seed: 48)
        let secret = deployment.settings.plan.secret
        deployment.settings.plan.secret = Array("another secret of 32 bytes, too.".utf8)
        let refusal = try deployment.refusal()
        #expect(refusal.contains("With another secret, pipeline or layout Vigil needs another state topic (`state.topic`)"))
        #expect(!refusal.contains("another secret of 32"))
        deployment.settings.plan.secret = secret
        try goesOn(deployment)
    }

    @Test func theStateTopicIsLostAndTheFileIsNot() throws {
        let deployment = try killed(seed: 49)
        deployment.makeAnew(.state)
        try deployment.run()
        #expect(deployment.heard.count("it was truncated or made anew. The file is used, and everything is written to the topic again") == 2)
        let users = deployment.users
        deployment.feed(40)
        try deployment.run()
        for _ in 0..<100 { #expect(deployment.turn() == nil) }
        // The topic has everything again: another machine needs no more.
        deployment.kill()
        try deployment.start(onAnotherMachine: true)
        try deployment.run()
        #expect(deployment.users.keys == users.keys)
        try goesOn(deployment)
    }

    /// Where the end of a transaction is learned late the file misses its slice, and catches up piece by piece. When the topic is
    /// lost before it has, redo from what the file has must give everything again.
    @Test func theStateTopicIsLostWhileTheFileIsBehind() throws {
        for seed in UInt64(61)...68 {
            var plan = Story.plan(inputs: 1)
            plan.bounds.usersPerPartition = 100
            let deployment = Deployment(seed: seed, partitions: 1, plan: plan)
            // Every commit brings a slice.
            deployment.settings.options.checkpointMilliseconds = 100
            (deployment.settings.options.commitMilliseconds, deployment.settings.options.interventionCommitMilliseconds) = (12, 12)
            try deployment.start()
            func turn(until isReached: (Shard) -> Bool) throws {
                for _ in 0..<1_000 {
                    let shard = try #require(deployment.shard)
                    if isReached(shard) { return }
                    if shard.state == .running { deployment.feed(2) }
                    #expect(deployment.turn() == nil)
                }
                Issue.record("seed \(seed): not reached")
            }
            try turn { $0.counters.checkpoints > 3 }
            deployment.cluster.endFaults = [.answerLost]
            try turn { _ in deployment.heard.contains("had been committed") }
            let written = try #require(deployment.shard).counters.checkpoints
            try turn { $0.counters.checkpoints > written }
            deployment.kill()
            deployment.cluster.clock.advance(milliseconds: 20_000)
            deployment.cluster.settle()
            deployment.makeAnew(.state)
            try deployment.run()
            #expect(deployment.heard.count("The file is used") == 1, "seed \(seed)")
            try deployment.checkState()
        }
    }

    /// A deployment whose state topic was lost, and whose owner has begun to fill it again, slowly.
    private func fillingAgain(seed: UInt64, before: (Deployment) throws -> Void = { _ in }) throws -> Deployment {
        var plan = Story.plan(inputs: 1)
        plan.bounds.usersPerPartition = 100
        let deployment = Deployment(seed: seed, partitions: 1, plan: plan)
        deployment.feed(120)
        try deployment.run()
        deployment.kill()
        try before(deployment)
        deployment.makeAnew(.state)
        deployment.settings.options.checkpointBytesPerSecond = 1_000
        try deployment.run()
        return deployment
    }

    /// The same, and the owner has died with a few rows in the new topic.
    private func halfFilledAgain(seed: UInt64, before: (Deployment) throws -> Void = { _ in }) throws -> Deployment {
        let deployment = try fillingAgain(seed: seed, before: before)
        for _ in 0..<500 where deployment.cluster.records(.state, partition: 0).count < 3 { #expect(deployment.turn() == nil) }
        #expect((3..<10).contains(deployment.cluster.records(.state, partition: 0).count))
        deployment.kill()
        return deployment
    }

    /// Whoever has the file dies while the lost topic is filled again, and another machine has nothing but the rows that came so
    /// far: what it rebuilds from the inputs must not be mixed with them.
    @Test func theStateTopicIsFilledAgainByHalf() throws {
        for seed in UInt64(71)...78 {
            let deployment = try halfFilledAgain(seed: seed)
            deployment.settings.options.checkpointBytesPerSecond = 16 << 20
            try deployment.start(onAnotherMachine: true)
            try deployment.run()
            #expect(deployment.heard.count("the state topic has no checkpoint") == 1, "seed \(seed)")
            deployment.feed(40)
            try deployment.run()
            try deployment.checkState()
            // Whoever comes next finds nobody twice in the topic.
            try deployment.start(onAnotherMachine: true)
            try deployment.run()
            try deployment.checkState()
        }
    }

    /// The same, but the other machine has a file of its own from before: it is redone from that alone, for what the first had
    /// counted of the newer rows stands in no image.
    @Test func theStateTopicIsFilledAgainByHalfAndAnotherHasAnOlderFile() throws {
        for seed in UInt64(91)...98 {
            var (older, newer) = ("", "")
            let deployment = try halfFilledAgain(seed: seed) { deployment in
                newer = deployment.directory
                older = newer + "-older"
                try FileManager.default.copyItem(atPath: newer, toPath: older)
                deployment.feed(40)
                try deployment.run()
                deployment.kill()
            }
            try FileManager.default.removeItem(atPath: newer)
            try FileManager.default.moveItem(atPath: older, toPath: newer)
            deployment.settings.options.checkpointBytesPerSecond = 16 << 20
            try deployment.run()
            #expect(deployment.heard.count("The file is used") == 2, "seed \(seed)")
            try deployment.checkState()
            // The topic has everything again, and nobody twice.
            try deployment.start(onAnotherMachine: true)
            try deployment.run()
            try deployment.checkState()
        }
    }

    /// Numbers that the older file doesn't have are removed with the first slice, whatever its bounds: whoever was erased
    /// meanwhile must not come back from there.
    @Test(arguments: [16 << 20, 1]) func nobodyErasedComesBackFromATopicFilledByHalf(bytesPerSecond: Int) throws {
        var plan = Story.plan(inputs: 1)
        plan.bounds.usersPerPartition = 100
        let deployment = Deployment(seed: 501, partitions: 1, plan: plan)
        func records() -> Int { deployment.cluster.records(.state, partition: 0).count }
        func turn(until isReached: () -> Bool) {
            for _ in 0..<600 where !isReached() { #expect(deployment.turn() == nil) }
            #expect(isReached())
        }
        var (number, now) = (0, Int64(1_767_225_600_000))
        func tell(_ type: String, _ user: String) {
            (number, now) = (number + 1, now + 1000)
            let rest = type == "action" ? #","session":"s","action":"view.list""# : ""
            deployment.cluster.append(
                partition: 0, key: user, value: #"{"id":"e\#(number)","type":"\#(type)","time":\#(now),"user":"\#(user)"\#(rest)}"#,
                timestamp: Timestamp(milliseconds: now))
        }
        for _ in 0..<14 {
            for user in 0..<5 { tell("action", "a\(user)") }
            try deployment.run()
        }
        deployment.kill()
        let newer = deployment.directory
        try FileManager.default.copyItem(atPath: newer, toPath: newer + "-older")
        for user in 0..<20 { tell("action", "b\(user)") }
        try deployment.run()
        deployment.kill()
        deployment.makeAnew(.state)
        deployment.settings.options.checkpointBytesPerSecond = 1_000
        try deployment.run()
        turn { records() >= 12 }
        deployment.kill()
        for user in 0..<20 { tell("erasure", "b\(user)") }
        deployment.settings.options.checkpointMilliseconds = 1_000_000_000
        try deployment.run()
        deployment.settings.options.checkpointMilliseconds = 20
        let filled = records()
        deployment.kill()
        try FileManager.default.removeItem(atPath: newer)
        try FileManager.default.moveItem(atPath: newer + "-older", toPath: newer)
        deployment.settings.options.checkpointBytesPerSecond = bytesPerSecond
        try deployment.run()
        turn { records() > filled }
        deployment.kill()
        deployment.settings.options.checkpointBytesPerSecond = 16 << 20
        try deployment.run()
        tell("action", "a1")
        try deployment.run()
        for _ in 0..<150 { #expect(deployment.turn() == nil) }
        try deployment.checkState()
        try deployment.start(onAnotherMachine: true)
        try deployment.run()
        #expect(deployment.users == [0: 5])
        try deployment.checkState()
    }

    /// Whoever fills the topic again may die when its slice is committed and the file doesn't have it yet.
    @Test func whoFillsTheTopicAgainDiesBeforeTheFileHasIt() throws {
        for seed in UInt64(405)...412 {
            let deployment = try fillingAgain(seed: seed)
            deployment.feed(60)
            let process = try #require(deployment.process)
            process.mishap = Mishap(.step(.committed, occurrence: Int(seed % 7) + 2), .death)
            for _ in 0..<400 where process.mishap != nil && deployment.turn() != nil { break }
            deployment.kill()
            deployment.settings.options.checkpointBytesPerSecond = 16 << 20
            try deployment.run()
            try deployment.checkState()
        }
    }

    /// An older file, and an input made anew: nothing can be redone, so that the newer rows in the topic must be kept.
    @Test func theInputIsGoneAndAnotherHasAnOlderFile() throws {
        var newer = ""
        let deployment = try halfFilledAgain(seed: 91) { deployment in
            newer = deployment.directory
            try FileManager.default.copyItem(atPath: newer, toPath: newer + "-older")
            deployment.feed(40)
            try deployment.run()
            deployment.kill()
        }
        deployment.cluster.clock.advance(milliseconds: 20_000)
        deployment.cluster.settle()
        let rows = deployment.cluster.records(.state, partition: 0).compactMap(\.record.value)
        try FileManager.default.removeItem(atPath: newer)
        try FileManager.default.moveItem(atPath: newer + "-older", toPath: newer)
        deployment.makeAnew(.input(0))
        (deployment.settings.options.checkpointBytesPerSecond, deployment.settings.options.acceptsOffsets) = (16 << 20, true)
        try deployment.start()
        for _ in 0..<500 where deployment.shard?.state != .running { #expect(deployment.turn() == nil) }
        var (asThere, other) = (0, 0)
        deployment.shard?.forEachEngine { _, engine in
            for row in rows {
                guard let (tenant, user, bytes) = row.withUnsafeBytes({ engine.canonical(row: $0) }) else { continue }
                engine.forEachUser {
                    guard $0 == tenant, $1 == user else { return }
                    // All but how far it has absorbed the input, which is another now.
                    let isSame = $2.count == bytes.count && zip($2, bytes).filter { $0 != $1 }.count <= 8
                    if isSame { asThere += 1 } else { other += 1 }
                }
            }
        }
        #expect(asThere > 2 && other == 0)
    }

    /// The same, but the input was made anew as well: nothing can be redone, so that the rows there are must be kept.
    @Test func theStateTopicIsFilledAgainByHalfAndTheInputIsGone() throws {
        let deployment = try halfFilledAgain(seed: 81)
        deployment.cluster.clock.advance(milliseconds: 20_000)
        deployment.cluster.settle()
        let rows = deployment.cluster.records(.state, partition: 0).count
        deployment.makeAnew(.input(0))
        (deployment.settings.options.checkpointBytesPerSecond, deployment.settings.options.acceptsOffsets) = (16 << 20, true)
        try deployment.start(onAnotherMachine: true)
        for _ in 0..<500 where deployment.shard?.state != .running { #expect(deployment.turn() == nil) }
        #expect(deployment.heard.contains("baselines are kept"))
        #expect((3..<10).contains(rows) && deployment.users == [0: rows])
    }

    /// At least once, a member that was shut out can leave a cut of records that came after the log was asked for its end.
    @Test func theCutsAreAheadOfWhatWasFoundOfTheLog() throws {
        let deployment = Deployment(seed: 51, partitions: 1)
        deployment.settings.isExact = false
        deployment.feed(50)
        try deployment.run()
        deployment.kill()
        let cluster = deployment.cluster
        cluster.clock.advance(milliseconds: 20_000)
        cluster.settle()
        try deployment.start()
        let process = try #require(deployment.process)
        process.mishap = Mishap(.step(.tailed, occurrence: 1), .pause(meanwhile: {
            let last = cluster.records(.cuts, partition: 0).last?.record.value ?? []
            guard let before = try? last.withUnsafeBytes({ try Cut(decoding: $0, inputs: 1) }) else { return }
            deployment.feed(1)
            var cut = Cut(from: before.ends)
            (cut.version, cut.watermark, cut.sequence) = (before.version, before.watermark, before.sequence + 1)
            cut.batches = [[before.ends[0] + 1]]
            let record = ClusterRecord(key: nil, value: cut.encoded(), timestamp: 0)
            _ = try? cluster.append(record, to: TopicPartition(.cuts, 0), id: nil, as: nil, adds: false)
        }))
        try deployment.run()
        #expect(deployment.heard.contains("offsets have moved meanwhile"))
    }

    @Test func stateTopicAndFileAreLost() throws {
        let deployment = try killed(seed: 50)
        deployment.makeAnew(.state)
        try deployment.start(onAnotherMachine: true)
        try deployment.run()
        #expect(deployment.shard?.counters.redone ?? 0 > 100)
        try goesOn(deployment)
    }
}
