import Events

/// How a test writes events: the contract's own fields, typed as the contract has them.
enum TestEventFields {
    /// In place of `auth.time`: how long ago that was when the event happens.
    static let age = "age"

    /// Some of the event's fields.
    static var format: Format<[JSON.Member]> {
        Format(
            shape: .map(keys: "event field", pattern: nil, names: topNames, .anything),
            read: { node, members, reader in
                guard let entries = reader.entries(of: node) else { return }
                members = []
                for entry in entries {
                    reader.descend(entry.key, entry.value, key: entry.keyPosition) {
                        guard let value = value(entry, under: "", &$0) else { return }
                        members.append(JSON.Member(key: entry.key, value: value))
                    }
                }
            },
            show: { _ in nil })
    }

    /// A record of any form. Every scalar is a text: where a form is mapped, texts that spell numbers are numbers.
    static var record: Format<[JSON.Member]> {
        Format(
            shape: .anything,
            read: { node, members, reader in
                guard reader.entries(of: node) != nil, case .object(let all) = raw(node) else { return }
                members = all
            },
            show: { _ in nil })
    }

    private static func raw(_ node: Node) -> JSON {
        switch node.content {
        case .nothing: .null
        case .scalar(let text): .string(text)
        case .list(let items): .array(items.map(raw))
        case .mapping(let entries): .object(entries.map { ($0.key, raw($0.value)) })
        }
    }

    private static let numbers: Set<EventField> = [.amount, .asn, .latitude, .longitude, .roundTrip]

    /// Names of fields at the top: `ip`, `geo`.
    private static var topNames: [String] { names(under: "") }

    private static func names(under object: String) -> [String] {
        var names: [String] = []
        for field in EventField.allCases {
            let parts = field.rawValue.split(separator: ".").map(String.init)
            let name = object.isEmpty ? parts[0] : parts.count > 1 && parts[0] == object ? parts[1] : nil
            if let name, !names.contains(name) { names.append(name) }
        }
        return object == "auth" ? names + [age] : names
    }

    /// Nil after a diagnostic.
    private static func value(_ entry: Node.Entry, under object: String, _ reader: inout Reader) -> JSON? {
        let path = object.isEmpty ? entry.key : object + "." + entry.key
        let known = names(under: object)
        guard known.contains(entry.key) else {
            let guess = nearest(to: entry.key, among: known)
            reader.report(
                entry.keyPosition, "key.unknown",
                "an event has no `\(shown(key: path))`" + (guess == nil ? "; its fields are " + known.joined(separator: ", ") : ""),
                suggestion: guess)
            return nil
        }
        if path == "auth." + age {
            var milliseconds: Int64 = 0
            let problems = reader.diagnostics.count
            Format<Int64>.duration(0...(3650 * 86_400_000)).read(entry.value, &milliseconds, &reader)
            return reader.diagnostics.count == problems ? .integer(Int(milliseconds)) : nil
        }
        switch entry.value.content {
        case .nothing: return .null
        case .mapping(let entries):
            guard object.isEmpty, EventField(rawValue: entry.key) == nil else { break }
            var members: [JSON.Member] = []
            for inner in entries {
                reader.descend(inner.key, inner.value, key: inner.keyPosition) {
                    if let value = value(inner, under: entry.key, &$0) { members.append(JSON.Member(key: inner.key, value: value)) }
                }
            }
            return .object(members)
        case .list(let items):
            guard EventField(rawValue: path) != nil else { break }
            return .array(items.map(raw))
        case .scalar(let text):
            guard let field = EventField(rawValue: path) else { break }
            if field == .amr || field == .enrolments { return .array([.string(text)]) }
            guard numbers.contains(field) else { return .string(text) }
            if let number = Units.decimal(text) { return .number(number) }
            reader.report(entry.value.position, "value.type", "`\(reader.name)` is a number; found \(entry.value.kind)")
            return nil
        }
        let isObject = EventField(rawValue: path) == nil
        reader.report(
            entry.value.position, "value.type", "`\(reader.name)` is \(isObject ? "a mapping" : "a text"); found \(entry.value.kind)")
        return nil
    }
}
