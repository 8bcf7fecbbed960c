import Events

/// How sealed panes become part of the view. Only sums and maxima, so that of panes folded at one time the order tells
/// only where an entry had to give way.
extension SharedView {
    /// Time has come to that pane; it never goes back.
    public func advance(to pane: Int64) {
        guard pane > clock else { return }
        store.touch(Layout.clock)
        words[Layout.clock] = UInt64(bitPattern: pane)
        keepTime()
    }

    /// Takes in a pane. What lies before the window before the present one changes nothing, nor does a time no event can have.
    /// - Complexity: O(entries of the pane)
    public func fold(_ pane: SealedPane) {
        let index = pane.index
        guard index >= 0, index <= Timestamp.latest.milliseconds / scale.paneMilliseconds else { return }
        let day = index &* scale.paneMilliseconds / 86_400_000
        begin(day: day)
        let (network, value) = (networkGeneration(of: index), valueGeneration(of: index))
        // What is too old to change anything isn't asked for.
        let networkCount = network + 1 >= now.network ? pane.networks : 0
        let isValued = value + 1 >= now.value
        let (firstValue, firstAction, actionCount) = (pane.value(0), pane.action(0), pane.actions)
        let valueCount = isValued ? pane.values : 0
        pane.words.withUnsafeBufferPointer { words in
            let start = words.baseAddress!
            let networks = Entries(
                first: start + SealedPane.headerWords, count: networkCount, words: SealedPane.networkWords, places: places)
            let values = Entries(
                first: start + firstValue, count: valueCount, words: SealedPane.valueWords,
                places: places + SealedPane.mostNetworks)
            // They lie all over tables that are larger than the near caches: first all sets are asked for, then all slots.
            expectSets(of: networks, in: layout.networks)
            expectSets(of: values, in: layout.values)
            expectSlots(of: networks, in: layout.networks, bodyWords: Layout.networkWords)
            expectSlots(of: values, in: layout.values, bodyWords: Layout.valueWords)
            for at in 0..<networks.count { fold(network: networks[at], at: networks.places[at], network) }
            guard isValued else { return }
            var areMore = false
            for at in 0..<values.count {
                let entry = values[at]
                if entry[0] >> 32 == SealedPane.everybody {
                    if fold(stratum: Int(entry[0] & 0xFFFF_FFFF), entry + 1, value) { areMore = true }
                } else {
                    fold(value: entry, at: values.places[at], value, day: day)
                }
            }
            if areMore {
                store.touch(Layout.everybodyCount)
                self.words[Layout.everybodyCount] = countEverybody().bitPattern
            }
            fold(actions: UnsafeBufferPointer(rebasing: words[firstAction..<firstAction + actionCount]), value)
        }
    }

    /// A list of a pane.
    private struct Entries {
        let first: UnsafePointer<UInt64>
        let count: Int
        /// Of each; the first is the key.
        let words: Int
        let places: UnsafeMutablePointer<Int>
        subscript(at: Int) -> UnsafePointer<UInt64> { first + at &* words }
    }

    @inline(__always)
    private func expectSets(of entries: Entries, in table: Layout.Table) {
        for at in 0..<entries.count {
            let set = set(of: entries[at][0], in: table)
            entries.places[at] = set
            prefetch(words + table.keys + set, bytes: 64)
        }
    }

    /// `bodyWords` are the table's: known where this is called, so that the lines of a body are asked for without a loop.
    @inline(__always)
    private func expectSlots(of entries: Entries, in table: Layout.Table, bodyWords: Int) {
        for at in 0..<entries.count where entries[at][0] >> 32 != SealedPane.everybody {
            let slot = find(entries[at][0], in: table, entries.places[at])
            if slot >= 0 {
                entries.places[at] = slot
                prefetch(words + table.body(slot), bytes: bodyWords &* 8)
                store.expect(table.body(slot))
            } else {
                expectClaim(of: entries.places[at], in: table)
            }
        }
    }

    /// Where a set is full, all of it is weighed for who gives way.
    @inline(never)
    private func expectClaim(of set: Int, in table: Layout.Table) {
        let free = find(0, in: table, set)
        let body = table.body(max(free, set))
        prefetch(words + body, bytes: (free < 0 ? Layout.ways : 1) &* table.bodyWords &* 8)
        store.expect(table.keys + set)
        store.expect(body)
    }

