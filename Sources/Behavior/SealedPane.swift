import Events

/// What one partition's users did in one pane of event time, summed up: its form in memory and in the topic. Sums of such
/// panes don't depend on their order, so everybody who has the same panes has the same view.
///
/// Words, little-endian on the wire: version and part; the pane's number (event time over its length); how many
/// networks, values and actions follow; then the networks (kind and key, tries and failures, sketches of who tried and
/// who failed), the values (kind and key, sketch of who logged in with it), the actions (action and users). Each list
/// is in the order of its keys.
public struct SealedPane: Equatable, Sendable {
    public let words: [UInt64]

    static let version: UInt64 = 1
    static let headerWords = 4
    static let networkWords = 4
    static let valueWords = 5
    /// Kept of each list: those with most failures, users or doers.
    static let mostNetworks = 512
    static let mostValues = 512
    static let mostActions = 256

    /// The pane's number.
    public var index: Int64 { Int64(bitPattern: words[1]) }
    /// A pane with very much in it comes in parts, numbered from 0.
    public var part: UInt32 { UInt32(truncatingIfNeeded: words[0] >> 32) }
    var networks: Int { Int(words[2] & 0xFFFF_FFFF) }
    var values: Int { Int(words[2] >> 32) }
    var actions: Int { Int(words[3]) }
    public var byteCount: Int { words.count * 8 }

    /// What a network is.
    enum Network: UInt64, CaseIterable { case prefix, provider, device }
    /// Sketches of everybody lie behind those of `RarityKind`, by stratum.
    static let everybody = UInt64(RarityKind.allCases.count)
    static let strata = 16

    /// Sums up what was contributed.
    /// - Complexity: O(*n* log *n*)
    public init(_ open: OpenPane, index: Int64, part: UInt32) {
        var sums = PaneSums()
        sums.take(open.logins)
        let networks = sums.heaviestNetworks(Self.mostNetworks)
        let values = sums.heaviestValues(Self.mostValues)
        let actions = PaneSums.actions(open.actions, most: Self.mostActions)
        var words: [UInt64] = []
        words.reserveCapacity(Self.headerWords + networks.count * Self.networkWords + values.count * Self.valueWords + actions.count)
        words += [Self.version | UInt64(part) << 32, UInt64(bitPattern: index)]
        words += [UInt64(networks.count) | UInt64(values.count) << 32, UInt64(actions.count)]
        for network in networks {
            words += [network.key, UInt64(network.tries) | UInt64(network.failures) << 32, network.tried.word, network.failing.word]
        }
        for value in values {
            words.append(value.key)
            for word in 0..<4 { words.append(value.users.words[word]) }
        }
        words += actions
        self.words = words
    }

    /// A pane from outside; nil where the bytes are none.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count % 8 == 0, bytes.count >= Self.headerWords * 8 else { return nil }
        self.init(words: (0..<bytes.count / 8).map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) })
    }

    /// The fewest words of a pane.
    public static let leastWords = headerWords

    /// The same in words.
    public init?(words: [UInt64]) {
        guard words.count >= Self.headerWords, words[0] & 0xFFFF_FFFF == Self.version else { return nil }
        self.words = words
        guard networks <= Self.mostNetworks, values <= Self.mostValues, words[3] <= UInt64(Self.mostActions),
            (0..<Timestamp.latest.milliseconds).contains(index),
            words.count == Self.headerWords + networks * Self.networkWords + values * Self.valueWords + actions
        else { return nil }
        for at in 0..<networks where words[network(at)] >> 32 >= UInt64(Network.allCases.count) { return nil }
        for at in 0..<values {
            let key = words[value(at)]
            guard key >> 32 < Self.everybody || (key >> 32 == Self.everybody && key & 0xFFFF_FFFF < UInt64(Self.strata)) else {
                return nil
            }
        }
    }

    /// As it goes into the topic.
    public func encoded() -> [UInt8] {
        words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
    }

    func network(_ at: Int) -> Int { Self.headerWords + at * Self.networkWords }
    func value(_ at: Int) -> Int { Self.headerWords + networks * Self.networkWords + at * Self.valueWords }
    func action(_ at: Int) -> Int { Self.headerWords + networks * Self.networkWords + values * Self.valueWords + at }
}

/// Sums of contributions by key.
struct PaneSums {
    struct Network {
        /// Kind and key.
        var key: UInt64
        var tries: UInt32 = 0
        var failures: UInt32 = 0
        var tried = HyperLogLog16()
        var failing = HyperLogLog16()
    }
    struct Value {
        var key: UInt64
        var logins: UInt32 = 0
        var users = HyperLogLog64()
    }
    private var networks: [Network] = []
    private var values: [Value] = []

    /// Key and login in one word, so that sorting compares words: of the key at most 35 bits, of the login its number.
    private static let loginBits: UInt64 = 12
    @inline(__always)
    private static func entry(_ key: UInt64, _ login: Int) -> UInt64 { key << loginBits | UInt64(truncatingIfNeeded: login) }
    @inline(__always)
    private static func parts(_ entry: UInt64) -> (key: UInt64, login: Int) {
        (entry >> loginBits, Int(truncatingIfNeeded: entry & (1 << loginBits - 1)))
    }

