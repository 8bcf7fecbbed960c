/// One pass over a parsed record. The first fault is kept, and the walk goes on, so that whoever the record is about
/// can still be told.
struct EventWalk {
    static let scratchBytes = 256 * 24

    let tape: Tape
    let bounds: DecodeBounds
    let keys: ContractKeys
    let seen: SeenKeys
    let scratch: UnsafeMutablePointer<UInt8>
    /// Whether the record is in another form, where numbers may be texts and odd values count as absent.
    let mapped: Bool
    /// The type of the input's events.
    let expected: EventType?
    /// Whether any string was escaped: only then can simdjson have let a lone surrogate through.
    let hasEscapes: Bool
    var fault: Rejection?
    var hasType = false
    var hasTime = false
    var scratchUsed = 0
    var metUnknown = false

    init(
        tape: Tape, bounds: DecodeBounds, keys: ContractKeys, seen: SeenKeys, scratch: UnsafeMutablePointer<UInt8>,
        mapped: Bool, expected: EventType?, hasEscapes: Bool
    ) {
        self.tape = tape
        self.bounds = bounds
        self.keys = keys
        self.seen = seen
        self.scratch = scratch
        self.mapped = mapped
        self.expected = expected
        self.hasEscapes = hasEscapes
    }

    mutating func fail(_ reason: RejectionReason, _ field: StaticString, _ detail: StaticString) {
        if fault == nil { fault = Rejection(reason, field: field, detail: detail) }
    }

    /// Walks one object of the contract.
    mutating func object(_ object: ContractObject, at index: Int, into event: inout Event) {
        let known = keys.of(object)
        var met: UInt64 = 0
        let end = tape.end(index) &- 1
        var i = index &+ 1
        while i < end {
            let key = tape.string(i)
            let value = i &+ 1
            i = tape.next(value)
            let found = known.table.index(key.base.unsafelyUnwrapped, key.count)
            if found < 0 {
                if !metUnknown {
                    seen.begin()
                    metUnknown = true
                }
                if !seen.insert(key, of: object, in: tape) { fail(.duplicateKey, object.path, "a key comes twice") }
                continue
            }
            let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: found)
            if met & bit != 0 {
                fail(.duplicateKey, object.path, "a key comes twice")
                continue
            }
            met |= bit
            if tape.kind(value) == UInt8(ascii: "n") { continue }
            switch known.meanings[found] {
            case .field(let field): assign(field, tape.scalar(value), into: &event)
            case .skipped: break
            case .object(let child):
                if tape.kind(value) == UInt8(ascii: "{") {
                    self.object(child, at: value, into: &event)
                } else {
                    fail(.wrongType, child.path, "not an object")
                }
            }
        }
    }

    /// What every event, and every event of its type, must have.
    mutating func finish(_ event: inout Event) {
        if !event.id.isPresent { fail(.missingField, "id", "required") }
        if !hasTime { fail(.missingField, "time", "required") }
        if !event.user.isPresent { fail(.missingField, "user", "required") }
        if !hasType {
            guard let expected else { return fail(.missingField, "type", "required") }
            event.type = expected
        } else if let expected, event.type != expected, !(expected == .feedback && event.type == .erasure) {
            fail(.unsupportedType, "type", "the input holds events of another type")
        }
        switch event.type {
        case .login:
            if event.outcome == .none { fail(.missingField, "outcome", "required of a login") }
        case .action:
            if event.action.isEmpty { fail(.missingField, "action", "required of an action") }
        case .challenge:
            if !event.challengeDecision.isPresent {
                fail(.missingField, "challenge.decision", "required of a challenge")
            }
            if event.challengeResult == .none { fail(.missingField, "challenge.result", "required of a challenge") }
        case .feedback:
            if !event.feedbackDecision.isPresent { fail(.missingField, "feedback.decision", "required of feedback") }
            if event.feedbackLabel == .none { fail(.missingField, "feedback.label", "required of feedback") }
            if event.feedbackBy == .none { fail(.missingField, "feedback.by", "required of feedback") }
        case .erasure: break
        }
    }
}
