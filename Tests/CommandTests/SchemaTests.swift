import Foundation
import Testing

/// Schemas against what Vigil really reads and writes, by a validator that is not ours.
@Suite(.enabled(if: binary != nil, Comment(rawValue: binaryMissing)))
struct SchemaTests {
    private static let check = """
        import json, sys
        from jsonschema import Draft202012Validator
        schema = json.load(open(sys.argv[1]))
        Draft202012Validator.check_schema(schema)
        count = 0
        for line in open(sys.argv[2]) if len(sys.argv) > 2 else []:
            error = next(Draft202012Validator(schema).iter_errors(json.loads(line)), None)
            if error: sys.exit(f"{error.message} at {list(error.path)}: {line}")
            count += 1
        print(count)
        """

    private func validate(_ name: String, _ scratch: Scratch, file: String? = nil) throws -> Finished {
        let schema = try vigil("schema", name)
        #expect(schema.status == 0)
        let path = try scratch.write(schema.output, to: name + ".json")
        let python = try #require(find("python3"), "python3 with jsonschema is needed")
        return try Started(python, ["-c", Self.check, path] + (file.map { [$0] } ?? [])).wait(seconds: 120)
    }

    @Test(arguments: ["event", "decision", "receipt", "dead-letter", "pipeline"])
    func schemasAreSchemas(_ name: String) throws {
        let result = try validate(name, try Scratch())
        #expect(result.status == 0, "\(result.error)")
    }

    @Test func signalsAreListed() throws {
        let json = try vigil("schema", "signals")
        let list = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
        #expect(list.count > 40 && list.contains { $0["name"] as? String == "device.new" })
        let text = try vigil("schema", "signals", "--format", "text").output
        for name in list.compactMap({ $0["name"] as? String }) { #expect(text.contains(name + "\n"), "\(name)") }
        #expect(try vigil("schema", "event", "--format", "text").status == 64)
    }

    @Test func realEventsAndDecisionsFit() throws {
        let scratch = try Scratch()
        let events = scratch.file("events")
        _ = try vigil("generate", "--events", "1500", "--output", events)
        let asEvents = try validate("event", scratch, file: events)
        #expect(asEvents.status == 0, "\(asEvents.error)")
        #expect(Int(asEvents.output.dropLast()) ?? 0 > 1_000)

        let decisions = scratch.file("decisions")
        _ = try vigil("replay", try scratch.pipeline(), "--input", events, "--output", decisions)
        let asDecisions = try validate("decision", scratch, file: decisions)
        #expect(asDecisions.status == 0, "\(asDecisions.error)")
        let kinds = Set(try lines(decisions).compactMap { member("decision", of: $0) })
        #expect(kinds.isSuperset(of: ["allow", "step_up", "terminate_session"]), "the sample shows only \(kinds)")
    }

    @Test func realReceiptsFit() throws {
        let scratch = try Scratch()
        let events = try scratch.write(
            (0..<3).map {
                #"{"id":"e\#($0)","type":"erasure","time":179542800012\#($0),"user":"alice"\#($0 == 2 ? #","tenant":"acme""# : "")}"# + "\n"
            }.joined(), to: "events")
        let receipts = scratch.file("receipts")
        let pipeline = try scratch.write("name: erasures\nsources:\n  feedback:\n    topic: feedback\n", to: "erasures.yaml")
        #expect(try vigil("replay", pipeline, "--input", events, "--output", receipts).status == 0)
        let result = try validate("receipt", scratch, file: receipts)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output == "3\n")
    }
}
