/// What an action is, by the lists of the pipeline.
public struct ActionKinds: OptionSet, Sendable, Hashable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// An intruder would take it.
    public static let sensitive = ActionKinds(rawValue: 1)
    /// Changes how the person is reached.
    public static let contact = ActionKinds(rawValue: 2)
    public static let password = ActionKinds(rawValue: 4)
    /// Takes a factor away.
    public static let factor = ActionKinds(rawValue: 8)
    /// Takes data out.
    public static let export = ActionKinds(rawValue: 16)

    /// Those of `action.takeover_chain`.
    public static let changes: ActionKinds = [.contact, .password, .factor]
    public static let changeCount = 3

    /// The one of them with this place in `UserHeader.changes`.
    @inlinable public static func change(_ index: Int) -> ActionKinds { ActionKinds(rawValue: 2 << UInt8(index)) }
}
