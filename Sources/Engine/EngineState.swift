import Behavior
import Events

/// What a shard persists and restores. A user's number is given at first sight, is stable while the user is kept and
/// is reused after removal; writing in ascending number is writing in order.
extension Engine {
    /// Identifies the meaning of persisted bytes: row layout, order of inputs, and a check value of the secret that
    /// keys every fingerprint. State under another identity must not be restored.
    public var stateIdentity: String {
        let check = String(hash(0x7669_6769_6C, 0x6B65_79), radix: 16)
        return "layout \(UserRow.layoutVersion), key \(check), inputs "
            + plan.inputs.map(\.topic).joined(separator: ",")
    }

    /// Users kept.
    public var userCount: Int { table.count }

    /// Bytes of all users' state, tables included.
    public var stateBytes: Int { table.bytes }

    /// Restores one user's row. Throws `StateError` on a bad checksum, version or length.
    public func restore(user number: UInt32, row: UnsafeRawBufferPointer) throws(StateError) {
        try check(table.restore(number: number, bytes: row), number)
    }

    /// Says that the row persisted under that number is nobody's: the next slice removes it, whatever the slice's bounds. To be
    /// called before anything is restored. Throws `StateError` for a number that no user can have.
    public func disown(user number: UInt32) throws(StateError) { try check(table.disown(number: number), number) }

    /// Of two rows of one user the newer is kept, instead of refusing the second. Without transactions a member shut out of
    /// the group can still write a row under a number of its own.
    public var newerRowWins: Bool {
        get { table.newerRowWins }
        set { table.newerRowWins = newValue }
    }

    /// Shows the state of every user in memory as bytes that are equal exactly when the state is: without number, checksum,
    /// padding and room not used. Paged-out users are passed over.
    /// - Complexity: O(bytes of the rows)
    public func forEachUser(_ body: (_ tenant: String, _ user: String, _ canonical: [UInt8]) -> Void) {
        table.forEach { body($0.tenant.string, $0.user.string, $0.canonical) }
    }

    /// The same for a persisted row; nil when it can't be used.
    public func canonical(row bytes: UnsafeRawBufferPointer) -> (tenant: String, user: String, bytes: [UInt8])? {
        table.withRow(bytes: bytes) { ($0.tenant.string, $0.user.string, $0.canonical) }
    }

    /// The offset of input `input` up to which (inclusive) the user has absorbed; nil when the user is not known.
    public func absorbed(tenant: String, user: String, input: Int) -> Int64? {
        withRow(tenant: tenant, user: user) { $0.absorbed[input] }
    }

    func withRow<T>(tenant: String, user: String, _ body: (UserRow) -> T) -> T? {
        withKey(tenant: tenant, user: user) { table.find(hash: $0, tenant: $1, user: $2).map(body) }
    }

    func withKey<T>(tenant: String, user: String, _ body: (_ key: UInt64, _ tenant: ByteView, _ user: ByteView) -> T) -> T {
        var (tenant, user) = (tenant, user)
        return tenant.withUTF8 { tenantBytes in
            user.withUTF8 { userBytes in
                let (tenant, user) = (
                    ByteView(base: tenantBytes.baseAddress, count: tenantBytes.count),
                    ByteView(base: userBytes.baseAddress, count: userBytes.count)
                )
                return body(hash(user, seed: tenant.isEmpty ? 0 : hash(tenant)), tenant, user)
            }
        }
    }
}
