import Events

/// One thing that has proven who is behind a session.
public struct Proof: Sendable, Equatable {
    /// Seconds since 1970.
    public var at: UInt32 = 0
    /// `AssuranceLevel.rawValue`; 0 where there is none.
    public var level: UInt8 = 0
    /// `RiskLevel.rawValue` of what was going on when it was given: it says nothing of what is riskier.
    public var risk: UInt8 = 0
    public var source = Source.challenge
    public var padding: UInt8 = 0

    public struct Source: OptionSet, Sendable {
        public var rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The person answered a question of ours.
        public static let challenge: Source = []
        /// An event said so.
        @inlinable public static var claim: Source { Source(rawValue: 1) }
    }

    public init() {}

    public init(_ source: Source, level: UInt8, risk: RiskLevel, at time: Timestamp) {
        self.at = time.secondsHeld
        self.level = level
        self.risk = risk.rawValue
        self.source = source
    }

    /// Whatever the other is good for, so is this.
    func covers(_ other: Proof) -> Bool {
        at >= other.at && level >= other.level && risk >= other.risk && (source == .challenge || other.source == .claim)
    }

    /// Whether it is good for this need. Ages are of whole seconds. A question of ours asks for a fresh answer by itself,
    /// so `maxAgeSeconds` bounds only what was not an answer to one.
    public func satisfies(_ need: ProofNeed, at time: Timestamp) -> Bool {
        let age = Int64(time.secondsHeld) - Int64(at)
        return level != 0 && level >= need.level && risk >= need.risk.rawValue && age < Int64(need.validForSeconds)
            && (source == .challenge || age <= Int64(need.maxAgeSeconds ?? .max))
    }
}

/// What a proof must be good for.
public struct ProofNeed: Sendable {
    /// `AssuranceLevel.rawValue`.
    public var level: UInt8
    public var risk: RiskLevel
    public var validForSeconds: UInt32
    public var maxAgeSeconds: Int?

    public init(level: UInt8, risk: RiskLevel, validForSeconds: UInt32, maxAgeSeconds: Int? = nil) {
        self.level = level
        self.risk = risk
        self.validForSeconds = validForSeconds
        self.maxAgeSeconds = maxAgeSeconds
    }
}

/// What a session has proven, and in which context: at most four proofs none of which makes another needless, in 44 bytes.
/// They are good in that context only: the same device and the same provider, or, where no provider is known, the same
/// network. All-zero bytes are none.
public struct SessionProofs: Sendable {
    static let capacity = 4
    var proofs = InlineArray<4, Proof>(repeating: Proof())
    public private(set) var device: UInt32 = 0
    public private(set) var network: UInt32 = 0
    public private(set) var asn: UInt32 = 0

    public init() {}

    public var isEmpty: Bool { proofs[0].level == 0 && proofs[1].level == 0 && proofs[2].level == 0 && proofs[3].level == 0 }

    /// Whether the event comes from where the proofs hold. One that names no device does not come from one that has a name.
    public func isIn(context seen: Observation) -> Bool {
        device == seen.device && asn == seen.asn && (asn != 0 || network == seen.network)
    }

    /// Takes in a proof given in this context. Those of another context are over; of too many the oldest goes.
    public mutating func add(_ proof: Proof, in context: Observation) {
        if !isIn(context: context) {
            self = SessionProofs()
            (device, network, asn) = (context.device, context.network, context.asn)
        }
        var place = 0
        for index in 0..<Self.capacity {
            if proofs[index].level != 0 && proofs[index].covers(proof) { return }
            if proof.covers(proofs[index]) { proofs[index] = Proof() }
            // A free place has second 0.
            if proofs[index].at < proofs[place].at { place = index }
        }
        proofs[place] = proof
    }

    /// The proof that is good for this, wherever it was given; an answer to a question of ours before what was merely said.
    public func proof(of need: ProofNeed, at time: Timestamp) -> Proof? {
        var found: Proof?
        for index in 0..<Self.capacity where proofs[index].satisfies(need, at: time) {
            if found == nil || proofs[index].source == .challenge { found = proofs[index] }
        }
        return found
    }

    /// The highest level proven; 0 where none is.
    public var strongest: UInt8 {
        var level: UInt8 = 0
        for index in 0..<Self.capacity { level = max(level, proofs[index].level) }
        return level
    }

    /// Whether that level, or a higher one, was proven after that second.
    public func hasProven(_ level: UInt8, after second: UInt32) -> Bool {
        for index in 0..<Self.capacity where proofs[index].level >= level && proofs[index].level != 0 && proofs[index].at > second {
            return true
        }
        return false
    }
}
