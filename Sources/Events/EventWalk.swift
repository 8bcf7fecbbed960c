/// One pass over a parsed record. The first fault is kept, and the walk goes on, so that whoever the record is about
/// can still be told.
struct EventWalk {
    static let scratchBytes = 256 * 24

    /// What a decoder's walks have in common. Behind a pointer, as it would be copied for every record.
    struct Ground {
        let tape: Tape
        let bounds: DecodeBounds
        let keys = ContractKeys.shared
        let expected: ExpectedKeys
        let seen: UnsafeMutablePointer<SeenKeys>
        let scratch: UnsafeMutablePointer<UInt8>
        let day: UnsafeMutablePointer<KnownDay>

        init(tape: Tape, bounds: DecodeBounds) {
            self.tape = tape
            self.bounds = bounds
            expected = ExpectedKeys(ContractKeys.names, bounds)
            seen = .allocate(capacity: 1)
            seen.initialize(to: SeenKeys(capacity: bounds.recordBytes / 4))
            scratch = .allocate(capacity: EventWalk.scratchBytes)
            day = .allocate(capacity: 1)
            day.initialize(to: KnownDay())
        }

        func deallocate() {
            expected.deallocate()
            seen.pointee.deallocate()
            seen.deallocate()
            scratch.deallocate()
            day.deallocate()
        }
    }

    let ground: UnsafePointer<Ground>
    var tape: Tape { @inline(__always) get { ground.pointee.tape } }
    var bounds: DecodeBounds { @inline(__always) get { ground.pointee.bounds } }
    var keys: ContractKeys { @inline(__always) get { ground.pointee.keys } }
    var expected: ExpectedKeys { @inline(__always) get { ground.pointee.expected } }
    var seen: UnsafeMutablePointer<SeenKeys> { @inline(__always) get { ground.pointee.seen } }
    var scratch: UnsafeMutablePointer<UInt8> { @inline(__always) get { ground.pointee.scratch } }
    var day: UnsafeMutablePointer<KnownDay> { @inline(__always) get { ground.pointee.day } }
    /// Whether the record is in another form, where numbers may be texts and odd values count as absent.
    let mapped: Bool
    /// The type of the input's events.
    let inputType: EventType?
    /// Whether any string was escaped: only then can simdjson have let a lone surrogate through.
    let hasEscapes: Bool
    var fault: Rejection?
    var hasType = false
    var hasTime = false
    var scratchUsed = 0
    var metUnknown = false
    /// Of the plain form.
    var unknownCount = 0

    init(on ground: UnsafePointer<Ground>, mapped: Bool, inputType: EventType?, hasEscapes: Bool) {
        self.ground = ground
        self.mapped = mapped
        self.inputType = inputType
        self.hasEscapes = hasEscapes
    }

    @inline(never)
    mutating func fail(_ reason: RejectionReason, _ field: StaticString, _ detail: StaticString) {
        if fault == nil { fault = Rejection(reason, field: field, detail: detail) }
    }

    /// Walks a record in the contract's own form: its root, and the objects of the contract in it. No object of the
    /// contract has others but the root, so that after one of them the root goes on.
    mutating func contract(into event: inout Event) {
        let tape = tape
        let keys = keys
        // Texts up to this length are taken as they are.
        let plainBytes = hasEscapes ? 0 : bounds.textBytes
        var object = ContractObject.root
        var group = KeyGroup(object)
        var met: UInt64 = 0
        var i = 2
        while true {
            if tape.kind(i) == UInt8(ascii: "}") {
                if object == .root { return }
                object = .root
                group = KeyGroup(.root)
                i &+= 1
                continue
            }
            let name = tape.string(i)
            let value = i &+ 1
            guard let key = keys.key(parsed: name, in: group) else {
                unknown(name, in: object)
                i = tape.next(value)
                continue
            }
            if met & key.pointee.bit != 0 {
                fail(.duplicateKey, object.path, "a key comes twice")
                i = tape.next(value)
                continue
            }
            met |= key.pointee.bit
            let kind = tape.kind(value)
            if kind == UInt8(ascii: "\"") {
                let text = tape.string(value)
                i &+= 2
                let isPlain = switch key.pointee.value {
                case .text: text.count <= plainBytes
                case .identifier: plainBytes > 0 && Self.isID(text, bounds)
                default: false
                }
                if isPlain {
                    event.set(key.pointee.field, text)
                } else if key.pointee.isField {
                    assign(key.pointee.field, .text(text), into: &event)
                } else if key.pointee.value == .object {
                    fail(.wrongType, key.pointee.object.path, "not an object")
                }
                continue
            }
            i = tape.next(value)
            if kind == UInt8(ascii: "n") { continue }
            if key.pointee.isField {
                assign(key.pointee.field, tape.scalar(value), into: &event)
            } else if key.pointee.value == .object {
                if kind == UInt8(ascii: "{") {
                    object = key.pointee.object
                    group = KeyGroup(object)
                    i = value &+ 1
                } else {
                    fail(.wrongType, key.pointee.object.path, "not an object")
                }
            }
        }
    }

    @inline(never)
    private mutating func unknown(_ key: ByteView, in object: ContractObject) {
        if !metUnknown {
            seen.pointee.begin()
            metUnknown = true
        }
        if !seen.pointee.insert(key, of: object, in: tape) { fail(.duplicateKey, object.path, "a key comes twice") }
    }

    /// What every event, and every event of its type, must have.
    mutating func finish(_ event: inout Event) {
        if !event.id.isPresent { fail(.missingField, "id", "required") }
        if !hasTime { fail(.missingField, "time", "required") }
        if !event.user.isPresent { fail(.missingField, "user", "required") }
        if !hasType {
            guard let inputType else { return fail(.missingField, "type", "required") }
            event.type = inputType
        } else if let inputType, event.type != inputType, !(inputType == .feedback && event.type == .erasure) {
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
