import Engine
import Events
import Testing

/// Where the shell's knowledge enters the core.
@Suite struct EnrichmentSeamTests {
    /// Puts every event into one country, and counts.
    private final class Atlas: EventEnrichment {
        var count = 0
        override func enrich(_ event: inout Event, scratch: UnsafeMutablePointer<UInt8>) {
            count += 1
            scratch[0] = UInt8(ascii: "A") + UInt8(count % 26)
            event.agentFamilyText = ByteView(base: UnsafePointer(scratch), count: 1)
            event.country = UInt16(UInt8(ascii: "N")) << 8 | UInt16(UInt8(ascii: "O"))
        }
    }

    private static func plan(inputs: Int) -> EnginePlan {
        var plan = EnginePlan()
        plan.inputs = (0..<inputs).map {
            var decode = DecodeOptions()
            decode.requiresKey = false
            return InputPlan(topic: "events-\($0)", decode: decode)
        }
        return plan
    }

    private static func withRecord(_ text: String, input: UInt16 = 0, offset: Int64 = 0, _ body: (Record) -> Void) {
        let bytes = Array(text.utf8)
        bytes.withUnsafeBufferPointer {
            body(Record(
                input: input, partition: 0, offset: offset, timestamp: nil, key: .absent,
                value: ByteView(base: $0.baseAddress, count: $0.count)))
        }
    }

    private static let login =
        #"{"id":"e","type":"login","time":1767225600000,"user":"alice","outcome":"success","geo":{"country":"US"}}"#

    @Test func eachEventIsEnrichedOnceStagedOrNot() {
        let plan = Self.plan(inputs: 2)
        let atlas = Atlas()
        let engine = Engine(plan: plan, decoders: Decoders(plan: plan, enrichment: atlas))
        var effects = Effects()
        Self.withRecord(Self.login) { engine.step($0, into: &effects) }
        #expect(atlas.count == 1)
        Self.withRecord(Self.login, input: 1) { record in
            var times: [Timestamp?] = []
            engine.stage([record], times: &times)
            engine.stepStaged(record, into: &effects)
        }
        #expect(atlas.count == 2)
        Self.withRecord("{", offset: 1) { engine.step($0, into: &effects) }
        #expect(atlas.count == 2, "what is no event is not enriched")
    }

    @Test func whatIsDerivedOverridesWhatIsClaimed() throws {
        let plan = Self.plan(inputs: 1)
        for atlas in [Atlas(), nil] {
            let engine = Engine(plan: plan, decoders: Decoders(plan: plan, enrichment: atlas ?? EventEnrichment()))
            var effects = Effects()
            Self.withRecord(Self.login) { engine.step($0, into: &effects) }
            let profile = try #require(engine.profile(tenant: "", user: "alice"))
            #expect(profile.places.map(\.name) == [atlas == nil ? "US" : "NO"])
        }
    }
}
