import Events

/// Fingerprints of user agents met lately, by a hash of the whole text: leaving out the versions means looking at every
/// byte, and few agents make most events. What it has forgotten changes only the time it takes.
///
/// Not thread safe: it belongs to one engine, and to that engine's key.
public final class AgentMemo {
    private struct Slot {
        /// Of all of the text; texts that have it in common are taken for one, as everywhere such a hash is kept.
        var hash: UInt64 = 0
        /// 0 while the slot is free.
        var fingerprint: UInt32 = 0
    }
    private static let count = 512
    private let slots: UnsafeMutablePointer<Slot>

    public init() {
        slots = .allocate(capacity: Self.count)
        slots.initialize(repeating: Slot(), count: Self.count)
    }

    deinit { slots.deallocate() }

    /// `Observation.withoutVersions`.
    /// - Complexity: O(text), about a byte per quarter cycle for one met lately.
    @inline(__always)
    func withoutVersions(_ text: ByteView, hash: KeyedHash) -> UInt32 {
        let whole = hash(text, seed: 9)
        // In pairs: who gives way in the first place has the second for as long as no other does.
        let first = slots + Int(truncatingIfNeeded: whole >> 32) & (Self.count - 2)
        if first.pointee.hash == whole && first.pointee.fingerprint != 0 { return first.pointee.fingerprint }
        return fingerprint(of: text, whole, first, hash)
    }

    @inline(never)
    private func fingerprint(of text: ByteView, _ whole: UInt64, _ first: UnsafeMutablePointer<Slot>, _ hash: KeyedHash) -> UInt32 {
        let second = first + 1
        if second.pointee.hash == whole && second.pointee.fingerprint != 0 { return second.pointee.fingerprint }
        let fingerprint = Observation.withoutVersions(text, hash: hash)
        second.pointee = first.pointee
        first.pointee = Slot(hash: whole, fingerprint: fingerprint)
        return fingerprint
    }
}