    @inline(__always)
    private func fold(network entry: UnsafePointer<UInt64>, at place: Int, _ generation: Int64) {
        guard entry[0] & 0xFFFF_FFFF != 0 else { return }
        let isThere = words[layout.networks.keys &+ place] == entry[0]
        let slot = isThere ? place : claim(network: entry[0], place)
        let at = layout.networks.body(slot)
        let body = words + at
        let age = generation &- Int64(bitPattern: body[0])
        guard age >= -1 else { return }
        // It is a block of its own.
        store.touch(at)
        if age > 0 {
            // This window becomes the one before, if it is.
            for word in 0..<3 {
                body[5 + word] = age == 1 ? body[2 + word] : 0
                body[2 + word] = 0
            }
            body[0] = UInt64(generation)
        }
        let window = age >= 0 ? body + 2 : body + 5
        window[0] =
            UInt64(UInt32(truncatingIfNeeded: window[0]).saturatingAdd(UInt32(truncatingIfNeeded: entry[1])))
            | UInt64(UInt32(window[0] >> 32).saturatingAdd(UInt32(entry[1] >> 32))) << 32
        let (triers, failers) = (window[1].nibbleMaximum(entry[2]), window[2].nibbleMaximum(entry[3]))
        // Mostly by users who have tried before, and then the estimates stand.
        guard age > 0 || triers != window[1] || failers != window[2] else { return }
        (window[1], window[2]) = (triers, failers)
        body[1] = users(body[3], body[6]) | users(body[4], body[7]) << 32
    }

    /// About how many there were in two windows together.
    @inline(__always)
    private func users(_ now: UInt64, _ before: UInt64) -> UInt64 {
        // Mostly nobody fails.
        guard now | before != 0 else { return 0 }
        return UInt64(Self.rounded(HyperLogLog16(word: now.nibbleMaximum(before)).estimate(tables)))
    }

    private func networkWeight(_ slot: Int) -> UInt64 {
        let body = words + layout.networks.body(slot)
        guard now.network &- Int64(bitPattern: body[0]) <= 1 else { return 0 }
        return 8 &* ((body[2] >> 32) &+ (body[5] >> 32)) &+ (body[2] & 0xFFFF_FFFF) &+ (body[5] & 0xFFFF_FFFF)
    }

    @inline(__always)
    private func fold(value entry: UnsafePointer<UInt64>, at place: Int, _ generation: Int64, day: Int64) {
        guard entry[0] & 0xFFFF_FFFF != 0 else { return }
        let isThere = words[layout.values.keys &+ place] == entry[0]
        let slot = isThere ? place : claim(value: entry[0], place)
        let at = layout.values.body(slot)
        let body = words + at
        let age = generation - Int64(body[0] & 0xFFFF_FFFF)
        guard age >= -1 else { return }
        var hasChanged = false
        if age > 0 {
            store.touch(at, count: 11)
            for word in 0..<4 {
                body[7 + word] = age == 1 ? body[3 + word] : 0
                body[3 + word] = 0
            }
            body[0] = body[0] & ~0xFFFF_FFFF | UInt64(generation)
            hasChanged = true
        }
        if day > Int64(body[1] & 0xFFFF_FFFF) {
            store.touch(at, count: 11)
            raiseCeiling(body, day: day)
        }
        let window = age >= 0 ? at &+ 3 : at &+ 7
        if raise(window, to: entry + 1) { hasChanged = true }
        guard hasChanged else { return }
        store.touch(at &+ 2)
        var sketch = HyperLogLog64(words: body + 3)
        sketch.merge(HyperLogLog64(words: body + 7))
        body[2] = UInt64(Self.rounded(sketch.estimate(tables)))
    }

    private func valueWeight(_ slot: Int) -> UInt64 {
        let body = words + layout.values.body(slot)
        return now.value - Int64(body[0] & 0xFFFF_FFFF) <= 1 ? min(body[2], body[0] >> 32) : 0
    }

