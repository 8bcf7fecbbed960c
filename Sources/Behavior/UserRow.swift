import Events

/// The parts of a user's state that grow, in the order they lie in the row: first what every action of a session reads.
public enum Section: UInt8, CaseIterable, Sendable {
    case absorbed, sessions, actions, pairs, devices, networks, places, challenges, holds, failures, asks, judged

    static let count = 12

    /// No row may grow so large that there would be no room for one of these.
    var isReserved: Bool { rawValue >= Section.challenges.rawValue }
}

/// Where a section lies in its row.
@usableFromInline struct SectionEntry {
    /// From the start of the row, in units of 8 bytes.
    @usableFromInline var offset: UInt16 = 0
    @usableFromInline var count: UInt8 = 0
    @usableFromInline var capacity: UInt8 = 0
}

public struct SlotFlags: OptionSet, Sendable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A passed challenge vouches for it, or it was there while the baseline was being learned.
    @inlinable public static var vouched: SlotFlags { SlotFlags(rawValue: 1) }
}

/// A device the user is known to use.
public struct DeviceSlot {
    public var fingerprint: UInt32
    /// `Observation.agent`, `os`, `agentMajor` and `deviceClass` as they were last seen on it.
    public var agent: UInt32
    public var os: UInt32
    public var major: UInt16
    public var deviceClass: UInt8
    public var flags: SlotFlags
    /// Decayed observations: slowly, and fast.
    public var weight: Float
    public var recent: Float
    /// Seconds since 1970.
    public var firstSeen: UInt32
    public var lastSeen: UInt32
}

/// A network prefix the user is known to come from.
public struct NetworkSlot {
    /// `Observation.network`.
    public var key: UInt32
    public var asn: UInt32
    /// `Observation.address`, the last one.
    public var address: UInt32
    public var country: UInt16
    public var padding: UInt16 = 0
    public var weight: Float
    public var recent: Float
    public var lastSeen: UInt32
}

/// A place the user is known to be in: a city, or a country where nothing finer is known.
public struct PlaceSlot {
    public var city: UInt32
    public var region: UInt32
    public var country: UInt16
    public var padding: UInt16 = 0
    public var latitude: Float
    public var longitude: Float
    public var weight: Float
    public var recent: Float
    public var lastSeen: UInt32
}

/// An action the user is known to take.
public struct ActionSlot {
    public var fingerprint: UInt32
    public var weight: Float
    public var recent: Float
}

/// An action that is known to follow another.
public struct PairSlot {
    /// 16 bits of each fingerprint: two of a hundred actions that share them are taken for one.
    public var previous: UInt16
    public var next: UInt16
    public var weight: Float

    @inlinable public static func short(_ action: UInt32) -> UInt16 { UInt16(truncatingIfNeeded: action ^ action >> 16) }
}

/// Observations of one session and device that wait to be trusted.
public struct HoldSlot {
    /// `Observation.scope`.
    public var session: UInt64
    public var first: Timestamp
    public var last: Timestamp
    public var device: UInt32
    public var network: UInt32
    public var asn: UInt32
    public var address: UInt32
    public var city: UInt32
    public var region: UInt32
    public var agent: UInt32
    public var os: UInt32
    public var latitude: Float
    public var longitude: Float
    public var amounts = DecayedMoments()
    public var actions = InlineArray<4, UInt32>(repeating: 0)
    public var country: UInt16
    public var events: UInt16 = 0
    public var major: UInt16
    public var deviceClass: UInt8
    public var hour: UInt8
    public var weekday: UInt8
    public var flags: HoldFlags
    public var padding: UInt16 = 0
}

/// Why observations wait.
public struct HoldFlags: OptionSet, Sendable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// For a passed challenge; without it only for the session's clean end.
    @inlinable public static var quarantined: HoldFlags { HoldFlags(rawValue: 1) }
    /// An event among them was allowed at raised risk, or a report-only rule objected to it.
    @inlinable public static var raised: HoldFlags { HoldFlags(rawValue: 2) }
    /// A report-only rule objected to an event among them.
    @inlinable public static var objected: HoldFlags { HoldFlags(rawValue: 4) }
    /// The course of actions among them spoke against its being the user's.
    @inlinable public static var foreign: HoldFlags { HoldFlags(rawValue: 8) }
}

