import Risk

/// The part `model` of `pipelines/continuous-authorization.yaml`: every key with its default.
public enum ModelExample {
    /// From the line `model:` on; a newline at its end.
    public static var yaml: String {
        let standard = ModelOptions()
        var out = "model:\n"
        for field in ModelFields.record.fields {
            switch field.shape.name {
            case "levels": out += mapping(ModelFields.levels, standard, "levels")
            case "confidence": out += mapping(ModelFields.confidence, standard, "confidence")
            case "groups": out += mapping(ModelFields.groups, standard, "groups")
            case "signals": out += signals(standard)
            default: out += line("  \(field.shape.name): \(field.show(standard) ?? "null")", remark(field.shape.name))
            }
        }
        return out
    }

    /// `text` with its part `model` written anew; nil where it has none.
    public static func written(into text: String) -> String? {
        guard let start = text.range(of: "\nmodel:\n") else { return nil }
        let rest = text[start.upperBound...]
        let end = rest.range(of: "\n\n")?.lowerBound ?? text.endIndex
        return String(text[...start.lowerBound]) + yaml + (end < text.endIndex ? String(text[text.index(after: end)...]) : "")
    }

    private static func remark(_ name: String) -> String {
        switch name {
        case "weights": "a file of `vigil fit`, relative to this one: what stands below comes after it"
        case "base": "log-odds ×10 before any evidence: one event in 121 is hostile"
        case "levels": "least score, 0…100, of each level above low"
        case "confidence": "learned logins and sessions from which a baseline is trusted"
        case "groups": "most points that signals which see the same thing may add together"
        case "reassurance_cap": "most points that looking familiar may take away"
        default: ""
        }
    }

    private static func mapping(_ record: Record<ModelOptions>, _ model: ModelOptions, _ name: String) -> String {
        line("  \(name):", remark(name)) + record.fields.map { "    \($0.shape.name): \($0.show(model) ?? "null")\n" }.joined()
    }

    private static func signals(_ model: ModelOptions) -> String {
        var out = line("  signals:", "enabled; weight multiplies the evidence; cap is the most points it may add; docs/signals.md")
        for family in SignalReference.families {
            out += "    # \(family)\n"
            for signal in Signal.allCases where signal.family == family {
                out += wrapped("    \(signal.name): " + flow(ModelFields.options(of: signal), model))
            }
        }
        return out
    }

    private static func flow(_ record: Record<ModelOptions>, _ model: ModelOptions) -> String {
        "{ " + record.fields.map { "\($0.shape.name): \($0.show(model) ?? "null")" }.joined(separator: ", ") + " }"
    }

    private static let width = 120

    /// Broken after commas; what follows is indented further.
    private static func wrapped(_ text: String) -> String {
        var (lines, current): ([String], String) = ([], "")
        for part in text.split(separator: ", ", omittingEmptySubsequences: false) {
            if !current.isEmpty, current.count + part.count + 2 > width {
                lines.append(current + ",")
                current = "      " + part
            } else {
                current += (current.isEmpty ? "" : ", ") + part
            }
        }
        return (lines + [current]).joined(separator: "\n") + "\n"
    }

    private static func line(_ text: String, _ remark: String) -> String {
        guard !remark.isEmpty else { return text + "\n" }
        return text + String(repeating: " ", count: max(1, 30 - text.count)) + "# " + remark + "\n"
    }
}
