/// Options whose every parameter can be set by name, as `vigil generate --set name=value` does.
public protocol Settable: Sendable {
    /// All of them, in the order in which a person reads them. Names are lower case with underscores, parts of one
    /// subject joined by a dot: `attacks.hijack`.
    static var settings: [Setting<Self>] { get }
}

/// Why an assignment was refused.
public enum SettingError: Error, Equatable, CustomStringConvertible {
    /// Not `name=value`.
    case form(String)
    /// No such name; the nearest that exists, if one is near.
    case unknown(String, nearest: String?)
    /// What the value would have to be.
    case value(name: String, value: String, wanted: String)

    public var description: String {
        switch self {
        case .form(let text): "\(text): not of the form name=value"
        case .unknown(let name, let nearest): "\(name): no such setting" + (nearest.map { "; did you mean \($0)?" } ?? "")
        case .value(let name, let value, let wanted): "\(name)=\(value): must be \(wanted)"
        }
    }
}

/// One parameter of options: its name, what it is for, what it may be.
public struct Setting<Options: Sendable>: Sendable {
    public let name: String
    /// One line, with the unit.
    public let help: String
    /// What values are allowed, in words.
    public let wanted: String
    private let read: @Sendable (Options) -> String
    private let write: @Sendable (inout Options, String) -> Bool

    /// The value as text that `set` would take.
    public func value(in options: Options) -> String { read(options) }

    /// Reads `text` into `options`.
    public func set(_ text: String, in options: inout Options) throws(SettingError) {
        guard write(&options, text) else { throw .value(name: name, value: text, wanted: wanted) }
    }

    /// A number within a range.
    public init(_ name: String, _ path: WritableKeyPath<Options, Double> & Sendable, _ range: ClosedRange<Double>, _ help: String) {
        self.init(name, path, range, help, parse: { Double($0) }, text: { "\($0)" })
    }

    /// A whole number within a range.
    public init(_ name: String, _ path: WritableKeyPath<Options, Int> & Sendable, _ range: ClosedRange<Int>, _ help: String) {
        self.init(name, path, range, help, parse: { Int($0) }, text: { "\($0)" })
    }

    private init<Value: Comparable & Sendable>(
        _ name: String, _ path: WritableKeyPath<Options, Value> & Sendable, _ range: ClosedRange<Value>, _ help: String,
        parse: @escaping @Sendable (String) -> Value?, text: @escaping @Sendable (Value) -> String
    ) {
        (self.name, self.help) = (name, help)
        wanted = "from \(text(range.lowerBound)) to \(text(range.upperBound))"
        read = { text($0[keyPath: path]) }
        write = { options, word in
            guard let value = parse(word), range.contains(value) else { return false }
            options[keyPath: path] = value
            return true
        }
    }

    /// A range of whole numbers, `from-to`, or one number for both.
    public init(_ name: String, _ path: WritableKeyPath<Options, ClosedRange<Int>> & Sendable, _ bounds: ClosedRange<Int>, _ help: String) {
        (self.name, self.help) = (name, help)
        wanted = "from-to within \(bounds.lowerBound) to \(bounds.upperBound)"
        read = { "\($0[keyPath: path].lowerBound)-\($0[keyPath: path].upperBound)" }
        write = { options, word in
            let parts = word.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let low = parts.first ?? nil, let high = parts.last ?? nil, parts.count <= 2, low <= high,
                bounds.contains(low), bounds.contains(high)
            else { return false }
            options[keyPath: path] = low...high
            return true
        }
    }

    /// `true` or `false`.
    public init(_ name: String, _ path: WritableKeyPath<Options, Bool> & Sendable, _ help: String) {
        (self.name, self.help) = (name, help)
        wanted = "true or false"
        read = { "\($0[keyPath: path])" }
        write = { options, word in
            guard let value = Bool(word) else { return false }
            options[keyPath: path] = value
            return true
        }
    }

    /// One of an enumeration's raw values.
    public init<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ path: WritableKeyPath<Options, Choice> & Sendable, _ help: String
    ) {
        (self.name, self.help) = (name, help)
        wanted = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        read = { $0[keyPath: path].rawValue }
        write = { options, word in
            guard let value = Choice(rawValue: word) else { return false }
            options[keyPath: path] = value
            return true
        }
    }
}

extension Settable {
    /// Applies one `name=value`.
    public mutating func set(_ assignment: String) throws(SettingError) {
        guard let equals = assignment.firstIndex(of: "=") else { throw .form(assignment) }
        let name = String(assignment[..<equals])
        guard let setting = Self.settings.first(where: { $0.name == name }) else {
            throw .unknown(name, nearest: Self.nearest(to: name))
        }
        try setting.set(String(assignment[assignment.index(after: equals)...]), in: &self)
    }

    /// The name that differs least, when fewer than a third of its letters differ.
    private static func nearest(to name: String) -> String? {
        let ranked = settings.map { ($0.name, distance(Array($0.name.utf8), Array(name.utf8))) }
        guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 * 3 <= best.0.utf8.count else { return nil }
        return best.0
    }

    /// Insertions, deletions and replacements (Levenshtein).
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let replaced = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
