import Events

/// What a login of the login half is. Raw values are the label's `kind`.
public enum LoginKind: String, Sendable, CaseIterable {
    /// The account's owner, or somebody without an account, who means no harm.
    case legitimate
    /// An attempt of a campaign that tries many names from a few addresses.
    case stuffing
    /// An attempt of a campaign that succeeded.
    case takeover
    /// Knows the password and nothing else: any address, any device.
    case naive
    /// Knows the password and the country.
    case vpn
    /// Knows the password, the country, the provider and what kind of device is used.
    case targeted
    /// Knows the neighbourhood and the browser too.
    case veryTargeted = "very_targeted"

    /// Whoever knows the password of one account that was used before.
    static let attackers: [LoginKind] = [.naive, .vpn, .targeted, .veryTargeted]
}

/// Everything that shapes the login half. Equal options give equal bytes. Shares are of all rows unless said otherwise;
/// the defaults follow the RBA data set (Wiefling, Jørgensen, Thunem, Lo Iacono, ACM TOPS 2022).
public struct LoginOptions: Sendable, Equatable {
    /// About how many rows.
    public var rows = 300_000
    /// Length of the stream in days.
    public var days = 365
    /// Whatever is random follows from it.
    public var seed: UInt64 = 1
    /// When it begins.
    public var start = Timestamp(milliseconds: 1_759_276_800_000)
    /// Written into every event; nil for none.
    public var tenant: String?

    /// Rows on names that are no account.
    public var unknownShare = 0.449
    /// Rows that succeed.
    public var successShare = 0.401
    /// Rows of campaigns.
    public var campaignShare = 0.046
    /// Names a campaign tries: median of a lognormal, and the sigma of its logarithm.
    public var campaignMedian = 70.0
    public var campaignSigma = 1.1
    /// Rows per address of a campaign, on average.
    public var campaignRowsPerAddress = 2.8
    /// Share of a campaign's names that are accounts.
    public var campaignKnownShare = 0.08
    /// Share of carriers' shared addresses, and of exits, from which campaigns come too.
    public var listedMobile = 0.33
    public var listedExits = 0.5

    /// Attack logins per row. The data set has 0.0000045 takeovers a row: too few to measure in a stream of a million.
    public var naiveRate = 0.0016
    public var vpnRate = 0.0016
    public var targetedRate = 0.0016
    public var veryTargetedRate = 0.0008
    public var takeoverRate = 0.0008
    /// Share of takeovers whose victim never logged in before.
    public var takeoverNoHistory = 0.35
    /// Share of takeovers with a browser like the victim's, sold along with the password.
    public var takeoverFingerprint = 0.55
    /// Share of takeovers over an address that made none of the campaign's other attempts.
    public var takeoverFresh = 0.35
    /// Share of campaigns with takeovers in them.
    public var takeoverCampaigns = 0.6
    /// Share of naive attackers who come from an address that campaigns use.
    public var naiveListed = 0.3
    /// Share of a campaign's addresses in the country whose accounts it is after.
    public var campaignNear = 0.9
    /// Share of VPN attackers who come over an exit; the others come over homes and carriers.
    public var vpnExits = 0.27
    /// Probability that a targeted attacker shows the victim's browser and not another for that kind of device.
    public var targetedFamily = 0.48
    /// Probability that he shows the very user agent that he saw when he stole the password.
    public var targetedCopies = 0.03
    /// Days from the login at which a password was stolen to its use: median of a lognormal, sigma of its logarithm.
    public var delayMedian = 14.0
    public var delaySigma = 1.6

    /// Volume of the last month over that of the first.
    public var drift = 3.1 / 2.3
    /// Share of accounts in the service's own country; of all rows it is .423.
    public var ownersHome = 0.65
    /// Share of those abroad who keep the hours of the service's own country.
    public var homeClock = 0.45
    /// Share of logins by people who are in no hurry of habit, at any hour.
    public var anyHour = 0.14

