extension TrafficOptions: Settable {
    /// Every parameter of the action half.
    public static var settings: [Setting<TrafficOptions>] {
        stream + people + attackSettings + twinSettings
    }

    private static var stream: [Setting<TrafficOptions>] {
        [
            Setting("users", \.users, 1...4_000_000, "people with accounts"),
            Setting("days", \.days, 1...3_650, "length of the stream in days"),
            Setting("attack_share", \.attackShare, 0...1, "share of the stream, at its end, that has attacks"),
            Setting("warmup_days", \.warmupDays, -1...3_650, "days before the first attack; -1 for what attack_share leaves"),
            Setting("established", \.established, 0...1_000, "successful logins that a victim has had before"),
            Setting("detail", \.detail, "device fields that events carry beside id and type"),
            Setting("round_trip_share", \.roundTripShare, 0...1, "share of events with rtt_ms"),
        ]
    }

    private static var people: [Setting<TrafficOptions>] {
        [
            Setting("sessions_median", \.sessionsMedian, 0...50, "sessions a user and day, lognormal across users"),
            Setting("sessions_sigma", \.sessionsSigma, 0...2, "sigma of its logarithm"),
            Setting("actions_median", \.actionsMedian, 1...500, "actions a session, lognormal"),
            Setting("actions_sigma", \.actionsSigma, 0...2, "sigma of its logarithm"),
            Setting("gap_median", \.gapMedian, 0.001...600, "seconds between actions, lognormal"),
            Setting("gap_sigma", \.gapSigma, 0...3, "sigma of its logarithm"),
            Setting("pace_share", \.paceShare, 0...1, "part of both sigmas that lies between people, not within one"),
            Setting("concentration", \.concentration, 0.1...1e6, "how closely a person keeps to the role's chain (Dirichlet)"),
            Setting("own_resources", \.ownResources, 1...1_000, "things of one's own, of each kind"),
            Setting("own_share", \.ownShare, 0...1, "share of actions done to them"),
            Setting("idless_users", \.idlessUsers, 0...1, "share of users whose clients never send a device id"),
            Setting("private_share", \.privateShare, 0...1, "share of the others' sessions without a device id"),
        ]
    }

    private static var attackSettings: [Setting<TrafficOptions>] {
        AttackKind.ofTraffic.map {
            Setting("attacks." + $0.rawValue, \.attacks[$0], 0...100_000, "scenarios per 1,000 users and day")
        } + [
            Setting("stuffing_names", \.stuffingNames, 1...100_000, "names a campaign tries"),
            Setting("stuffing_addresses", \.stuffingAddresses, 1...1_000, "addresses it comes from"),
            Setting("stuffing_success", \.stuffingSuccess, 0...1, "share of its tries that succeed"),
            Setting("spray_names", \.sprayNames, 1...100_000, "names a campaign tries"),
            Setting("spray_addresses", \.sprayAddresses, 1...1_000, "addresses it comes from"),
            Setting("spray_days", \.sprayDays, 1...30, "days it takes"),
            Setting("spray_success", \.spraySuccess, 0...1, "share of names whose password it finds"),
            Setting(
                "campaign_events", \.campaignEvents, 1...1_000_000_000,
                "campaigns are smaller in a stream of fewer events; 1 for full size always"),
            Setting("insider_days", \.insiderDays, 1...60, "days an insider takes"),
            Setting("insider_factor", \.insiderFactor, 0...100, "his exports a day, in his usual ones"),
            Setting("pushes", \.pushes, 1...100, "logins of one push bombing"),
        ]
    }

    private static var twinSettings: [Setting<TrafficOptions>] {
        [
            Setting("twins.trip", \.twins.trip, 0...1, "probability of a trip of 2 to 6 days in any 28"),
            Setting("twins.device_days", \.twins.deviceDays, 7...100_000, "mean days until a device is replaced"),
            Setting("twins.vpn_users", \.twins.vpnUsers, 0...1, "share of users with a VPN"),
            Setting("twins.vpn_toggle", \.twins.vpnToggle, 0...1, "probability that such a user switches it on in a session"),
            Setting("twins.network_switch", \.twins.networkSwitch, 0...1, "probability that a phone's session leaves its Wi-Fi"),
            Setting("twins.dual_stack", \.twins.dualStack, 0...1, "share of homes with IPv4 and IPv6"),
            Setting("twins.mobile_network", \.twins.mobileNetwork, 0...1, "probability that a phone at home uses the mobile network"),
            Setting("twins.renumbering", \.twins.renumbering, 0...1, "probability that a provider renumbers a city in any 30 days"),
            Setting("twins.role_change", \.twins.roleChange, 0...1, "probability that a user's role changes in any 30 days"),
            Setting("twins.mistyped", \.twins.mistyped, 0...1, "probability that failures precede a login"),
            Setting("twins.password_reset", \.twins.passwordReset, 0...1, "probability that a login is one by a reset"),
            Setting("twins.daylight_saving", \.twins.daylightSaving, "clocks are changed where they are"),
            Setting("twins.bulk_users", \.twins.bulkUsers, 0...1, "share of users that are nightly jobs"),
        ]
    }
}
