/// Who gives way at the bounds.
extension UserTable {
    /// Drops the coldest 1/64 of one kind at once, so that a sweep is rare: O(users) then, O(1) amortised.
    /// Coldness is the order of events in the log, so every replay evicts the same users. Does nothing while evictions
    /// are followed.
    func evictColdest(proven: Bool) {
        guard !followsEvictions else { return }
        var candidates: [Candidate] = []
        forEachTouched { number, touched, isProven in
            guard isProven == proven && touched != sequence else { return }
            candidates.append(Candidate(touched: touched, number: number, weight: 1))
        }
        guard !candidates.isEmpty else { return }
        let count = Candidate.selectColdest(&candidates, weighing: max(1, candidates.count / 64))
        let victims = candidates[..<count].sorted { $0.touched < $1.touched }
        evict(victims.map(\.number))
        guard recordsEvictions else { return }
        evictions.append(
            Eviction(
                sequence: sequence, proven: proven, touchedUpTo: victims[count - 1].touched,
                recent: victims.suffix(Eviction.mostRecent).map(\.touched)))
    }

    /// Does again what an eviction did.
    /// - Complexity: O(users)
    public func follow(_ eviction: Eviction) {
        var victims: [UInt32] = []
        forEachTouched { number, touched, isProven in
            if isProven == eviction.proven && touched <= eviction.touchedUpTo || eviction.hasRecent(touched) {
                victims.append(number)
            }
        }
        evict(victims)
    }

    private func evict(_ victims: [UInt32]) {
        var paged: Set<UInt32> = []
        for number in victims {
            if let row = row(numbered: number) { remove(row) } else { paged.insert(number) }
        }
        if !paged.isEmpty {
            var gone: [PagedUser] = []
            pages.forEach { if paged.contains($0.number) { gone.append($0) } }
            for page in gone { remove(page: page) }
        }
        evicted += UInt64(victims.count)
    }

    /// Every user's number, count of records at the last one, and kind, in no order that means anything.
    private func forEachTouched(_ body: (_ number: UInt32, _ touched: UInt64, _ isProven: Bool) -> Void) {
        forEach { row in
            let header = row.header
            body(header.pointee.number, header.pointee.touched, header.pointee.flags.contains(.proven))
        }
        pages.forEach { body($0.number, $0.touched, $0.isProven) }
    }
}
