/// What may be written for a field: the source of the JSON Schema and of the reference.
indirect enum Shape: Sendable {
    /// `type` says it in words; `schema` is what JSON Schema says of it.
    case scalar(type: String, schema: [(String, JSON)])
    /// A single value stands for a list of one.
    case list(Shape, atMost: Int?)
    case record([FieldShape])
    /// Keys of one's own; `keys` names them, `pattern` or `names` bounds them.
    case map(keys: String, pattern: String?, names: [String], Shape)
    /// A scalar or list, or a mapping.
    case either(Shape, mapping: Shape)
    case optional(Shape)
    /// A mapping whose keys are listed elsewhere; its definition in the JSON Schema, and what the reference calls it.
    case definition(String, type: String)
    case anything

    /// In words, for the reference and for "expected …".
    var type: String {
        switch self {
        case .scalar(let type, _): type
        case .list(.record, let most): "list of mappings" + (most.map { ", at most \($0)" } ?? "")
        case .list(let element, let most): element.type + ", or a list of them" + (most.map { ", at most \($0)" } ?? "")
        case .record: "mapping"
        case .map(let keys, _, _, let value): "mapping of \(keys) to " + value.type
        case .either(let simple, let mapping): simple.type + ", or " + mapping.type
        case .optional(let shape): shape.type
        case .definition(_, let type): type
        case .anything: "anything"
        }
    }

    /// The fields below, for the reference.
    var fields: [FieldShape] {
        switch self {
        case .record(let fields): fields
        case .list(let element, _), .optional(let element): element.fields
        case .map(_, _, _, let value): value.fields
        case .either(let simple, let mapping): simple.fields + mapping.fields
        case .scalar, .definition, .anything: []
        }
    }

    /// Whether it is a mapping with known keys.
    var isRecord: Bool {
        switch self {
        case .record, .definition: true
        default: false
        }
    }

    /// What a step into the shape adds to the path of a field, e.g. `[]` or `.<name>`.
    var step: String {
        switch self {
        case .list(let element, _): "[]" + element.step
        case .map(let keys, _, _, let value): ".<\(keys)>" + value.step
        case .optional(let shape): shape.step
        case .either(_, let mapping): mapping.step
        case .record, .scalar, .definition, .anything: ""
        }
    }
}

/// A field without its Swift side.
struct FieldShape: Sendable {
    var name: String
    var doc: String
    var shape: Shape
    var isRequired: Bool
    /// As it would be written, in Markdown; nil where there is none.
    var standard: String?
}
