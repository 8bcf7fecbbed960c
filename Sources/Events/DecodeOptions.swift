/// Bounds on what a record may hold. Beyond them: a dead letter, or a truncated and flagged optional field.
public struct DecodeBounds: Sendable, Equatable {
    /// Bytes of a record's value.
    public var recordBytes = 65_536
    /// Bytes of `id`, `tenant`, `user`, `session`, a challenge's or feedback's `decision`, `nonce` and `token`.
    public var idBytes = 256
    /// Bytes of any other text; longer text is truncated and flagged.
    public var textBytes = 512
    /// Levels of nesting.
    public var depth = 16
    public init() {}
}

/// A field of the event that a mapping may fill.
public enum EventField: String, Sendable, CaseIterable {
    case id, type, time, tenant, user, session, action, resource, amount, currency, ip, asn, token, outcome, reason
    case country = "geo.country", region = "geo.region", city = "geo.city", latitude = "geo.lat", longitude = "geo.lon"
    case deviceID = "device.id", userAgent = "device.user_agent", browser = "device.browser", os = "device.os"
    case deviceType = "device.type", roundTrip = "rtt_ms"
    case acr = "auth.acr", amr = "auth.amr", authTime = "auth.time", enrolments = "auth.enrolments"
    case challengeDecision = "challenge.decision", challengeMethod = "challenge.method"
    case challengeResult = "challenge.result", nonce = "challenge.nonce", newSession = "challenge.new_session"
    case feedbackDecision = "feedback.decision", feedbackLabel = "feedback.label", feedbackBy = "feedback.by"
}

/// One step of a path into a JSON document.
public enum PathStep: Sendable, Equatable {
    case key(String)
    case index(Int)
}

/// Where one field of the event is found in another JSON form.
public struct FieldRule: Sendable, Equatable {
    public var field: EventField
    /// Tried in order; the first that leads to a value (not null) wins.
    public var paths: [[PathStep]]
    /// Translation of values found; empty means as it is. The key "*" catches the rest.
    /// For `type`, the value "ignore" drops the record silently (counted, not a dead letter).
    public var values: [String: String]
    /// Used when no path leads to a value.
    public var fallback: String?

    public init(field: EventField, paths: [[PathStep]], values: [String: String] = [:], fallback: String? = nil) {
        self.field = field
        self.paths = paths
        self.values = values
        self.fallback = fallback
    }
}

/// How the records of one input become events.
public struct DecodeOptions: Sendable, Equatable {
    /// The type of every event on the input; nil where each event says its own.
    public var type: EventType?
    /// Empty where records are in the contract's own form.
    public var mapping: [FieldRule] = []
    /// Whether the record's key must be there and name the event's user (Kafka); false for files.
    public var requiresKey = true
    public var bounds = DecodeBounds()
    public init() {}
}
