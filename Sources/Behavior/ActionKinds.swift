/// What an action is, by the lists of the pipeline.
public struct ActionKinds: OptionSet, Sendable, Hashable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// An intruder would take it.
    @inlinable public static var sensitive: ActionKinds { ActionKinds(rawValue: 1) }
    /// Changes how the person is reached.
    @inlinable public static var contact: ActionKinds { ActionKinds(rawValue: 2) }
    @inlinable public static var password: ActionKinds { ActionKinds(rawValue: 4) }
    /// Takes a factor away.
    @inlinable public static var factor: ActionKinds { ActionKinds(rawValue: 8) }
    /// Takes data out.
    @inlinable public static var export: ActionKinds { ActionKinds(rawValue: 16) }

    /// Those of `action.takeover_chain`.
    @inlinable public static var changes: ActionKinds { [.contact, .password, .factor] }
    public static let changeCount = 3

    /// The one of them with this place in `UserHeader.changes`.
    @inlinable public static func change(_ index: Int) -> ActionKinds { ActionKinds(rawValue: 2 << UInt8(index)) }
}
