/// One key of a mapping: its name, where its value goes, how it is written, and what the reference says of it.
struct Field<Target> {
    var shape: FieldShape
    var read: (Node, inout Target, inout Reader) -> Void
    var show: (Target) -> String?
    /// Whether it is part of what `plan.version` identifies.
    var hasMeaning = true
    /// Whether it is the same until the pipeline is started again.
    var isFixed = false
    /// The keys within it, or it alone.
    var parts: (Target) -> [KeyPart]

    /// The default is whatever `initial` of the record holds at `path`.
    init<Value>(
        _ name: String, _ path: WritableKeyPath<Target, Value>, _ format: Format<Value>, required: Bool = false,
        standard: String? = nil, _ doc: String
    ) {
        shape = FieldShape(name: name, doc: doc, shape: format.shape, isRequired: required, standard: standard)
        read = { node, target, reader in format.read(node, &target[keyPath: path], &reader) }
        show = { format.show($0[keyPath: path]) }
        parts = { format.parts?($0[keyPath: path]) ?? [KeyPart(value: format.show($0[keyPath: path]) ?? "null")] }
    }

    /// A field that is read in a way of its own.
    init(
        shape: FieldShape, read: @escaping (Node, inout Target, inout Reader) -> Void, show: @escaping (Target) -> String?,
        hasMeaning: Bool
    ) {
        self.shape = shape
        self.read = read
        self.show = show
        self.hasMeaning = hasMeaning
        parts = { [KeyPart(value: show($0) ?? "null")] }
    }

    /// A field that says how to run, not what to decide.
    var operational: Field {
        var field = self
        field.hasMeaning = false
        return field
    }

    /// A field that can't change while the pipeline runs.
    var fixed: Field {
        var field = self
        field.isFixed = true
        return field
    }
}

/// A mapping with known keys: the one place that says which.
struct Record<Target> {
    /// What a mapping without any key means.
    var initial: Target
    var fields: [Field<Target>]

    init(_ initial: Target, _ fields: [Field<Target>]) {
        self.initial = initial
        self.fields = fields
    }

    /// The fields as data.
    var shapes: [FieldShape] {
        fields.map { field in
            var shape = field.shape
            let isLeaf = shape.shape.fields.isEmpty
            if isLeaf, !shape.isRequired, shape.standard == nil { shape.standard = field.show(initial).map { "`\($0)`" } }
            return shape
        }
    }

    var format: Format<Target> { format(as: .record(shapes)) }

    /// Where the reference need not list the keys again; `name` is their definition in the JSON Schema.
    func format(likeDefinition name: String, _ type: String) -> Format<Target> { format(as: .definition(name, type: type)) }

    private func format(as shape: Shape) -> Format<Target> {
        let names = fields.map(\.shape.name)
        return Format(
            shape: shape,
            read: { node, target, reader in
                guard let entries = reader.entries(of: node) else { return }
                var given: Set<String> = []
                for entry in entries {
                    guard let field = fields.first(where: { $0.shape.name == entry.key }) else {
                        let place = reader.name.isEmpty ? "a pipeline" : "`\(reader.name)`"
                        let guess = nearest(to: entry.key, among: names)
                        let known = guess == nil ? "; its keys are " + names.joined(separator: ", ") : ""
                        reader.report(
                            entry.keyPosition, "key.unknown", "\(place) has no key `\(shown(key: entry.key))`\(known)",
                            suggestion: guess)
                        if let guess { given.insert(guess) }
                        continue
                    }
                    given.insert(entry.key)
                    reader.descend(entry.key, entry.value, key: entry.keyPosition) { field.read(entry.value, &target, &$0) }
                }
                for field in fields where field.shape.isRequired && !given.contains(field.shape.name) {
                    let place = reader.name.isEmpty ? "a pipeline" : "`\(reader.name)`"
                    reader.report(node.position, "key.missing", "\(place) needs the key `\(field.shape.name)`")
                }
            },
            show: { show($0) }, parts: { parts(of: $0) })
    }

    /// Every key with its value, and those within it.
    func parts(of target: Target) -> [KeyPart] {
        fields.flatMap { field in field.parts(target).map { $0.within(field.shape.name, isFixed: field.isFixed) } }
    }

    /// Every key with its value, defaults included.
    func show(_ target: Target, where isShown: (Field<Target>) -> Bool = { _ in true }) -> String {
        let pairs = fields.filter(isShown).map { quoted($0.shape.name) + ": " + ($0.show(target) ?? "null") }
        return "{" + pairs.joined(separator: ", ") + "}"
    }
}

/// What reading a tree has found so far.
struct Reader {
    let file: String
    private(set) var diagnostics: [Diagnostic] = []
    /// Where each path that was given is written.
    private(set) var places: [String: Position] = [:]
    /// Where the key of each path is written.
    private(set) var keyPlaces: [String: Position] = [:]
    /// Paths of values that may not be repeated in messages.
    private(set) var hidden: Set<String> = []
    /// Files that were opened, or should have been.
    var files: [String] = []
    private var path: [String] = []

    init(file: String) { self.file = file }

    /// The path of the value being read, e.g. `policies[2].when.amount`; empty at the root.
    var name: String {
        path.reduce(into: "") { $0 += $1.hasPrefix("[") || $0.isEmpty ? $1 : "." + $1 }
    }

    mutating func descend(_ step: String, _ node: Node, key: Position? = nil, _ body: (inout Reader) -> Void) {
        path.append(printable(step))
        places[name] = node.position
        if !node.isShowable { hidden.insert(name) }
        if let key { keyPlaces[name] = key }
        body(&self)
        path.removeLast()
    }

    /// The entries of a mapping; none for nothing; nil, and a diagnostic, for anything else.
    mutating func entries(of node: Node) -> [Node.Entry]? {
        switch node.content {
        case .mapping(let entries): return entries
        case .nothing: return []
        case .scalar, .list:
            if !node.isBroken { report(node.position, "value.type", "`\(name)` is a mapping; found \(node.kind)") }
            return nil
        }
    }

    mutating func report(
        _ position: Position, _ code: String, _ message: String, suggestion: String? = nil,
        severity: Diagnostic.Severity = .error
    ) {
        diagnostics.append(
            Diagnostic(
                file: file, line: position.line, column: position.column, severity: severity, code: code, message: message,
                suggestion: suggestion))
    }

    /// Whether anything at or below `path` was reported.
    func hasProblem(under path: String) -> Bool {
        let below = places.filter { $0.key == path || $0.key.hasPrefix(path + ".") || $0.key.hasPrefix(path + "[") }
        return diagnostics.contains { below.values.contains(Position(line: $0.line, column: $0.column)) }
    }

    /// Reports at the value of `path`, or at the nearest thing around it that was written.
    mutating func report(
        at path: String, _ code: String, _ message: String, suggestion: String? = nil, severity: Diagnostic.Severity = .error
    ) {
        report(place(of: path), code, message, suggestion: suggestion, severity: severity)
    }

    /// Where the value of `path` is written, or the nearest thing around it that is.
    func place(of path: String) -> Position {
        var path = Substring(path)
        while places[String(path)] == nil, let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) { path = path[..<cut] }
        return places[String(path)] ?? Position(line: 1, column: 1)
    }
}
