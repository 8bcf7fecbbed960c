import Foundation

/// How one kind of value is written, read and shown.
struct Format<Value> {
    var shape: Shape
    /// Replaces `value`, or reports why not and leaves it.
    var read: (_ node: Node, _ value: inout Value, _ reader: inout Reader) -> Void
    /// As it would be written in YAML's flow style; nil when not set.
    var show: (Value) -> String?
    /// The keys within it; nil where it is a value of its own.
    var parts: ((Value) -> [KeyPart])?
}

/// A key with its value as it would be written.
struct KeyPart {
    /// From the value it is a part of, `a.b`; empty for the value itself.
    var path = ""
    var value: String
    /// It can't change while the pipeline runs.
    var isFixed = false

    func within(_ key: String, isFixed: Bool) -> KeyPart {
        KeyPart(path: path.isEmpty ? key : key + "." + path, value: value, isFixed: isFixed || self.isFixed)
    }
}

extension Format {
    /// A scalar: `parse` answers nil when the text is none of its values.
    init(
        type: String, schema: [(String, JSON)], code: String = "value.type", parse: @escaping (String) -> Value?,
        show: @escaping (Value) -> String
    ) {
        shape = .scalar(type: type, schema: schema)
        read = { node, value, reader in
            guard !node.isBroken else { return }
            guard case .scalar(let text) = node.content, let parsed = parse(text) else {
                reader.report(node.position, code, "`\(reader.name)` is \(type); found \(node.kind)")
                return
            }
            value = parsed
        }
        self.show = show
    }

    /// The same text for another Swift type.
    func convert<Other>(_ to: @escaping (Value) -> Other, _ from: @escaping (Other) -> Value) -> Format<Other> {
        Format<Other>(
            shape: shape,
            read: { node, value, reader in
                var inner = from(value)
                read(node, &inner, &reader)
                value = to(inner)
            },
            show: { show(from($0)) }, parts: parts.map { parts in { parts(from($0)) } })
    }

    /// `null` stands for not set. `initial` is what reading starts from.
    func optional(_ initial: Value) -> Format<Value?> {
        Format<Value?>(
            shape: .optional(shape),
            read: { node, value, reader in
                if case .nothing = node.content {
                    value = nil
                    return
                }
                let problems = reader.diagnostics.count
                var inner = value ?? initial
                read(node, &inner, &reader)
                if reader.diagnostics.count == problems, !node.isBroken { value = inner }
            },
            show: { $0.flatMap(show) })
    }

    /// A list, or one value alone. `initial` is what reading each element starts from.
    func list(_ initial: Value, atMost: Int? = nil, why: String = "") -> Format<[Value]> {
        Format<[Value]>(
            shape: .list(shape, atMost: atMost),
            read: { node, values, reader in
                let items: [Node]
                switch node.content {
                case .nothing: items = []
                case .list(let nodes): items = nodes
                case .scalar, .mapping: items = [node]
                }
                values = []
                if let atMost, items.count > atMost {
                    reader.report(
                        items[atMost].position, "list.too_long",
                        "`\(reader.name)` has \(items.count) entries, at most \(atMost) are allowed\(why)")
                }
                for (index, item) in items.enumerated() {
                    var value = initial
                    let problems = reader.diagnostics.count
                    if case .scalar = node.content {
                        read(item, &value, &reader)
                    } else {
                        reader.descend("[\(index)]", item) { read(item, &value, &$0) }
                    }
                    if reader.diagnostics.count == problems || !shape.fields.isEmpty || shape.isRecord { values.append(value) }
                }
            },
            show: { "[" + $0.map { show($0) ?? "null" }.joined(separator: ", ") + "]" })
    }

