/// The reference of pipeline files, made from the same fields that read them.
public enum PipelineReference {
    /// The whole of `docs/pipeline.md`.
    public static var markdown: String {
        var out = introduction
        for field in PipelineFields.root.shapes {
            out += "\n## `\(field.name)`\n\n\(field.doc)\n\n\(facts(field))\n"
            let rows = rows(under: field.shape, path: "")
            if !rows.isEmpty {
                out += "\n| key | type | default | |\n|---|---|---|---|\n" + rows.joined(separator: "\n") + "\n"
            }
        }
        out += "\n## Diagnostics\n\n`file:line:col: error[code]: message (did you mean …?)`, all of them at once, in file order.\n"
        out += "\n| code | |\n|---|---|\n"
        for (code, meaning) in codes { out += "| `\(code)` | \(meaning) |\n" }
        return out
    }

    private static let introduction = """
        # Pipeline files

        A pipeline is one YAML file. The least one is `name: my-pipeline`; `pipelines/continuous-authorization.yaml` shows every
        key with its default, and [signals.md](signals.md) says what each signal sees. `vigil validate FILE` reports every problem at once; `vigil schema pipeline` prints a JSON Schema
        for editors. This page is generated from the code that reads the file.

        - **Values are what is written.** `NO` is a country, `010` is not eight, `12:30` is text. `null`, `~` or nothing means not
          set. Where a list is expected, a single value stands for a list of one.
        - **Durations** are `100ms`, `30s`, `5m`, `12h`, `30d`; **sizes** `256B`, `64KiB`, `1MiB`. **Points** are log-odds ×10.
        - **Variables**: `${NAME}` and `${NAME:default}` are replaced in values, never in keys; a variable that is not set and has
          no default is an error; `$${` stands for `${` itself. In flow style (`{…}`, `[…]`) quote them. Whatever comes from the
          environment, and every secret, is never repeated in a message.
        - **Anchors, aliases and `<<`** work, within bounds. A key given twice is an error, and so is one that is not listed here.
        - **`policy.version`** in decisions is a hash of all that decides: `name`, `sources`, `emit`, `windows`, `model`,
          `groups`, `tags`, `conditions`, `policies`, `overrides`, `otherwise`, `shadow`, `sinks`, `bounds`, defaults included, and of
          what lists, shadow policies and the files of `enrichment` hold. Comments, layout and operation don't change it.

        """

    /// Every code a diagnostic can have.
    public static let codes: [(code: String, meaning: String)] = [
        ("file.missing", "There is no such file."),
        ("file.unreadable", "The file can't be opened or read."),
        ("file.too_large", "More than 1 MiB."),
        ("file.encoding", "Not UTF-8."),
        ("file.empty", "Nothing but blanks and comments."),
        ("file.not_a_pipeline", "YAML, but a list or a text instead of a mapping."),
        ("yaml.syntax", "Not YAML."),
        ("yaml.duplicate_key", "A key is given twice in one mapping."),
        ("yaml.key", "A key is a list, a mapping or an alias."),
        ("yaml.tag", "A value has a tag of its own, such as `!vault`."),
        ("yaml.depth", "Nested too deep."),
        ("yaml.aliases", "Aliases unfold to too many values."),
        ("env.unset", "A variable is not set and has no default."),
        ("env.syntax", "`${` is not followed by a name, or not closed."),
        ("key.unknown", "There is no such key here."),
        ("key.missing", "A required key is not given."),
        ("value.type", "The value is of another type."),
        ("value.range", "The value is out of range."),
        ("value.choice", "The value is none of those listed."),
        ("value.syntax", "A path into JSON, or a name, is not well formed."),
        ("list.too_long", "More entries than are allowed."),
        ("sources.none", "No source is left."),
        ("source.unmapped", "A mapping leaves out a field every event needs."),
        ("topic.shared", "Two sources or sinks name the same topic."),
        ("windows.hop", "The hop doesn't divide the window into at most 16 panes."),
        ("model.levels", "Levels are not ascending."),
        ("bounds.user", "A new user's state would not fit."),
        ("model.confidence", "`established` is not above `partial`."),
        ("rule.duplicate", "Two rules have the same name."),
        ("rule.step_up", "A `step_up` block without `then: step_up`, or one that asks nothing."),
        ("assurance.unreachable", "No method proves what is needed."),
        ("rule.interval", "`at_most` is below `at_least`."),
        ("rule.unreachable", "Warning: a rule before it matches every event that it does."),
        ("rule.shadowed", "Warning: a rule before it has the same conditions."),
        ("rule.never", "No event is as a rule asks."),
        ("rule.type", "Warning: events of the rule's types don't have what it asks for."),
        ("rule.signal_off", "Warning: a rule asks for a signal that is not enabled."),
        ("name.unknown", "A list, group, tag, condition or rule of this name is not defined."),
        ("name.unused", "Warning: nothing uses what is defined."),
        ("name.circle", "Named conditions refer to themselves."),
        ("name.size", "Named conditions come to too many mappings, with those they name."),
        ("override.scope", "An override names neither tenant nor group."),
        ("shadow.source", "A shadow policy has neither a file nor rules, or both."),
        ("list.missing", "There is no such file."),
        ("list.unreadable", "The file can't be read, or is too large."),
        ("list.entry", "An entry is not what the list is used for; in a file, with its line."),
        ("breaker.relax", "`breaker.relax` names no rule, or one that may not be relaxed."),
        ("rule.newcomers", "Warning: a rule denies whoever is not known yet."),
        ("test.duplicate", "Two tests, or two steps of one, have the same name."),
        ("test.step", "A step does nothing, or several things at once, or names nobody; or what happened before may never happen."),
        ("test.unknown", "A test names a rule, a step or a source that the file doesn't have."),
        ("enrichment.missing", "There is no such file."),
        ("enrichment.unusable", "The file can't be read, is damaged, or knows nothing that is asked for."),
        ("enrichment.none", "Warning: `auto` finds no rules for user agents."),
        ("secret.short", "Warning: fewer than 16 bytes."),
        ("kafka.owned", "Vigil sets this property of librdkafka itself."),
    ]

    private static func facts(_ field: FieldShape) -> String {
        let presence = field.isRequired ? " Required." : field.standard.map { " Default: \($0)." } ?? ""
        let type = field.shape.type
        return type.prefix(1).uppercased() + type.dropFirst() + "." + presence
    }

    private static func rows(under shape: Shape, path: String) -> [String] {
        let step = shape.step
        let start = path.isEmpty && step.hasPrefix(".") ? String(step.dropFirst()) : path + step
        return shape.fields.flatMap { field -> [String] in
            let name = (start.isEmpty ? "" : start + ".") + field.name
            let standard = field.isRequired ? "required" : field.standard ?? ""
            return [row(["`\(name)`", field.shape.type, standard, field.doc])] + rows(under: field.shape, path: name)
        }
    }

    /// Of a table in Markdown.
    static func row(_ cells: [String]) -> String { "| " + cells.map { cell($0) }.joined(separator: " | ") + " |" }

    private static func cell(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
