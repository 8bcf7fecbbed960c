import Foundation
import Testing

/// A pipeline that changes while the service runs, over an embedded broker.
@Suite(.serialized, .enabled(if: binary != nil && kcat != nil, "skipped: VIGIL_BINARY or kcat is missing"))
struct ReloadTests {
    private func text(_ otherwise: String, _ more: String = "") -> String {
        "name: changing\nemit: all\notherwise: \(otherwise)\n\(more)"
    }

    private func start(_ pipeline: String) throws -> (Started, Topics) {
        let run = try startVigil("run", pipeline, "--embedded-broker")
        return (run, Topics(broker: try run.line("broker: ")))
    }

    /// Replaces a file as deployments do.
    private func replace(_ file: String, with text: String) throws {
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }

    private func until(_ run: Started, says text: String, times: Int = 1) throws {
        try CommandTests.until(30, "`\(text)` × \(times) in \(run.error)") {
            run.error.components(separatedBy: text).count > times
        }
    }

    /// Versions and verdicts of all decisions so far, in the order they were made.
    private func decided(_ topics: Topics, _ count: Int) throws -> [(version: String, verdict: String)] {
        try topics.wait(for: count, in: "decisions").map { line in
            let decision = try object(line)
            return (
                (decision["policy"] as? [String: Any])?["version"] as? String ?? "", decision["decision"] as? String ?? "")
        }
    }

    private func end(_ run: Started) throws -> String {
        run.kill(SIGTERM)
        let ended = try run.wait()
        #expect(ended.status == 0, "\(ended.error)")
        return ended.error
    }

    @Test func aChangedFileIsSwappedInAndABadOneRefused() throws {
        let scratch = try Scratch()
        let pipeline = try scratch.write(text("allow"), to: "p.yaml")
        let (run, topics) = try start(pipeline)
        func produce(_ numbers: Range<Int>) throws {
            try topics.produce(numbers.map { "alice\t" + login("alice", $0) }, to: "logins")
        }
        try produce(0..<3)
        let first = try decided(topics, 3)
        #expect(Set(first.map(\.version)).count == 1 && first.allSatisfy { $0.verdict == "allow" })

        try replace(pipeline, with: text("perhaps", "emitt: all\n"))
        run.kill(SIGHUP)
        try until(run, says: "the changed pipeline file is refused")
        #expect(run.error.contains("p.yaml:3:12: error[value.choice]"), "\(run.error)")
        #expect(run.error.contains("p.yaml:4:1: error[key.unknown]"))
        try produce(3..<6)
        #expect(Set(try decided(topics, 6).map(\.version)) == Set(first.map(\.version)))

        let refused = run.error.components(separatedBy: "is refused").count
        try replace(pipeline, with: text("deny", "group: another\nbounds: { sessions: 3 }\n"))
        run.kill(SIGHUP)
        try until(run, says: "is refused", times: refused)
        for place in ["p.yaml:4:8", "p.yaml:5:21"] {
            #expect(run.error.contains("\(place): error[reload.restart]"), "\(run.error)")
        }

        try replace(pipeline, with: text("deny"))
        run.kill(SIGHUP)
        try until(run, says: "in force in all shards")
        try produce(6..<9)
        let all = try decided(topics, 9)
        #expect(all[..<6].allSatisfy { $0.version == first[0].version && $0.verdict == "allow" })
        #expect(all[6...].allSatisfy { $0.version != first[0].version && $0.verdict == "deny" })
        #expect(Set(all.map(\.version)).count == 2)
        let said = try end(run)
        #expect(said.contains("policy=\(all[8].version)") && said.contains("reloads=1"), "\(said)")
        #expect(said.contains("reloads_refused="))
        let last = said.split(separator: "\n").last { $0.contains("policy=") && $0.contains("per_second=") }
        #expect(last?.contains("reload=") == false, "\(said)")
    }

    @Test func aListThatIsReplacedIsTakenUpByItself() throws {
        let scratch = try Scratch()
        let list = try scratch.write("192.0.2.0/24\n", to: "hostile.txt")
        let pipeline = try scratch.write(
            text("allow", "enrichment: { lists: { reputation: hostile.txt } }\n"), to: "p.yaml")
        let (run, topics) = try start(pipeline)
        try topics.produce(["alice\t" + login("alice", 0)], to: "logins")
        let before = try decided(topics, 1)[0].version
        try replace(list, with: "192.0.2.0/24\nnowhere\n")
        try until(run, says: "the changed pipeline file is refused")
        #expect(run.error.contains("error[enrichment.unusable]"), "\(run.error)")
        try replace(list, with: "192.0.2.0/24\n198.51.100.0/24\n")
        try until(run, says: "in force in all shards")
        try topics.produce(["alice\t" + login("alice", 1)], to: "logins")
        let after = try decided(topics, 2)
        #expect(after[0].version == before && after[1].version != before)
        #expect(try end(run).contains("reloads=1"))
    }
}
