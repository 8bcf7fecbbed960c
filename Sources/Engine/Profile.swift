import Behavior
import Events
import Glibc
import Risk

/// A user's baseline for a person to read. Fingerprints stand for devices, cities and actions: the state holds no texts.
public struct Profile: Sendable {
    /// One thing the user is known for.
    public struct Habit: Sendable {
        public var name: String
        /// Decayed number of observations.
        public var weight: Double
        /// When it was last seen; nil where that is not kept.
        public var lastSeen: Timestamp?
    }

    public var tenant = ""
    public var user = ""
    public var confidence = Confidence.learning
    public var level = RiskLevel.low
    /// Decayed number of learned logins and sessions.
    public var contexts = 0.0
    public var firstSeen = Timestamp.distantPast
    public var lastSeen = Timestamp.distantPast
    public var devices: [Habit] = []
    /// How many kinds of browser and system the devices are of, those that say.
    public var families = 0
    /// `AS64500`; networks whose provider nobody named are left out.
    public var providers: [Habit] = []
    public var networks: [Habit] = []
    public var places: [Habit] = []
    public var actions: [Habit] = []
    /// Share of learned sessions by hour of the day in UTC.
    public var hours: [Double] = []
    /// The same by day of the week, Monday first.
    public var weekdays: [Double] = []
    public var sessions = 0
    public var openChallenges = 0
    public var held = 0
    /// Typical amount and how many were seen.
    public var typicalAmount: Double?
    public var amounts = 0.0
    /// The amount that half of them, and that 95 % of them, are at or below: within 8.7 %.
    public var medianAmount: Double?
    public var largeAmount: Double?
    /// Learned actions for each learned login or session.
    public var actionsPerContext: Double?
    /// Typical number of actions in a rate window that has any, and of different resources in a window of `action.breadth`.
    public var pace: Double?
    public var breadth: Double?
    /// Typical round-trip time of logins, in milliseconds.
    public var roundTripMilliseconds: Double?
    /// Share of the logins that named their methods which had more than one factor, 0…1.
    public var strongShare: Double?
    /// What came of challenges of late, those that were passed aside; at most twelve are remembered.
    public var challengesFailed = 0
    public var challengesDenied = 0
    public var challengesUnanswered = 0
    /// How far what the user does of late is from what the user does, 0…1: see `DriftShares`.
    public var drift = DriftShares()
    public var stateBytes = 0
    /// Per input topic, the offset absorbed last.
    public var absorbed: [(topic: String, offset: Int64)] = []
}

extension Engine {
    /// The user's profile; nil when the user is not known. Action names that are given are shown instead of their
    /// fingerprints.
    public func profile(tenant: String, user: String, actionNames: [String] = []) -> Profile? {
        var known: [UInt32: String] = [:]
        for name in actionNames {
            var name = name
            let fingerprint = name.withUTF8 {
                Observation.action(ByteView(base: $0.baseAddress, count: $0.count), hash: hash)
            }
            known[fingerprint] = name
        }
        return withRow(tenant: tenant, user: user) { row in
            let header = row.header.pointee
            var profile = Profile()
            profile.tenant = tenant
            profile.user = user
            profile.contexts = Double(header.contexts)
            profile.confidence =
                profile.contexts >= Double(plan.model.establishedSamples) ? .established
                : profile.contexts >= Double(plan.model.partialSamples) ? .partial : .learning
            profile.level = header.level
            profile.firstSeen = header.firstSeen
            profile.lastSeen = header.lastSeen
            profile.devices = Self.habits(row.devices) {
                .init(name: Self.hex($0.fingerprint), weight: Double($0.weight), lastSeen: Self.time($0.lastSeen))
            }
            profile.networks = Self.habits(row.networks) {
                .init(name: Self.network($0), weight: Double($0.weight), lastSeen: Self.time($0.lastSeen))
            }
            profile.places = Self.habits(row.places) {
                .init(name: Self.place($0), weight: Double($0.weight), lastSeen: Self.time($0.lastSeen))
            }
            profile.actions = Self.habits(row.actions) {
                .init(
                    name: known[$0.fingerprint] ?? Self.hex($0.fingerprint), weight: Double($0.weight), lastSeen: nil)
            }
            let total = max((0..<24).reduce(0) { $0 + Double(header.hours[$1]) }, 1)
            profile.hours = (0..<24).map { Double(header.hours[$0]) / total }
            let days = max((0..<7).reduce(0) { $0 + Double(header.weekdays[$1]) }, 1)
            profile.weekdays = (0..<7).map { Double(header.weekdays[$0]) / days }
            profile.families = Set((0..<row.devices.count).map { [row.devices[$0].agent, row.devices[$0].os] })
                .subtracting([[0, 0]]).count
            profile.providers = Self.providers(row.networks)
            profile.takeNumbers(of: header)
            profile.sessions = (0..<row.sessions.count).count { !row.sessions[$0].flags.contains(.rotated) }
            profile.openChallenges = (0..<row.challenges.count).count { row.challenges[$0].isOpen }
            profile.held = row.holds.count
            profile.amounts = Double(header.amounts.weight)
            profile.typicalAmount = header.amounts.weight > 0 ? expm1(Double(header.amounts.mean)) : nil
            profile.stateBytes = row.byteCount
            profile.absorbed = plan.inputs.enumerated().map { ($1.topic, row.absorbed[$0]) }
            return profile
        }
    }

