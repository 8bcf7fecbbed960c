import Foundation

/// As much of a decision as a test looks at, from the JSON that would have been produced.
public struct TestDecision: Codable, Sendable, Equatable {
    public struct Reason: Codable, Sendable, Equatable {
        public var signal: String
        public var points: Double
        public var observed: String
        public var expected: String
    }
    public struct Policy: Codable, Sendable, Equatable { public var rule: String? }
    public struct Shadow: Codable, Sendable, Equatable {
        public var rule: String?
        public var decision: String
    }
    struct StepUp: Codable, Sendable, Equatable {
        var acr_values: [String]
        var methods: [String]
        var challenge: String
        var nonce: String
        var prompt: String?
    }

    var id: String
    var tenant: String?
    var user: String
    var session: String?
    public var decision: String
    public var score: Double
    public var level: String
    public var confidence: String
    public var reasons: [Reason]
    public var policy: Policy
    var step_up: StepUp?
    public var shadow: [Shadow]?

    /// Nil when the bytes are no decision.
    init?(json: UnsafeBufferPointer<UInt8>) {
        guard let found = try? JSONDecoder().decode(TestDecision.self, from: Data(json)) else { return nil }
        self = found
    }
}
