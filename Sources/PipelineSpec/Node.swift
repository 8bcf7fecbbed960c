/// A place in a pipeline file; both from 1.
public struct Position: Sendable, Hashable, Comparable {
    public var line: Int
    public var column: Int

    public static func < (a: Position, b: Position) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// A YAML tree as it was written: scalars are text, typed later by the field they fill.
struct Node: Sendable {
    enum Content: Sendable {
        /// An empty plain scalar, `~` or `null`.
        case nothing
        case scalar(String)
        case list([Node])
        case mapping([Entry])
    }

    struct Entry: Sendable {
        var key: String
        var keyPosition: Position
        var value: Node
    }

    var content: Content
    var position: Position
    /// The text may be repeated in a message: it is not a secret and didn't come from the environment.
    var isShowable = true
    /// A variable in it could not be expanded; that was reported, and nothing more need be said of it.
    var isBroken = false

    /// For messages: what was found instead of what was expected.
    var kind: String {
        switch content {
        case .nothing: "nothing"
        case .scalar(let text): isShowable ? "`\(printable(text))`" : "something else"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A key for messages: up to the first character no key has, for what follows may be a secret whose `: ` was mistyped.
func shown(key: String) -> String {
    let start = key.unicodeScalars.prefix {
        $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == "-" || $0 == "." || $0 == "<")
    }
    return start.count == key.unicodeScalars.count ? printable(key) : printable(String(start)) + "…"
}

/// `text` on one line, at most 48 characters, without control characters.
func printable(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars.prefix(48) {
        let isControl = scalar.value < 32 || (127..<160).contains(scalar.value) || scalar.properties.generalCategory == .format
        out.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
    }
    return text.unicodeScalars.count > 48 ? out + "…" : out
}
