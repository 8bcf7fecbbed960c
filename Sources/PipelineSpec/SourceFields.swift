import Events

/// A source as written.
struct SourceDraft: Sendable, Equatable {
    /// Nil for the source's name.
    var topic: String?
    /// Nil for what the source's name says.
    var type: SourceType?
    var repartition = false
    var map: [Named<MappedField>] = []

    static var standard: [Named<SourceDraft>] {
        ["logins", "actions", "challenges", "feedback"].map { Named(key: $0, value: SourceDraft()) }
    }

    /// The type of every event of a source of that name; nil where each event says its own.
    func eventType(named name: String) -> EventType? {
        switch type {
        case .each: nil
        case .one(let type): type
        case nil: ["logins": .login, "actions": .action, "challenges": .challenge, "feedback": .feedback][name]
        }
    }
}

/// Whether all events of a source have one type.
enum SourceType: Sendable, Equatable {
    case each
    case one(EventType)
}

/// Where a field of the event comes from, as written.
struct MappedField: Sendable, Equatable {
    var paths: [[PathStep]] = []
    var values: [Named<String>] = []
    var fallback: String?
}

enum SourceFields {
    static var record: Record<SourceDraft> {
        Record(SourceDraft(), [
            Field("topic", \.topic, Format.name("a topic name").optional(""), standard: "the source's name", "The topic to read."),
            Field("type", \.type, type.optional(.each), standard: "what the names logins, actions, challenges, feedback say; else `any`",
                "The type of every event of the topic, which then need not say it; `any` where each event says its own. A `feedback` topic may carry erasures too."),
            Field("repartition", \.repartition, .flag, "Set it where records have no key, or producers with another partitioner: they then go through a topic of Vigil's own, `<group>-<topic>-repartition`, keyed by user. Not needed where every record is keyed by `user` or `tenant/user` as on the other sources."),
            Field("map", \.map, mapped.map(
                keys: "event field", MappedField(), names: EventField.allCases.map(\.rawValue),
                rename: { EventField(rawValue: $0)?.rawValue }),
                "Where the fields of the event are found in records of another form; without it records are in Vigil's own. Only what is mapped is read."),
        ])
    }

    private static var type: Format<SourceType> {
        .choice([("any", .each)] + EventType.allCases.map { ($0.name.description, .one($0)) })
    }

    private static var mapped: Format<MappedField> {
        let simple = path.list([]).convert({ MappedField(paths: $0) }, { $0.paths })
        let full = Record(MappedField(), [
            Field("path", \.paths, path.list([], atMost: 8), "Tried in order; the first that leads to a value wins."),
            Field("values", \.values, Format.verbatim.map(keys: "value found", ""),
                "Translation of the values found; `\"*\"` catches the rest. For `type`, `ignore` drops the record."),
            Field("default", \.fallback, Format.verbatim.optional(""), "Used when no path leads to a value."),
        ])
        return simple.or(mapping: full.format)
    }

    private static var path: Format<[PathStep]> {
        Format(
            type: "a path like `actor.ids[0].\"user.name\"`", schema: [("type", .string("string")), ("minLength", .integer(1))],
            code: "value.syntax", parse: JSONPath.parse, show: { quoted(JSONPath.show($0)) })
    }
}

/// Paths into JSON documents: `a.b[0].c`, keys with other characters in double quotes: `a."b.c"`.
enum JSONPath {
    static let mostSteps = 16

    /// Nil when the text is no path.
    static func parse(_ text: String) -> [PathStep]? {
        var steps: [PathStep] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            if rest.first == "[" {
                guard !steps.isEmpty, let close = rest.firstIndex(of: "]") else { return nil }
                let digits = rest[rest.index(after: rest.startIndex)..<close]
                guard isDigits(digits), digits.utf8.count <= 6, let index = Int(digits) else { return nil }
                steps.append(.index(index))
                rest = rest[rest.index(after: close)...]
            } else {
                if !steps.isEmpty {
                    guard rest.first == "." else { return nil }
                    rest = rest.dropFirst()
                }
                guard let key = takeKey(&rest) else { return nil }
                steps.append(.key(key))
            }
        }
        return steps.isEmpty || steps.count > mostSteps ? nil : steps
    }

    private static func takeKey(_ rest: inout Substring) -> String? {
        var key = ""
        if rest.first == "\"" {
            rest = rest.dropFirst()
            while let character = rest.popFirst() {
                if character == "\"" { return key }
                if character == "\\" {
                    guard let escaped = rest.popFirst(), escaped == "\"" || escaped == "\\" else { return nil }
                    key.append(escaped)
                } else {
                    key.append(character)
                }
            }
            return nil
        }
        while let character = rest.first, character != ".", character != "[" {
            guard character != "\"", character != "]", !character.isWhitespace else { return nil }
            key.append(character)
            rest = rest.dropFirst()
        }
        return key.isEmpty ? nil : key
    }

    static func show(_ steps: [PathStep]) -> String {
        var text = ""
        for step in steps {
            switch step {
            case .index(let index): text += "[\(index)]"
            case .key(let key):
                let isPlain = !key.isEmpty && !key.contains { ".[]\"\\".contains($0) || $0.isWhitespace }
                let escaped = key.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
                text += (text.isEmpty ? "" : ".") + (isPlain ? key : "\"\(escaped)\"")
            }
        }
        return text
    }
}
