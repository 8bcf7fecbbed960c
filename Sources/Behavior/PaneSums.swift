/// Sums of what a pane holds, in the words of a sealed one. Most panes hold a few dozen entries, so memory is taken once, and
/// each list is short enough to be put in order entry by entry.
struct PaneSums {
    typealias Words = UnsafeMutablePointer<UInt64>

    private let logins: UnsafeBufferPointer<Contribution>
    /// Of a list that is summed up: the key, and below it the number of the login.
    private let entries: Words
    private var entryCount = 0

    private static let loginBits: UInt64 = 12
    private static let loginMask: UInt64 = 1 << loginBits - 1
    private static let networkKinds = SealedPane.Network.allCases.count
    private static let valueKinds = RarityKind.allCases.count + 1

    private init(logins: UnsafeBufferPointer<Contribution>, entries: Words) {
        (self.logins, self.entries) = (logins, entries)
    }

    /// Hands on the words of networks, of values and of actions, each in the order of its keys, and no more than are kept.
    /// - Complexity: O(*n* log *n*)
    static func with<Result>(
        _ open: OpenPane,
        _ body: (
            _ networks: UnsafeBufferPointer<UInt64>, _ values: UnsafeBufferPointer<UInt64>, _ actions: UnsafeBufferPointer<UInt64>
        ) -> Result
    ) -> Result {
        let (logins, actions) = (open.logins, open.actions)
        precondition(logins.count <= OpenPane.mostLogins && actions.count <= OpenPane.mostActions)
        let networkRoom = logins.count * networkKinds * SealedPane.networkWords
        let valueRoom = logins.count * valueKinds
        let loginRoom = logins.count + networkRoom + valueRoom * (SealedPane.valueWords + 1)
        let room = loginRoom + actions.count + tableSize(for: actions.count) / 2 + 1
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: room) { memory in
            let networks = memory.baseAddress! + logins.count
            let values = networks + networkRoom
            let weights = values + valueRoom * SealedPane.valueWords
            let users = weights + valueRoom
            var sums = PaneSums(logins: logins, entries: memory.baseAddress!)
            let networkCount = sums.sumNetworks(into: networks)
            let valueCount = sums.sumValues(into: values, weights)
            let actionCount = sumActions(actions, into: users, tables: users + actions.count)
            return body(
                UnsafeBufferPointer(start: networks, count: networkCount * SealedPane.networkWords),
                UnsafeBufferPointer(start: values, count: valueCount * SealedPane.valueWords),
                UnsafeBufferPointer(start: users, count: actionCount))
        }
    }

    // MARK: - Logins

    /// Lists the logins in the order of a key, those that count.
    @inline(__always)
    private mutating func list(_ entry: (Contribution) -> (key: UInt32, counts: Bool)) {
        entryCount = 0
        for index in 0..<logins.count {
            let (key, counts) = entry(logins[index])
            // What does not count is overwritten by the next.
            entries[entryCount] = UInt64(key) << Self.loginBits | UInt64(truncatingIfNeeded: index)
            entryCount &+= counts ? 1 : 0
        }
        Self.sort(entries, entryCount)
    }

    @inline(__always)
    private mutating func list(networks key: (Contribution) -> UInt32) {
        list { (key($0), key($0) != 0) }
    }

    /// Only who has succeeded counts for what is common.
    @inline(__always)
    private mutating func list(values key: (Contribution) -> UInt32) {
        list { (key($0), key($0) != 0 && $0.failed == 0) }
    }

    /// Of each its key, tries and failures, sketches of who tried and who failed. Returns how many there are.
    private mutating func sumNetworks(into words: Words) -> Int {
        var next = words
        for kind in SealedPane.Network.allCases {
            switch kind {
            case .prefix: list(networks: { $0.prefix })
            case .provider: list(networks: { $0.provider })
            case .device: list(networks: { $0.device })
            }
            var last = UInt64.max
            for at in 0..<entryCount {
                let key = kind.rawValue << 32 | entries[at] >> Self.loginBits
                if key != last {
                    (next[0], next[1], next[2], next[3]) = (key, 0, 0, 0)
                    next += SealedPane.networkWords
                    last = key
                }
                let sum = next - SealedPane.networkWords
                let login = logins[Int(truncatingIfNeeded: entries[at] & Self.loginMask)]
                sum[1] &+= 1
                HyperLogLog16.add(hash: login.user, to: sum + 2)
                guard login.failed != 0 else { continue }
                sum[1] &+= 1 << 32
                HyperLogLog16.add(hash: login.user, to: sum + 3)
            }
        }
        let count = (next - words) / SealedPane.networkWords
        guard count > SealedPane.mostNetworks else { return count }
        // Those with most failures, then most tries.
        return Self.keep(SealedPane.mostNetworks, of: count, words, each: SealedPane.networkWords) {
            words[$0 * SealedPane.networkWords + 1]
        }
    }

    /// Of each its key and a sketch of who logged in with it; to `weights` how often. Returns how many there are.
    private mutating func sumValues(into words: Words, _ weights: Words) -> Int {
        var (next, weight) = (words, weights)
        for kind in 0..<Self.valueKinds {
            switch RarityKind(rawValue: UInt8(truncatingIfNeeded: kind)) {
            case .country: list(values: { UInt32($0.country) })
            case .provider: list(values: { $0.provider })
            case .agent: list(values: { $0.agent })
            case .os: list(values: { $0.os })
            case .deviceClass: list(values: { UInt32($0.deviceClass) })
            case nil: list { (UInt32(truncatingIfNeeded: $0.user) & UInt32(SealedPane.strata - 1), $0.failed == 0) }
            }
            var last = UInt64.max
            for at in 0..<entryCount {
                let key = UInt64(truncatingIfNeeded: kind) << 32 | entries[at] >> Self.loginBits
                if key != last {
                    (next[0], next[1], next[2], next[3], next[4]) = (key, 0, 0, 0, 0)
                    next += SealedPane.valueWords
                    weight[0] = 0
                    weight += 1
                    last = key
                }
                weight[-1] &+= 1
                let login = Int(truncatingIfNeeded: entries[at] & Self.loginMask)
                HyperLogLog64.add(hash: logins[login].user, to: next - SealedPane.valueWords + 1)
            }
        }
        let count = (next - words) / SealedPane.valueWords
        guard count > SealedPane.mostValues else { return count }
        // Everybody's strata, and those with most logins.
        return Self.keep(SealedPane.mostValues, of: count, words, each: SealedPane.valueWords) {
            words[$0 * SealedPane.valueWords] >> 32 == SealedPane.everybody ? .max : weights[$0]
        }
    }

    // MARK: - Actions

    /// By action, how many users did it. Entries are of keyed hashes, so that nobody can aim at one place of these tables.
    /// Returns how many there are.
    private static func sumActions(_ actions: UnsafeBufferPointer<UInt64>, into sums: Words, tables: Words) -> Int {
        let size = tableSize(for: actions.count)
        guard size > 0 else { return 0 }
        // Which entries were met, and which sum an action has, counted from 1.
        tables.update(repeating: 0, count: size / 2)
        let met = UnsafeMutableRawPointer(tables).assumingMemoryBound(to: UInt16.self)
        let places = met + size
        let (mask, shift) = (size &- 1, UInt64(64 &- size.trailingZeroBitCount))
        var count = 0
        for at in 0..<actions.count {
            let entry = actions[at]
            var slot = Self.slot(of: entry, shift)
            while met[slot] != 0 && actions[Int(met[slot]) &- 1] != entry { slot = (slot &+ 1) & mask }
            guard met[slot] == 0 else { continue }
            met[slot] = UInt16(truncatingIfNeeded: at &+ 1)
            slot = Self.slot(of: entry >> 32, shift)
            while places[slot] != 0 && (sums[Int(places[slot]) &- 1] ^ entry) >> 32 != 0 { slot = (slot &+ 1) & mask }
            if places[slot] == 0 {
                sums[count] = entry & ~0xFFFF_FFFF
                count &+= 1
                places[slot] = UInt16(truncatingIfNeeded: count)
            }
            sums[Int(places[slot]) &- 1] &+= 1
        }
        sort(sums, count)
        for at in 0..<count { sums[at] = sums[at] >> 32 | sums[at] << 32 }
        guard count > SealedPane.mostActions else { return count }
        return keep(SealedPane.mostActions, of: count, sums, each: 1) { sums[$0] >> 32 }
    }

    /// Of either table: at least twice what comes into it, a power of two.
    private static func tableSize(for count: Int) -> Int {
        count == 0 ? 0 : max(1 << (Int.bitWidth - (2 * count - 1).leadingZeroBitCount), 2)
    }

    @inline(__always)
    private static func slot(of entry: UInt64, _ shift: UInt64) -> Int {
        Int(truncatingIfNeeded: ((entry ^ entry >> 32) &* 0x9E37_79B9_7F4A_7C15) &>> shift)
    }

    // MARK: - Order

    private static func sort(_ words: Words, _ count: Int) {
        guard count <= 24 else {
            var all = UnsafeMutableBufferPointer(start: words, count: count)
            return all.sort()
        }
        var end = 1
        while end < count {
            let word = words[end]
            var at = end
            while at > 0 && words[at &- 1] > word {
                words[at] = words[at &- 1]
                at &-= 1
            }
            words[at] = word
            end &+= 1
        }
    }

    /// Moves the heaviest so many entries to the front, of such as weigh the same the first, and leaves them in their order.
    @inline(never)
    private static func keep(_ most: Int, of count: Int, _ words: Words, each: Int, weight: (Int) -> UInt64) -> Int {
        let kept = (0..<count).map { (weight: weight($0), at: $0) }.sorted { ($1.weight, $0.at) < ($0.weight, $1.at) }
            .prefix(most).map(\.at).sorted()
        for (place, at) in kept.enumerated() where place != at {
            (words + place * each).update(from: words + at * each, count: each)
        }
        return kept.count
    }
}
