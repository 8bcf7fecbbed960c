/// Legitimate behaviour that looks like an attack. Raw values are the label's `twin`.
///
/// Every occurrence is a case with an id of its own: a trip, a new phone, a session in which a VPN was switched on.
/// What lasts (`dualStack`, `officeNAT`, `carrierNAT`, `bulkJob`) is a case for each user and week.
public enum BenignTwin: String, Sendable, CaseIterable {
    /// Days in another city.
    case trip
    /// The first days with a new device.
    case newPhone = "new_phone"
    /// A VPN switched on in the middle of a session.
    case vpn
    /// Wi-Fi left for the mobile network in the middle of a session.
    case networkSwitch = "network_switch"
    /// IPv4 and IPv6 by turns from one home.
    case dualStack = "dual_stack"
    /// Many users behind one office address.
    case officeNAT = "office_nat"
    /// A crowd behind one of a carrier's few addresses.
    case carrierNAT = "carrier_nat"
    /// The first days after a provider moved its customers to another prefix over night.
    case renumbering
    /// The first weeks of a person with another job.
    case roleChange = "role_change"
    /// A password mistyped once or twice before the login succeeds.
    case mistyped
    /// A password forgotten and made anew by its owner: failures, a login by the link that was sent, the change.
    case passwordReset = "password_reset"
    /// The first days after clocks were changed: habits of the clock move by an hour of UTC.
    case daylightSaving = "daylight_saving"
    /// A job that runs every night.
    case bulkJob = "bulk_job"
}

/// How often benign twins occur; shares and probabilities are 0…1.
public struct TwinRates: Sendable, Equatable {
    /// Probability that a user makes a trip of 2 to 6 days in any 28 days.
    public var trip = 0.25
    /// Mean days until a device is replaced.
    public var deviceDays = 300.0
    /// Share of users with a VPN.
    public var vpnUsers = 0.08
    /// Probability that such a user switches it on in the middle of a session.
    public var vpnToggle = 0.25
    /// Probability that a session on a phone at home moves to the mobile network.
    public var networkSwitch = 0.04
    /// Share of homes with IPv4 and IPv6.
    public var dualStack = 0.35
    /// Probability that a session on a phone at home uses the mobile network from the start.
    public var mobileNetwork = 0.22
    /// Probability that a provider renumbers its customers of one city in any 30 days.
    public var renumbering = 0.05
    /// Probability that a user's role changes in any 30 days.
    public var roleChange = 0.015
    /// Probability that a login is preceded by one or two failures.
    public var mistyped = 0.06
    /// Probability that a login is one by a reset of the password.
    public var passwordReset = 0.004
    /// Whether clocks are changed where they are.
    public var daylightSaving = true
    /// Share of users that are nightly jobs.
    public var bulkUsers = 0.004
    /// The defaults.
    public init() {}
}
