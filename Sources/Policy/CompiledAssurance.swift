import Events

/// What answers and claims prove, in the form that events are looked up in: no arrays, no strings, no retains.
public final class CompiledAssurance: @unchecked Sendable {
    private let levels: InlineArray<8, AssuranceLevel>
    private let names: InlineArray<8, UInt32>
    private let contexts: UnsafeMutablePointer<(name: ByteView, level: AssuranceLevel)>
    private let contextCount: Int

    public init(_ options: AssuranceOptions = AssuranceOptions()) {
        var levels = InlineArray<8, AssuranceLevel>(repeating: .none)
        var names = InlineArray<8, UInt32>(repeating: 0)
        for (index, method) in options.methods.prefix(8).enumerated() {
            (levels[index], names[index]) = (method.level, method.amr.rawValue)
        }
        (self.levels, self.names) = (levels, names)
        contextCount = options.contexts.count
        contexts = .allocate(capacity: max(contextCount, 1))
        for (index, context) in options.contexts.enumerated() {
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(context.name.utf8.count, 1))
            _ = copy.initialize(from: context.name.utf8)
            let name = ByteView(base: UnsafePointer(copy.baseAddress), count: context.name.utf8.count)
            (contexts + index).initialize(to: (name, context.level))
        }
    }

    deinit {
        for index in 0..<contextCount { contexts[index].name.base?.deallocate() }
        contexts.deallocate()
    }

    public func level(of method: ChallengeMethod) -> AssuranceLevel { levels[method.index] }

    /// RFC 8176 names the method goes by.
    public func amr(of method: ChallengeMethod) -> AuthenticationMethods { AuthenticationMethods(rawValue: names[method.index]) }

    /// The least that any of these methods proves; `none` where there is none of them. A set of `ChallengeMethod.bit`.
    public func weakest(of methods: UInt8) -> AssuranceLevel {
        var weakest: AssuranceLevel?
        for index in 0..<8 where methods & 1 << UInt8(index) != 0 { weakest = min(weakest ?? levels[index], levels[index]) }
        return weakest ?? .none
    }

    /// The method of that name; else the weakest that goes by it in RFC 8176; nil for any other text.
    public func method(named text: ByteView) -> ChallengeMethod? {
        guard text.isPresent else { return nil }
        for index in 0..<ChallengeMethod.count where text == ChallengeMethod.names[index] { return ChallengeMethod(index: index) }
        for (bit, name) in AuthenticationMethods.names.enumerated() where text == name {
            var found: Int?
            for index in 0..<ChallengeMethod.count where names[index] & 1 << UInt32(bit) != 0 {
                if found == nil || levels[index] < levels[found ?? index] { found = index }
            }
            return found.flatMap { ChallengeMethod(index: $0) }
        }
        return nil
    }

    /// What an event's `auth` says of how the person authenticated: its `acr` where that is known, else its `amr`. A key
    /// that was used can't have been phished, other factors of two kinds are two factors, of one kind one.
    /// - Complexity: O(known values of `acr`)
    public func claimed(acr: ByteView, amr: AuthenticationMethods) -> AssuranceLevel {
        if acr.isPresent {
            for index in 0..<contextCount where contexts[index].name.isEqual(to: acr) { return contexts[index].level }
        }
        if !amr.isDisjoint(with: Self.keys) { return .phishingResistant }
        let kinds = amr.factorKinds
        return kinds > 1 ? .multiple : kinds == 1 ? .single : .none
    }

    private static let keys = ["hwk", "sc", "pop", "swk"].reduce(into: AuthenticationMethods()) {
        $0.formUnion(AuthenticationMethods(name: $1) ?? [])
    }
}
