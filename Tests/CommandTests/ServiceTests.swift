import Foundation
import Testing

/// The service over a real Kafka protocol: brokers of Vigil's own, kcat on the other side.
@Suite(.serialized, .enabled(if: binary != nil && find("kcat") != nil, "skipped: VIGIL_BINARY or kcat is missing"))
struct ServiceTests {
    private let kcat = find("kcat") ?? ""

    @Test func kcatProducesAndSubscribes() throws {
        let scratch = try Scratch()
        let run = try startVigil("run", checkout + "/pipelines/banking.yaml", "--embedded-broker")
        let broker = try run.line("broker: ")
        let keyed = try vigil("generate", "--events", "1000", "--keyed").output.split(separator: "\n")
        for (topic, type) in [("logins", "login"), ("actions", "action")] {
            let records = keyed.filter { $0.contains("\"type\":\"\(type)\"") }.joined(separator: "\n") + "\n"
            let file = try scratch.write(records, to: topic)
            let produced = try Started(
                kcat, ["-P", "-b", broker, "-X", "partitioner=murmur2_random", "-t", topic, "-K", "\t", "-l", file]).wait()
            #expect(produced.status == 0, "\(produced.error)")
        }
        let bad = (1...5).map { "mallory\t{malformed \($0)" }
        let file = try scratch.write(bad.joined(separator: "\n") + "\n", to: "bad")
        _ = try Started(
            kcat, ["-P", "-b", broker, "-X", "partitioner=murmur2_random", "-t", "actions", "-K", "\t", "-l", file]).wait()

        let decisions = try Started(kcat, ["-C", "-u", "-b", broker, "-t", "decisions", "-c", "20", "-f", "%h\t%s\n"]).wait()
        let seen = decisions.output.split(separator: "\n")
        #expect(seen.count == 20)
        for line in seen {
            let parts = line.split(separator: "\t", maxSplits: 1)
            #expect(parts.first?.contains("ce_type=dev.vigil.decision.v1") == true)
            #expect(parts.first?.contains("ce_specversion=1.0") == true)
            let decision = try object(String(parts.last ?? ""))
            #expect(parts.first?.contains("ce_id=\(decision["id"] as? String ?? "?")") == true)
        }
        let dead = try Started(kcat, ["-C", "-u", "-b", broker, "-t", "dead-letters", "-c", "5", "-f", "%h\t%k\t%s\n"]).wait()
        for (index, line) in dead.output.split(separator: "\n").sorted(by: { $0.suffix(1) < $1.suffix(1) }).enumerated() {
            #expect(line.contains("vigil-reason=not_json"))
            #expect(line.hasSuffix("\t" + bad[index]))
        }
        let tap = try vigil("tap", "--bootstrap-server", broker, "--from-beginning", "-n", "3")
        #expect(tap.status == 0)
        #expect(tap.output.split(separator: "\n").count == 3)
        #expect(!tap.output.contains("\u{1B}"))
        let told = try vigil(
            "tap", checkout + "/pipelines/banking.yaml", "--bootstrap-server", broker, "--from-beginning", "-n", "20")
        #expect(told.output.contains("would have been allowed without "), "\(told.output)")
        run.kill(SIGTERM)
        let ended = try run.wait()
        #expect(ended.status == 0, "\(ended.error)")
    }

    @Test func topicsAreToldApart() throws {
        let broker = try startVigil("broker", "--topics", "logins,actions,challenges,feedback,decisions", "--partitions", "3")
        let brokers = ["VIGIL_BROKERS": try broker.line("broker: ")]
        let pipeline = checkout + "/pipelines/continuous-authorization.yaml"
        let topics = try vigil("topics", pipeline, "--format", "json", environment: brokers)
        #expect(topics.status == 1)
        #expect(topics.error.contains("dead-letters does not exist"))
        let rows = try #require(try JSONSerialization.jsonObject(with: Data(topics.output.utf8)) as? [[String: Any]])
        #expect(rows.filter { $0["state"] as? String == "there" }.count == 5)
        // Nothing travels through an embedded broker, so there are no topics for state and cuts.
        #expect(rows.compactMap { $0["role"] as? String } == ["input", "input", "input", "input", "output", "output"])
        let run = try vigil("run", pipeline, environment: brokers)
        #expect(run.status == 78)
        #expect(run.error.contains("dead-letters does not exist"))
        let validate = try vigil("validate", pipeline, "--environment", environment: brokers)
        #expect(validate.status == 78)
        #expect(validate.error.contains("error[topics]: topic dead-letters does not exist"), "\(validate.error)")
        broker.kill(SIGTERM)
        #expect(try broker.wait().status == 0)
    }

    /// The service is killed in the middle and started again; the broker lives on in a process of its own.
    @Test func aKilledServiceResumes() throws {
        let scratch = try Scratch()
        let count = killedEvents ?? 20_000
        let broker = try startVigil("broker", "--topics", "events,decisions,dead-letters")
        let address = try broker.line("broker: ")
        let pipeline = try scratch.write(
            """
            name: killed
            emit: all
            sources: { events: { type: any } }
            state: { directory: \(scratch.file("state")), checkpoint_interval: 1s }
            kafka: { bootstrap.servers: "\(address)", session.timeout.ms: 6000 }
            """, to: "pipeline.yaml")
        let seen = try Started(kcat, ["-C", "-u", "-b", address, "-t", "decisions", "-o", "beginning", "-f", "%s\n"])
        let first = try startVigil("run", pipeline)
        // What the broker holds is bounded, and for some seconds after the kill nobody reads.
        let feed = try startVigil(
            "generate", "--events", "\(count)", "--bootstrap-server", address, "--topic", "events", "--rate", "3000")
        try until(60, "a third of the decisions") { seen.outputBytes > count * 700 / 3 }
        first.kill(SIGKILL)
        _ = try first.wait()
        let second = try startVigil("run", pipeline)
        let fed = try feed.wait(seconds: Double(count) / 1_000 + 60)
        #expect(fed.status == 0)
        let produced = try #require(Int(fed.error.split(separator: " ").first ?? ""))

        var ofEvent: [String: Set<String>] = [:]
        var looked = -1
        try until(90, "decisions on all \(produced) events: \(ofEvent.count) had one; \(second.error.suffix(400))") {
            guard seen.outputBytes != looked else { return false }
            looked = seen.outputBytes
            ofEvent = [:]
            for line in seen.output.split(separator: "\n") where line.hasSuffix("}") {
                if let event = member("event", of: String(line)) { ofEvent[event, default: []].insert(String(line)) }
            }
            return ofEvent.count >= produced
        }
        #expect(ofEvent.count == produced)
        // Every user's events share the one topic, so a repeated decision is the same to the byte.
        #expect(ofEvent.values.allSatisfy { $0.count == 1 })
        second.kill(SIGTERM)
        #expect(try second.wait().status == 0)
        seen.kill(SIGKILL)
        broker.kill(SIGTERM)
        #expect(try broker.wait().status == 0)
    }

    @Test func theDemoEndsWithItsTable() throws {
        let demo = try vigil("demo", "--events", "3000")
        #expect(demo.status == 0, "\(demo.error)")
        #expect(demo.output.contains("attack "))
        #expect(demo.output.contains("legitimate traffic"))
        #expect(!demo.output.contains("\u{1B}"))
    }
}