    private static func providers(_ networks: Slots<NetworkSlot>) -> [Profile.Habit] {
        var byNumber: [UInt32: Profile.Habit] = [:]
        for index in 0..<networks.count where networks[index].asn != 0 {
            let slot = networks[index]
            var habit = byNumber[slot.asn] ?? .init(name: "AS\(slot.asn)", weight: 0, lastSeen: nil)
            habit.weight += Double(slot.weight)
            habit.lastSeen = max(habit.lastSeen ?? .distantPast, time(slot.lastSeen))
            byNumber[slot.asn] = habit
        }
        return byNumber.values.sorted { ($1.weight, $0.name) < ($0.weight, $1.name) }
    }

    private static func habits<T>(_ slots: Slots<T>, _ habit: (T) -> Profile.Habit) -> [Profile.Habit] {
        (0..<slots.count).map { habit(slots[$0]) }.sorted { ($1.weight, $0.name) < ($0.weight, $1.name) }
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "#" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    private static func time(_ second: UInt32) -> Timestamp { Timestamp(milliseconds: Int64(second) * 1000) }

    private static func network(_ slot: NetworkSlot) -> String {
        let prefix =
            slot.key & 0x8000_0000 != 0
            ? "IPv6 /48 " + hex(slot.key)
            : "\((slot.key >> 16) & 255).\((slot.key >> 8) & 255).\(slot.key & 255).0/24"
        return slot.asn == 0 ? prefix : prefix + " AS\(slot.asn)"
    }

    private static func place(_ slot: PlaceSlot) -> String {
        let country = String(decoding: [UInt8(slot.country >> 8), UInt8(truncatingIfNeeded: slot.country)], as: UTF8.self)
        guard !slot.latitude.isNaN, slot.city != 0 else { return country }
        func degrees(_ value: Float) -> String { "\(Double((value * 10).rounded()) / 10)" }
        return "\(country), near \(degrees(slot.latitude))°, \(degrees(slot.longitude))°"
    }
}

extension Profile {
    fileprivate mutating func takeNumbers(of header: UserHeader) {
        func typical(_ moments: DecayedMoments) -> Double? { moments.weight > 0 ? exp(Double(moments.mean)) : nil }
        // The sketch holds amount + 1.
        medianAmount = header.amountSpread.quantile(0.5).map { max(0, Double($0) - 1) }
        largeAmount = header.amountSpread.quantile(0.95).map { max(0, Double($0) - 1) }
        if header.contexts > 0 && header.actionTotal > 0 { actionsPerContext = Double(header.actionTotal / header.contexts) }
        pace = typical(header.pace)
        breadth = typical(header.breadths)
        roundTripMilliseconds = typical(header.roundTrips)
        if header.factored > 0 { strongShare = Double(header.strong / header.factored) }
        func past(_ kind: ChallengeHistory.Kind) -> Int { header.challenges.count(kind, at: header.lastSeen, length: .max) }
        challengesFailed = past(.failed)
        challengesDenied = past(.denied)
        challengesUnanswered = past(.unanswered)
        drift = header.drift
    }
}
