import Events
import Glibc

/// What device fields an event carries beside its id and type.
public enum DeviceDetail: String, Sendable, CaseIterable {
    /// `browser` and `os`.
    case parsed
    /// `user_agent`.
    case agent
    /// All of them.
    case both
}

/// Everything that shapes generated traffic. Equal options give equal bytes.
public struct TrafficOptions: Sendable, Equatable {
    /// People with accounts, 1…4,000,000.
    public var users = 200
    /// Length of the stream, 1…3,650.
    public var days = 14
    /// About how many events to make: sets how often users come. Nil for their natural pace.
    public var events: Int?
    /// Whatever is random follows from it.
    public var seed: UInt64 = 1
    /// The stream covers `start` to `end`, excluded.
    public var start = Timestamp(milliseconds: 1_790_812_800_000)
    /// Written into every event; nil for none.
    public var tenant: String? = "acme"
    /// What device fields events carry.
    public var detail = DeviceDetail.both
    /// Share of events with `rtt_ms`.
    public var roundTripShare = 0.041
    /// Share of users whose clients never send a device id.
    public var idlessUsers = 0.3
    /// Share of the others' sessions whose device keeps no id: private windows, cleared storage.
    public var privateShare = 0.06
    /// Sessions a user and day: lognormal across users.
    public var sessionsMedian = 0.8
    /// Sigma of its logarithm.
    public var sessionsSigma = 0.8
    /// Actions a session, lognormal.
    public var actionsMedian = 12.0
    /// Sigma of its logarithm, over all sessions of everybody.
    public var actionsSigma = 0.6
    /// Seconds between actions, lognormal.
    public var gapMedian = 8.0
    /// Sigma of its logarithm, over everybody.
    public var gapSigma = 1.2
    /// What part of the two sigmas above lies between people rather than within one: everybody has a pace of his own.
    public var paceShare = 0.3
    /// How closely a person keeps to the role's chain: the concentration of a Dirichlet distribution around it.
    public var concentration = 80.0
    /// Things of one's own that most of what one does is done to.
    public var ownResources = 3
    /// Share of actions that are done to them.
    public var ownShare = 0.8
    /// The last part of the stream that has attacks, 0…1; before it all is legitimate.
    public var attackShare = 0.3
    /// How often attacks occur.
    public var attacks = AttackRates()
    /// How often benign twins occur.
    public var twins = TwinRates()
    /// Days before the first attack, in which everybody becomes known; negative for what `attackShare` leaves.
    public var warmupDays = -1
    /// Successful logins that a victim has had before, wherever there is somebody who has.
    public var established = 5
    /// Names one stuffing campaign tries, in a stream of `campaignEvents` events or more; fewer in proportion to the
    /// length of a shorter one.
    public var stuffingNames = 1_000...50_000
    /// Addresses it comes from.
    public var stuffingAddresses = 1...50
    /// Share of its tries that succeed.
    public var stuffingSuccess = 0.005
    /// Users one spraying campaign tries, scaled as `stuffingNames`.
    public var sprayNames = 1_000...10_000
    /// Addresses it comes from.
    public var sprayAddresses = 10...200
    /// Days it takes.
    public var sprayDays = 1...3
    /// Share of the names it tries whose password it finds.
    public var spraySuccess = 0.01
    /// From how many events on a stream has campaigns of full size; 1 for full size always.
    public var campaignEvents = 2_000_000
    /// Days an insider takes.
    public var insiderDays = 3...10
    /// How many times his usual exports of a day he makes on each of them.
    public var insiderFactor = 5.0
    /// Logins of one push bombing.
    public var pushes = 6...20

    /// The defaults.
    public init() {}

    static let dayMilliseconds: Int64 = 86_400_000

    /// Setting it moves `start`.
    public var end: Timestamp {
        get { start + Int64(days) * Self.dayMilliseconds }
        set { start = newValue + -Int64(days) * Self.dayMilliseconds }
    }
    /// When attacks begin.
    public var attackStart: Timestamp {
        if warmupDays >= 0 { return start + Int64(min(warmupDays, days)) * Self.dayMilliseconds }
        return end + -attackLength
    }
    private var attackLength: Int64 {
        Int64(min(max(attackShare, 0), 1) * Double(Int64(days) * Self.dayMilliseconds))
    }

