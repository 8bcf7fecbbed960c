import Foundation
import Testing

/// Forgetting and repartitioning on an embedded broker, and what is refused there.
@Suite(.serialized, .enabled(if: binary != nil && kcat != nil, "skipped: VIGIL_BINARY or kcat is missing"))
struct EmbeddedBrokerTests {
    private func start(_ pipeline: String, _ more: String...) throws -> (Started, Topics) {
        let run = try Started(binary ?? "", ["run", pipeline, "--embedded-broker"] + more)
        return (run, Topics(broker: try run.line("broker: ")))
    }

    private func receipt(_ user: String, _ pipeline: String, _ topics: Topics) throws -> [String: Any] {
        let result = try vigil("forget", user, pipeline, "--bootstrap-server", topics.broker, "--format", "json")
        #expect(result.status == 0, "\(result.error)")
        return try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any] ?? [:]
    }

    @Test func forgottenPeopleAreGoneAndReceiptsSaySo() throws {
        let scratch = try Scratch()
        let pipeline = try scratch.write("name: forgetful\nemit: all\n", to: "p.yaml")
        let state = scratch.file("state")
        let (run, topics) = try start(pipeline, "--state", state)
        try topics.produce((0..<3).flatMap { ["alice\t" + login("alice", $0), "bob\t" + login("bob", $0)] }, to: "logins")
        _ = try topics.wait(for: 6, in: "decisions")

        let erased = try receipt("alice", pipeline, topics)
        #expect(erased["erased"] as? Bool == true)
        #expect(try receipt("nobody", pipeline, topics)["erased"] as? Bool == false)
        let receipts = try topics.wait(for: 8, in: "decisions", format: "%h\t%k\t%s\n").filter {
            $0.contains("ce_type=dev.vigil.erasure.v1")
        }
        #expect(receipts.count == 2)
        #expect(receipts.contains { $0.contains("\talice\t") && $0.contains("\"event\":\"\(erased["event"] ?? "?")\"") })

        let tap = try vigil("tap", "--bootstrap-server", topics.broker, "--from-beginning", "-n", "8").output
        #expect(tap.split(separator: "\n").count == 8)
        #expect(tap.contains("ERASED") && tap.contains("UNKNOWN") && !tap.contains("neither"), "\(tap)")
        run.kill(SIGTERM)
        let ended = try run.wait()
        #expect(ended.status == 0, "\(ended.error)")
        #expect(ended.error.contains("erasures=2"), "\(ended.error)")
        #expect(!ended.error.contains("aborts="))
        #expect(try vigil("inspect", "alice", "--state", state, "--pipeline", pipeline).status == 1)
        #expect(try vigil("inspect", "bob", "--state", state, "--pipeline", pipeline).status == 0)
    }

    @Test func forgettingNeedsASourceThatMayCarryIt() throws {
        let scratch = try Scratch()
        let pipeline = try scratch.write("name: p\nsources: { logins: {} }\n", to: "p.yaml")
        let result = try vigil("forget", "alice", pipeline)
        #expect(result.status == 78)
        #expect(result.error.contains("feedback"))
    }

    @Test func anErasureWithoutAServiceIsSentAndExits69() throws {
        let broker = try startVigil("broker")
        let topics = Topics(broker: try broker.line("broker: "))
        let result = try vigil(
            "forget", "alice", checkout + "/pipelines/banking.yaml", "--bootstrap-server", topics.broker, "--wait", "1")
        #expect(result.status == 69)
        #expect(result.error.contains("no receipt came"))
        #expect(try topics.lines(of: "feedback").count == 1)
        broker.kill(SIGTERM)
        #expect(try broker.wait().status == 0)
    }

    @Test func recordsWithoutKeysFindTheirUser() throws {
        let scratch = try Scratch()
        let pipeline = try scratch.write(
            """
            name: keyless
            emit: all
            sources:
              raw: { type: any, repartition: true }
              actions: {}
            """, to: "p.yaml")
        let (run, topics) = try start(pipeline)
        #expect(try run.line("topics: ") == "raw, keyless-raw-repartition, actions, decisions, dead-letters")
        let named = (0..<4).flatMap { [login("alice", $0), login("bob", $0, tenant: "acme")] }
        let nobody = #"{"id":"x","type":"login","time":"2026-11-20T09:00:00Z","outcome":"success"}"#
        let broken = #"{"id":"y","type":"login","time":"2026-11-20T09:00:00Z","user":"bob","tenant":"acme"}"#
        try topics.produce(named + [nobody, broken], to: "raw", keyed: false)

        let decisions = try topics.wait(for: 8, in: "decisions", format: "%k\t%s\n")
        #expect(Set(decisions.compactMap { member("event", of: $0) }).count == 8)
        #expect(Set(decisions.map { String($0.prefix { $0 != "\t" }) }) == ["alice", "acme/bob"])
        #expect(decisions.allSatisfy { $0.contains(#""source":{"topic":"keyless-raw-repartition""#) })
        let dead = try topics.wait(for: 2, in: "dead-letters", format: "%h\t%k\t%s\n").sorted()
        // Both lack a field; the one that names somebody is laid to them, the other keeps having no key.
        #expect(dead.contains { $0.hasSuffix("\t\t" + nobody) && $0.contains("vigil-reason=missing_field") }, "\(dead)")
        #expect(dead.contains { $0.hasSuffix("\tacme/bob\t" + broken) && $0.contains("vigil-reason=missing_field") }, "\(dead)")
        run.kill(SIGTERM)
        let ended = try run.wait()
        #expect(ended.status == 0, "\(ended.error)")
        #expect(ended.error.contains("repartitioned=10"), "\(ended.error)")
    }

    /// A process whose repartitioner has stopped would only seem to work.
    @Test func repartitioningThatFailsEndsTheProcess() throws {
        let scratch = try Scratch()
        let broker = try startVigil("broker", "--topics", "raw,p-raw-repartition,decisions,dead-letters")
        let topics = Topics(broker: try broker.line("broker: "))
        let pipeline = try scratch.write(
            """
            name: p
            sources: { raw: { type: any, repartition: true } }
            state: { directory: \(scratch.file("state")) }
            kafka: { bootstrap.servers: "\(topics.broker)", message.max.bytes: 2000 }
            """, to: "p.yaml")
        try topics.produce([#"{"id":"\#(String(repeating: "x", count: 5_000))"}"#], to: "raw", keyed: false)
        let result = try vigil("run", pipeline)
        #expect(result.status == 69, "\(result.error)")
        #expect(result.error.contains("error: repartitioning: topic p-raw-repartition"), "\(result.error)")
        broker.kill(SIGTERM)
        #expect(try broker.wait().status == 0)
    }

    @Test func whatNeedsTransactionsIsRefused() throws {
        let broker = try startVigil("broker")
        let address = try broker.line("broker: ")
        let explain = try vigil(
            "explain", "01a2097f-5ec0-8c58-86aa-2c2c5bcff025", checkout + "/pipelines/banking.yaml", "--bootstrap-server", address)
        #expect(explain.status == 78)
        #expect(explain.error.contains("embedded broker") && explain.error.contains("cuts"), "\(explain.error)")
        let soak = try vigil("soak", "--bootstrap-server", address)
        #expect(soak.status == 78)
        #expect(soak.error.contains("nothing to soak"), "\(soak.error)")
        broker.kill(SIGTERM)
        #expect(try broker.wait().status == 0)
    }
}