    /// Says whether the sketches of everybody have changed.
    private func fold(stratum: Int, _ sketch: UnsafePointer<UInt64>, _ generation: Int64) -> Bool {
        let (now, before) = (Layout.everybody, Layout.everybody + SealedPane.strata * 4)
        let age = generation - Int64(words[Layout.everybodyGeneration])
        guard age >= -1 else { return false }
        var hasChanged = false
        if age > 0 {
            store.touch(Layout.everybody, count: 2 * SealedPane.strata * 4)
            for word in 0..<SealedPane.strata * 4 {
                words[before + word] = age == 1 ? words[now + word] : 0
                words[now + word] = 0
            }
            store.touch(Layout.everybodyGeneration)
            words[Layout.everybodyGeneration] = UInt64(generation)
            forgetStrata()
            hasChanged = true
        }
        guard raise((age >= 0 ? now : before) &+ stratum &* 4, to: sketch) else { return hasChanged }
        strata[stratum] = -1
        return true
    }

    /// Raises the registers of the sketch at that word to those of another, and says whether any rose. Of the few who log in
    /// with one value in one pane most words are empty, but which of them, nobody can guess.
    @inline(__always)
    private func raise(_ at: Int, to other: UnsafePointer<UInt64>) -> Bool {
        let own = words + at
        let raised = (
            own[0].nibbleMaximum(other[0]), own[1].nibbleMaximum(other[1]), own[2].nibbleMaximum(other[2]),
            own[3].nibbleMaximum(other[3])
        )
        let rises = (raised.0 ^ own[0]) | (raised.1 ^ own[1]) | (raised.2 ^ own[2]) | (raised.3 ^ own[3])
        guard rises != 0 else { return false }
        store.touch(at, count: 4)
        (own[0], own[1], own[2], own[3]) = raised
        return true
    }

    private func fold(actions: UnsafeBufferPointer<UInt64>, _ generation: Int64) {
        guard !actions.isEmpty else { return }
        shares.forget()
        let counts = actionCounts
        let age = generation - Int64(words[Layout.actionGeneration])
        if age > 0 {
            store.touch(Layout.actions, count: Layout.tables - Layout.actions)
            for _ in 0..<min(age, 32) { counts.halve() }
            store.touch(Layout.actionGeneration)
            words[Layout.actionGeneration] = UInt64(generation)
        }
        store.touch(Layout.actions)
        for entry in actions {
            let hash = actionHash(UInt32(truncatingIfNeeded: entry))
            for row in 0..<CountMinSketch.depth { store.touch(Layout.actions + 1 + counts.cell(row: row, hash) / 2) }
            counts.add(hash: hash, count: UInt32(entry >> 32))
        }
    }

    @inline(never)
    private func claim(network key: UInt64, _ place: Int) -> Int {
        claim(key, in: layout.networks, set: place / Layout.ways * Layout.ways) { networkWeight($0) }
    }

    @inline(never)
    private func claim(value key: UInt64, _ place: Int) -> Int {
        claim(key, in: layout.values, set: place / Layout.ways * Layout.ways) { valueWeight($0) }
    }

    /// The key's slot, its own, a free one, or that of the lightest entry of its set, which gives way; the lesser key where
    /// two are as light.
    @inline(__always)
    private func claim(_ key: UInt64, in table: Layout.Table, set: Int, weight: (Int) -> UInt64) -> Int {
        let found = find(key, in: table, set)
        if found >= 0 { return found }
        let free = find(0, in: table, set)
        let slot = free >= 0 ? free : lightest(of: set, in: table, weight: weight)
        store.touch(table.keys &+ slot)
        words[table.keys &+ slot] = key
        let body = table.body(slot)
        store.touch(body, count: table.bodyWords)
        for word in 0..<table.bodyWords { words[body &+ word] = 0 }
        return slot
    }

    @inline(__always)
    private func lightest(of set: Int, in table: Layout.Table, weight: (Int) -> UInt64) -> Int {
        var best = set
        var least = (weight: UInt64.max, key: UInt64.max)
        for slot in set..<set &+ Layout.ways {
            let (weight, key) = (weight(slot), words[table.keys &+ slot])
            guard weight < least.weight || (weight == least.weight && key < least.key) else { continue }
            (best, least) = (slot, (weight, key))
        }
        return best
    }
}
