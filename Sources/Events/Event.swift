/// What kind of event a record holds.
public enum EventType: UInt8, Sendable, CaseIterable {
    case login, action, challenge, feedback, erasure

    public var name: StaticString {
        switch self {
        case .login: "login"
        case .action: "action"
        case .challenge: "challenge"
        case .feedback: "feedback"
        case .erasure: "erasure"
        }
    }
}

/// How a login ended.
public enum LoginOutcome: UInt8, Sendable { case none, success, failure }

/// What came of a challenge.
public enum ChallengeResult: UInt8, Sendable { case none, passed, failed, denied, abandoned, timedOut }

/// A verdict given on an earlier decision.
public enum FeedbackLabel: UInt8, Sendable { case none, legitimate, compromised }

/// Who gave a verdict.
public enum FeedbackSource: UInt8, Sendable { case none, user, analyst }

/// Authentication methods, RFC 8176 section 2, as a set.
public struct AuthenticationMethods: OptionSet, Sendable, Hashable {
    public var rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// RFC 8176 names, in the order of their bits.
    public static let names: [StaticString] = [
        "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd", "rba", "retina", "sc",
        "sms", "swk", "tel", "user", "vbm", "wia",
    ]

    /// The set holding the one method of that RFC 8176 name; nil for another name.
    public init?(name: String) {
        guard let bit = Self.names.firstIndex(where: { $0.description == name }) else { return nil }
        self.init(rawValue: 1 << UInt32(bit))
    }
}

/// An IPv4 or IPv6 address. IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2) are held as IPv4.
public struct IPAddress: Hashable, Sendable {
    public enum Family: UInt8, Sendable { case none, v4, v6 }
    public var family: Family
    /// Big-endian halves; an IPv4 address is in the low 32 bits of `low`.
    public var high: UInt64
    public var low: UInt64

    @inlinable public init(family: Family, high: UInt64, low: UInt64) {
        self.family = family
        self.high = high
        self.low = low
    }

    @inlinable public static var absent: IPAddress { IPAddress(family: .none, high: 0, low: 0) }
    @inlinable public var isPresent: Bool { family != .none }
}

/// Things about an event that are worth telling but don't make it undecodable.
public struct EventFlags: OptionSet, Sendable {
    public var rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// An optional text field was longer than its bound and was cut.
    @inlinable public static var truncated: EventFlags { EventFlags(rawValue: 1) }
    /// `time` was ahead of the record's timestamp by more than the allowed skew and was clamped to it.
    @inlinable public static var clamped: EventFlags { EventFlags(rawValue: 2) }
    /// Behind the task's watermark when it arrived.
    @inlinable public static var late: EventFlags { EventFlags(rawValue: 4) }
    /// Its id is among the user's recent ones.
    @inlinable public static var duplicate: EventFlags { EventFlags(rawValue: 8) }
}

/// One decoded event: plain values and views into the parser's buffers, valid until the next decode.
///
/// Small values stand together, as it is reset for every record: up to 512 bytes are copied without a loop.
public struct Event {
    public var type: EventType = .action
    public var flags: EventFlags = []
    public var outcome = LoginOutcome.none
    public var challengeResult = ChallengeResult.none
    public var feedbackLabel = FeedbackLabel.none
    public var feedbackBy = FeedbackSource.none
    /// What the person is said to have enrolled; nil when the event doesn't say.
    public var enrolments: ChallengeMethods?
    public var time = Timestamp(milliseconds: 0)
    public var id = ByteView.absent
    /// Empty when the event names none.
    public var tenant = ByteView.absent
    public var user = ByteView.absent
    public var session = ByteView.absent

    public var action = ByteView.absent
    public var resource = ByteView.absent
    /// Never negative; NaN when absent.
    public var amount = Double.nan
    public var currency = ByteView.absent

    public var ip = IPAddress.absent
    /// 0 when unknown.
    public var asn: UInt32 = 0
    /// ISO 3166-1 alpha-2 as two upper-case ASCII bytes, first in the high byte; 0 when unknown.
    public var country: UInt16 = 0
    /// Major version of what `agentFamilyText` names; 0 when unknown.
    public var agentMajor: UInt16 = 0
    public var region = ByteView.absent
    public var city = ByteView.absent
    /// Degrees, −90…90 and −180…180; NaN when unknown.
    public var latitude = Float.nan
    public var longitude = Float.nan

    public var deviceID = ByteView.absent
    public var userAgent = ByteView.absent
    public var browser = ByteView.absent
    public var os = ByteView.absent
    public var deviceType = ByteView.absent

    /// Browser or app without its version, from the user agent where there are rules for that, else from `browser`.
    public var agentFamilyText = ByteView.absent
    /// Operating system without its version, from the user agent, else from `os`.
    public var osFamilyText = ByteView.absent
    public var deviceClass = DeviceClass.unknown
    /// Country, region, city and coordinates come from a database of ours, not from the event.
    public var geoIsDerived = false
    /// What lists and databases know of the address.
    public var networkTraits: NetworkTraits = []
    /// Milliseconds; NaN when absent.
    public var roundTripMilliseconds = Float.nan
    /// A token's `jti` or hash.
    public var token = ByteView.absent

    public var acr = ByteView.absent
    public var amr: AuthenticationMethods = []
    /// When the person last authenticated; `.distantPast` when unknown.
    public var authTime = Timestamp.distantPast
    public var reason = ByteView.absent

    public var challengeDecision = ByteView.absent
    public var challengeMethod = ByteView.absent
    public var nonce = ByteView.absent
    public var newSession = ByteView.absent

    public var feedbackDecision = ByteView.absent

    /// The name of the field that was truncated first, for the reason's text.
    public var truncatedField: StaticString = ""
    /// Its original length in bytes.
    public var truncatedBytes = 0

    @inlinable public init() {}
}
