/// How a person can be asked.
public enum ChallengeMethod: String, Sendable, CaseIterable {
    case webauthn, push, totp, biometric, hardware_key

    /// As they are written, in order.
    public static let names: InlineArray<5, StaticString> = ["webauthn", "push", "totp", "biometric", "hardware_key"]
    public static let count = 5

    public init?(index: Int) {
        switch index {
        case 0: self = .webauthn
        case 1: self = .push
        case 2: self = .totp
        case 3: self = .biometric
        case 4: self = .hardware_key
        default: return nil
        }
    }

    /// Its place among all.
    @inlinable public var index: Int {
        switch self {
        case .webauthn: 0
        case .push: 1
        case .totp: 2
        case .biometric: 3
        case .hardware_key: 4
        }
    }

    /// Its place in a set of methods.
    @inlinable public var bit: UInt8 { 1 << UInt8(index) }
}

extension Sequence<ChallengeMethod> {
    /// The set of them.
    public var bits: UInt8 { reduce(0) { $0 | $1.bit } }
}