public struct UserFlags: OptionSet, Sendable {
    public var rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Has logged in successfully or acted.
    @inlinable public static var proven: UserFlags { UserFlags(rawValue: 1) }
    /// In the list of rows to write.
    static let dirty = UserFlags(rawValue: 2)
    /// Was pushed at until a stop had to be put to it: not again before a phishing-resistant challenge is passed.
    @inlinable public static var pushStopped: UserFlags { UserFlags(rawValue: 4) }
    /// `enrolled` is all that the person has enrolled, not only what has been seen.
    @inlinable public static var enrolmentsKnown: UserFlags { UserFlags(rawValue: 8) }
    /// In the window of `countedIn` the circuit breaker has counted the user as asked.
    @inlinable public static var countedAsked: UserFlags { UserFlags(rawValue: 16) }
    /// What only memory knows: never in persisted bytes.
    static let transient: UserFlags = [.dirty]
}

/// The fixed part of a user's state.
public struct UserHeader {
    /// Over everything behind it; set when the row is written.
    var checksum: UInt64 = 0
    var layout: UInt16 = UserRow.layoutVersion
    public var flags: UserFlags = []
    var rowBytes: UInt16 = 0
    var identityBytes: UInt16 = 0
    public var number: UInt32 = 0
    /// Length of the tenant within the identity.
    var tenantBytes: UInt16 = 0
    public var level: RiskLevel = .low
    public var verdict: Verdict = .allow
    public var hash: UInt64 = 0
    /// The task's count of events when the user last had one: least is coldest.
    public var touched: UInt64 = 0
    @usableFromInline var sections = InlineArray<12, SectionEntry>(repeating: SectionEntry())
    /// Days since 1970 to which the decayed values are aged.
    public var agedTo: UInt32 = 0
    public var firstSeen = Timestamp.distantPast
    public var lastSeen = Timestamp.distantPast

    /// Decayed number of learned logins and sessions: slowly, and fast.
    public var contexts: Float = 0
    public var recentContexts: Float = 0
    /// Decayed number of them that brought something new at each level of what is compared: an agent or system, a
    /// device; a country, a provider, a neighbourhood and a prefix of a known provider, a region and a place of a known
    /// country; and of moves between networks in a session.
    public var newFamilies: Float = 0
    public var newDevices: Float = 0
    public var newCountries: Float = 0
    public var newProviders: Float = 0
    public var newNeighbourhoods: Float = 0
    public var newNetworks: Float = 0
    public var newRegions: Float = 0
    public var newPlaces: Float = 0
    public var moves: Float = 0
    /// Decayed number of learned actions: slowly, and fast.
    public var actionTotal: Float = 0
    public var recentActions: Float = 0
    /// The last trusted place known to city precision.
    public var lastLatitude = Float.nan
    public var lastLongitude = Float.nan
    public var lastPlaceTime = Timestamp.distantPast
    /// Learned contexts by hour of the day in UTC, in units of 1/32.
    public var hours = InlineArray<24, UInt16>(repeating: 0)
    /// The same by day of the week, Monday first.
    public var weekdays = InlineArray<8, UInt16>(repeating: 0)
    /// ln(round-trip time in ms).
    public var roundTrips = DecayedMoments()
    /// Decayed number of successful logins that named their methods, and of those with more than one factor.
    public var factored: Float = 0
    public var strong: Float = 0
    /// ln(amount + 1).
    public var amounts = DecayedMoments()
    /// The same of late, and as they were: not held within what is usual.
    public var recentAmounts = DecayedMoments()
    /// How the amounts are spread, where moments mislead.
    public var amountSpread = QuantileSketch()
    /// How far the fast baseline has left the slow one, 0…1: `Drift`, as of the day the row is aged to.
    public var drift = DriftShares()
    /// What came of challenges lately.
    public var challenges = ChallengeHistory()
    /// When the person last said of a question “that's not me”, in seconds since 1970.
    public var alarmedAt: UInt32 = 0
    /// Ways in which the person can be asked, as trusted events said, or as was passed.
    public var enrolled: ChallengeMethods = []
    /// Methods (a set of `ChallengeMethod.bit`) that were offered first, or named, and left unanswered since the last one that
    /// was passed.
    public var ignoredMethods: UInt8 = 0
    /// `ChallengeMethod.bit` of the last challenge that was passed; 0 where none was.
    public var lastMethod: UInt8 = 0
    /// The place in `judged` that is written next once it is full.
    public var nextJudged: UInt8 = 0
    /// Where the circuit breaker's window began, in seconds since 1970, in which the user was last counted as there.
    public var countedIn: UInt32 = 0
    /// Seconds since 1970 at which contact, password and factors were last changed; the fourth is free.
    public var changes = InlineArray<4, UInt32>(repeating: 0)
    /// Different resources, and exports, in the open window, and ln of how many there are in a window.
    public var breadth = BreadthWindow()
    public var breadths = DecayedMoments()
    public var exports = TalliedWindow()
    public var exportCounts = DecayedMoments()
    /// −ln of how likely the user's actions were, while nobody knew what others do.
    public var surprises = DecayedMoments()
    /// The course of actions that name no session; else of the last session that had any.
    public var course = ActionCourse()
    /// ln(actions) in the rate windows that had any.
    public var pace = DecayedMoments()
    public var rate = HoppingWindow()
    public var paceWindow = TumblingWindow()
    /// Malformed records held against the user, and the last one's time.
    public var malformedAt = Timestamp.distantPast
    public var malformed: UInt32 = 0
    var recentNext: UInt32 = 0
    /// Fingerprints of the newest event ids.
    var recent = InlineArray<12, UInt32>(repeating: 0)
}