    /// Share of homes whose address never changes, and the median days that another is kept.
    public var fixedHomes = 0.2
    public var leaseDays = 8.0
    /// Share of leases from a pool elsewhere in the provider's network.
    public var leasesElsewhere = 0.2
    /// Share of phones' logins that come over the carrier.
    public var carrierShare = 0.5
    /// Rows per address of carriers and of VPN exits, on average.
    public var crowd = 12.0
    /// Share of carriers' logins that come out at a gateway in another region.
    public var roaming = 0.35
    /// Share of people with an office, and with a VPN.
    public var officeShare = 0.3
    public var vpnShare = 0.07
    /// Probability that a visit happens on a journey, and that the journey is abroad.
    public var travel = 0.08
    public var travelAbroad = 0.9
    /// Mean days until a person changes provider, and until a device is replaced.
    public var providerDays = 900.0
    public var deviceDays = 800.0
    /// Share of devices that update late.
    public var laggards = 0.3
    /// Factor on the days between releases of every browser.
    public var releasePace = 2.1
    /// Share of visits from a device that is not one's own.
    public var strangeDevice = 0.02

    /// Share of rows with `rtt_ms`, and its median.
    public var roundTripShare = 0.041
    public var roundTripMedian = 539.0
    /// Share of people whose devices have an id.
    public var deviceIDs = 0.0
    /// Whether places have coordinates.
    public var coordinates = false

    /// The defaults.
    public init() {}

    /// How much of the first instant's volume the stream gains, so that its last twelfth is `drift` times its first.
    var growth: Double { (drift - 1) / max((23 - drift) / 24, 0.1) }

    /// The rate of a kind of attacker, logins per row.
    func rate(_ kind: LoginKind) -> Double {
        switch kind {
        case .naive: naiveRate
        case .vpn: vpnRate
        case .targeted: targetedRate
        case .veryTargeted: veryTargetedRate
        case .takeover: takeoverRate
        case .legitimate, .stuffing: 0
        }
    }
}