    /// A mapping with keys of one's own, in the order written.
    func map(
        keys: String, _ initial: Value, pattern: String? = nil, names: [String] = [], rename: @escaping (String) -> String? = { $0 }
    ) -> Format<[Named<Value>]> {
        Format<[Named<Value>]>(
            shape: .map(keys: keys, pattern: pattern, names: names, shape),
            read: { node, values, reader in
                guard let entries = reader.entries(of: node) else { return }
                values = []
                for entry in entries {
                    guard let key = rename(entry.key) else {
                        let place = reader.name
                        reader.descend(entry.key, Node(content: .nothing, position: entry.keyPosition)) {
                            $0.report(
                                entry.keyPosition, names.isEmpty ? "value.syntax" : "key.unknown",
                                "`\(shown(key: entry.key))` is no \(keys) of `\(place)`",
                                suggestion: nearest(to: entry.key, among: names))
                        }
                        continue
                    }
                    var value = initial
                    reader.descend(key, entry.value, key: entry.keyPosition) { read(entry.value, &value, &$0) }
                    values.append(Named(key: key, value: value))
                }
            },
            show: { "{" + $0.map { quoted($0.key) + ": " + (show($0.value) ?? "null") }.joined(separator: ", ") + "}" },
            parts: { $0.map { KeyPart(path: $0.key, value: show($0.value) ?? "null") } })
    }

    /// A scalar or list is read by `self`, a mapping by `mapping`.
    func or(mapping: Format<Value>) -> Format<Value> {
        Format(
            shape: .either(shape, mapping: mapping.shape),
            read: { node, value, reader in
                if case .mapping = node.content {
                    mapping.read(node, &value, &reader)
                } else {
                    read(node, &value, &reader)
                }
            },
            show: mapping.show, parts: mapping.parts)
    }
}

/// One entry of a mapping with keys of one's own.
struct Named<Value> {
    var key: String
    var value: Value
}

extension Named: Equatable where Value: Equatable {}
extension Named: Sendable where Value: Sendable {}

/// `text` as a YAML scalar: plain where that can't be mistaken, else in double quotes.
func quoted(_ text: String) -> String {
    let isPlain = !text.isEmpty && text.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [95, 45, 46, 47].contains($0)
    }
    if isPlain, text.first != "-", !["null", "true", "false"].contains(text) { return text }
    return JSON.string(text).text()
}

extension Format where Value == String {
    /// Text of at most `bytes` UTF-8 bytes without control characters; `pattern` is an ECMA regular expression.
    static func text(
        _ type: String = "text", pattern: String? = nil, bytes: Int = 256, isEmptyAllowed: Bool = false,
        where matches: @escaping (String) -> Bool = { _ in true }
    ) -> Format {
        var schema: [(String, JSON)] = [("type", .string("string")), ("maxLength", .integer(bytes))]
        if !isEmptyAllowed { schema.append(("minLength", .integer(1))) }
        if let pattern { schema.append(("pattern", .string(pattern))) }
        return Format(
            type: type, schema: schema,
            parse: {
                $0.utf8.count <= bytes && (isEmptyAllowed || !$0.isEmpty) && $0.utf8.allSatisfy { $0 >= 32 && $0 != 127 }
                    && matches($0) ? $0 : nil
            },
            show: quoted)
    }

    /// Letters, digits, `.`, `_` and `-`, as in names of topics and rules.
    static func name(_ type: String, length: Int = 249) -> Format {
        text(type, pattern: "^[A-Za-z0-9._-]+$", bytes: length) { isPlainName($0) }
    }
}

/// Whether `text` has only letters, digits, `.`, `_` and `-`, and is neither `.` nor `..`.
func isPlainName(_ text: String) -> Bool {
    !text.isEmpty && text != "." && text != ".."
        && text.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [95, 45, 46].contains($0)
        }
}

extension Format where Value == Bool {
    static var flag: Format {
        Format(
            type: "`true` or `false`", schema: [("type", .string("boolean"))],
            parse: { ["true": true, "false": false][$0] }, show: { $0 ? "true" : "false" })
    }
}