    /// Options for about `events` events, with as many users as give each some 350 events over 14 days.
    /// Each kind of attack occurs at least once, so that a stream of fewer than 10,000 comes out longer than asked.
    public static func sized(events: Int, seed: UInt64) -> TrafficOptions {
        var options = TrafficOptions()
        options.events = max(events, 1)
        options.users = min(max(events / 350, 4), 4_000_000)
        options.seed = seed
        return options
    }

    /// About how many events there will be, without attacks.
    var expectedEvents: Double {
        if let events { return Double(events) }
        let perSession = 1 + actionsMedian * exp(actionsSigma * actionsSigma / 2)
        return Double(users) * Double(days) * sessionsMedian * exp(sessionsSigma * sessionsSigma / 2) * perSession
    }
    /// By how much campaigns are smaller than in a long stream, 0…1.
    var campaignScale: Double { min(1, expectedEvents / Double(campaignEvents)) }

    /// The same with every number forced into its range, so that no value can trap.
    var bounded: TrafficOptions {
        func finite(_ value: Double, _ range: ClosedRange<Double>) -> Double {
            value.isNaN ? range.lowerBound : min(max(value, range.lowerBound), range.upperBound)
        }
        func within(_ range: ClosedRange<Int>, _ bounds: ClosedRange<Int>) -> ClosedRange<Int> {
            let low = min(max(range.lowerBound, bounds.lowerBound), bounds.upperBound)
            return low...min(max(range.upperBound, low), bounds.upperBound)
        }
        var copy = self
        copy.users = min(max(users, 1), 4_000_000)
        copy.days = min(max(days, 1), 3_650)
        copy.events = events.map { min(max($0, 1), 1_000_000_000_000) }
        copy.start = min(max(start, .earliest), Timestamp.latest + -Int64(copy.days) * Self.dayMilliseconds)
        copy.roundTripShare = finite(roundTripShare, 0...1)
        copy.privateShare = finite(privateShare, 0...1)
        copy.idlessUsers = finite(idlessUsers, 0...1)
        copy.sessionsMedian = finite(sessionsMedian, 0...50)
        copy.sessionsSigma = finite(sessionsSigma, 0...2)
        copy.actionsMedian = finite(actionsMedian, 1...500)
        copy.actionsSigma = finite(actionsSigma, 0...2)
        copy.gapMedian = finite(gapMedian, 0.001...600)
        copy.gapSigma = finite(gapSigma, 0...3)
        copy.paceShare = finite(paceShare, 0...1)
        copy.concentration = finite(concentration, 0.1...1e6)
        copy.ownResources = min(max(ownResources, 1), 1_000)
        copy.ownShare = finite(ownShare, 0...1)
        copy.attackShare = finite(attackShare, 0...1)
        for kind in AttackKind.allCases { copy.attacks[kind] = finite(attacks[kind], 0...100_000) }
        copy.twins.deviceDays = finite(twins.deviceDays, 7...100_000)
        copy.twins.renumbering = finite(twins.renumbering, 0...1)
        copy.twins.roleChange = finite(twins.roleChange, 0...1)
        copy.stuffingNames = within(stuffingNames, 1...100_000)
        copy.stuffingAddresses = within(stuffingAddresses, 1...1_000)
        copy.stuffingSuccess = finite(stuffingSuccess, 0...1)
        copy.sprayNames = within(sprayNames, 1...100_000)
        copy.sprayAddresses = within(sprayAddresses, 1...1_000)
        copy.sprayDays = within(sprayDays, 1...30)
        copy.spraySuccess = finite(spraySuccess, 0...1)
        copy.campaignEvents = max(campaignEvents, 1)
        copy.insiderDays = within(insiderDays, 1...60)
        copy.insiderFactor = finite(insiderFactor, 0...100)
        copy.pushes = within(pushes, 1...100)
        return copy
    }
}
