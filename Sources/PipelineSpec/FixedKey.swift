/// What a pipeline can't change while it runs. It follows from all the rest, so it has no say in whether two are equal.
struct FixedKeys: Sendable, Equatable {
    var all: [FixedKey] = []

    static func == (_: FixedKeys, _: FixedKeys) -> Bool { true }
}

/// A key that can't change while the pipeline runs, with its value and where that is written.
struct FixedKey: Sendable {
    var path: String
    /// As it would be written; never shown, for it may be a secret.
    var value: String
    var file: String
    var position: Position

    static func all(of draft: Draft, _ reader: Reader) -> [FixedKey] {
        PipelineFields.root.parts(of: draft).filter(\.isFixed).map {
            FixedKey(path: $0.path, value: $0.value, file: reader.file, position: reader.place(of: $0.path))
        }
    }
}

extension Pipeline {
    /// Why a running pipeline can't become this one: every key that differs and would need a restart, in file order. Empty
    /// where it can.
    public func obstacles(after running: Pipeline) -> [Diagnostic] {
        var obstacles: [(position: Position, diagnostic: Diagnostic)] = []
        let (before, now) = (running.fixed.all, fixed.all)
        func add(_ path: String, _ file: String, _ position: Position) {
            obstacles.append((position, Diagnostic(
                file: file, line: position.line, column: position.column, code: "reload.restart",
                message: "`\(path)` can't change while Vigil runs: restart to change it")))
        }
        for key in now where before.first(where: { $0.path == key.path })?.value != key.value {
            add(key.path, key.file, key.position)
        }
        for key in before where !now.contains(where: { $0.path == key.path }) {
            // What is gone is missing where its neighbours are.
            let parent = key.path.split(separator: ".").dropLast().joined(separator: ".")
            let near = now.first { $0.path == parent || $0.path.hasPrefix(parent + ".") }
            add(key.path, near?.file ?? key.file, near?.position ?? Position(line: 1, column: 1))
        }
        return obstacles.sorted { $0.position < $1.position }.map(\.diagnostic)
    }
}
