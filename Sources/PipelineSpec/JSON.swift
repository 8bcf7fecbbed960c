/// A JSON value whose objects keep their order.
indirect enum JSON: Sendable, Equatable {
    case string(String)
    case integer(Int)
    case number(Double)
    case bool(Bool)
    case null
    case array([JSON])
    case object([Member])

    struct Member: Sendable, Equatable {
        var key: String
        var value: JSON
    }

    static func object(_ members: [(String, JSON)]) -> JSON { .object(members.map { Member(key: $0.0, value: $0.1) }) }

    /// RFC 8259; indented by two blanks a level when `indent` is given.
    func text(indent: Int? = nil) -> String {
        let inner = indent.map { $0 + 1 }
        let lineBreak = inner.map { "\n" + String(repeating: "  ", count: $0) } ?? ""
        let lastBreak = indent.map { "\n" + String(repeating: "  ", count: $0) } ?? ""
        switch self {
        case .string(let text): return Self.quote(text)
        case .integer(let value): return String(value)
        case .number(let value): return Units.number(value)
        case .bool(let value): return value ? "true" : "false"
        case .null: return "null"
        case .array(let values):
            if values.isEmpty { return "[]" }
            return "[" + values.map { lineBreak + $0.text(indent: inner) }.joined(separator: ",") + lastBreak + "]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let colon = indent == nil ? ":" : ": "
            return "{" + members.map { lineBreak + Self.quote($0.key) + colon + $0.value.text(indent: inner) }.joined(separator: ",")
                + lastBreak + "}"
        }
    }

    private static func quote(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default:
                if scalar.value < 32 {
                    let digits = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}
