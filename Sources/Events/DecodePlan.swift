/// `DecodeOptions` made ready: paths as bytes, translations in the order they are tried. Made once per input; it must
/// outlive every event decoded with it, because fallbacks and translations are views into it.
public final class DecodePlan: @unchecked Sendable {
    struct Step {
        var key: ByteView
        /// Meaningful when `key` is absent.
        var index: Int
    }
    struct Translation {
        var from: ByteView
        var to: ByteView
    }
    struct Rule {
        var field: EventField
        var paths: [[Step]]
        var translations: [Translation]
        /// What "*" gives; absent without it.
        var rest: ByteView
        var fallback: ByteView
    }

    let type: EventType?
    public let requiresKey: Bool
    /// The rule for `type` comes first, so that an ignored record costs nothing more.
    let rules: [Rule]
    private let owned: [UnsafeMutablePointer<UInt8>]

    /// Of two rules for one field the first counts.
    public init(_ options: DecodeOptions) {
        var owned: [UnsafeMutablePointer<UInt8>] = []
        func keep(_ text: String) -> ByteView {
            let bytes = Array(text.utf8)
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count + 1)
            for (i, byte) in bytes.enumerated() { copy[i] = byte }
            owned.append(copy)
            return ByteView(base: UnsafePointer(copy), count: bytes.count)
        }
        var seen: Set<EventField> = []
        let distinct = options.mapping.filter { seen.insert($0.field).inserted }
        let ordered = distinct.filter { $0.field == .type } + distinct.filter { $0.field != .type }
        rules = ordered.map { rule in
            Rule(
                field: rule.field,
                paths: rule.paths.map { path in
                    path.map { step in
                        switch step {
                        case .key(let key): Step(key: keep(key), index: 0)
                        case .index(let index): Step(key: .absent, index: index)
                        }
                    }
                },
                translations: rule.values.filter { $0.key != "*" }.sorted { $0.key < $1.key }
                    .map { Translation(from: keep($0.key), to: keep($0.value)) },
                rest: rule.values["*"].map(keep) ?? .absent,
                fallback: rule.fallback.map(keep) ?? .absent)
        }
        type = options.type
        requiresKey = options.requiresKey
        self.owned = owned
    }

    deinit { for bytes in owned { bytes.deallocate() } }
}
