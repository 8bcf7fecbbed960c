/// One problem of a pipeline file: what, where, and what to write instead. Never carries a secret.
public struct Diagnostic: Error, Sendable, Hashable, CustomStringConvertible {
    /// Whether the file can be used all the same.
    public enum Severity: String, Sendable { case error, warning }

    /// As it was named to the parser.
    public var file: String
    /// From 1; 0 where the problem is the file itself.
    public var line: Int
    /// From 1, in Unicode scalars; 0 where the problem is the file itself.
    public var column: Int
    /// Only `error` keeps a file from being used.
    public var severity: Severity
    /// Stable and dotted, e.g. `key.unknown`.
    public var code: String
    /// What is wrong and what to do about it.
    public var message: String
    /// What was probably meant.
    public var suggestion: String?

    /// A problem at a place.
    public init(
        file: String, line: Int, column: Int, severity: Severity = .error, code: String, message: String,
        suggestion: String? = nil
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.severity = severity
        self.code = code
        self.message = message
        self.suggestion = suggestion
    }

    /// `file:line:col: error[code]: message (did you mean …?)`; without the position where the problem is the file.
    public var description: String {
        let place = line > 0 ? "\(file):\(line):\(column)" : file
        let hint = suggestion.map { " (did you mean `\($0)`?)" } ?? ""
        return "\(place): \(severity.rawValue)[\(code)]: \(message)\(hint)"
    }
}

/// Every problem of a pipeline file, in file order; never empty when thrown.
public struct Diagnostics: Error, Sendable, Equatable, CustomStringConvertible {
    /// The problems.
    public var all: [Diagnostic]

    /// Problems in file order.
    public init(_ all: [Diagnostic]) { self.all = all }

    /// One line for each.
    public var description: String { all.map(\.description).joined(separator: "\n") }
}

/// The nearest of `candidates` to `word`, when near enough to be what was meant.
/// - Complexity: O(words × length²); words longer than 64 have no neighbour.
func nearest(to word: String, among candidates: [String]) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let limit = max(1, word.utf8.count / 3)
    var best: (distance: Int, name: String)?
    for name in candidates where abs(name.utf8.count - word.utf8.count) <= limit {
        let distance = editDistance(Array(word.lowercased().utf8), Array(name.lowercased().utf8))
        if distance <= limit, distance < best?.distance ?? .max { best = (distance, name) }
    }
    return best?.name
}

/// Damerau–Levenshtein distance (optimal string alignment): insertions, deletions, substitutions, swaps of neighbours.
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var rows = [[Int]](repeating: Array(repeating: 0, count: b.count + 1), count: a.count + 1)
    for i in 0...a.count { rows[i][0] = i }
    for j in 0...b.count { rows[0][j] = j }
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    for i in 1...a.count {
        for j in 1...b.count {
            let cost = a[i - 1] == b[j - 1] ? 0 : 1
            var least = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { least = min(least, rows[i - 2][j - 2] + 1) }
            rows[i][j] = least
        }
    }
    return rows[a.count][b.count]
}
