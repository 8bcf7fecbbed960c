import Behavior
import Events

/// What crosses users, as one partition sees it.
extension Engine {
    /// An event counts at its own time, but never after its record was written: one whose clock is ahead would else turn the
    /// partition's pane before its time, and what follows would be seen only when time had caught up. The record's timestamp
    /// is in the log, so redo agrees.
    @inline(__always)
    func contribute(_ record: Record, _ seen: Observation, _ key: UInt64, recovering: Bool) {
        guard contributes else { return }
        let time = Self.limit(of: record).map { min(seen.time, $0) } ?? seen.time
        population.advance(to: time.milliseconds, of: record.partition, recovering: recovering)
        switch Contributed.kind(event, seen) {
        case .nothing: break
        case .login: contributeLogin(record, seen, key, recovering: recovering)
        case .action:
            population.add(action: seen.action, by: hash(key, 11), of: record.partition, recovering: recovering)
        }
    }

    /// Apart, because most records are actions, and what makes up a login would be read of them too.
    @inline(never)
    private func contributeLogin(_ record: Record, _ seen: Observation, _ key: UInt64, recovering: Bool) {
        population.add(Contributed.login(event, seen, user: hash(key, 11)), of: record.partition, recovering: recovering)
        shared.expectActivity(prefix: seen.network, device: seen.hasDeviceID ? seen.device : 0)
    }

    /// Moves the panes sealed since the last call to the end of `list`: they are to be told to the other partitions, with
    /// the outputs of the steps that sealed them.
    public func takeSealed(into list: inout [SealedPane]) { population.takeSealed(into: &list) }

    /// The networks topic as far as it was absorbed, by partition.
    public var panePositions: [PanePosition] { population.book.positions }

    /// After a restoration: by partition of the networks topic, up to where it had been absorbed. What lies between that
    /// and `panePositions` is to be absorbed before the first step.
    public var toAbsorb: [Int64] { population.toAbsorb }

    /// Takes in another partition's pane: at once when this partition's time has passed it, else when it comes. To be
    /// called between steps, in the order of offsets; what was absorbed before changes nothing. `recovering` as the steps
    /// that follow.
    /// - Complexity: O(entries of the pane + panes waiting)
    public func absorb(_ other: SealedPane, partition: Int32, offset: Int64, recovering: Bool = false) {
        settle(recovering: recovering)
        population.absorb(other, partition: partition, offset: offset)
    }

    /// Passes over a record that holds nothing for this partition; false where it was passed before.
    @discardableResult
    public func pass(partition: Int32, offset: Int64, recovering: Bool = false) -> Bool {
        settle(recovering: recovering)
        return population.pass(partition: partition, offset: offset)
    }

    private func settle(recovering: Bool) {
        if mode.pointee.keepsPreImages && (recovering || !mode.pointee.hasBaseline) { settleBaseline(recovering: recovering) }
    }

    /// The offset of the next record to absorb of a partition of the networks topic.
    public func panePosition(of partition: Int) -> Int64 {
        population.book.positions.indices.contains(partition) ? population.book.positions[partition].next : 0
    }

    /// That partition's offsets begin anew: its topic was made anew.
    public func rewindPanes(of partition: Int) { population.rewind(partition) }

    /// What `toAbsorb` names was absorbed, as far as it is still there. The mark that restoring has set has it too: an image
    /// of it must not say that less was absorbed than the cuts go on from.
    public func absorbedWhatWasOwed() {
        guard !population.toAbsorb.isEmpty else { return }
        population.toAbsorb = []
        if let last = marks.indices.last, marks[last].sequence == table.sequence { marks[last].shared = markShared() }
    }

    /// Fewer marks where much has changed between them: whoever belongs to one that goes belongs to the one before. A few stay,
    /// however long the first is needed; what lies between two of them is then never more than all there is.
    func thinMarks() {
        let bytes = shared.journalBytes
        guard bytes > Self.mostJournalBytes, marks.count > 4 || bytes > 2 * marks.count * shared.byteCount else { return }
        let last = marks.count - 1
        marks = marks.enumerated().filter { $0.offset == 0 || $0.offset == last || $0.offset % 2 == 0 }.map(\.element)
        for (index, place) in shared.thin(keeping: marks.map(\.shared.panes.place)).enumerated() {
            marks[index].shared.panes.place = place
        }
    }

    static let mostJournalBytes = 8 << 20
}
