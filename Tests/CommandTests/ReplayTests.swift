import Foundation
import Testing

/// The same events give the same decisions, whatever the batches, the shards and the crashes.
@Suite(.enabled(if: binary != nil, Comment(rawValue: binaryMissing)))
struct ReplayTests {
    @Test func decisionsDependOnNeitherBatchesNorShards() throws {
        let scratch = try Scratch()
        let pipeline = try scratch.pipeline()
        let events = scratch.file("events")
        #expect(try vigil("generate", "--events", "5000", "--seed", "7", "--output", events).status == 0)
        var first: [String]?
        for (batch, shards) in [(1, 1), (7, 1), (512, 1), (512, 2), (7, 4)] {
            let output = scratch.file("decisions-\(batch)-\(shards)")
            let result = try vigil(
                "replay", pipeline, "--input", events, "--output", output, "--batch", "\(batch)", "--shards", "\(shards)")
            #expect(result.status == 0)
            #expect(result.error.contains("s per million events"))
            let decisions = try lines(output).sorted()
            #expect(decisions.count == (try lines(events).count))
            #expect(decisions == first ?? decisions, "batch \(batch), \(shards) shards")
            first = first ?? decisions
        }
    }

    @Test func standardInputAndOutputWork() throws {
        let scratch = try Scratch()
        let pipeline = try scratch.pipeline()
        let events = try vigil("generate", "--events", "500").output
        let result = try vigil("replay", pipeline, "--input", "-", "--output", "-", input: events)
        #expect(result.status == 0)
        #expect(result.output.split(separator: "\n").count == events.split(separator: "\n").count)
    }

    @Test func aFileOfOneSourceIsReadAsThatSource() throws {
        let scratch = try Scratch()
        let pipeline = try scratch.write(
            """
            name: two
            emit: all
            sources:
              plain: { type: login }
              mapped: { type: login, map: { id: who.event, user: who.name, time: at, outcome: result } }
            """, to: "two.yaml")
        let line = #"{"who":{"event":"e1","name":"alice"},"at":"2026-11-23T10:00:00Z","result":"success"}"# + "\n"
        let unsaid = try vigil("replay", pipeline, "--input", "-", "--output", "-", input: line)
        #expect(unsaid.status == 64)
        #expect(unsaid.error.contains("--source"))
        let said = try vigil("replay", pipeline, "--input", "-", "--output", "-", "--source", "mapped", input: line)
        #expect(said.status == 0)
        #expect(said.output.contains(#""user":"alice""#), "\(said.error)")
    }

    @Test func fiveMalformedLinesAreFiveDeadLetters() throws {
        let scratch = try Scratch()
        let pipeline = try scratch.pipeline()
        let good = #"{"id":"e1","type":"login","time":"2026-11-23T10:00:00Z","user":"alice","outcome":"success"}"#
        let bad = [
            "not json",
            #"{"id":"e2","type":"login","time":"2026-11-23T10:00:00Z","outcome":"success"}"#,
            #"{"id":"e3","id":"e4","type":"login","time":"2026-11-23T10:00:00Z","user":"alice","outcome":"success"}"#,
            #"{"id":"e5","type":"dance","time":"2026-11-23T10:00:00Z","user":"alice"}"#,
            #"{"id":"e6","type":"action","time":"1970-01-01T00:00:00Z","user":"alice","action":"a"}"#,
        ]
        let events = try scratch.write(([good] + bad).joined(separator: "\n") + "\n", to: "events")
        let result = try vigil(
            "replay", pipeline, "--input", events, "--output", scratch.file("decisions"), "--dead-letters",
            scratch.file("dead"))
        #expect(result.status == 0)
        #expect(result.error.contains("5 dead letters"))
        #expect(try lines(scratch.file("decisions")).count == 1)
        let letters = try lines(scratch.file("dead")).map(object)
        #expect(Set(letters.compactMap { $0["value"] as? String }) == Set(bad))
        #expect(
            Set(letters.compactMap { $0["reason"] as? String })
                == ["not_json", "missing_field", "duplicate_key", "unknown_type", "time_out_of_range"])
        #expect(Set(letters.compactMap { $0["offset"] as? Int }) == [1, 2, 3, 4, 5])
    }

    /// straight:  ├──────────────────────────────────────┤
    /// killed:    ├───────────── ✗ SIGKILL
    /// resumed:        checkpoint ├──────────────────────┤   what lies between is decided twice, the same
    @Test func aKilledReplayResumes() throws {
        let scratch = try Scratch()
        let pipeline = try scratch.pipeline(replacing: ["checkpoint_interval: 10s": "checkpoint_interval: 100ms"])
        let events = scratch.file("events")
        _ = try vigil("generate", "--events", "\(killedEvents ?? 40_000)", "--output", events)
        let arguments = { (name: String) in
            [
                "replay", pipeline, "--input", events, "--output", scratch.file(name), "--state",
                scratch.file(name + ".state"), "--shards", "2",
            ]
        }
        #expect(try Started(binary ?? "", arguments("straight")).wait(seconds: 300).status == 0)
        let straight = try lines(scratch.file("straight"))

        let killed = try Started(binary ?? "", arguments("killed"))
        try until(60, "a fifth of the decisions") {
            size(scratch.file("killed")) > straight.count * 700 / 5 || !killed.process.isRunning
        }
        killed.kill(SIGKILL)
        _ = try killed.wait()
        #expect(killed.process.terminationReason == .uncaughtSignal, "it ended before it was killed: use more events")

        #expect(try Started(binary ?? "", arguments("killed")).wait(seconds: 300).status == 0)
        let resumed = try lines(scratch.file("killed"))
        #expect(resumed.count >= straight.count)
        // A repeated decision is the same line, so nothing is left of repetition in the set.
        #expect(Set(resumed) == Set(straight))

        // Nothing was learned twice: baselines are those of the run that was not killed.
        for user in Set(straight.prefix(400).compactMap { member("user", of: $0) }).sorted().prefix(6) {
            let profiles = try ["straight", "killed"].map { name in
                try vigil(
                    "inspect", user, "--tenant", "acme", "--state", scratch.file(name + ".state"), "--pipeline", pipeline,
                    "--format", "json")
            }
            #expect(profiles[0].status == 0)
            #expect(profiles[0].output == profiles[1].output)
        }
    }
}
