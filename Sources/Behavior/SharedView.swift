import Events

/// What was tried from a network, or with a device, by whoever it was, in the window of networks.
public struct NetworkActivity: Sendable, Equatable {
    public var tries: UInt32 = 0
    public var failures: UInt32 = 0
    /// Distinct users who tried, and of whom a login failed; sketched, so about a quarter more or less.
    public var usersTried: UInt32 = 0
    public var usersFailing: UInt32 = 0
    public init() {}
}

/// What is rare or common among everybody.
public enum RarityKind: UInt8, CaseIterable, Sendable { case country, provider, agent, os, deviceClass }

/// What all users share, as sealed panes have told it: what happens on each network and device (two tumbling windows, so
/// an answer covers one to two of them), who has logged in with what (two windows likewise), how often each action is
/// done (halved once a window). Bounded: where a table's set is full, the lightest entry gives way, so what many share
/// stays.
///
/// Reading costs no reference counting, no check for exclusive access and no allocation. It belongs to one thread at a
/// time. Every word is in one flat store that can be taken back to a mark.
public final class SharedView {
    /// How event time is cut up for it.
    struct Scale: Equatable {
        var paneMilliseconds: Int64
        /// Panes of one window of networks, and of one window of rarity.
        var networkPanes: Int64
        var valuePanes: Int64
    }
    let scale: Scale
    let layout: Layout
    let hash: KeyedHash
    let store: JournaledWords
    let words: UnsafeMutablePointer<UInt64>
    let shares = ActionShares()
    let tables = RegisterTables.all
    /// The windows that the clock is in.
    private(set) var now: (network: Int64, value: Int64) = (0, 0)
    /// Where the networks and the values of a pane that is being folded were found, or the first slot of their set.
    let places: UnsafeMutablePointer<Int>
    /// Users of each stratum of everybody, in both windows; −1 where that is to be computed.
    let strata: UnsafeMutablePointer<Double>

    /// `hash` is keyed by the pipeline's secret, so that nobody can aim at one set of a table.
    public init(windows: WindowOptions, bounds: StateBounds, hash: KeyedHash) {
        let pane = max(windows.pane, 1)
        scale = Scale(
            paneMilliseconds: pane, networkPanes: max(windows.networks / pane, 1), valuePanes: max(windows.rarity / pane, 1))
        layout = Layout(networks: bounds.sharedNetworks, values: bounds.sharedValues)
        self.hash = hash
        store = JournaledWords(count: layout.count)
        words = store.words
        places = .allocate(capacity: SealedPane.mostNetworks + SealedPane.mostValues)
        strata = .allocate(capacity: SealedPane.strata)
        strata.initialize(repeating: -1, count: SealedPane.strata)
    }

    deinit {
        places.deallocate()
        strata.deallocate()
        shares.deallocate()
    }

    // MARK: - Reading

    /// What happened on an address prefix (`Observation.network`).
    /// - Complexity: O(1), as of all that read.
    public func activity(prefix: UInt32) -> NetworkActivity { activity(.prefix, prefix) }
    /// What happened on an autonomous system.
    public func activity(provider: UInt32) -> NetworkActivity { activity(.provider, provider) }
    /// What happened with a device.
    public func activity(device: UInt32) -> NetworkActivity { activity(.device, device) }

    /// Asks for what will be asked of an address prefix and a device soon.
    public func expectActivity(prefix: UInt32, device: UInt32) {
        expect(.prefix, prefix)
        expect(.device, device)
    }

    @inline(__always)
    private func expect(_ kind: SealedPane.Network, _ value: UInt32) {
        let slot = find(kind.rawValue << 32 | UInt64(value), in: layout.networks)
        if slot >= 0 { prefetch(words + layout.networks.body(slot), bytes: Layout.networkWords * 8) }
    }

    private func activity(_ kind: SealedPane.Network, _ value: UInt32) -> NetworkActivity {
        var activity = NetworkActivity()
        guard value != 0 else { return activity }
        let slot = find(kind.rawValue << 32 | UInt64(value), in: layout.networks)
        guard slot >= 0 else { return activity }
        let body = words + layout.networks.body(slot)
        let age = now.network &- Int64(body[0])
        guard age <= 1 else { return activity }
        let before = age <= 0 ? body[5] : 0
        activity.tries = UInt32(truncatingIfNeeded: body[2]).saturatingAdd(UInt32(truncatingIfNeeded: before))
        activity.failures = UInt32(body[2] >> 32).saturatingAdd(UInt32(before >> 32))
        if age <= 0 {
            activity.usersTried = UInt32(truncatingIfNeeded: body[1])
            activity.usersFailing = UInt32(body[1] >> 32)
        } else {
            activity.usersTried = Self.rounded(HyperLogLog16(word: body[3]).estimate(tables))
            activity.usersFailing = Self.rounded(HyperLogLog16(word: body[4]).estimate(tables))
        }
        return activity
    }

    /// Distinct users with a successful login, in the whole population.
    public var users: Double {
        let age = now.value &- Int64(words[Layout.everybodyGeneration])
        if age <= 0 { return Double(bitPattern: words[Layout.everybodyCount]) }
        guard age == 1 else { return 0 }
        // Of the window before there is nothing left.
        return (0..<SealedPane.strata).reduce(0.0) { $0 + Double(stratum($1).estimate(tables)) }.rounded()
    }

    /// Of them, those who had this value; 0 when it is not known. What a value is worth grows by no more than an eighth a
    /// day beyond the population's own growth: see `SharedView+Growth`.
    public func users(of kind: RarityKind, _ value: UInt32) -> Double {
        guard value != 0 else { return 0 }
        let slot = find(UInt64(kind.rawValue) << 32 | UInt64(value), in: layout.values)
        guard slot >= 0 else { return 0 }
        let body = words + layout.values.body(slot)
        let age = now.value &- Int64(body[0] & 0xFFFF_FFFF)
        guard age <= 1 else { return 0 }
        let ceiling = Double(body[0] >> 32)
        if age <= 0 { return min(ceiling, Double(body[2])) }
        return min(ceiling, Double(HyperLogLog64(words: body + 3).estimate(tables)))
    }

