import Engine
import Enrichment
import Events
import Glibc

/// Reads pipeline files.
public enum PipelineFile {
    /// Reads and validates the file at `path`; throws every problem found, in file order.
    public static func load(path: String, environment: [String: String]) throws(Diagnostics) -> Pipeline {
        var files: [String] = []
        return try load(path: path, environment: environment, files: &files)
    }

    /// The same, and in `files` every file that was read or should have been, the pipeline file first: also when it throws.
    public static func load(
        path: String, environment: [String: String], files: inout [String]
    ) throws(Diagnostics) -> Pipeline {
        files = [path]
        let text: String
        do {
            text = try read(path)
        } catch {
            throw Diagnostics([error])
        }
        return try parse(text: text, file: path, environment: environment, files: &files)
    }

    /// Validates `text`; `file` names it in diagnostics, and its folder is where a file of weights is looked for. Throws every problem found, in file order.
    public static func parse(text: String, file: String, environment: [String: String]) throws(Diagnostics) -> Pipeline {
        var files: [String] = []
        return try parse(text: text, file: file, environment: environment, files: &files)
    }

    private static func parse(
        text: String, file: String, environment: [String: String], files: inout [String]
    ) throws(Diagnostics) -> Pipeline {
        var yaml = YAMLReader(file: file)
        guard let tree = yaml.read(text) else { throw Diagnostics(inFileOrder(yaml.diagnostics)) }

        var variables = Variables(file: file, environment: environment)
        let root = variables.expand(tree)

        var reader = Reader(file: file)
        var draft = Draft()
        let ofWeights = WeightsFile.load(named: root, by: file, into: &draft.pipeline, files: &reader.files)
        PipelineFields.root.format.read(root, &draft, &reader)
        if reader.places["secret"] == nil { draft.secret = standard(PipelineFields.standardSecret, &variables) }
        Checks.run(draft, &reader)
        var policy = PolicyReading(file: file, environment: environment, model: draft.pipeline.plan.model)
        policy.read(draft, &reader)
        Checks.tests(&draft, policy, &reader)
        let enrichment = draft.enrichment.open(for: file, &reader)
        files += reader.files + policy.paths

        let found = inFileOrder(yaml.diagnostics + variables.diagnostics + reader.diagnostics) + ofWeights + policy.diagnostics
        guard found.allSatisfy({ $0.severity == .warning }) else { throw Diagnostics(found) }

        draft = spellOut(draft)
        var pipeline = finish(draft, policy, enrichment)
        pipeline.fixed = FixedKeys(all: FixedKey.all(of: draft, reader))
        pipeline.kafka = Dictionary(draft.kafka.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        if pipeline.kafka["bootstrap.servers"] == nil, pipeline.kafka["metadata.broker.list"] == nil {
            pipeline.kafka["bootstrap.servers"] = standard(PipelineFields.standardBrokers, &variables)
        }
        pipeline.warnings = found
        return pipeline
    }

    private static func standard(_ text: String, _ variables: inout Variables) -> String {
        variables.expand(text, at: Position(line: 1, column: 1)).text
    }

    private static func finish(_ draft: Draft, _ policy: PolicyReading, _ enrichment: EnrichmentSource?) -> Pipeline {
        var pipeline = draft.pipeline
        pipeline.plan.rules = policy.rules
        pipeline.plan.vocabulary = policy.vocabulary
        pipeline.plan.shadows = policy.shadows
        pipeline.enrichment = enrichment
        pipeline.plan.secret = Array(draft.secret.utf8)
        pipeline.group = draft.group ?? pipeline.plan.name
        pipeline.plan.inputs = draft.sources.map { source in
            var decode = DecodeOptions()
            decode.type = source.value.eventType(named: source.key)
            decode.bounds = draft.decode
            decode.mapping = source.value.map.compactMap { entry in
                EventField(rawValue: entry.key).map {
                    FieldRule(
                        field: $0, paths: entry.value.paths,
                        values: Dictionary(entry.value.values.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }),
                        fallback: entry.value.fallback)
                }
            }
            let topic = source.value.topic ?? source.key
            return InputPlan(
                topic: source.value.repartition ? "\(pipeline.group)-\(topic)-repartition" : topic, decode: decode)
        }
        pipeline.repartitions = draft.sources.enumerated().filter(\.element.value.repartition).map { index, source in
            Repartition(input: index, source: source.value.topic ?? source.key)
        }
        pipeline.plan.version = version(of: draft, policy, enrichment)
        return pipeline
    }

    /// Sources as they would be written with nothing left to their names, so that the same sources are equal.
    private static func spellOut(_ draft: Draft) -> Draft {
        var draft = draft
        for index in draft.policy.shadows.indices { draft.policy.shadows[index].file = nil }
        for index in draft.sources.indices {
            let source = draft.sources[index]
            draft.sources[index].value.topic = source.value.topic ?? source.key
            draft.sources[index].value.type = source.value.eventType(named: source.key).map { .one($0) } ?? .each
            for field in draft.sources[index].value.map.indices {
                draft.sources[index].value.map[field].value.values.sort { $0.key < $1.key }
            }
        }
        return draft
    }

    /// `sha256:…` over every key that says what is decided, defaults included, and none that says how to run; and over what
    /// lists, shadow policies and the files of `enrichment` hold.
    private static func version(of draft: Draft, _ policy: PolicyReading, _ enrichment: EnrichmentSource?) -> String {
        let text = Array((PipelineFields.root.show(draft) { $0.hasMeaning } + policy.identity + (enrichment?.identity ?? "")).utf8)
        let hash = text.withUnsafeBufferPointer { Digest.sha256(ByteView(base: $0.baseAddress, count: $0.count)) }
        return "sha256:" + Digest.hex(hash)
    }

    static func inFileOrder(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        var seen: Set<Diagnostic> = []
        let ordered = diagnostics.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }
        return ordered.map(\.element).filter { seen.insert($0).inserted }
    }

    /// At most one byte more than a pipeline file may have is read, whatever `path` is.
    static func read(_ path: String) throws(Diagnostic) -> String {
        func problem(_ code: String, _ message: String) -> Diagnostic {
            Diagnostic(file: path, line: 0, column: 0, code: code, message: message)
        }
        guard let file = fopen(path, "rb") else {
            if errno == ENOENT { throw problem("file.missing", "there is no such file") }
            throw problem("file.unreadable", "the file can't be opened: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: YAMLReader.maxBytes + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        if ferror(file) != 0 {
            throw problem("file.unreadable", "the file can't be read: \(String(cString: strerror(errno)))")
        }
        guard count <= YAMLReader.maxBytes else {
            throw problem("file.too_large", "a pipeline file has at most 1 MiB, this one has more")
        }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw problem("file.encoding", "the file is not UTF-8 text")
        }
        return text
    }
}