/// One user's state: a fixed header, the identity, then the growing sections, in one run of bytes that is also its
/// persisted form. A view: the table owns the bytes, and a row moves when a section of it grows.
public struct UserRow: @unchecked Sendable {
    /// Version of the byte layout of a row.
    public static let layoutVersion: UInt16 = 3

    @usableFromInline let base: UnsafeMutableRawPointer

    @usableFromInline init(base: UnsafeMutableRawPointer) { self.base = base }

    @inlinable @inline(__always) public var header: UnsafeMutablePointer<UserHeader> {
        base.assumingMemoryBound(to: UserHeader.self)
    }

    static let headerBytes = (MemoryLayout<UserHeader>.size + 7) & ~7
    static let rowGranule = 64
    /// Lengths and offsets are 16-bit.
    static let mostBytes = 65_536 - rowGranule

    public var byteCount: Int { Int(header.pointee.rowBytes) }
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: byteCount) }

    var identityBase: UnsafePointer<UInt8> {
        UnsafePointer((base + Self.headerBytes).assumingMemoryBound(to: UInt8.self))
    }

    /// Empty when the user belongs to none.
    public var tenant: ByteView { ByteView(base: identityBase, count: Int(header.pointee.tenantBytes)) }
    public var user: ByteView {
        let tenant = Int(header.pointee.tenantBytes)
        return ByteView(base: identityBase + tenant, count: Int(header.pointee.identityBytes) - tenant)
    }

    /// Whether it is that user's.
    @inline(__always)
    func isOf(tenant: ByteView, user: ByteView) -> Bool {
        let header = header
        guard Int(header.pointee.tenantBytes) == tenant.count,
            Int(header.pointee.identityBytes) == tenant.count + user.count
        else { return false }
        return (tenant.isEmpty || self.tenant.isEqual(to: tenant)) && self.user.isEqual(to: user)
    }

    /// The elements of one section; `T` must be the section's slot type.
    @inlinable @inline(__always) func slots<T>(_ section: Section, _: T.Type) -> Slots<T> {
        let entry = header.pointee.sections[Int(section.rawValue)]
        return Slots(
            base: (base + Int(entry.offset) * 8).assumingMemoryBound(to: T.self), count: Int(entry.count),
            capacity: Int(entry.capacity))
    }

    @inlinable public var absorbed: Slots<Int64> { slots(.absorbed, Int64.self) }
    @inlinable public var devices: Slots<DeviceSlot> { slots(.devices, DeviceSlot.self) }
    @inlinable public var networks: Slots<NetworkSlot> { slots(.networks, NetworkSlot.self) }
    @inlinable public var places: Slots<PlaceSlot> { slots(.places, PlaceSlot.self) }
    @inlinable public var actions: Slots<ActionSlot> { slots(.actions, ActionSlot.self) }
    @inlinable public var pairs: Slots<PairSlot> { slots(.pairs, PairSlot.self) }
    @inlinable public var sessions: Slots<SessionSlot> { slots(.sessions, SessionSlot.self) }
    @inlinable public var challenges: Slots<ChallengeSlot> { slots(.challenges, ChallengeSlot.self) }
    @inlinable public var holds: Slots<HoldSlot> { slots(.holds, HoldSlot.self) }
    @inlinable public var failures: Slots<SlidingWindow> { slots(.failures, SlidingWindow.self) }
    @inlinable public var asks: Slots<AskSlot> { slots(.asks, AskSlot.self) }
    @inlinable public var judged: Slots<JudgedSlot> { slots(.judged, JudgedSlot.self) }

    /// Drops element `index` by moving the last one into its place.
    func remove<T>(_ section: Section, _ type: T.Type, at index: Int) {
        let slots = slots(section, type)
        slots.base[index] = slots.base[slots.count - 1]
        header.pointee.sections[Int(section.rawValue)].count -= 1
    }

    public func removeChallenge(at index: Int) { remove(.challenges, ChallengeSlot.self, at: index) }
    public func removeSession(at index: Int) { remove(.sessions, SessionSlot.self, at: index) }
    public func removeHold(at index: Int) { remove(.holds, HoldSlot.self, at: index) }

    /// Whether the fingerprint is among the newest event ids; remembers it.
    public func remember(event fingerprint: UInt32) -> Bool {
        let header = header
        let wanted = SIMD4<UInt32>(repeating: fingerprint)
        let isKnown = withUnsafeBytes(of: &header.pointee.recent) { recent in
            func held(_ at: Int) -> SIMD4<UInt32> { recent.loadUnaligned(fromByteOffset: at, as: SIMD4<UInt32>.self) }
            return any((held(0) .== wanted) .| (held(16) .== wanted) .| (held(32) .== wanted))
        }
        if isKnown { return true }
        header.pointee.recent[Int(header.pointee.recentNext % 12)] = fingerprint
        header.pointee.recentNext &+= 1
        return false
    }

    /// Empties the windows that were cut up otherwise when the row was written: panes are numbered in multiples of
    /// their length, so shorter ones than today's would lie in the far future and never pass.
    public func dropForeignWindows(hop: Int64, length: Int64, breadth: Int64, exports: Int64) {
        let last = max(header.pointee.lastSeen.milliseconds, 0)
        if header.pointee.rate.newest > last / hop { header.pointee.rate = HoppingWindow() }
        if header.pointee.paceWindow.index > last / length { header.pointee.paceWindow = TumblingWindow() }
        if header.pointee.breadth.index > last / breadth { header.pointee.breadth = BreadthWindow() }
        if header.pointee.exports.index > last / exports { header.pointee.exports = TalliedWindow() }
    }

    /// Whether everything in it that a reader indexes or switches by is in range. For bytes that come from outside;
    /// the sections must be in range.
    var hasValidValues: Bool {
        let header = header
        func raw<T>(_ field: UnsafeMutablePointer<T>) -> UInt8 { UnsafeRawPointer(field).load(as: UInt8.self) }
        guard RiskLevel(rawValue: raw(&header.pointee.level)) != nil, Verdict(rawValue: raw(&header.pointee.verdict)) != nil
        else { return false }
        func isTime(_ milliseconds: Int64) -> Bool { milliseconds >= 0 && milliseconds < Timestamp.latest.milliseconds }
        guard isTime(header.pointee.rate.newest), isTime(header.pointee.paceWindow.index) else { return false }
        guard isTime(header.pointee.breadth.index), isTime(header.pointee.exports.index) else { return false }
        let state = MemoryLayout<ChallengeSlot>.offset(of: \.state) ?? 0
        for index in 0..<challenges.count {
            let value = UnsafeRawPointer(challenges.base + index).load(fromByteOffset: state, as: UInt8.self)
            guard ChallengeState(rawValue: value) != nil else { return false }
        }
        for index in 0..<holds.count where holds[index].hour > 23 || holds[index].weekday > 6 { return false }
        for index in 0..<judged.count {
            let slot = judged.base + index
            guard Verdict(rawValue: raw(&slot.pointee.verdict)) != nil, RiskLevel(rawValue: raw(&slot.pointee.level)) != nil,
                FeedbackLabel(rawValue: raw(&slot.pointee.label)) != nil, FeedbackSource(rawValue: raw(&slot.pointee.by)) != nil
            else { return false }
        }
        return header.pointee.touched <= Int64.max
    }

    static func stride(of section: Section) -> Int {
        switch section {
        case .absorbed: MemoryLayout<Int64>.stride
        case .devices: MemoryLayout<DeviceSlot>.stride
        case .networks: MemoryLayout<NetworkSlot>.stride
        case .places: MemoryLayout<PlaceSlot>.stride
        case .actions: MemoryLayout<ActionSlot>.stride
        case .pairs: MemoryLayout<PairSlot>.stride
        case .sessions: MemoryLayout<SessionSlot>.stride
        case .challenges: MemoryLayout<ChallengeSlot>.stride
        case .holds: MemoryLayout<HoldSlot>.stride
        case .failures: MemoryLayout<SlidingWindow>.stride
        case .asks: MemoryLayout<AskSlot>.stride
        case .judged: MemoryLayout<JudgedSlot>.stride
        }
    }
}

/// The elements of a section, in place.
public struct Slots<T> {
    public let base: UnsafeMutablePointer<T>
    public let count: Int
    public let capacity: Int

    @inlinable init(base: UnsafeMutablePointer<T>, count: Int, capacity: Int) {
        self.base = base
        self.count = count
        self.capacity = capacity
    }

    @inlinable public subscript(index: Int) -> T {
        @inline(__always) get { base[index] }
        @inline(__always) nonmutating set { base[index] = newValue }
    }
}
