import Policy
import Risk

/// The policies of a file, with all they name: what the fields found becomes what the core matches.
struct PolicyReading {
    let file: String
    let environment: [String: String]
    /// By whose levels it decides.
    let model: ModelOptions
    /// Shadow policies of a policy that is tried itself are left alone.
    var isTried = false

    private(set) var rules: [Rule] = []
    private(set) var vocabulary = Vocabulary()
    private(set) var shadows: [ShadowPolicy] = []
    /// Of other files that were read, and what they hold: for `plan.version`, besides the keys of the file itself.
    private(set) var identity = ""
    private(set) var paths: [String] = []
    private(set) var diagnostics: [Diagnostic] = []

    init(file: String, environment: [String: String], model: ModelOptions) {
        self.file = file
        self.environment = environment
        self.model = model
    }

    mutating func read(_ draft: Draft, _ reader: inout Reader) {
        var draft = draft
        draft.pipeline.plan.model = model
        if isTried { draft.policy.shadows = [] }
        let references = References(draft)
        var lists = ListReading(file: file)
        vocabulary.lists = lists.open(draft.policy.lists, references.uses, &reader)
        vocabulary.groups = Self.dictionary(draft.policy.groups)
        vocabulary.tags = Self.dictionary(draft.policy.tags)
        vocabulary.conditions = Self.dictionary(draft.policy.conditions)
        diagnostics = lists.diagnostics
        paths = lists.paths
        Checks.policy(draft, references, vocabulary, &reader)
        rules = draft.policy.expanded(draft.pipeline.plan.rules)
        for (name, list) in vocabulary.lists.sorted(by: { $0.key < $1.key }) { identity += "\nlist \(name) \(list.identity)" }
        for zone in zones(draft.policy.shadows) { identity += "\nzone \(zone)" }
        for (index, shadow) in draft.policy.shadows.enumerated() { readShadow(shadow, at: "shadow[\(index)]", &reader) }
    }

    private static func dictionary<T>(_ entries: [Named<T>]) -> [String: T] {
        Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }

    /// When clocks change depends on the machine's tables.
    private func zones(_ shadows: [ShadowDraft]) -> [String] {
        let all = (rules + shadows.flatMap(\.rules)).flatMap { [$0.conditions] + $0.unless } + vocabulary.conditions.values.joined()
        return Set(all.flatMap(\.times).map(\.zone).filter { $0.changes.count > 1 }.map(\.identity)).sorted()
    }

    private mutating func readShadow(_ shadow: ShadowDraft, at path: String, _ reader: inout Reader) {
        guard let name = shadow.file else {
            shadows.append(ShadowPolicy(name: shadow.name, rules: shadow.rules, fallback: shadow.fallback, vocabulary: vocabulary))
            return
        }
        guard !name.text.isEmpty else { return }
        let other = resolve(name.text, relativeTo: file)
        paths.append(other)
        let text: String
        do throws(Diagnostic) {
            text = try PipelineFile.read(other)
        } catch {
            let shown = name.isShowable ? printable(name.text) : "the file"
            reader.report(at: path + ".file", error.code, "`\(path).file`: \(shown): \(error.message)")
            return
        }
        var yaml = YAMLReader(file: other)
        guard let tree = yaml.read(text) else {
            diagnostics += yaml.diagnostics
            return
        }
        var variables = Variables(file: other, environment: environment)
        let root = variables.expand(tree)
        var inner = Reader(file: other)
        var draft = Draft()
        PipelineFields.root.format.read(root, &draft, &inner)
        var reading = PolicyReading(file: other, environment: environment, model: model)
        reading.isTried = true
        reading.read(draft, &inner)
        diagnostics += PipelineFile.inFileOrder(yaml.diagnostics + variables.diagnostics + inner.diagnostics) + reading.diagnostics
        paths += reading.paths
        let keys: Set = ["groups", "tags", "conditions", "policies", "overrides", "otherwise"]
        identity += "\nshadow \(shadow.name) " + PipelineFields.root.show(draft) { keys.contains($0.shape.name) } + reading.identity
        shadows.append(ShadowPolicy(
            name: shadow.name, rules: reading.rules, fallback: draft.pipeline.plan.fallback, vocabulary: reading.vocabulary))
    }
}
