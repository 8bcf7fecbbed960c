import Behavior
import Events

/// State that can't be used, and why. Never carries a user's data.
public struct StateError: Error, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}

/// What a shard persists and restores. A user's number is given at first sight, is stable while the user is kept and
/// is reused after removal; writing in ascending number is writing in order.
extension Engine {
    /// Identifies the meaning of persisted bytes: layout version and a check value of the secret.
    /// State under another identity must not be restored.
    public var stateIdentity: String { "v1" }

    /// Users whose state changed, or who were removed, since `markClean`.
    public var dirtyCount: Int { 0 }

    /// Calls `body` for every dirty user in ascending number, with the row to write (checksum included), or nil for a
    /// user who was removed. The bytes are valid during the call.
    public func forEachDirty(_ body: (_ number: UInt32, _ row: UnsafeRawBufferPointer?) throws -> Void) rethrows {}

    /// Says that everything `forEachDirty` showed is persisted.
    public func markClean() {}

    /// What the users of the partition share: watermarks and the like. Small; written whole at every checkpoint.
    public func sharedImage() -> [UInt8] { [] }

    /// Restores what `sharedImage` returned. Throws `StateError` when the bytes are not such an image.
    public func restore(shared image: UnsafeRawBufferPointer) throws(StateError) {}

    /// Restores one user's row. Throws `StateError` on a bad checksum, version or length.
    public func restore(user number: UInt32, row: UnsafeRawBufferPointer) throws(StateError) {}

    /// The offset of input `input` up to which (inclusive) the user has absorbed; nil when the user is not known.
    public func absorbed(tenant: String, user: String, input: Int) -> Int64? { nil }

    /// Names seen often enough to be worth showing (actions), by fingerprint: cosmetic, for `inspect`.
    public var userCount: Int { 0 }
}
