/// JSON Schemas (draft 2020-12) of the records Vigil reads and writes. Every list of names comes from the types.
public enum RecordSchema: String, Sendable, CaseIterable {
    case event, decision, receipt
    case deadLetter = "dead-letter"

    /// The schema's text for the name of a record; nil for another name.
    public static func json(_ name: String) -> String? { RecordSchema(rawValue: name)?.json }

    /// The schema's text, indented, with a line end.
    public var json: String {
        let schema =
            switch self {
            case .event: Self.eventSchema
            case .decision: Self.decisionSchema
            case .receipt: Self.receiptSchema
            case .deadLetter: Self.deadLetterSchema
            }
        return schema.text() + "\n"
    }
}

/// A JSON value with ordered members, for schemas.
indirect enum SchemaNode {
    case text(String)
    case number(Int)
    case bool(Bool)
    case list([SchemaNode])
    case object([(String, SchemaNode)])

    func text(indent: String = "") -> String {
        let inner = indent + "  "
        switch self {
        case .text(let text): return Self.quoted(text)
        case .number(let number): return String(number)
        case .bool(let flag): return flag ? "true" : "false"
        case .list(let nodes): return "[" + nodes.map { $0.text(indent: inner) }.joined(separator: ", ") + "]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let lines = members.map { "\(inner)\(Self.quoted($0.0)): \($0.1.text(indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var buffer = OutputBuffer()
        var copy = text
        copy.withUTF8 { buffer.append(jsonString: ByteView(UnsafeRawBufferPointer($0))) }
        return buffer.view(from: 0).string
    }

    static func names(_ names: [StaticString]) -> SchemaNode {
        .object([("type", .text("string")), ("enum", .list(names.map { .text($0.description) }))])
    }

    static func record(_ members: [(String, SchemaNode)], required: [String], open: Bool) -> SchemaNode {
        .object([
            ("type", .text("object")), ("properties", .object(members)),
            ("required", .list(required.map(SchemaNode.text))), ("additionalProperties", .bool(open)),
        ])
    }

    static func list(of node: SchemaNode) -> SchemaNode { .object([("type", .text("array")), ("items", node)]) }

    static func root(_ name: String, _ title: String, _ node: SchemaNode) -> SchemaNode {
        guard case .object(let members) = node else { return node }
        return .object(
            [
                ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
                ("$id", .text("urn:vigil:schema:\(name):v1")), ("title", .text(title)),
            ] + members)
    }

    static let anyText: SchemaNode = .object([("type", .text("string"))])
    static let anyNumber: SchemaNode = .object([("type", .text("number"))])
    static let natural: SchemaNode = .object([("type", .text("integer")), ("minimum", .number(0))])
    static let instant: SchemaNode = .object([
        ("type", .text("string")),
        ("pattern", .text("^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$")),
    ])
    static let decisionID: SchemaNode = .object([
        ("type", .text("string")),
        ("pattern", .text("^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")),
    ])
}
