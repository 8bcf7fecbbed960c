import Foundation
import Testing

/// What only a broker with transactions can show. Every topic is new, so the tests may be repeated.
@Suite(
    "real Kafka", .serialized,
    .enabled(
        if: binary != nil && kcat != nil && realKafka != nil,
        "skipped: needs VIGIL_BINARY, kcat and a Kafka broker; set VIGIL_TEST_KAFKA=host:port"))
struct RealKafkaTests {
    private let scratch: Scratch
    private let name = "vigil-test-\(UUID().uuidString.prefix(8).lowercased())"
    private let topics = Topics(broker: realKafka ?? "")
    private let pipeline: String

    init() throws {
        scratch = try Scratch()
        pipeline = try scratch.write(
            """
            name: \(name)
            emit: all
            sources:
              events: { topic: \(name)-events, type: any }
              raw: { topic: \(name)-raw, type: any, repartition: true }
              feedback: { topic: \(name)-feedback }
            sinks: { decisions: { topic: \(name)-decisions }, dead_letters: { topic: \(name)-dead-letters } }
            state: { topic: \(name)-state, cuts_topic: \(name)-cuts, networks_topic: \(name)-networks, checkpoint_interval: 1s }
            topics: { partitions: 3 }
            policies: [{ name: risky, when: { level: [high, critical] }, then: step_up }]
            kafka: { bootstrap.servers: "\(topics.broker)", session.timeout.ms: 6000, heartbeat.interval.ms: 500 }
            """, to: "pipeline.yaml")
    }

    private func start(state: String) throws -> Started {
        let run = try startVigil("run", pipeline, "--state", scratch.file(state))
        try until(60, "the shard to run: \(run.error)") { run.error.contains("] running") || !run.process.isRunning }
        return run
    }

    private func stop(_ run: Started) throws {
        run.kill(SIGTERM)
        let ended = try run.wait()
        #expect(ended.status == 0, "\(ended.error)")
    }

