extension RecordSchema {
    static var eventSchema: SchemaNode {
        let bounds = DecodeBounds()
        let id: SchemaNode = .object([
            ("type", .text("string")), ("minLength", .number(1)), ("maxLength", .number(bounds.idBytes)),
        ])
        func optional(_ node: SchemaNode) -> SchemaNode {
            guard case .object(var members) = node else { return node }
            for i in members.indices {
                if members[i].0 == "type" { members[i].1 = .list([members[i].1, .text("null")]) }
                if members[i].0 == "enum", case .list(let values) = members[i].1 {
                    return .object([("anyOf", .list([.object([("enum", .list(values))]), .object([("type", .text("null"))])]))])
                }
            }
            return .object(members)
        }
        func number(_ least: Int, _ most: Int? = nil) -> SchemaNode {
            .object(
                [("type", .text("number")), ("minimum", .number(least))] + (most.map { [("maximum", .number($0))] } ?? []))
        }
        let time: SchemaNode = .object([
            ("anyOf", .list([
                .object([
                    ("type", .text("string")),
                    ("pattern", .text(
                        "^\\d{4}-\\d{2}-\\d{2}[Tt ]\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?([Zz]|[+-]\\d{2}:\\d{2})$")),
                    ("description", .text("RFC 3339")),
                ]),
                .object([
                    ("type", .text("number")), ("minimum", .number(Int(Timestamp.earliest.milliseconds))),
                    ("exclusiveMaximum", .number(Int(Timestamp.latest.milliseconds))),
                    ("description", .text("epoch milliseconds")),
                ]),
            ]))
        ])

        func schema(of field: EventField) -> SchemaNode {
            switch field {
            case .id, .user: id
            case .time: time
            case .type: .names(EventType.allCases.map(\.name))
            case .tenant, .session, .token, .challengeDecision, .nonce, .newSession, .feedbackDecision: optional(id)
            case .action, .resource, .currency, .ip, .reason, .region, .city, .deviceID, .userAgent, .browser, .os,
                .deviceType, .acr, .challengeMethod:
                optional(.anyText)
            case .amount: optional(number(0))
            case .asn: optional(.object([
                ("type", .text("integer")), ("minimum", .number(0)), ("maximum", .number(Int(UInt32.max)))]))
            case .outcome: optional(.names(LoginOutcome.given.map(\.name)))
            case .country: optional(.object([("type", .text("string")), ("pattern", .text("^[A-Za-z]{2}$"))]))
            case .latitude: optional(number(-90, 90))
            case .longitude: optional(number(-180, 180))
            case .roundTrip: optional(number(0, 1_000_000_000))
            case .amr: .object([
                ("type", .list([.text("array"), .text("null")])), ("items", .anyText),
                ("description", .text(
                    "RFC 8176; others are ignored: "
                        + AuthenticationMethods.names.map(\.description).joined(separator: ", "))),
            ])
            case .enrolments: .object([
                ("type", .list([.text("array"), .text("null")])), ("items", .anyText),
                ("description", .text(
                    "how the person can be asked; others are ignored: "
                        + ChallengeMethods.names.map(\.description).joined(separator: ", "))),
            ])
            case .authTime: .object([("anyOf", .list([time, .object([("type", .text("null"))])]))])
            case .challengeResult: optional(.names(ChallengeResult.given.map(\.name)))
            case .feedbackLabel: optional(.names(FeedbackLabel.given.map(\.name)))
            case .feedbackBy: optional(.names(FeedbackSource.given.map(\.name)))
            }
        }

        var members: [(String, SchemaNode)] = []
        for field in EventField.allCases where !field.rawValue.contains(".") {
            members.append((field.rawValue, schema(of: field)))
        }
        for object in ContractObject.allCases where object != .root {
            let name = object.path.description
            let fields = EventField.allCases.filter { $0.rawValue.hasPrefix(name + ".") }
            members.append((name, .object([
                ("type", .list([.text("object"), .text("null")])),
                ("properties", .object(fields.map { (String($0.rawValue.dropFirst(name.count + 1)), schema(of: $0)) })),
            ])))
        }
        members.append(("label", .object([("description", .text("ground truth; never read by the engine"))])))

        func when(_ type: EventType, _ required: [String], _ inside: (String, [String])? = nil) -> SchemaNode {
            var then: [(String, SchemaNode)] = [("required", .list(required.map(SchemaNode.text)))]
            if let (object, fields) = inside {
                then.append(("properties", .object([(object, .object([
                    ("type", .text("object")), ("required", .list(fields.map(SchemaNode.text)))]))])))
            }
            return .object([
                ("if", .object([
                    ("properties", .object([("type", .object([("const", .text(type.name.description))]))])),
                    ("required", .list([.text("type")])),
                ])),
                ("then", .object(then)),
            ])
        }
        guard case .object(let body) = SchemaNode.record(members, required: ["id", "time", "user"], open: true) else {
            return .object([])
        }
        return .root("event", "Event", .object(body + [("allOf", .list([
            when(.login, ["outcome"]), when(.action, ["action"]),
            when(.challenge, ["challenge"], ("challenge", ["decision", "result"])),
            when(.feedback, ["feedback"], ("feedback", ["decision", "label", "by"])),
        ]))]))
    }
}
