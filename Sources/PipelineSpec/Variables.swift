/// Expands `${NAME}` and `${NAME:default}` in the scalars of a tree; `$${` stands for `${` itself.
struct Variables {
    let file: String
    let environment: [String: String]
    private(set) var diagnostics: [Diagnostic] = []
    /// Where secrets are written; an alias elsewhere has the same position and is as secret.
    private var secrets: Set<Position> = []

    init(file: String, environment: [String: String]) {
        self.file = file
        self.environment = environment
    }

    /// The tree with everything expanded but what stands under the top-level key `tests`: what a test says must not depend
    /// on who runs it.
    mutating func expand(_ root: Node) -> Node {
        guard case .mapping(var entries) = root.content else { return root }
        collectSecrets(root, isSecret: false)
        for index in entries.indices {
            entries[index].value = expanded(entries[index].value, asWritten: entries[index].key == "tests")
        }
        var root = root
        root.content = .mapping(entries)
        return root
    }

    private mutating func collectSecrets(_ node: Node, isSecret: Bool) {
        switch node.content {
        case .nothing: break
        case .scalar: if isSecret { secrets.insert(node.position) }
        case .list(let items): items.forEach { collectSecrets($0, isSecret: isSecret) }
        case .mapping(let entries):
            entries.forEach { collectSecrets($0.value, isSecret: isSecret || $0.key == "kafka" || Self.namesSecret($0.key)) }
        }
    }

    private mutating func expanded(_ node: Node, asWritten: Bool) -> Node {
        var node = node
        switch node.content {
        case .nothing: break
        case .scalar where asWritten:
            node.isShowable = !secrets.contains(node.position)
        case .scalar(let text):
            let problems = diagnostics.count
            let (result, isFromEnvironment) = expand(text, at: node.position)
            node.content = .scalar(result)
            node.isShowable = !isFromEnvironment && !secrets.contains(node.position)
            node.isBroken = diagnostics.count > problems
        case .list(let items):
            node.content = .list(items.map { expanded($0, asWritten: asWritten) })
        case .mapping(let entries):
            node.content = .mapping(entries.map {
                var entry = $0
                entry.value = expanded(entry.value, asWritten: asWritten)
                return entry
            })
        }
        return node
    }

    /// Keys whose values are never repeated, as is all that stands under `kafka`.
    static func namesSecret(_ key: String) -> Bool {
        let key = key.lowercased()
        return ["password", "secret", "key", "jaas", "token", "oauthbearer", "pem"].contains { key.contains($0) }
    }

    mutating func expand(_ text: String, at position: Position) -> (text: String, isFromEnvironment: Bool) {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return (text, false) }
        var out = ""
        var isFromEnvironment = false
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            out += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                out += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let close = rest.firstIndex(of: "}") else {
                    report(position, "env.syntax", "`${` without `}`; write `$${` for the characters themselves")
                    return (out, true)
                }
                let inside = rest[rest.index(rest.startIndex, offsetBy: 2)..<close]
                rest = rest[rest.index(after: close)...]
                let colon = inside.firstIndex(of: ":")
                let name = String(inside[..<(colon ?? inside.endIndex)])
                if !isName(name) {
                    report(position, "env.syntax", "after `${` comes a name of letters, digits and `_`, as in `${NAME:default}`")
                    isFromEnvironment = true
                } else if let value = environment[name] {
                    out += value
                    isFromEnvironment = true
                } else if let colon {
                    out += inside[inside.index(after: colon)...]
                } else {
                    report(
                        position, "env.unset",
                        "the environment variable `\(printable(name))` is not set; set it or write `${\(printable(name)):default}`")
                    isFromEnvironment = true
                }
            } else {
                out += "$"
                rest = rest.dropFirst()
            }
        }
        return (out + rest, isFromEnvironment)
    }

    private func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
        return name.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95 }
    }

    private mutating func report(_ position: Position, _ code: String, _ message: String) {
        diagnostics.append(
            Diagnostic(file: file, line: position.line, column: position.column, code: code, message: message))
    }
}