    /// Share of all that is done, each action counted once a user and pane, as if every action had been done once in a
    /// hundred more; 0 when nothing is known.
    public func actionShare(_ action: UInt32) -> Double { shares.share(of: action) { countedShare(of: action) } }

    @inline(never)
    private func countedShare(of action: UInt32) -> Double {
        let counts = actionCounts
        let total = counts.total
        guard total > 0 else { return 0 }
        return (Double(counts.count(hash: actionHash(action))) + 1) / (Double(total) + 100)
    }

    // MARK: - Shared by reading and folding

    /// The pane that time has come to; what is read is as of it.
    public var clock: Int64 { Int64(bitPattern: words[Layout.clock]) }

    func networkGeneration(of pane: Int64) -> Int64 { pane / scale.networkPanes }
    func valueGeneration(of pane: Int64) -> Int64 { pane / scale.valuePanes }
    /// The clock was set.
    func keepTime() { now = (networkGeneration(of: clock), valueGeneration(of: clock)) }
    func actionHash(_ action: UInt32) -> UInt64 { hash(UInt64(action), 13) }
    var actionCounts: CountMinSketch { CountMinSketch(base: words + Layout.actions, width: Layout.actionWidth) }

    /// To the nearest, of what is not negative; without a call of the library.
    @inline(__always)
    static func rounded(_ estimate: Float) -> UInt32 { UInt32(Double(estimate) + 0.5) }

    /// Of this window and the one before. Of a stratum that hasn't changed since, it is known.
    func countEverybody() -> Double {
        var users = 0.0
        for stratum in 0..<SealedPane.strata {
            if strata[stratum] < 0 {
                var sketch = self.stratum(stratum)
                sketch.merge(self.stratum(SealedPane.strata + stratum))
                strata[stratum] = Double(sketch.estimate(tables))
            }
            users += strata[stratum]
        }
        return users.rounded()
    }

    /// A sketch of everybody: those of this window, then those of the one before.
    private func stratum(_ at: Int) -> HyperLogLog64 { HyperLogLog64(words: words + Layout.everybody + at * 4) }

    func forgetStrata() { strata.update(repeating: -1, count: SealedPane.strata) }

    /// The set of a table in which a key has its place.
    @inline(__always)
    func set(of key: UInt64, in table: Layout.Table) -> Int {
        Int(truncatingIfNeeded: (hash(key, 12) >> 32 &* UInt64(bitPattern: Int64(table.sets))) >> 32) &* Layout.ways
    }

    /// The key's slot; −1 where it has none.
    @inline(__always)
    func find(_ key: UInt64, in table: Layout.Table) -> Int { find(key, in: table, set(of: key, in: table)) }

    /// The slot of a set that has that key, the first of them; −1 where none has.
    @inline(__always)
    func find(_ key: UInt64, in table: Layout.Table, _ set: Int) -> Int {
        let keys = words + table.keys + set
        var found = matches(of: UInt32(truncatingIfNeeded: key), mask: .max, in: keys, count: Layout.ways)
        while found != 0 {
            let way = found.trailingZeroBitCount
            if keys[way] == key { return set &+ way }
            found &= found &- 1
        }
        return -1
    }

    /// Where everything lies in the store.
    struct Layout {
        static let ways = 8
        static let clock = 0
        /// One more than the first day; 0 before the first pane.
        static let firstDay = 1
        /// The day, and above it everybody's number when it began.
        static let today = 2
        static let everybodyGeneration = 3
        static let everybodyCount = 4
        static let actionGeneration = 5
        static let everybody = 8
        static let actions = everybody + 2 * SealedPane.strata * 4
        static let actionWidth = 1024
        /// Of a body.
        static let networkWords = 8
        static let valueWords = 11
        static let tables = (actions + CountMinSketch.byteCount(width: actionWidth) / 8 + 7) / 8 * 8

        /// Keys set by set, then the entries' bodies.
        struct Table {
            var sets: Int
            var keys: Int
            var bodies: Int
            var bodyWords: Int
            var slots: Int { sets * Layout.ways }
            var end: Int { bodies + slots * bodyWords }
            func body(_ slot: Int) -> Int { bodies &+ slot &* bodyWords }

            init(entries: Int, at start: Int, bodyWords: Int) {
                sets = max((entries + Layout.ways - 1) / Layout.ways, 1)
                keys = start
                bodies = start + sets * Layout.ways
                self.bodyWords = bodyWords
            }
        }
        /// Body: window; users tried and failing as estimated; tries and failures, sketches of both, in this window and the
        /// one before.
        let networks: Table
        /// Body: window and ceiling above it; day and everybody's number then; users as estimated; sketch of this window
        /// and of the one before.
        let values: Table
        var count: Int { values.end }

        init(networks: Int, values: Int) {
            self.networks = Table(entries: networks, at: Self.tables, bodyWords: Self.networkWords)
            self.values = Table(entries: values, at: self.networks.end, bodyWords: Self.valueWords)
        }
    }
}

extension HyperLogLog16 {
    init(word: UInt64) {
        self.init()
        self.word = word
    }
}

extension HyperLogLog64 {
    init(words: UnsafePointer<UInt64>) {
        self.init()
        for index in 0..<4 { self.words[index] = words[index] }
    }

    init(words: UnsafeMutablePointer<UInt64>) { self.init(words: UnsafePointer(words)) }
}