    private func forget(_ user: String) throws -> Bool? {
        let result = try vigil("forget", user, pipeline, "--format", "json")
        #expect(result.status == 0, "\(result.error)")
        return try (JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])?["erased"] as? Bool
    }

    @Test func topicsAreMadeAndFit() throws {
        let before = try vigil("validate", pipeline, "--environment")
        #expect(before.status == 78)
        #expect(before.error.contains("\(name)-cuts does not exist"), "\(before.error)")
        let made = try vigil("topics", pipeline, "--create", "--format", "json")
        #expect(made.status == 0, "\(made.error)")
        let rows = try #require(try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [[String: Any]])
        #expect(rows.compactMap { $0["role"] as? String } == [
            "input", "source", "repartition", "input", "output", "output", "state", "cuts", "networks",
        ])
        #expect(rows.allSatisfy { $0["state"] as? String == "created" })
        try until(30, "the new topics") { try vigil("validate", pipeline, "--environment").status == 0 }
    }

    @Test func decisionsAreExplainedAsTheyWereEmitted() throws {
        #expect(try vigil("topics", pipeline, "--create").status == 0)
        let run = try start(state: "state")
        let fed = try vigil(
            "generate", "--events", "1500", "--bootstrap-server", topics.broker, "--topic", "\(name)-events")
        let count = try #require(Int(fed.error.split(separator: " ").first ?? ""))
        try topics.produce((0..<5).map { login("keyless", $0) }, to: "\(name)-raw", keyed: false)
        let decisions = try topics.wait(for: count + 5, in: "\(name)-decisions")
        #expect(decisions.count == count + 5)
        #expect(Set(decisions.compactMap { member("id", of: $0) }).count == count + 5)
        try stop(run)

        let interesting = decisions.filter { $0.contains(#""decision":"step_up""#) }
        #expect(!interesting.isEmpty)
        let keyless = decisions.filter { member("user", of: $0) == "keyless" }
        #expect(keyless.count == 5)
        for emitted in [interesting.first, interesting.last, decisions.last, keyless.last].compactMap({ $0 }) {
            let id = try #require(member("id", of: emitted))
            let result = try vigil("explain", id, pipeline, "--format", "json")
            #expect(result.status == 0, "\(result.error)")
            let answer = try object(result.output)
            #expect(answer["isEqual"] as? Bool == true)
            #expect(answer["decision"] as? String == emitted)
        }
        let words = try vigil("explain", member("id", of: interesting.last ?? "") ?? "", pipeline)
        #expect(words.output.contains("emitted      yes, byte for byte this"), "\(words.output) \(words.error)")
        #expect(try vigil("explain", "00000000-0000-8000-8000-000000000000", pipeline).status == 66)

        // Under another secret nothing comes out the same.
        let other = try vigil("explain", member("id", of: interesting.last ?? "") ?? "", pipeline, environment: [
            "VIGIL_SECRET": "quite another secret",
        ])
        #expect(other.status == 1, "\(other.output)")
        #expect(other.output.contains("emitted      NOT this"))
    }

    @Test func theForgottenStayForgottenOnAnotherHost() throws {
        #expect(try vigil("topics", pipeline, "--create").status == 0)
        let first = try start(state: "here")
        try topics.produce(
            (0..<3).flatMap { ["alice\t" + login("alice", $0), "bob\t" + login("bob", $0)] }, to: "\(name)-events")
        _ = try topics.wait(for: 6, in: "\(name)-decisions")
        #expect(try forget("alice") == true)
        try stop(first)

        // A host that never had the partitions has what the state topic says.
        let second = try start(state: "there")
        #expect(try forget("alice") == false)
        #expect(try forget("bob") == true)
        try stop(second)
        #expect(try vigil("inspect", "alice", "--state", scratch.file("there"), "--pipeline", pipeline).status == 1)
    }

    /// Pipelines are swapped while events flow, and the process is killed between two swaps.
    @Test func reloadsUnderLoadLoseNothingAndAreExplained() throws {
        let lax = try String(contentsOfFile: pipeline, encoding: .utf8)
        let texts = [lax, lax.replacingOccurrences(of: "then: step_up", with: "then: deny")]
        let files = try texts.enumerated().map { try scratch.write($1, to: "version-\($0).yaml") }
        #expect(try vigil("topics", pipeline, "--create").status == 0)
        var run = try start(state: "state")
        let seen = try Started(kcat ?? "", [
            "-C", "-u", "-q", "-b", topics.broker, "-t", "\(name)-decisions", "-o", "beginning",
            "-X", "isolation.level=read_committed", "-f", "%s\n",
        ])
        let feed = try startVigil(
            "generate", "--events", "10000", "--bootstrap-server", topics.broker, "--topic", "\(name)-events", "--rate", "400")
        var swapsOfThis = 0
        for swap in 1...6 {
            try until(60, "decisions to flow; \(run.error.suffix(400))") { seen.outputBytes > swap * 800_000 }
            try texts[swap % 2].write(toFile: pipeline, atomically: true, encoding: .utf8)
            run.kill(SIGHUP)
            swapsOfThis += 1
            try until(60, "swap \(swap): \(run.error.suffix(400))") {
                run.error.components(separatedBy: "in force in all shards").count > swapsOfThis
            }
            guard swap == 3 else { continue }
            let reached = seen.outputBytes
            try until(60, "decisions under the new pipeline") { seen.outputBytes > reached + 200_000 }
            run.kill(SIGKILL)
            _ = try run.wait()
            (run, swapsOfThis) = (try start(state: "state"), 0)
        }
        let fed = try feed.wait(seconds: 120)
        let count = try #require(Int(fed.error.split(separator: " ").first ?? ""))
        let decisions = try topics.wait(for: count, in: "\(name)-decisions")
        try stop(run)
        seen.kill(SIGKILL)
        #expect(decisions.count == count && Set(decisions.compactMap { member("id", of: $0) }).count == count)
        #expect(run.error.contains("reloads=3"), "\(run.error.suffix(400))")

        let ofVersion = Dictionary(grouping: decisions) { member("version", of: $0) ?? "" }
        #expect(ofVersion.count == 2 && ofVersion.values.allSatisfy { $0.count > 100 })
        for emitted in ofVersion.values.flatMap({ [$0[$0.count / 2], $0[$0.count - 1]] }) {
            let id = try #require(member("id", of: emitted))
            let result = try vigil("explain", id, files[0], "--earlier", files[1], "--format", "json")
            #expect(result.status == 0, "\(result.error)")
            let answer = try object(result.output)
            #expect(answer["isEqual"] as? Bool == true && answer["decision"] as? String == emitted)
        }
    }

    /// VIGIL_TEST_SOAK=full takes the size an acceptance takes.
    @Test func aSoakFindsNothing() throws {
        let isFull = ProcessInfo.processInfo.environment["VIGIL_TEST_SOAK"] == "full"
        _ = try scratch.write("mfa.*\npassword.*\nfactor.*\n", to: "changes.txt")
        let rules = try scratch.pipeline(replacing: [
            #"["mfa.*", "password.*", "factor.*"]"#: "changes.txt", "${VIGIL_BROKERS:127.0.0.1:9092}": topics.broker,
        ])
        let soak = try Started(binary ?? "", [
            "soak", rules, "--processes", "3", "--partitions", "6", "--users",
            isFull ? "20000" : "2000", "--events", isFull ? "200000" : "40000", "--fault-every", isFull ? "5" : "4",
            "--rate", isFull ? "3000" : "1200",
        ])
        let ended = try soak.wait(seconds: isFull ? 1_200 : 300)
        #expect(ended.status == 0, "\(ended.output)\(ended.error)")
        #expect(ended.output.contains("\n0 problems, seed "), "\(ended.output)")
    }
}