extension Format where Value: FixedWidthInteger {
    static func integer(_ range: ClosedRange<Int>) -> Format<Value> {
        ranged(
            range, type: "an integer", show: { String($0) }, parse: { isDigits($0) ? Int($0) : nil },
            schema: [("type", .string("integer")), ("minimum", .integer(range.lowerBound)), ("maximum", .integer(range.upperBound))])
    }

    /// Held in milliseconds; a multiple of `whole`.
    static func duration(_ range: ClosedRange<Int>, whole: Int = 1) -> Format<Value> {
        ranged(
            range, type: whole == 1 ? "a duration" : "a duration in whole seconds", show: Units.duration,
            parse: { Units.milliseconds($0).flatMap { $0 % whole == 0 ? $0 : nil } },
            schema: [("type", .string("string")), ("pattern", .string("^[0-9]+(ms|s|m|h|d)$"))])
    }

    /// Held in bytes.
    static func size(_ range: ClosedRange<Int>) -> Format<Value> {
        ranged(
            range, type: "a size", show: Units.size, parse: Units.bytes,
            schema: [("type", .string("string")), ("pattern", .string("^[0-9]+(B|KiB|MiB|GiB)$"))])
    }

    private static func ranged(
        _ range: ClosedRange<Int>, type: String, show: @escaping (Int) -> String, parse: @escaping (String) -> Int?,
        schema: [(String, JSON)]
    ) -> Format<Value> {
        let type = "\(type), \(show(range.lowerBound))…\(show(range.upperBound))"
        var format = Format<Value>(
            type: type, schema: schema, parse: { parse($0).map { Value(clamping: $0) } }, show: { show(Int(clamping: $0)) })
        let read = format.read
        format.read = { node, value, reader in
            var candidate = value
            let problems = reader.diagnostics.count
            read(node, &candidate, &reader)
            guard reader.diagnostics.count == problems, !node.isBroken else { return }
            guard range.contains(Int(clamping: candidate)) else {
                reader.report(node.position, "value.range", "`\(reader.name)` is \(type); found \(node.kind)")
                return
            }
            value = candidate
        }
        return format
    }
}

/// Only digits, and few enough to be held.
func isDigits(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.count <= 15 && text.utf8.allSatisfy { (48...57).contains($0) }
}

extension Format where Value == Double {
    static func number(_ range: ClosedRange<Double>, unit: String = "") -> Format {
        let type = "a number\(unit), \(Units.number(range.lowerBound))…\(Units.number(range.upperBound))"
        var format = Format(
            type: type,
            schema: [("type", .string("number")), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound))],
            parse: Units.decimal, show: Units.number)
        let read = format.read
        format.read = { node, value, reader in
            var candidate = value
            let problems = reader.diagnostics.count
            read(node, &candidate, &reader)
            guard reader.diagnostics.count == problems, !node.isBroken else { return }
            guard range.contains(candidate) else {
                reader.report(node.position, "value.range", "`\(reader.name)` is \(type); found \(node.kind)")
                return
            }
            value = candidate
        }
        return format
    }
}

extension Format {
    /// One of the named values.
    static func choice(_ values: [(name: String, value: Value)], called: String? = nil) -> Format where Value: Equatable {
        let names = values.map(\.name)
        let all = "one of " + names.map { "`\($0)`" }.joined(separator: ", ")
        let type = called ?? all
        return Format(
            shape: .scalar(type: type, schema: [("enum", .array(names.map { .string($0) }))]),
            read: { node, value, reader in
                guard !node.isBroken else { return }
                if case .scalar(let text) = node.content {
                    if let found = values.first(where: { $0.name == text }) {
                        value = found.value
                        return
                    }
                    let guess = node.isShowable ? nearest(to: text, among: names) : nil
                    reader.report(
                        node.position, "value.choice", "`\(reader.name)` is \(guess == nil ? all : type); found \(node.kind)",
                        suggestion: guess)
                } else {
                    reader.report(node.position, "value.type", "`\(reader.name)` is \(type); found \(node.kind)")
                }
            },
            show: { value in values.first { $0.value == value }?.name })
    }
}
