import Foundation

/// What a decision says, read back from the JSON that would have been produced. Encoded without its nonce: reports are no
/// place for what answers a challenge.
public struct DecisionSummary: Decodable, Sendable, Equatable {
    public struct Reason: Codable, Sendable, Equatable {
        public var signal: String
        /// Log-odds ×10.
        public var points: Double
        public var observed: String
        public var expected: String
    }
    public struct Policy: Decodable, Sendable, Equatable { public var rule: String? }
    public struct Shadow: Codable, Sendable, Equatable {
        /// Absent for a report-only rule.
        public var policy: String?
        public var rule: String?
        public var decision: String
        /// As a test names it.
        var name: String { (policy.map { $0 + "/" } ?? "") + (rule ?? "") }
    }
    struct StepUp: Decodable, Sendable, Equatable {
        var acr_values: [String]
        var methods: [String]
        var challenge: String
        var nonce: String
        var prompt: String?
    }

    var id: String
    public var event: String
    public var type: String
    public var time: String
    public var tenant: String?
    public var user: String
    public var session: String?
    public var decision: String
    public var score: Double
    public var level: String
    public var confidence: String
    public var reasons: [Reason]
    public var policy: Policy
    var step_up: StepUp?
    public var shadow: [Shadow]?

    /// Nil when the bytes are no decision.
    init?(json: some Sequence<UInt8>) {
        guard let found = try? JSONDecoder().decode(DecisionSummary.self, from: Data(json)) else { return nil }
        self = found
    }
}

extension DecisionSummary: Encodable {
    private enum Key: String, CodingKey { case decision, rule, score, level, confidence, reasons, methods, shadow }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(decision, forKey: .decision)
        try container.encodeIfPresent(policy.rule, forKey: .rule)
        try container.encode(score, forKey: .score)
        try container.encode(level, forKey: .level)
        try container.encode(confidence, forKey: .confidence)
        try container.encode(reasons, forKey: .reasons)
        try container.encodeIfPresent(step_up?.methods, forKey: .methods)
        try container.encodeIfPresent(shadow, forKey: .shadow)
    }
}
