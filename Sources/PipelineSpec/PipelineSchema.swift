/// JSON Schema of pipeline files, made from the same fields that read them.
public enum PipelineSchema {
    /// A schema of draft 2020-12, indented, with a newline at its end. It describes the file before variables are
    /// expanded; what spans several keys (order of levels, unique names) only `vigil validate` knows.
    public static var text: String {
        let root: [(String, JSON)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("$id", .string("urn:vigil:schema:pipeline")),
            ("title", .string("Vigil pipeline")),
        ]
        let definitions: [(String, JSON)] = [
            ("$defs", .object([
                ("variable", .object([("type", .string("string")), ("pattern", .string("\\$\\{[A-Za-z_]"))])),
                ("conditions", .object(record(ConditionFields.record.shapes))),
                ("step_up", .object(record(PolicyFields.stepUp.shapes))),
                ("rule", .object(record(PolicyFields.rule.shapes))),
            ])),
        ]
        return JSON.object(root + record(PipelineFields.root.shapes) + definitions).text(indent: 0) + "\n"
    }

    private static func schema(_ shape: Shape) -> [(String, JSON)] {
        switch shape {
        case .scalar(_, let schema):
            [("anyOf", .array([.object(schema), .object([("$ref", .string("#/$defs/variable"))])]))]
        case .list(let element, let most):
            either(schema(element), [("type", .string("array")), ("items", .object(schema(element)))]
                + (most.map { [("maxItems", .integer($0))] } ?? []), [("type", .string("null"))])
        case .record(let fields):
            record(fields)
        case .map(_, let pattern, let names, let value):
            map(pattern: pattern, names: names, value)
        case .either(let simple, let mapping):
            either(schema(simple), schema(mapping))
        case .optional(let shape):
            either(schema(shape), [("type", .string("null"))])
        case .definition(let name, _):
            [("$ref", .string("#/$defs/" + name))]
        case .anything:
            []
        }
    }

    private static func either(_ options: [(String, JSON)]...) -> [(String, JSON)] {
        [("anyOf", .array(options.map { .object($0) }))]
    }

    private static func record(_ fields: [FieldShape]) -> [(String, JSON)] {
        let properties = fields.map { field in
            let standard = field.standard.map { " Default: \($0)." } ?? ""
            return (field.name, JSON.object([("description", .string(field.doc + standard))] + schema(field.shape)))
        }
        let required = fields.filter(\.isRequired).map { JSON.string($0.name) }
        return [
            ("type", .array([.string("object"), .string("null")].dropLast(required.isEmpty ? 0 : 1))),
            ("properties", .object(properties)),
            ("additionalProperties", .bool(false)),
        ] + (required.isEmpty ? [] : [("required", .array(required))])
    }

    private static func map(pattern: String?, names: [String], _ value: Shape) -> [(String, JSON)] {
        let keys: [(String, JSON)] =
            if !names.isEmpty {
                [("propertyNames", .object([("enum", .array(names.map { .string($0) }))]))]
            } else if let pattern {
                [("propertyNames", .object([("pattern", .string(pattern))]))]
            } else {
                []
            }
        return [("type", .array([.string("object"), .string("null")]))] + keys + [("additionalProperties", .object(schema(value)))]
    }
}
