import Behavior
import Events

/// A session that goes on under another name, so that a cookie stolen before does not survive its owner's answer.
extension Engine {
    /// Gives the session, which has just proven itself, its new name: that one has its proofs, its context and its course; the
    /// old one has nothing any more, and events under it are refused.
    ///
    /// A name that is taken already is given only where nothing speaks against its being this very session, seen under its
    /// new name a moment before we were told: made since the question, in the context that was proven, neither ended nor
    /// denied. Else somebody could plant a session of his own and have the owner's proof named after it. Where the name
    /// can't be given, the session keeps the old one.
    func rotate(_ session: Int, asked challenge: ChallengeSlot, _ seen: Observation, _ start: UserRow) -> UserRow {
        var row = start
        let name = Observation.session(event.pointee.newSession, hash: hash)
        let old = row.sessions[session].fingerprint
        guard name != old else { return row }
        if let other = table.session(name, of: row) {
            let taken = row.sessions[other]
            let isHere = taken.device == row.sessions[session].device && taken.asn == row.sessions[session].asn
                && (taken.asn != 0 || taken.network == row.sessions[session].network)
            guard isHere, taken.flags.isDisjoint(with: [.terminated, .tainted, .rotated]),
                taken.window.start.milliseconds / 1000 >= Int64(challenge.asked)
            else { return row }
        }
        var left = row.sessions[session]
        row.sessions.base[session].fingerprint = name
        row.sessions.base[session].token = 0
        if let other = otherSession(name, than: session, of: row) { row.removeSession(at: other) }
        table.closeChallenges(of: old, at: seen.time, in: row)
        // A verdict on what was decided under the old name is about who goes on under the new one.
        for index in 0..<row.judged.count where row.judged[index].session == old { row.judged.base[index].session = name }
        // Events without a session are those of a device: no cookie can have been taken.
        guard old & 1 == 1 else { return row }
        left.flags.insert(.rotated)
        left.proofs = SessionProofs()
        left.rotatedAt = UInt32(clamping: seen.time.milliseconds / 1000)
        row = table.bury(left, successor: name, of: row)
        return row
    }

    private func otherSession(_ name: UInt64, than session: Int, of row: UserRow) -> Int? {
        (0..<row.sessions.count).first { $0 != session && row.sessions[$0].fingerprint == name }
    }
}
