import Yams

/// Turns YAML text into a `Node` tree. Bounded in bytes, depth and nodes, so that no alias bomb can hang it.
struct YAMLReader {
    static let maxBytes = 1 << 20
    static let maxDepth = 32
    static let maxNodes = 100_000
    private static let maxDuplicates = 32

    let file: String
    private(set) var diagnostics: [Diagnostic] = []
    private var nodes = 0
    /// Yams stops at the first duplicate key; each is renamed in a copy of the text, and here is what it was called.
    private var renamed: [Position: String] = [:]
    private var isCut = false

    init(file: String) { self.file = file }

    /// Nil, with diagnostics, when the text is no YAML mapping.
    mutating func read(_ text: String) -> Node? {
        guard text.utf8.count <= Self.maxBytes else {
            report(nil, "file.too_large", "a pipeline file has at most 1 MiB, this one has \(text.utf8.count) bytes")
            return nil
        }
        var scalars = Array(text.unicodeScalars)
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        if let position = complexKey(in: scalars) {
            report(position, "yaml.key", "a key must be plain text; lists, mappings and aliases can't be keys")
            return nil
        }
        guard let root = compose(&scalars) else { return nil }
        let node = convert(root, depth: 0)
        if isCut { return nil }
        switch node.content {
        case .mapping: return node
        case .nothing: report(nil, "file.empty", "the file is empty; the least pipeline is `name: my-pipeline`")
        default:
            report(node.position, "file.not_a_pipeline", "a pipeline file is a mapping that starts like `name: my-pipeline`")
        }
        return nil
    }

    private mutating func compose(_ scalars: inout [Unicode.Scalar]) -> Yams.Node? {
        for _ in 0...Self.maxDuplicates {
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            do {
                if let root = try Yams.compose(yaml: text, .basic, .default, .utf8) { return root }
                report(nil, "file.empty", "the file is empty; the least pipeline is `name: my-pipeline`")
                return nil
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let mark = Position(line: context.mark.line, column: context.mark.column)
                guard let key = keys.first, rename(key, at: mark, in: &scalars) else {
                    report(mark, "yaml.duplicate_key", "the key `\(shown(key: keys.first ?? ""))` is given more than once")
                    return nil
                }
            } catch {
                report(syntaxError: error, in: text)
                return nil
            }
        }
        report(nil, "yaml.duplicate_key", "more than \(Self.maxDuplicates) keys are given more than once")
        return nil
    }

    /// Replaces the first character of the key by one of the private use area; positions stay what they were.
    private mutating func rename(_ key: String, at mark: Position, in scalars: inout [Unicode.Scalar]) -> Bool {
        guard var index = offset(of: mark, in: scalars), index < scalars.count, renamed[mark] == nil else { return false }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, scalars[index] == key.unicodeScalars.first,
            let stand = Unicode.Scalar(UInt32(0xE000 + renamed.count))
        else { return false }
        renamed[mark] = key
        scalars[index] = stand
        return true
    }

    private func offset(of mark: Position, in scalars: [Unicode.Scalar]) -> Int? {
        var line = 1
        var index = 0
        while line < mark.line {
            guard index < scalars.count else { return nil }
            let scalar = scalars[index]
            index += 1
            if scalar == "\r", index < scalars.count, scalars[index] == "\n" { index += 1 }
            if scalar == "\n" || scalar == "\r" || scalar == "\u{85}" || scalar == "\u{2028}" || scalar == "\u{2029}" { line += 1 }
        }
        return index + mark.column - 1
    }

    /// Yams hashes keys, and hashing an alias unfolds it: a text that has aliases, and keys that are not plain text, is
    /// refused before Yams sees it. Quotes and comments are not told apart here, so that nothing hides in them.
    private func complexKey(in scalars: [Unicode.Scalar]) -> Position? {
        var position = Position(line: 1, column: 0)
        var found: Position?
        var hasAlias = false
        var index = 0
        func at(_ index: Int) -> Unicode.Scalar { index >= 0 && index < scalars.count ? scalars[index] : "\n" }
        func isKeyed(_ index: Int) -> Bool {
            var index = index
            while at(index) == " " || at(index) == "\t" { index += 1 }
            return at(index) == ":"
        }
        while index < scalars.count {
            position.column += 1
            let before = at(index - 1)
            let startsToken = isBlank(before) || [",", "[", "{", ":", "?"].contains(before)
            switch scalars[index] {
            case "\n": position = Position(line: position.line + 1, column: 0)
            case "?" where startsToken && isBlank(at(index + 1)): found = found ?? position
            case "*" where startsToken && !isBlank(at(index + 1)):
                hasAlias = true
                var end = index + 1
                while isNameOfAnchor(at(end)) { end += 1 }
                if isKeyed(end) { found = found ?? position }
            case "]" where isKeyed(index + 1): found = found ?? position
            case "}" where isKeyed(index + 1) && !closesVariable(index, in: scalars): found = found ?? position
            default: break
            }
            index += 1
        }
        return hasAlias ? found : nil
    }