    mutating func take(_ logins: UnsafeBufferPointer<Contribution>) {
        precondition(logins.count <= OpenPane.mostLogins)
        var entries: [UInt64] = []
        entries.reserveCapacity(logins.count * 6)
        for (index, login) in logins.enumerated() {
            if login.prefix != 0 { entries.append(Self.entry(UInt64(login.prefix), index)) }
            if login.provider != 0 { entries.append(Self.entry(1 << 32 | UInt64(login.provider), index)) }
            if login.device != 0 { entries.append(Self.entry(2 << 32 | UInt64(login.device), index)) }
        }
        entries.sort()
        for (key, index) in entries.lazy.map(Self.parts) {
            if networks.last?.key != key { networks.append(Network(key: key)) }
            let login = logins[index]
            let last = networks.count - 1
            networks[last].tries += 1
            _ = networks[last].tried.add(hash: login.user)
            guard login.failed != 0 else { continue }
            networks[last].failures += 1
            _ = networks[last].failing.add(hash: login.user)
        }
        entries.removeAll(keepingCapacity: true)
        takeValues(logins, &entries)
    }

    /// Only who has succeeded counts for what is common.
    private mutating func takeValues(_ logins: UnsafeBufferPointer<Contribution>, _ entries: inout [UInt64]) {
        for (index, login) in logins.enumerated() where login.failed == 0 {
            func add(_ kind: RarityKind, _ value: UInt32) {
                if value != 0 { entries.append(Self.entry(UInt64(kind.rawValue) << 32 | UInt64(value), index)) }
            }
            add(.country, UInt32(login.country))
            add(.provider, login.provider)
            add(.agent, login.agent)
            add(.os, login.os)
            add(.deviceClass, UInt32(login.deviceClass))
            entries.append(Self.entry(SealedPane.everybody << 32 | login.user & UInt64(SealedPane.strata - 1), index))
        }
        entries.sort()
        for (key, index) in entries.lazy.map(Self.parts) {
            if values.last?.key != key { values.append(Value(key: key)) }
            values[values.count - 1].logins += 1
            _ = values[values.count - 1].users.add(hash: logins[index].user)
        }
    }

    /// Those with most failures, then most tries, in the order of their keys.
    func heaviestNetworks(_ most: Int) -> [Network] {
        guard networks.count > most else { return networks }
        return networks.sorted { ($1.failures, $1.tries, $0.key) < ($0.failures, $0.tries, $1.key) }.prefix(most).sorted { $0.key < $1.key }
    }

    /// Everybody's strata and those with most logins, in the order of their keys.
    func heaviestValues(_ most: Int) -> [Value] {
        guard values.count > most else { return values }
        let everybody = values.filter { $0.key >> 32 == SealedPane.everybody }
        let others = values.filter { $0.key >> 32 != SealedPane.everybody }
        return others.sorted { ($1.logins, $0.key) < ($0.logins, $1.key) }.prefix(most - everybody.count).sorted { $0.key < $1.key } + everybody
    }

    /// By action, how many users did it; in the order of actions. Entries are of keyed hashes, so that nobody can aim at
    /// one place of these tables.
    static func actions(_ actions: UnsafeBufferPointer<UInt64>, most: Int) -> [UInt64] {
        guard !actions.isEmpty else { return [] }
        let bits = UInt64(64 - (2 * actions.count - 1).leadingZeroBitCount)
        var sums: [(action: UInt64, users: UInt64)] = []
        // 0 is free: no action's fingerprint is 0.
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 1 << Int(bits)) { met in
            met.initialize(repeating: 0)
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 1 << Int(bits)) { places in
                places.initialize(repeating: 0)
                for entry in actions {
                    var slot = Self.slot(of: entry, bits: bits)
                    while met[slot] != 0 && met[slot] != entry { slot = (slot + 1) & (met.count - 1) }
                    guard met[slot] == 0 else { continue }
                    met[slot] = entry
                    let action = entry >> 32
                    slot = Self.slot(of: action, bits: bits)
                    while places[slot] != 0 && sums[Int(places[slot]) - 1].action != action { slot = (slot + 1) & (places.count - 1) }
                    if places[slot] == 0 {
                        sums.append((action, 0))
                        places[slot] = UInt16(sums.count)
                    }
                    sums[Int(places[slot]) - 1].users += 1
                }
            }
        }
        sums.sort { $0.action < $1.action }
        if sums.count > most {
            sums = sums.sorted { ($1.users, $0.action) < ($0.users, $1.action) }.prefix(most).sorted { $0.action < $1.action }
        }
        return sums.map { $0.action | $0.users << 32 }
    }

    @inline(__always)
    private static func slot(of entry: UInt64, bits: UInt64) -> Int {
        Int(truncatingIfNeeded: ((entry ^ entry >> 32) &* 0x9E37_79B9_7F4A_7C15) >> (64 - bits))
    }
}
