/// State that can't be used, and why. Never carries a user's data.
public struct StateError: Error, CustomStringConvertible, Sendable {
    public var description: String
    public init(_ description: String) { self.description = description }
}
