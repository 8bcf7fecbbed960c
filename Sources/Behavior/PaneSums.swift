/// Sums of what a pane holds, in the words of a sealed one. Most panes hold a few dozen entries, so memory is taken once, and
/// each list is short enough to be put in order entry by entry. Nearly all of it is done once for each thing a login says, in
/// loops that don't branch on what it says: a pane comes so seldom that the processor knows nothing of it any more.
struct PaneSums {
    typealias Words = UnsafeMutablePointer<UInt64>

    /// What a login adds to the sums of whatever it says.
    private struct Login {
        var failed: UInt64
        var few: RegisterRaise
        var many: RegisterRaise
    }
    private let logins: UnsafeMutablePointer<Login>
    private let loginCount: Int
    /// What the logins say, one thing after the other, each in the order of the logins; 0 where it doesn't count.
    private let keys: UnsafeMutablePointer<UInt32>
    /// Of a list that is summed up: the key, and below it the number of the login.
    private let entries: Words

    private static let loginBits: UInt64 = 12
    private static let loginMask: UInt64 = 1 << loginBits - 1
    private static let networkKinds = SealedPane.Network.allCases.count
    private static let valueKinds = RarityKind.allCases.count + 1
    /// Words of a login in all that is above.
    private static let loginWords = MemoryLayout<Login>.stride / 8 + (networkKinds + valueKinds + 1) / 2 + 1

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
        // Behind the last sum is room for another.
        let networkRoom = (logins.count * networkKinds + 1) * SealedPane.networkWords
        let valueRoom = logins.count * valueKinds + 1
        let loginRoom = logins.count * loginWords + networkRoom + valueRoom * (SealedPane.valueWords + 1)
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: loginRoom + actionRoom(for: actions.count)) { memory in
            let networks = memory.baseAddress! + logins.count * loginWords
            let values = networks + networkRoom
            let weights = values + valueRoom * SealedPane.valueWords
            let sums = PaneSums(logins, in: memory.baseAddress!)
            let networkCount = sums.sumNetworks(into: networks)
            let valueCount = sums.sumValues(into: values, weights)
            let users = memory.baseAddress! + loginRoom
            let actionCount = sumActions(actions, in: users)
            return body(
                UnsafeBufferPointer(start: networks, count: networkCount * SealedPane.networkWords),
                UnsafeBufferPointer(start: values, count: valueCount * SealedPane.valueWords),
                UnsafeBufferPointer(start: users, count: actionCount))
        }
    }

    // MARK: - Logins

    private init(_ contributions: UnsafeBufferPointer<Contribution>, in memory: Words) {
        let count = contributions.count
        entries = memory
        logins = UnsafeMutableRawPointer(memory + count).bindMemory(to: Login.self, capacity: count)
        keys = UnsafeMutableRawPointer(logins + count)
            .bindMemory(to: UInt32.self, capacity: count * (Self.networkKinds + Self.valueKinds))
        loginCount = count
        for index in 0..<count {
            let login = contributions[index]
            logins[index] = Login(
                failed: login.failed != 0 ? 1 : 0, few: HyperLogLog16.raise(by: login.user),
                many: HyperLogLog64.raise(by: login.user))
            // Only who has succeeded counts for what is common.
            let counts: UInt32 = login.failed == 0 ? .max : 0
            // In the order of `SealedPane.Network`, of `RarityKind`, and the strata of everybody, counted from 1.
            var next = keys + index
            func say(_ key: UInt32) {
                next.pointee = key
                next += count
            }
            say(login.prefix)
            say(login.provider)
            say(login.device)
            say(UInt32(login.country) & counts)
            say(login.provider & counts)
            say(login.agent & counts)
            say(login.os & counts)
            say(UInt32(login.deviceClass) & counts)
            say((UInt32(truncatingIfNeeded: login.user) & UInt32(SealedPane.strata - 1) &+ 1) & counts)
        }
    }

    /// Lists the logins in the order of a thing they say, those of which it counts, and returns how many there are.
    @inline(never)
    private func list(_ kind: Int) -> Int {
        let keys = self.keys + kind &* loginCount
        var count = 0
        for index in 0..<loginCount {
            // What does not count is overwritten by the next.
            entries[count] = UInt64(keys[index]) << Self.loginBits | UInt64(truncatingIfNeeded: index)
            count &+= keys[index] != 0 ? 1 : 0
        }
        Self.sort(entries, count)
        return count
    }

    /// Of each its key, tries and failures, sketches of who tried and who failed. Returns how many there are.
    private func sumNetworks(into words: Words) -> Int {
        var next = words
        for kind in 0..<Self.networkKinds {
            var last = UInt64.max
            for at in 0..<list(kind) {
                let key = UInt64(truncatingIfNeeded: kind) << 32 | entries[at] >> Self.loginBits
                let login = logins + Int(truncatingIfNeeded: entries[at] & Self.loginMask)
                (next[0], next[1], next[2], next[3]) = (0, 0, 0, 0)
                next += key != last ? SealedPane.networkWords : 0
                last = key
                let sum = next - SealedPane.networkWords
                sum[0] = key
                sum[1] &+= 1 | login.pointee.failed << 32
                sum[2] = login.pointee.few.raised(sum[2])
                sum[3] = login.pointee.few.raised(sum[3], does: login.pointee.failed)
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
    private func sumValues(into words: Words, _ weights: Words) -> Int {
        var (next, weight) = (words, weights)
        for kind in 0..<Self.valueKinds {
            // Strata are counted from 1.
            let kindKey = UInt64(truncatingIfNeeded: kind) << 32 &- (kind == Self.valueKinds - 1 ? 1 : 0)
            var last = UInt64.max
            for at in 0..<list(Self.networkKinds + kind) {
                let key = kindKey &+ entries[at] >> Self.loginBits
                let login = logins + Int(truncatingIfNeeded: entries[at] & Self.loginMask)
                (next[0], next[1], next[2], next[3], next[4]) = (0, 0, 0, 0, 0)
                weight[0] = 0
                let isNew = key != last ? 1 : 0
                next += isNew &* SealedPane.valueWords
                weight += isNew
                last = key
                weight[-1] &+= 1
                let sum = next - SealedPane.valueWords
                sum[0] = key
                let sketch = sum + 1 + login.pointee.many.word
                sketch.pointee = login.pointee.many.raised(sketch.pointee)
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

    /// By action, how many users did it, at the front of `memory`. Returns how many there are. Entries are of keyed hashes, so
    /// that nobody can aim at one place of these tables.
    ///
    /// The table of sums has the order of its keys (Gonnet, Munro, "The analysis of linear probing sort by the use of a new
    /// mathematical transform", Journal of Algorithms 1984): an action's place is its share of all hashes, or the next behind
    /// lesser ones, and greater ones move on. Beyond its end is room for all that may.
    private static func sumActions(_ actions: UnsafeBufferPointer<UInt64>, in memory: Words) -> Int {
        guard actions.count > 0 else { return 0 }
        let (sums, size) = (memory, tableSize(for: actions.count))
        sums.update(repeating: 0, count: size + actions.count + 1)
        let shift = UInt64(truncatingIfNeeded: 64 &- size.trailingZeroBitCount)
        // Which entries were met, counted from 1.
        let met = UnsafeMutableRawPointer(sums + size + actions.count + 1)
            .bindMemory(to: UInt16.self, capacity: size * metPlaces)
        met.update(repeating: 0, count: size * metPlaces)
        let mask = UInt64(truncatingIfNeeded: size &* metPlaces &- 1)
        for at in 0..<actions.count {
            let entry = actions[at]
            var place = (entry ^ entry >> 32) & mask
            while met[Int(place)] != 0 && actions[Int(met[Int(place)]) &- 1] != entry { place = (place &+ 1) & mask }
            guard met[Int(place)] == 0 else { continue }
            met[Int(place)] = UInt16(truncatingIfNeeded: at &+ 1)
            count(entry & ~0xFFFF_FFFF, in: sums + Int(entry &>> shift))
        }
        var (at, count) = (0, 0)
        while at < size {
            let sum = sums[at]
            sums[count] = sum >> 32 | sum << 32
            // One where there is a sum, without a branch that nobody can guess: the carry of its count.
            count &+= Int(truncatingIfNeeded: (sum & 0xFFFF_FFFF &+ 0xFFFF_FFFF) >> 32)
            at &+= 1
        }
        while sums[at] != 0 {
            sums[count] = sums[at] >> 32 | sums[at] << 32
            count &+= 1
            at &+= 1
        }
        guard count > SealedPane.mostActions else { return count }
        return keep(SealedPane.mostActions, of: count, sums, each: 1) { sums[$0] >> 32 }
    }

    /// One more of an action, which is above 32 bits of count.
    @inline(__always)
    private static func count(_ action: UInt64, in table: Words) {
        var place = table
        while place.pointee != 0 && place.pointee < action { place += 1 }
        if place.pointee != 0 && (place.pointee ^ action) >> 32 == 0 {
            place.pointee &+= 1
            return
        }
        var sum = action | 1
        while sum != 0 {
            swap(&sum, &place.pointee)
            place += 1
        }
    }

    /// Places of the table of sums: at least as many as there are entries, a power of two.
    private static func tableSize(for count: Int) -> Int { max(1 << (Int.bitWidth - (count - 1).leadingZeroBitCount), 2) }

    /// For each of them, places to remember entries in: enough that few are asked for twice.
    private static let metPlaces = 4

    /// Words that both tables take.
    private static func actionRoom(for count: Int) -> Int {
        count == 0 ? 0 : tableSize(for: count) * (1 + metPlaces / 4) + count + 1
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
