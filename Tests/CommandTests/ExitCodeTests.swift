import Foundation
import Testing

/// Every command's main error, by exit code and message.
@Suite(.enabled(if: binary != nil, Comment(rawValue: binaryMissing)))
struct ExitCodeTests {
    private let good = checkout + "/pipelines/continuous-authorization.yaml"

    @Test func usageErrorsExit64() throws {
        #expect(try vigil("nonsense").status == 64)
        #expect(try vigil("replay").status == 64)
        #expect(try vigil("schema", "nonsense").status == 64)
        #expect(try vigil("broker", "--partitions", "0").status == 64)
        #expect(try vigil("run", good, "--port", "9000").status == 64)
        #expect(try vigil("generate", "--rate", "5").status == 64)
        #expect(try vigil("demo", "--shards", "0").status == 64)
        #expect(try vigil("tap", "-n", "x").status == 64)
        #expect(try vigil("inspect", "alice").status == 64)
    }

    @Test func helpExits0() throws {
        let help = try vigil("--help")
        #expect(help.status == 0)
        #expect(help.output.contains("replay"))
    }

    @Test func aMissingPipelineFileExits78() throws {
        let scratch = try Scratch()
        let missing = scratch.file("missing.yaml")
        for arguments in [
            ["run", missing], ["validate", missing], ["topics", missing], ["tap", missing],
            ["replay", missing, "--input", "-", "--output", "-"],
            ["inspect", "alice", "--state", scratch.path, "--pipeline", missing], ["demo", "--pipeline", missing],
        ] {
            let result = try Started(binary ?? "", arguments).wait()
            #expect(result.status == 78, "\(arguments)")
            #expect(result.error.contains("missing.yaml: error[file.missing]"), "\(arguments)")
            #expect(result.output.isEmpty, "\(arguments)")
        }
    }

    @Test func noBrokerExits69() throws {
        let nowhere = ["VIGIL_BROKERS": "127.0.0.1:1"]
        let run = try vigil("run", good, "--fail-fast", environment: nowhere)
        #expect(run.status == 69)
        #expect(run.error.contains("127.0.0.1:1"))
        #expect(try vigil("topics", good, environment: nowhere).status == 69)
        #expect(try vigil("tap", "--bootstrap-server", "127.0.0.1:1").status == 69)
        let validate = try vigil("validate", good, "--environment", environment: nowhere)
        #expect(validate.status == 69)
        #expect(validate.error.contains("error[brokers]"))
    }

    @Test func runWithoutSecretOnARealClusterExits78() throws {
        let run = try vigil("run", good, environment: ["VIGIL_SECRET": "", "VIGIL_BROKERS": "127.0.0.1:1"])
        #expect(run.status == 78)
        #expect(run.error.contains("VIGIL_SECRET"))
    }

    @Test func aRefusedKafkaPropertyExits78() throws {
        let scratch = try Scratch()
        let file = try scratch.write("name: p\nkafka: { bootstrap.servers: '127.0.0.1:1', no.such.property: 1 }\n", to: "p.yaml")
        let run = try vigil("run", file)
        #expect(run.status == 78)
        #expect(run.error.contains("no.such.property"))
    }

    @Test func waitingForABrokerIsSaidOnceAndEndsOnSIGTERM() throws {
        let run = try startVigil("run", good, environment: ["VIGIL_BROKERS": "127.0.0.1:1"])
        try until(30, "the warning") { run.error.contains("waiting for one") }
        run.kill(SIGTERM)
        let result = try run.wait()
        #expect(result.status == 0)
        #expect(result.error.components(separatedBy: "waiting for one").count == 2)
    }

    @Test func unreadableEventsExit66AndUnwritableDecisions74() throws {
        let scratch = try Scratch()
        let input = try vigil("replay", good, "--input", scratch.file("none"), "--output", "-")
        #expect(input.status == 66)
        #expect(input.error.contains(scratch.file("none")))
        let events = try scratch.write("", to: "events")
        let output = try vigil("replay", good, "--input", events, "--output", scratch.file("no/such/place"))
        #expect(output.status == 74)
        #expect(try vigil("generate", "--events", "10", "--output", scratch.file("no/such/place")).status == 74)
    }

    @Test func inspectOfAnEmptyDirectoryExits66() throws {
        let scratch = try Scratch()
        #expect(try vigil("inspect", "alice", "--state", scratch.path, "--pipeline", good).status == 66)
    }

    @Test func aTakenPortExits69() throws {
        let broker = try startVigil("broker")
        let port = try #require(try broker.line("broker: ").split(separator: ":").last.map(String.init))
        #expect(try vigil("broker", "--port", port).status == 69)
        broker.kill(SIGTERM)
        #expect(try broker.wait().status == 0)
    }

    @Test func validateReportsAllOfFiveMistakes() throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            """
            name: five mistakes
            emitt: all
            shards: many
            windows:
              session_gap: 30 minutes
            policies:
              - name: r
                then: challenge
            """, to: "five.yaml")
        let text = try vigil("validate", file)
        #expect(text.status == 78)
        let found = text.error.split(separator: "\n").filter { $0.contains(": error[") }
        #expect(found.count == 5, "\(text.error)")
        for (line, row) in zip(found, [1, 2, 3, 5, 8]) {
            #expect(line.hasPrefix("\(file):\(row):"), "\(line)")
        }
        #expect(text.error.contains("did you mean `emit`?"))

        let json = try vigil("validate", file, good, "--format", "json")
        #expect(json.status == 78)
        let all = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
        #expect(all.filter { $0["severity"] as? String == "error" }.count == 5)
        #expect(try vigil("validate", good).status == 0)
    }
}
