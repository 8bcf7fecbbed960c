extension RecordSchema {
    private static var origin: SchemaNode {
        .record(
            [("topic", .anyText), ("partition", .natural), ("offset", .natural)],
            required: ["topic", "partition", "offset"], open: false)
    }

    static var decisionSchema: SchemaNode {
        let verdict = SchemaNode.names(Verdict.allCases.map(\.name))
        let level = SchemaNode.names(RiskLevel.allCases.map(\.name))
        let reason = SchemaNode.record(
            [
                ("signal", .anyText), ("points", .anyNumber), ("observed", .anyText), ("expected", .anyText),
                ("samples", .natural),
            ], required: ["signal", "points", "samples"], open: false)
        let stepUp = SchemaNode.record(
            [
                ("acr_values", .list(of: .anyText)), ("methods", .list(of: .anyText)), ("max_age", .natural),
                ("challenge", .decisionID),
                ("nonce", .object([("type", .text("string")), ("pattern", .text("^[0-9a-f]{32}$"))])),
                ("expires", .instant), ("prompt", .anyText),
            ], required: ["acr_values", "methods", "challenge", "nonce", "expires"], open: false)
        return .root("decision", "Decision", .record(
            [
                ("id", .decisionID), ("event", .anyText), ("type", .names(EventType.allCases.map(\.name))),
                ("time", .instant), ("tenant", .anyText), ("user", .anyText), ("session", .anyText),
                ("decision", verdict),
                ("score", .object([
                    ("type", .text("number")), ("minimum", .number(0)), ("maximum", .number(100))])),
                ("logit", .anyNumber), ("base", .anyNumber), ("level", level), ("previous_level", level),
                ("confidence", .names(Confidence.allCases.map(\.name))), ("reasons", .list(of: reason)),
                ("policy", .record(
                    [("rule", .anyText), ("mode", .names(["enforce"])), ("version", .anyText)],
                    required: ["mode", "version"], open: false)),
                ("step_up", stepUp), ("about", .decisionID),
                ("shadow", .list(of: .record(
                    [("policy", .anyText), ("rule", .anyText), ("decision", verdict)], required: ["rule", "decision"], open: false))),
                ("source", origin),
                ("late", .object([("type", .text("boolean"))])),
            ],
            required: [
                "id", "event", "type", "time", "user", "decision", "score", "logit", "base", "level", "previous_level",
                "confidence", "reasons", "policy", "source", "late",
            ], open: false))
    }

    static var receiptSchema: SchemaNode {
        .root("receipt", "Receipt of an erasure", .record(
            [
                ("id", .decisionID), ("event", .anyText), ("type", .names([EventType.erasure.name])), ("time", .instant),
                ("tenant", .anyText), ("user", .anyText), ("erased", .object([("type", .text("boolean"))])),
                ("source", origin),
            ], required: ["id", "event", "type", "time", "user", "erased", "source"], open: false))
    }

    static var deadLetterSchema: SchemaNode {
        let digits: SchemaNode = .object([("type", .text("string")), ("pattern", .text("^-?[0-9]+$"))])
        func name(_ header: HeaderName) -> String { header.text.description }
        let headers = SchemaNode.record(
            [
                (name(.reason), .names(RejectionReason.allCases.map(\.code))), (name(.detail), .anyText),
                (name(.topic), .anyText), (name(.partition), digits), (name(.offset), digits),
                (name(.truncated), .object([
                    ("type", .text("string")), ("pattern", .text("^sha256:[0-9a-f]{64};bytes=[0-9]+$"))])),
            ],
            required: [HeaderName.reason, .detail, .topic, .partition, .offset].map(name), open: true)
        return .root("dead-letter", "Dead letter, as a Kafka record", .record(
            [
                ("headers", headers),
                ("key", .object([("description", .text("the record's key as received; null where it had none"))])),
                ("value", .object([
                    ("description", .text(
                        "the record's bytes as received, any bytes; null stays null; a prefix when vigil-truncated is set"))
                ])),
            ], required: ["headers"], open: false))
    }
}
