import Risk

/// The reference of signals: what they see, how they count, and what can be set of them, from the code that reads and
/// decides.
public enum SignalReference {
    /// `vigil schema signals`: a list, in the order of the reference; a newline at its end.
    public static var json: String { JSON.array(Signal.allCases.map { object($0) }).text(indent: 0) + "\n" }

    private static let standard = ModelOptions()

    private static func object(_ signal: Signal) -> JSON {
        let (documentation, options) = (signal.documentation, standard.signals[Int(signal.rawValue)])
        return .object([
            ("name", .string(signal.name.description)), ("family", .string(signal.family)), ("group", .string("\(signal.group)")),
            ("weight", .number(options.weight)), ("cap", .number(options.cap)),
            ("group_cap", .number(standard.groupCaps[Int(signal.group.rawValue)])),
            ("undeniable", .bool(isUndeniable(signal))),
            ("sees", .string(documentation.sees)), ("formula", .string(documentation.formula)),
            ("source", .string(documentation.source)), ("false_positives", .string(documentation.falsePositives)),
            ("options", .array(ModelFields.ownShapes(of: signal).map { option in
                .object([
                    ("name", .string(option.name)), ("type", .string(option.shape.type)),
                    ("default", .string(plain(option.standard))), ("doc", .string(option.doc)),
                ])
            })),
        ])
    }

    /// The same for a terminal.
    public static var text: String {
        Signal.allCases.map { signal in
            let (documentation, options) = (signal.documentation, standard.signals[Int(signal.rawValue)])
            var lines = [
                signal.name.description,
                "  sees             \(documentation.sees)",
                "  formula          \(documentation.formula)",
                "  source           \(documentation.source)",
                "  false positives  \(documentation.falsePositives)",
                "  weight           \(Units.number(options.weight)), at most \(Units.number(options.cap)) points; "
                    + "group \(signal.group), at most \(Units.number(standard.groupCaps[Int(signal.group.rawValue)])) together",
            ]
            for option in ModelFields.ownShapes(of: signal) {
                lines.append("  \(option.name): \(plain(option.standard))  \(option.doc) (\(option.shape.type))")
            }
            return lines.joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    /// The whole of `docs/signals.md`.
    public static var markdown: String {
        var out = introduction
        out += "\n| group | at most | its signals |\n|---|---|---|\n"
        for group in SignalGroup.allCases {
            let members = Signal.allCases.filter { $0.group == group }.map { link($0) }.joined(separator: ", ")
            out += "| `\(group)` | \(Units.number(standard.groupCaps[Int(group.rawValue)])) | \(members) |\n"
        }
        for family in families {
            out += "\n## \(family)\n"
            for signal in Signal.allCases where signal.family == family { out += section(signal) }
        }
        return out
    }

    /// In the order in which they first come.
    static var families: [String] {
        Signal.allCases.map(\.family).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private static let introduction = """
        # Signals

        What Vigil notices about an event. Each signal compares it with the user's baseline and windows as they were before it,
        or with what all users share, and gives evidence in points, log-odds ×10: ten points multiply the odds by 2.7 that
        somebody else is acting. Evidence is multiplied by the signal's weight, capped, capped again together with that of its
        group, and added to `base`. Negative points say that something looks like the user; altogether they take away no more
        than `reassurance_cap`, and nothing at all where a signal marked *undeniable* speaks. `ln` is the natural logarithm, P a
        probability.

        Weight, cap and options are set under `model.signals` in the [pipeline file](pipeline.md#model); `vigil schema signals`
        prints this page for programs. Both are generated from the code that decides.

        """

    private static func section(_ signal: Signal) -> String {
        let (documentation, options) = (signal.documentation, standard.signals[Int(signal.rawValue)])
        var out = "\n### `\(signal.name)`\n\n\(documentation.sees)\n\n"
        out += "- **Points**: \(documentation.formula)\n"
        out += "- **Weight** \(Units.number(options.weight)), **cap** \(Units.number(options.cap)), group `\(signal.group)`"
        out += (isUndeniable(signal) ? "; undeniable" : "") + "\n"
        out += "- **False positives**: \(documentation.falsePositives)\n"
        out += "- **Source**: \(documentation.source)\n"
        let rows = ModelFields.ownShapes(of: signal).map { option in
            PipelineReference.row([
                "`\(option.name)`", option.shape.type, option.standard ?? "", option.doc,
            ])
        }
        if !rows.isEmpty { out += "\n| option | type | default | |\n|---|---|---|---|\n" + rows.joined(separator: "\n") + "\n" }
        return out
    }

    private static func isUndeniable(_ signal: Signal) -> Bool { !SignalSet.undeniable.isDisjoint(with: SignalSet(signal)) }

    /// The anchor that Markdown makes of a heading: lower case, without dots and backticks.
    private static func link(_ signal: Signal) -> String {
        let name = signal.name.description
        return "[`\(name)`](#\(name.filter { $0 != "." }))"
    }

    /// Without the backticks of Markdown.
    private static func plain(_ standard: String?) -> String { (standard ?? "").filter { $0 != "`" } }
}
