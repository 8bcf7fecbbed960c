import Risk

/// A file that `vigil fit` wrote: base, weights and calibration of a model. A pipeline names it as `model.weights`; what
/// the pipeline itself says comes after it.
struct WeightsFile {
    var base: Double?
    var weights: [Named<Double>] = []
    var slope = 1.0
    var offset = 0.0

    private static var record: Record<WeightsFile> {
        Record(WeightsFile(), [
            Field("base", \.base, Format<Double>.number(-100...0, unit: " of points").optional(0), "Log-odds ×10 before any evidence."),
            Field("signals", \.weights, Format<Double>.number(0...10).map(
                keys: "signal", 1, names: Signal.allCases.map(\.name.description), rename: { Signal(name: $0) == nil ? nil : $0 }),
                "What each signal's evidence is multiplied by."),
            Field("calibration", \.self, Record(WeightsFile(), [
                Field("slope", \.slope, .number(0.1...10), "Multiplies the log-odds."),
                Field("offset", \.offset, .number(-20...20), "Is added to them."),
            ]).format, "From log-odds to log-odds that mean a probability."),
        ])
    }
}

extension WeightsFile {
    /// Reads the file's text; `file` names it in what `diagnostics` gets.
    init(text: String, file: String, diagnostics: inout [Diagnostic]) {
        var yaml = YAMLReader(file: file)
        guard let tree = yaml.read(text) else {
            diagnostics += yaml.diagnostics
            self.init()
            return
        }
        self.init()
        var reader = Reader(file: file)
        Self.record.format.read(tree, &self, &reader)
        diagnostics += yaml.diagnostics + reader.diagnostics
    }

    /// Puts it in the place of the model's defaults. Points are homogeneous in weights and caps, so a slope on the
    /// log-odds is a factor on all of them, and base and points still add up to what was decided on.
    func apply(to model: inout ModelOptions) {
        model.base = min(0, max(-100, slope * (base ?? model.base) + 10 * offset))
        for entry in weights {
            if let signal = Signal(name: entry.key) { model.signals[Int(signal.rawValue)].weight = entry.value }
        }
        for index in model.signals.indices {
            model.signals[index].weight = min(10, model.signals[index].weight * slope)
            model.signals[index].cap = min(100, model.signals[index].cap * slope)
        }
        for index in model.groupCaps.indices { model.groupCaps[index] = min(200, model.groupCaps[index] * slope) }
        model.reassuranceCap = min(100, model.reassuranceCap * slope)
    }

    /// The file that a pipeline's tree names, before its fields are read: relative to the pipeline's own folder.
    static func load(named root: Node, by file: String, into pipeline: inout Pipeline, files: inout [String]) -> [Diagnostic] {
        guard let node = root.value(of: "model")?.value(of: "weights"), !node.isBroken, case .scalar(let name) = node.content
        else { return [] }
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        let path = name.hasPrefix("/") ? name : folder + name
        files.append(path)
        let text: String
        do {
            text = try PipelineFile.read(path)
        } catch {
            return [Diagnostic(
                file: file, line: node.position.line, column: node.position.column, code: error.code,
                message: "`model.weights` names \(printable(path)): \(error.message)")]
        }
        var diagnostics: [Diagnostic] = []
        let weights = WeightsFile(text: text, file: path, diagnostics: &diagnostics)
        if diagnostics.isEmpty {
            weights.apply(to: &pipeline.plan.model)
            pipeline.calibration = Calibration(slope: weights.slope, offset: weights.offset)
        }
        return diagnostics
    }

    /// The key `weights`: read before all others, so here only its form is checked.
    static var field: Field<ModelOptions> {
        let format = Format<String>.text("a path", bytes: 1024).optional("")
        return Field(
            shape: FieldShape(
                name: "weights",
                doc: "A file of `vigil fit`, relative to this one: base, weights and calibration to begin with. What stands here comes after it, and what the file holds is part of `policy.version`.",
                shape: format.shape, isRequired: false, standard: "`null`"),
            read: { node, _, reader in
                var path: String?
                format.read(node, &path, &reader)
            },
            show: { _ in nil }, hasMeaning: true)
    }
}

extension Node {
    /// The value of a key; nil where there is none.
    func value(of key: String) -> Node? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }
}
