// The wire names of the event's enumerations: the one place decoding, encoding and the schemas take them from.

extension EventType {
    init?(name: ByteView) {
        guard let found = Self.allCases.first(where: { name == $0.name }) else { return nil }
        self = found
    }
}

extension LoginOutcome {
    /// Every value a record may give.
    public static let given: [LoginOutcome] = [.success, .failure]
    /// "" for `none`.
    public var name: StaticString {
        switch self {
        case .none: ""
        case .success: "success"
        case .failure: "failure"
        }
    }
    init?(name: ByteView) {
        guard let found = Self.given.first(where: { name == $0.name }) else { return nil }
        self = found
    }
}

extension ChallengeResult {
    /// Every value a record may give.
    public static let given: [ChallengeResult] = [.passed, .failed, .denied, .abandoned, .timedOut]
    /// "" for `none`.
    public var name: StaticString {
        switch self {
        case .none: ""
        case .passed: "passed"
        case .failed: "failed"
        case .denied: "denied"
        case .abandoned: "abandoned"
        case .timedOut: "timed_out"
        }
    }
    init?(name: ByteView) {
        guard let found = Self.given.first(where: { name == $0.name }) else { return nil }
        self = found
    }
}

extension FeedbackLabel {
    /// Every value a record may give.
    public static let given: [FeedbackLabel] = [.legitimate, .compromised]
    /// "" for `none`.
    public var name: StaticString {
        switch self {
        case .none: ""
        case .legitimate: "legitimate"
        case .compromised: "compromised"
        }
    }
    init?(name: ByteView) {
        guard let found = Self.given.first(where: { name == $0.name }) else { return nil }
        self = found
    }
}

extension FeedbackSource {
    /// Every value a record may give.
    public static let given: [FeedbackSource] = [.user, .analyst]
    /// "" for `none`.
    public var name: StaticString {
        switch self {
        case .none: ""
        case .user: "user"
        case .analyst: "analyst"
        }
    }
    init?(name: ByteView) {
        guard let found = Self.given.first(where: { name == $0.name }) else { return nil }
        self = found
    }
}

extension EventField {
    /// The field's path in the contract, the same text as `rawValue`.
    public var path: StaticString {
        switch self {
        case .id: "id"
        case .type: "type"
        case .time: "time"
        case .tenant: "tenant"
        case .user: "user"
        case .session: "session"
        case .action: "action"
        case .resource: "resource"
        case .amount: "amount"
        case .currency: "currency"
        case .ip: "ip"
        case .asn: "asn"
        case .token: "token"
        case .outcome: "outcome"
        case .reason: "reason"
        case .country: "geo.country"
        case .region: "geo.region"
        case .city: "geo.city"
        case .latitude: "geo.lat"
        case .longitude: "geo.lon"
        case .deviceID: "device.id"
        case .userAgent: "device.user_agent"
        case .browser: "device.browser"
        case .os: "device.os"
        case .deviceType: "device.type"
        case .roundTrip: "rtt_ms"
        case .acr: "auth.acr"
        case .amr: "auth.amr"
        case .authTime: "auth.time"
        case .enrolments: "auth.enrolments"
        case .challengeDecision: "challenge.decision"
        case .challengeMethod: "challenge.method"
        case .challengeResult: "challenge.result"
        case .nonce: "challenge.nonce"
        case .newSession: "challenge.new_session"
        case .feedbackDecision: "feedback.decision"
        case .feedbackLabel: "feedback.label"
        case .feedbackBy: "feedback.by"
        }
    }
}