    private func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" || scalar == "\u{85}" || scalar == "\u{2028}"
            || scalar == "\u{2029}"
    }

    private func isNameOfAnchor(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar == "-" || (scalar.isASCII && scalar.properties.isAlphabetic) || ("0"..."9").contains(scalar)
    }

    /// Whether the `}` at `index` ends a `${…}` without blanks, quotes or brackets inside: no mapping can end so.
    private func closesVariable(_ index: Int, in scalars: [Unicode.Scalar]) -> Bool {
        var start = index - 1
        while start > 0, !isBlank(scalars[start]), !["\"", "'", "[", "]", "{", "}", "*"].contains(scalars[start]) { start -= 1 }
        return start > 0 && scalars[start] == "{" && scalars[start - 1] == "$"
    }

    private mutating func convert(_ node: Yams.Node, depth: Int) -> Node {
        nodes += 1
        let position = Position(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
        let empty = Node(content: .nothing, position: position)
        guard !isCut else { return empty }
        guard nodes <= Self.maxNodes else {
            isCut = true
            report(position, "yaml.aliases", "aliases unfold to more than \(Self.maxNodes) values")
            return empty
        }
        guard depth <= Self.maxDepth else {
            isCut = true
            report(position, "yaml.depth", "nested more than \(Self.maxDepth) levels deep")
            return empty
        }
        switch node {
        case .scalar(let scalar):
            if isForeign(scalar.tag) {
                report(position, "yaml.tag", "tags are not used in pipeline files; write the value itself")
            }
            let text = scalar.string
            let isPlain = scalar.style == .plain
            if isPlain, text.isEmpty || text == "~" || text == "null" { return empty }
            return Node(content: .scalar(text), position: position)
        case .sequence(let items):
            return Node(content: .list(items.map { convert($0, depth: depth + 1) }), position: position)
        case .mapping(let pairs):
            return Node(content: .mapping(entries(pairs, depth: depth)), position: position)
        case .alias:
            return empty
        }
    }

    private func isForeign(_ tag: Tag) -> Bool {
        let name = tag.description
        return !(name.isEmpty || name == "!" || name.hasPrefix("tag:yaml.org,2002:"))
    }

    private mutating func entries(_ pairs: Yams.Node.Mapping, depth: Int) -> [Node.Entry] {
        var entries: [Node.Entry] = []
        var merged: [Node.Entry] = []
        var seen: [String: Position] = [:]
        for (key, value) in pairs {
            let position = Position(line: key.mark?.line ?? 1, column: key.mark?.column ?? 1)
            guard case .scalar(let scalar) = key else {
                report(position, "yaml.key", "a key must be plain text; lists, mappings and aliases can't be keys")
                continue
            }
            let name = renamed[position] ?? scalar.string
            if let first = seen[name] {
                report(
                    position, "yaml.duplicate_key",
                    "the key `\(shown(key: name))` was already given on line \(first.line); remove one of them")
            }
            seen[name] = seen[name] ?? position
            let node = convert(value, depth: depth + 1)
            if name == "<<", scalar.style == .plain {
                merged += mergeable(node)
            } else {
                entries.append(Node.Entry(key: name, keyPosition: position, value: node))
            }
        }
        for entry in merged where seen[entry.key] == nil {
            seen[entry.key] = entry.keyPosition
            entries.append(entry)
        }
        return entries
    }

    /// What a merge key `<<` brings: the entries of a mapping, or of a list of mappings, the earlier winning.
    private mutating func mergeable(_ node: Node) -> [Node.Entry] {
        switch node.content {
        case .mapping(let entries): return entries
        case .list(let items): return items.flatMap { mergeable($0) }
        default:
            report(node.position, "value.type", "`<<` merges a mapping, found \(node.kind)")
            return []
        }
    }

    private mutating func report(syntaxError error: any Error, in text: String) {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            let place = Position(line: mark.line, column: mark.column)
            if problem.contains("nesting") {
                report(place, "yaml.depth", "nested more than \(Self.maxDepth) levels deep")
            } else {
                report(place, "yaml.syntax", "not YAML: \(problem)")
            }
        case YamlError.reader(let problem, let offset, _, _):
            report(position(ofByte: offset ?? 0, in: text), "yaml.syntax", "not YAML: \(problem)")
        default:
            report(nil, "yaml.syntax", "not YAML")
        }
    }

    private func position(ofByte offset: Int, in text: String) -> Position {
        var position = Position(line: 1, column: 1)
        for byte in text.utf8.prefix(offset) {
            if byte == 10 {
                position = Position(line: position.line + 1, column: 1)
            } else if byte & 0xC0 != 0x80 {
                position.column += 1
            }
        }
        return position
    }

    private mutating func report(_ position: Position?, _ code: String, _ message: String) {
        diagnostics.append(
            Diagnostic(file: file, line: position?.line ?? 0, column: position?.column ?? 0, code: code, message: message))
    }
}
