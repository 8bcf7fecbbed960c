/// The objects of the event contract.
enum ContractObject: UInt8, CaseIterable {
    case root, geo, device, auth, challenge, feedback

    var path: StaticString {
        switch self {
        case .root: ""
        case .geo: "geo"
        case .device: "device"
        case .auth: "auth"
        case .challenge: "challenge"
        case .feedback: "feedback"
        }
    }
}

extension KeyGroup {
    @inline(__always) init(_ object: ContractObject) { self.init(object.rawValue) }
}

/// What a key of the contract holds.
struct ContractKey {
    enum Value: UInt8 {
        /// Kept as it is, but for its length.
        case text
        /// Kept as it is, bounded and without control characters.
        case identifier
        /// Any other field.
        case other
        /// One of the contract's objects.
        case object
        /// Never read.
        case skipped
    }
    /// A bit of its own, to mark it as met.
    var bit: UInt64
    var value: Value
    /// Meaningful when `isField`.
    var field = EventField.id
    /// Meaningful for objects.
    var object = ContractObject.root

    @inline(__always)
    var isField: Bool { value.rawValue <= Value.other.rawValue }
}

/// The keys of every object of the contract, and the names of types and of methods, both kinds. Immutable.
struct ContractKeys: Sendable {
    static let shared = ContractKeys()
    private static var oneGroup: KeyGroup { KeyGroup(0) }
    private let table: KeyTable<ContractKey>
    private let methods: KeyTable<AuthenticationMethods>
    private let enrolments: KeyTable<ChallengeMethods>
    private let types: KeyTable<EventType>

    /// The names, in the order of the keys' bits.
    static let names = makeNames()

    private static func makeNames() -> [(text: String, object: ContractObject, key: ContractKey)] {
        var names: [(text: String, object: ContractObject, key: ContractKey)] = []
        func add(_ text: String, to object: ContractObject, _ key: ContractKey) {
            precondition(names.count < 64)
            var key = key
            key.bit = 1 << UInt64(names.count)
            names.append((text, object, key))
        }
        for field in EventField.allCases {
            let parts = field.rawValue.split(separator: ".").map(String.init)
            let object = ContractObject.allCases.first { parts.count == 2 && parts[0] == $0.path.description } ?? .root
            add(parts[parts.count - 1], to: object, ContractKey(bit: 0, value: field.value, field: field))
        }
        for child in ContractObject.allCases where child != .root {
            add(child.path.description, to: .root, ContractKey(bit: 0, value: .object, object: child))
        }
        add("label", to: .root, ContractKey(bit: 0, value: .skipped))
        return names
    }

    private init() {
        table = KeyTable(Self.names.map { (text: $0.text, group: KeyGroup($0.object), meaning: $0.key) })
        methods = KeyTable(
            AuthenticationMethods.names.enumerated().map { bit, name in
                (name.description, Self.oneGroup, AuthenticationMethods(rawValue: 1 << UInt32(bit)))
            })
        enrolments = KeyTable(
            ChallengeMethods.names.enumerated().map { bit, name in
                (name.description, Self.oneGroup, ChallengeMethods(rawValue: 1 << UInt8(bit)))
            })
        types = KeyTable(EventType.allCases.map { ($0.name.description, Self.oneGroup, $0) })
    }

    /// The key that the parser read; nil when the contract doesn't know it.
    @inline(__always)
    func key(parsed name: ByteView, in group: KeyGroup) -> UnsafePointer<ContractKey>? {
        table.find(parsed: name, group: group)
    }

    /// Empty for a name that RFC 8176 doesn't have.
    func method(parsed name: ByteView) -> AuthenticationMethods {
        methods.find(parsed: name, group: Self.oneGroup)?.pointee ?? []
    }

    /// The same for a name that lies anywhere.
    func method(_ name: ByteView) -> AuthenticationMethods { methods.find(name, group: Self.oneGroup) ?? [] }

    /// Nil for a name that no type has.
    @inline(__always)
    func type(parsed name: ByteView) -> EventType? { types.find(parsed: name, group: Self.oneGroup)?.pointee }

    /// Empty for a name that is no way to ask a person.
    func enrolment(parsed name: ByteView) -> ChallengeMethods {
        enrolments.find(parsed: name, group: Self.oneGroup)?.pointee ?? []
    }

    /// The same for a name that lies anywhere.
    func enrolment(_ name: ByteView) -> ChallengeMethods { enrolments.find(name, group: Self.oneGroup) ?? [] }
}

extension EventField {
    /// How its value is read.
    var value: ContractKey.Value {
        switch self {
        case .id, .tenant, .user, .session, .token, .challengeDecision, .nonce, .newSession, .feedbackDecision:
            .identifier
        case .action, .resource, .currency, .reason, .region, .city, .deviceID, .userAgent, .browser, .os, .deviceType,
            .acr, .challengeMethod:
            .text
        case .type, .time, .amount, .asn, .ip, .outcome, .country, .latitude, .longitude, .roundTrip, .amr, .authTime, .enrolments,
            .challengeResult, .feedbackLabel, .feedbackBy:
            .other
        }
    }
}
