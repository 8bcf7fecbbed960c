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

/// What a key of the contract holds.
enum ContractKey {
    case field(EventField)
    case object(ContractObject)
    /// Known, and never read.
    case skipped
}

/// The keys of every object of the contract. Immutable.
final class ContractKeys: Sendable {
    struct Object: @unchecked Sendable {
        let table: KeyTable
        /// Never freed, as the table.
        let meanings: UnsafeMutablePointer<ContractKey>

        init(_ object: ContractObject) {
            var names: [String] = []
            var keys: [ContractKey] = []
            for field in EventField.allCases {
                if let name = Self.name(of: field, in: object) {
                    names.append(name)
                    keys.append(.field(field))
                }
            }
            if object == .root {
                for child in ContractObject.allCases where child != .root {
                    names.append(child.path.description)
                    keys.append(.object(child))
                }
                names.append("label")
                keys.append(.skipped)
            }
            table = KeyTable(names)
            meanings = .allocate(capacity: keys.count)
            meanings.initialize(from: keys, count: keys.count)
        }

        /// The last part of the field's path, when it lies in this object.
        private static func name(of field: EventField, in object: ContractObject) -> String? {
            let parts = field.rawValue.split(separator: ".")
            if object == .root { return parts.count == 1 ? field.rawValue : nil }
            return parts.count == 2 && parts[0] == object.path.description ? String(parts[1]) : nil
        }
    }

    static let shared = ContractKeys()
    let root = Object(.root), geo = Object(.geo), device = Object(.device), auth = Object(.auth)
    let challenge = Object(.challenge), feedback = Object(.feedback)
    let methods = KeyTable(AuthenticationMethods.names.map(\.description))

    func of(_ object: ContractObject) -> Object {
        switch object {
        case .root: root
        case .geo: geo
        case .device: device
        case .auth: auth
        case .challenge: challenge
        case .feedback: feedback
        }
    }
}