extension LoginOptions: Settable {
    public static var settings: [Setting<LoginOptions>] {
        [
            Setting("rows", \.rows, 100...100_000_000, "about how many rows"),
            Setting("days", \.days, 1...3_650, "length of the stream in days"),
            Setting("unknown", \.unknownShare, 0...0.9, "share of rows on names that are no account"),
            Setting("success", \.successShare, 0.01...0.95, "share of rows that succeed"),
            Setting("campaign.share", \.campaignShare, 0...0.5, "share of rows that are a campaign's attempts"),
            Setting("campaign.median", \.campaignMedian, 5...100_000, "names a campaign tries, median"),
            Setting("campaign.sigma", \.campaignSigma, 0...2.5, "sigma of its logarithm"),
            Setting("campaign.rows_per_address", \.campaignRowsPerAddress, 1...10_000, "attempts from one address"),
            Setting("campaign.known", \.campaignKnownShare, 0...1, "share of a campaign's names that are accounts"),
            Setting("listed.mobile", \.listedMobile, 0...1, "share of carriers' shared addresses that campaigns use too"),
            Setting("listed.exits", \.listedExits, 0...1, "share of VPN exits that campaigns use too"),
            Setting("attack.naive", \.naiveRate, 0...0.1, "naive attackers' logins per row"),
            Setting("attack.vpn", \.vpnRate, 0...0.1, "VPN attackers' logins per row"),
            Setting("attack.targeted", \.targetedRate, 0...0.1, "targeted attackers' logins per row"),
            Setting("attack.very_targeted", \.veryTargetedRate, 0...0.1, "very targeted attackers' logins per row"),
            Setting("attack.takeover", \.takeoverRate, 0...0.05, "campaigns' successful logins per row"),
            Setting("takeover.no_history", \.takeoverNoHistory, 0...1, "share of takeovers whose victim never logged in before"),
            Setting("takeover.fingerprint", \.takeoverFingerprint, 0...1, "share of takeovers with a browser like the victim's"),
            Setting("takeover.fresh", \.takeoverFresh, 0...1, "share of takeovers over an address that made no other attempts"),
            Setting("takeover.campaigns", \.takeoverCampaigns, 0.01...1, "share of campaigns with takeovers in them"),
            Setting("naive.listed", \.naiveListed, 0...1, "share of naive attackers at an address that campaigns use"),
            Setting("campaign.near", \.campaignNear, 0...1, "share of a campaign's addresses in the country it is after"),
            Setting("targeted.family", \.targetedFamily, 0...1, "probability that a targeted attacker has the victim's browser"),
            Setting("vpn.exits", \.vpnExits, 0...1, "share of VPN attackers who come over a hosting company's exit"),
            Setting("targeted.copies", \.targetedCopies, 0...1, "probability that he shows the victim's very user agent"),
            Setting("delay.median", \.delayMedian, 0.01...1_000, "days from a password's theft to its use, median"),
            Setting("delay.sigma", \.delaySigma, 0...3, "sigma of its logarithm"),
            Setting("drift", \.drift, 0.1...10, "volume of the last month over that of the first"),
            Setting("owners_home", \.ownersHome, 0...1, "share of accounts in the service's own country"),
            Setting("home_clock", \.homeClock, 0...1, "share of people abroad who keep the service's hours"),
            Setting("any_hour", \.anyHour, 0...1, "share of visits at no hour of habit"),
            Setting("fixed_homes", \.fixedHomes, 0...1, "share of homes whose address never changes"),
            Setting("lease_days", \.leaseDays, 0.1...10_000, "days another home keeps its address, median"),
            Setting("leases_elsewhere", \.leasesElsewhere, 0...1, "share of leases from elsewhere in the provider's network"),
            Setting("carrier", \.carrierShare, 0...1, "share of phones' visits over the carrier's network"),
            Setting("crowd", \.crowd, 1...10_000, "rows per shared address of a carrier or a VPN, on average"),
            Setting("roaming", \.roaming, 0...1, "share of carriers' visits through a gateway in another region"),
            Setting("office", \.officeShare, 0...1, "share of people with an office"),
            Setting("vpn", \.vpnShare, 0...1, "share of people with a VPN"),
            Setting("travel", \.travel, 0...1, "probability that a visit happens on a journey"),
            Setting("travel_abroad", \.travelAbroad, 0...1, "probability that the journey is abroad"),
            Setting("provider_days", \.providerDays, 10...100_000, "days until a home changes its provider, mean"),
            Setting("device_days", \.deviceDays, 10...100_000, "days until a device is replaced, mean"),
            Setting("laggards", \.laggards, 0...1, "share of devices that update late"),
            Setting("release_pace", \.releasePace, 0.05...20, "factor on the days between releases of browsers"),
            Setting("strange_device", \.strangeDevice, 0...1, "share of visits on somebody else's device"),
            Setting("rtt.share", \.roundTripShare, 0...1, "share of rows with a round-trip time"),
            Setting("rtt.median", \.roundTripMedian, 1...10_000, "its median in milliseconds"),
            Setting("device_ids", \.deviceIDs, 0...1, "share of people whose devices have an id"),
            Setting("coordinates", \.coordinates, "whether places have coordinates"),
        ]
    }

    /// The same with every number forced into its range, so that no value can trap.
    var bounded: LoginOptions {
        var copy = LoginOptions()
        (copy.seed, copy.tenant) = (seed, tenant)
        for setting in Self.settings { try? setting.set(setting.value(in: self), in: &copy) }
        copy.start = min(max(start, .earliest), Timestamp.latest + -Int64(copy.days + 1) * Self.dayMilliseconds)
        return copy
    }

    static let dayMilliseconds: Int64 = 86_400_000
}
