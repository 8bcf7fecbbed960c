import CRdKafka
import Events
import Runtime
import Testing

@testable import Kafka

/// Against the embedded broker. One after another: each waits for the group's three seconds, not for the processor.
@Suite(.serialized) struct KafkaTests {
@Suite struct Inputs {
    @Test func recordsArriveInOrderWithNulls() throws {
        let bench = try Bench(["logins": 2, "actions": 2])
        try bench.feed("logins", (0..<50).map { "u\($0)" })
        try bench.feed("actions", (0..<50).map { "u\($0)" })
        let feeder = try KafkaFeeder(properties: bench.properties, logger: quiet)
        try feeder.produce(topic: "logins", key: .absent, value: .absent)
        try #require(try feeder.flush(timeoutMilliseconds: 10_000))
        feeder.close()

        let reader = try Reader(bench.properties, topics: ["logins", "actions"])
        try until("101 records") { try reader.turn(maxRecords: 7); return reader.seen.count >= 101 }
        #expect(reader.assigned.count == 4)
        #expect(reader.seen.filter { $0.key == nil && $0.value == nil }.count == 1)
        #expect(reader.seen.allSatisfy { $0.key == $0.value })
        for input in 0..<2 {
            for partition in Int32(0)..<2 {
                let offsets = reader.seen.filter { $0.input == input && $0.partition == partition }.map(\.offset)
                #expect(offsets == Array(0..<Int64(offsets.count)))
            }
        }
        let homes = Dictionary(grouping: reader.seen.filter { $0.key != nil }, by: { $0.key! })
        #expect(homes.values.allSatisfy { Set($0.map(\.partition)).count == 1 })
        #expect(try reader.log.identity().isEmpty == false)
        reader.log.close()
    }

    @Test func commitAndResume() throws {
        let bench = try Bench(["logins": 1])
        try bench.feed("logins", (0..<20).map(String.init))
        let first = try Reader(bench.properties, topics: ["logins"])
        try until("some records") { try first.turn(maxRecords: 5); return first.seen.count >= 10 }
        #expect(try first.log.committed(first.assigned) == [nil])
        try first.log.commit(first.positions)
        let committed = first.positions[0].offset
        #expect(try first.log.committed(first.assigned) == [committed])
        #expect(try first.log.bounds(first.assigned)[0] == (first: 0, end: 20))
        // Whoever is told to be no member has lost the assignment, and what comes after that is refused without asking.
        for (error, isFenced) in [
            (RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, false), (RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, true),
            (RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, true),
        ] {
            bench.broker.failNext([error], apiKey: 8)
            let failure = #expect(throws: LogFailure.self) { try first.log.commit(first.positions) }
            switch failure {
            case .fenced: #expect(isFenced)
            case .retry: #expect(!isFenced)
            default: Issue.record("unexpected \(String(describing: failure))")
            }
        }
        first.log.close()

        let second = try Reader(bench.properties, topics: ["logins"])
        try until("the rest") { try second.turn(); return second.seen.last?.offset == 19 }
        #expect(second.seen.first?.offset == committed)
        second.log.close()
    }

    @Test func pausedIsSilentAndResumesWhereItWas() throws {
        let bench = try Bench(["logins": 2])
        try bench.feed("logins", (0..<1000).map(String.init))
        let reader = try Reader(bench.properties, topics: ["logins"])
        try until("some records") { try reader.turn(maxRecords: 10); return reader.seen.count >= 30 }
        for _ in 0..<5 {
            try reader.log.setPaused(Set(reader.assigned))
            try reader.log.setPaused(Set(reader.assigned))
            let before = reader.seen.count
            for _ in 0..<4 { try reader.turn(milliseconds: 20) }
            #expect(reader.seen.count == before)
            try reader.log.setPaused([])
            try reader.log.setPaused([])
            try until("more records") { try reader.turn(maxRecords: 10); return reader.seen.count > before + 50 }
        }
        try until("all records") { try reader.turn(); return reader.seen.count >= 1000 }
        #expect(reader.seen.count == 1000)
        for partition in Int32(0)..<2 {
            let offsets = reader.seen.filter { $0.partition == partition }.map(\.offset)
            #expect(offsets == Array(0..<Int64(offsets.count)))
        }
        reader.log.close()
    }

