import Events
import Foundation

/// A dead letter as one JSON object on one line: `reason`, `detail`, `topic`, `partition`, `offset`, and the original
/// bytes as `value` where they are UTF-8, else as `value_base64`; neither for a null payload.
enum DeadLetterLine {
    static func append(
        _ output: Effects.Output, of effects: borrowing Effects, topic: String, to line: inout OutputBuffer
    ) {
        var reason = ByteView.absent
        var detail = ByteView.absent
        for header in effects.headers[output.headers] {
            switch header.name {
            case .reason: reason = effects.view(header.value)
            case .detail: detail = effects.view(header.value)
            default: break
            }
        }
        line.append("{\"reason\":")
        append(quoted: reason, to: &line)
        line.append(",\"detail\":")
        append(quoted: detail, to: &line)
        line.append(",\"topic\":")
        var name = topic
        name.withUTF8 { append(quoted: ByteView(base: $0.baseAddress, count: $0.count), to: &line) }
        line.append(text: ",\"partition\":\(output.partition),\"offset\":\(output.offset)")
        if let range = output.value {
            let value = effects.view(range)
            if String(validating: value.bytes, as: UTF8.self) != nil {
                line.append(",\"value\":")
                append(quoted: value, to: &line)
            } else {
                line.append(text: ",\"value_base64\":\"\(Data(value.bytes).base64EncodedString())\"")
            }
        }
        line.append("}\n")
    }

    /// A JSON string, RFC 8259 section 7. The bytes must be UTF-8.
    private static func append(quoted text: ByteView, to line: inout OutputBuffer) {
        line.append(UInt8(ascii: "\""))
        for byte in text.bytes {
            switch byte {
            case UInt8(ascii: "\""): line.append("\\\"")
            case UInt8(ascii: "\\"): line.append("\\\\")
            case 10: line.append("\\n")
            case 13: line.append("\\r")
            case 9: line.append("\\t")
            case 0..<32:
                line.append("\\u00")
                line.append(hexDigit(byte >> 4))
                line.append(hexDigit(byte & 15))
            default: line.append(byte)
            }
        }
        line.append(UInt8(ascii: "\""))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
