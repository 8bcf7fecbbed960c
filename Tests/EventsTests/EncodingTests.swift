import Testing

@testable import Events

@Suite struct EncodingTests {
    private func encode(_ mode: CloudEventsMode, _ body: (borrowing Effects) -> Void) {
        let decode = Decoding()
        _ = decode(fullAction)
        var decision = Decision()
        decision.id = DecisionID(
            hash: KeyedHash(k0: 1, k1: 3), pipeline: ByteView(staticText: "p"), topic: ByteView(staticText: "actions"),
            partition: 3, offset: 1234, time: decode.event.time)
        decision.verdict = .stepUp
        decision.score = 74.21
        decision.logit = 1.05644
        decision.base = -47.9
        decision.level = .high
        decision.reasons = ByteView(staticText: "{\"signal\":\"device.new\",\"points\":0.0}")
        decision.rule = ByteView(staticText: "r")
        decision.policyVersion = ByteView(staticText: "sha256:0")
        decision.stepUp = StepUp(
            acrValuesJSON: ByteView(staticText: "[\"phr\"]"), methodsJSON: ByteView(staticText: "[\"webauthn\"]"),
            maxAgeSeconds: 0, challenge: DecisionID(high: 0x0191, low: 2), nonce: (1, 0xABC),
            expires: decode.event.time + 300_000, prompt: .absent)
        decision.shadow = [
            ShadowVerdict(rule: ByteView(staticText: "t"), verdict: .deny),
            ShadowVerdict(policy: ByteView(staticText: "p"), rule: ByteView(staticText: "u"), verdict: .allow),
        ]
        decision.topic = ByteView(staticText: "actions")
        decision.partition = 3
        decision.offset = 1234
        decision.source = ByteView(staticText: "/vigil/p")
        var effects = Effects()
        effects.emit(decision, for: decode.event, input: 0, mode: mode)
        var id = OutputBuffer()
        id.append(decision.id)
        #expect(DecisionID(text: id.view(from: 0)) == decision.id)
        body(effects)
    }

    private let golden = """
        "event":"evt-9f2","type":"action","time":"2026-11-23T10:00:00.123Z","tenant":"acme","user":"alice","session":"s-77",\
        "decision":"step_up","score":74.2,"logit":1.0564,"base":-47.9,"level":"high","previous_level":"low",\
        "confidence":"learning","reasons":[{"signal":"device.new","points":0.0}],\
        "policy":{"rule":"r","mode":"enforce","version":"sha256:0"},"step_up":{"acr_values":["phr"],"methods":["webauthn"],\
        "max_age":0,"challenge":"00000000-0000-0191-0000-000000000002","nonce":"00000000000000010000000000000abc",\
        "expires":"2026-11-23T10:05:00.123Z"},"shadow":[{"rule":"t","decision":"deny"},{"policy":"p","rule":"u","decision":"allow"}],\
        "source":{"topic":"actions","partition":3,"offset":1234},"late":false}
        """

    @Test func binaryMode() {
        encode(.binary) { (effects: borrowing Effects) in
            let output = effects.outputs[0]
            let value = effects.view(output.value!).string
            #expect(value.hasSuffix(golden), "\(value)")
            #expect(effects.view(output.key!).string == "acme/alice")
            let headers = effects.headers[output.headers].map { "\($0.name.text)=\(effects.view($0.value).string)" }
            #expect(headers.filter { !$0.hasPrefix("ce_id=") } == [
                "ce_specversion=1.0", "ce_type=dev.vigil.decision.v1", "ce_source=/vigil/p",
                "ce_time=2026-11-23T10:00:00.123Z", "ce_subject=alice", "ce_partitionkey=acme/alice",
                "content-type=application/json",
            ])
        }
    }

    @Test func structuredMode() {
        encode(.structured) { (effects: borrowing Effects) in
            let value = effects.view(effects.outputs[0].value!).string
            #expect(value.hasPrefix("{\"specversion\":\"1.0\",\"id\":\""))
            #expect(value.hasSuffix(golden + "}"))
            #expect(effects.headers.count == 1)
        }
    }

    @Test func receipts() {
        let decode = Decoding()
        _ = decode(#"{"id":"e-\"1","type":"erasure","time":1795428000123,"tenant":"acme","user":"alice"}"#)
        let receipt = ErasureReceipt(
            id: DecisionID(high: 0x0191, low: 2), erased: true, source: ByteView(staticText: "/vigil/p"),
            topic: ByteView(staticText: "feedback"), partition: 3, offset: 1234)
        var effects = Effects()
        effects.emit(receipt, for: decode.event, input: 1, mode: .binary)
        effects.emit(receipt, for: decode.event, input: 1, mode: .structured)
        let golden = """
            {"id":"00000000-0000-0191-0000-000000000002","event":"e-\\"1","type":"erasure","time":"2026-11-23T10:00:00.123Z",\
            "tenant":"acme","user":"alice","erased":true,"source":{"topic":"feedback","partition":3,"offset":1234}}
            """
        #expect(effects.outputs.map(\.kind) == [.receipt, .receipt])
        #expect(effects.view(effects.outputs[0].value!).string == golden)
        #expect(effects.view(effects.outputs[0].key!).string == "acme/alice")
        let headers = effects.headers[effects.outputs[0].headers].map { "\($0.name.text)=\(effects.view($0.value).string)" }
        #expect(headers == [
            "ce_specversion=1.0", "ce_id=00000000-0000-0191-0000-000000000002", "ce_type=dev.vigil.erasure.v1",
            "ce_source=/vigil/p", "ce_time=2026-11-23T10:00:00.123Z", "ce_subject=alice", "ce_partitionkey=acme/alice",
            "content-type=application/json",
        ])
        let envelope = effects.view(effects.outputs[1].value!).string
        #expect(envelope.hasPrefix(#"{"specversion":"1.0","id":"00000000-0000-0191-0000-000000000002","type":"dev.vigil.erasure.v1","#))
        #expect(envelope.hasSuffix(golden + "}"))
    }

    @Test func deadLetters() {
        let decode = Decoding()
        var effects = Effects()
        let rejection = Rejection(.invalidID, field: "user", detail: "empty")
        let value = decode.view([0, 255, 10])
        effects.emitDeadLetter(
            Record(input: 1, partition: 2, offset: 3, timestamp: nil, key: .absent, value: value), rejection,
            topic: ByteView(staticText: "logins"), maxBytes: 2)
        effects.emitDeadLetter(
            Record(input: 1, partition: 2, offset: 4, timestamp: nil, key: value, value: .absent), rejection,
            topic: ByteView(staticText: "logins"))
        #expect(effects.outputs[0].key == nil)
        #expect(effects.view(effects.outputs[0].value!).count == 2)
        #expect(effects.outputs[1].value == nil)
        #expect(effects.view(effects.outputs[1].key!).isEqual(to: value))
        let headers = effects.headers[effects.outputs[0].headers].map { effects.view($0.value).string }
        #expect(Array(headers.prefix(5)) == ["invalid_id", "user: empty", "logins", "2", "3"])
        #expect(headers[5].hasPrefix("sha256:") && headers[5].hasSuffix(";bytes=3"))
    }

    @Test func schemasAreJSON() {
        let decode = Decoding()
        for schema in RecordSchema.allCases {
            // Well-formed JSON that merely isn't an event.
            #expect(decode(schema.json).rejection?.reason != .notJSON)
        }
    }
}
