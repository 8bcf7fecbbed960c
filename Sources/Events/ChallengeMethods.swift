/// How a person can be asked to prove who they are, as a set.
public struct ChallengeMethods: OptionSet, Sendable, Hashable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable public static var webauthn: ChallengeMethods { ChallengeMethods(rawValue: 1) }
    @inlinable public static var push: ChallengeMethods { ChallengeMethods(rawValue: 2) }
    @inlinable public static var totp: ChallengeMethods { ChallengeMethods(rawValue: 4) }
    @inlinable public static var biometric: ChallengeMethods { ChallengeMethods(rawValue: 8) }
    @inlinable public static var hardwareKey: ChallengeMethods { ChallengeMethods(rawValue: 16) }

    /// Names on the wire and in pipeline files, in the order of their bits.
    public static let names: [StaticString] = ["webauthn", "push", "totp", "biometric", "hardware_key"]

    /// The set holding the one method of that name; empty for another name.
    public init(name: ByteView) {
        for (bit, known) in Self.names.enumerated() where name == known {
            self.init(rawValue: 1 << UInt8(bit))
            return
        }
        self = []
    }
}
