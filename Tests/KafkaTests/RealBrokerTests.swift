import Glibc
import Runtime
import Testing

@testable import Kafka

private let address = getenv("VIGIL_TEST_KAFKA").map { String(cString: $0) }

/// The real broker, and a name that no other test's topics, groups and transactional ids begin with.
struct RealBroker {
    let run: String
    var properties: [String: String] = [
        "bootstrap.servers": address ?? "", "session.timeout.ms": "6000", "heartbeat.interval.ms": "500",
    ]

    init() { run = "vigil-test-\(getpid())-\(monotonicMilliseconds())" }

    /// Makes topics, and returns their full names.
    func create(_ needs: TopicAdmin.Need...) throws {
        let admin = try TopicAdmin(properties: properties, logger: quiet)
        #expect(try admin.create(needs).count == needs.count)
        try until("the new topics") { try admin.partitionCounts(needs.map(\.name)).allSatisfy { $0 != nil } }
    }
}

/// What only a real broker can show. Every topic and group is new, so the tests may be repeated.
@Suite(
    .serialized,
    .enabled(if: address != nil, "skipped: needs a Kafka broker; set VIGIL_TEST_KAFKA=host:port"))
struct RealBrokerTests {
    private let broker = RealBroker()
    private var run: String { broker.run }
    private var properties: [String: String] { broker.properties }

    private func create(_ names: String..., partitions: Int = 3) throws {
        let admin = try TopicAdmin(properties: properties, logger: quiet)
        let needs = names.map { TopicAdmin.Need.input("\(run)-\($0)", partitions: partitions) }
        #expect(try admin.problems(needs).count == needs.count)
        #expect(try admin.create(needs) == needs.map(\.name))
        #expect(try admin.create(needs).isEmpty)
        #expect(try admin.problems(needs).isEmpty)
    }

    @Test func topicsAreCreatedReadCommittedAndResumed() throws {
        try create("logins", "actions")
        let topics = ["\(run)-logins", "\(run)-actions"]
        for topic in topics { try produceKeys(topic, (0..<200).map { "u\($0)" }, properties) }
        let first = try Reader(properties, topics: topics, group: run, instance: "\(run)-0")
        try until("records") { try first.turn(); return first.seen.count >= 150 }
        #expect(first.stamped)
        try first.log.commit(first.positions)
        let taken = first.seen.count
        first.log.close()
        let second = try Reader(properties, topics: topics, group: run, instance: "\(run)-0")
        try until("the rest") { try second.turn(); return taken + second.seen.count >= 400 }
        #expect(taken + second.seen.count == 400)
        second.log.close()
    }

    @Test func missingTopicStops() throws {
        let reader = try Reader(properties, topics: ["\(run)-nowhere"], group: run)
        let failure = #expect(throws: LogFailure.self) { try until("the refusal") { try reader.turn(); return false } }
        #expect("\(String(describing: failure))".contains("\(run)-nowhere does not exist"))
        reader.log.close()
    }

    @Test func sameInstanceTwiceStopsTheElder() throws {
        try create("logins")
        let elder = try Reader(properties, topics: ["\(run)-logins"], group: run, instance: "same")
        try until("an assignment") { try elder.turn(); return elder.assigned.count == 3 }
        let younger = try Reader(properties, topics: ["\(run)-logins"], group: run, instance: "same")
        let failure = #expect(throws: LogFailure.self) {
            try until("the fence") { try younger.turn(); try elder.turn(); return false }
        }
        #expect("\(String(describing: failure))".contains("instance id"))
        elder.log.close()
        younger.log.close()
    }

    @Test func membersShareAndTakeOver() throws {
        try create("logins", partitions: 4)
        let first = try Reader(properties, topics: ["\(run)-logins"], group: run)
        let second = try Reader(properties, topics: ["\(run)-logins"], group: run)
        try until("a share for each", seconds: 40) {
            try first.turn()
            try second.turn()
            return first.assigned.count == 2 && second.assigned.count == 2
        }
        second.log.close()
        try until("everything", seconds: 40) { try first.turn(); return first.assigned.count == 4 }
        first.log.close()
    }

    @Test func configurationIsChecked() throws {
        let admin = try TopicAdmin(properties: properties, logger: quiet)
        let input = TopicAdmin.Need.input("\(run)-logins", partitions: 2)
        var stamped = TopicAdmin.Need.input("\(run)-actions", partitions: 2)
        let good: [TopicAdmin.Need] = [
            input, .output("\(run)-decisions", partitions: 5), .state("\(run)-state", partitions: 2),
            .cuts("\(run)-cuts", partitions: 2),
        ]
        #expect(try admin.create(good).count == 4)
        try until("the topics") { try admin.partitionCounts(good.map(\.name)).allSatisfy { $0 != nil } }
        #expect(try admin.check(good) == TopicAdmin.Findings())

        stamped.configuration = [:]
        var state = TopicAdmin.Need.state("\(run)-bad-state", partitions: 3)
        state.configuration = [:]
        let cuts = TopicAdmin.Need.cuts("\(run)-bad-cuts", partitions: 2, retentionMilliseconds: 3_600_000)
        #expect(try admin.create([stamped, state, cuts]).count == 3)
        try until("the topics") { try admin.partitionCounts([stamped.name, state.name, cuts.name]).allSatisfy { $0 != nil } }
        let found = try admin.check([input, stamped, state, cuts])
        #expect(found.problems.count == 3, "\(found.problems)")
        #expect(found.problems.contains { $0.contains("bad-state has 3 partitions") })
        #expect(found.problems.contains { $0.contains("cleanup.policy=compact") })
        #expect(found.problems.contains { $0.contains("bad-cuts keeps records for 3600000 ms") })
        #expect(found.notes.count == 1 && found.notes[0].contains("\(run)-actions"))
    }
}