    @Test func partitionsArePausedSingly() throws {
        let bench = try Bench(["logins": 3])
        try bench.feed("logins", (0..<900).map(String.init))
        let reader = try Reader(bench.properties, topics: ["logins"])
        try until("some records") { try reader.turn(maxRecords: 10); return Set(reader.seen.map(\.partition)).count == 3 }
        func seen(_ partition: Int32) -> Int { reader.seen.filter { $0.partition == partition }.count }
        // Of the least seen one there is something left to the end.
        let order = reader.assigned.sorted { seen($0.partition) < seen($1.partition) }
        let (first, second) = (order[0], order[1])
        // From one set to the next, overlapping and not.
        for paused in [[first], [first, second], [second], [], [second], [first]] as [Set<InputPartition>] {
            try reader.log.setPaused(paused)
            let before = (0..<3).map { seen($0) }
            for _ in 0..<5 { try reader.turn(milliseconds: 20, maxRecords: 5) }
            for partition in paused { #expect(seen(partition.partition) == before[Int(partition.partition)]) }
        }
        try until("all of the others") { try reader.turn(); return !reader.log.hasMore(second) }
        #expect(reader.log.hasMore(first))
        // Paused partitions stay so over a new start, which reads from where it is told.
        try reader.log.start(at: [InputPosition(partition: first, offset: 5)])
        let before = reader.seen.count
        for _ in 0..<5 { try reader.turn(milliseconds: 20) }
        #expect(reader.seen.count == before)
        try reader.log.setPaused([])
        try until("the rest") { try reader.turn(); return !reader.log.hasMore(first) && reader.seen.count > before }
        let again = reader.seen[before...].map(\.offset)
        #expect(again.first == 5 && again == Array(5..<Int64(again.count + 5)))
        reader.log.close()
    }

    @Test func moreIsKnownUntilTheEnd() throws {
        let bench = try Bench(["logins": 1])
        try bench.feed("logins", (0..<40).map(String.init))
        let reader = try Reader(bench.properties, topics: ["logins"])
        let partition = InputPartition(input: 0, partition: 0)
        #expect(!reader.log.hasMore(partition))
        while reader.seen.count < 40 {
            try until("records") { let count = reader.seen.count; try reader.turn(maxRecords: 7); return reader.seen.count > count }
            #expect(reader.log.hasMore(partition) == (reader.seen.count < 40))
        }
        try bench.feed("logins", ["more"])
        try until("the news") { try reader.turn(maxRecords: 0); return reader.log.hasMore(partition) || reader.seen.count > 40 }
        try until("the last") { try reader.turn(); return reader.seen.count == 41 }
        #expect(!reader.log.hasMore(partition))
        #expect(!reader.log.hasMore(InputPartition(input: 0, partition: 9)))
        reader.log.close()
    }

    @Test func partitionsAreSharedHandedOverAndTakenBack() throws {
        let bench = try Bench(["logins": 4, "actions": 4])
        let topics = ["logins", "actions"]
        let first = try Reader(bench.properties, topics: topics)
        try until("the first member") { try first.turn(); return first.assigned.count == 8 }
        let second = try Reader(bench.properties, topics: topics)
        try until("a share for each", seconds: 40) {
            try first.turn()
            try second.turn()
            return first.assigned.count == 4 && second.assigned.count == 4
        }
        // More than one round may be needed, but each gives all back before the next.
        #expect(first.events.count >= 3)
        for (index, event) in first.events.enumerated() { #expect(event == (index % 2 == 0 ? "assigned" : "revoked")) }
        // Range: a partition's inputs stay together.
        for reader in [first, second] {
            let numbers = (0..<2).map { input in reader.assigned.filter { $0.input == input }.map(\.partition).sorted() }
            #expect(numbers[0] == numbers[1])
        }
        second.log.close()
        try until("everything again", seconds: 40) { try first.turn(); return first.assigned.count == 8 }
        first.log.close()
    }

    @Test func brokerGoesAndComesBack() throws {
        let bench = try Bench(["logins": 1])
        try bench.feed("logins", ["a"])
        let reader = try Reader(bench.properties, topics: ["logins"])
        try until("the record") { try reader.turn(); return reader.seen.count == 1 }
        // The outage may outlast the session, and then reading resumes at what was committed.
        try reader.log.commit(reader.positions)
        bench.broker.setReachable(false)
        for _ in 0..<20 { try reader.turn(milliseconds: 50) }
        let failure = #expect(throws: LogFailure.self) { _ = try reader.log.committed(reader.assigned) }
        if case .retry = failure {} else { Issue.record("expected retry, not \(String(describing: failure))") }
        bench.broker.setReachable(true)
        try bench.feed("logins", ["b"])
        try until("the next record", seconds: 40) { try reader.turn(); return reader.seen.last?.value == "b" }
        #expect(reader.seen.map(\.value) == ["a", "b"])
        reader.log.close()
    }

    @Test func unequalPartitionsStop() throws {
        let bench = try Bench(["logins": 2, "actions": 3])
        let reader = try Reader(bench.properties, topics: ["logins", "actions"])
        let failure = #expect(throws: LogFailure.self) { try until("the refusal") { try reader.turn(); return false } }
        #expect(failure?.isStop == true && "\(String(describing: failure))".contains("logins 2, actions 3"))
        reader.log.close()
    }

    @Test func differentPartitionersStop() throws {
        let bench = try Bench(["logins": 6, "actions": 6])
        try bench.feed("logins", (0..<100).map { "u\($0)" })
        try bench.feed("actions", (0..<100).map { "u\($0)" }, extra: ["partitioner": "consistent_random"])
        let reader = try Reader(bench.properties, topics: ["logins", "actions"])
        let failure = #expect(throws: LogFailure.self) { try until("the refusal") { try reader.turn(); return false } }
        #expect("\(String(describing: failure))".contains("murmur2_random"))
        reader.log.close()
    }
}

@Suite struct Broker {
    @Test func portCanBeChosen() throws {
        let first = try Bench([:])
        let port = try #require(UInt16(first.broker.address.split(separator: ":").last ?? ""))
        #expect(throws: LogFailure.self) { try Bench([:], port: port) }
        first.broker.close()
        let second = try Bench(["t": 3], port: port)
        #expect(second.broker.address == "127.0.0.1:\(port)")
        try second.feed("t", ["a"])
        #expect(try read("t", count: 1, second.properties).count == 1)
    }

    @Test func topicsAreChecked() throws {
        let bench = try Bench(["logins": 2, "actions": 3, "decisions": 1])
        let admin = try TopicAdmin(properties: bench.properties, logger: quiet)
        let needs: [TopicAdmin.Need] = [
            .input("logins", partitions: 2), .input("actions", partitions: 2), .input("feedback", partitions: 2),
            .output("decisions", partitions: 2), .output("dead-letters", partitions: 2),
        ]
        let problems = try admin.problems(needs)
        #expect(problems.count == 3)
        #expect(problems.contains { $0.contains("feedback") } && problems.contains { $0.contains("dead-letters") })
        let failure = #expect(throws: LogFailure.self) { try admin.create(needs) }
        #expect("\(String(describing: failure))".contains("embedded broker"))
    }

    @Test func aFindingCountsWhenItLasts() {
        var doubt = Doubt()
        #expect(!doubt.isPending)
        #expect(doubt.failure("missing", at: 1_000).isRetry && doubt.isPending)
        #expect(doubt.failure("missing", at: 5_999).isRetry)
        #expect(doubt.failure("missing", at: 6_000).isStop)
    }

    @Test func noBrokerIsRetried() throws {
        let bench = try Bench([:])
        let properties = bench.properties
        bench.broker.close()
        let admin = try TopicAdmin(properties: properties, logger: quiet)
        let failure = #expect(throws: LogFailure.self) { try admin.partitionCounts(["a"], timeoutMilliseconds: 300) }
        if case .retry = failure {} else { Issue.record("expected retry") }
    }
}
}
