import Glibc
import CSimdjson

/// What became of a record.
public enum DecodeOutcome {
    case event
    /// The mapping says that this record is no event.
    case ignored
    /// A dead letter. `Rejection.knowsUser` says whether the event names somebody to tell.
    case rejected(Rejection)
}

/// Turns records into events: one for each shard, used from its thread only.
///
/// A record in the plain form is read as it stands, any other parsed by simdjson and its tape walked once; no byte of it
/// becomes a `String`. The event's views lie in the record, the decoder's buffers, or the plan, and are valid until the next
/// call; see `borrowsRecordOnly`.
public final class EventDecoder {
    let bounds: DecodeBounds
    private let parser: OpaquePointer
    private let ground: UnsafeMutablePointer<EventWalk.Ground>
    /// Where records in the plain form are read that can't be read as they lie.
    private let text: UnsafeMutablePointer<UInt8>
    private let blank: UnsafeMutablePointer<Event>
    /// False: every record is read from the tape. For tests, which compare.
    private let takesPlainForm: Bool
    private let borrowing: UnsafeMutablePointer<Bool>

    /// These bounds hold for every record; those of `DecodeOptions` are for whoever makes the decoder.
    public convenience init(bounds: DecodeBounds) { self.init(bounds: bounds, takesPlainForm: true) }

    init(bounds: DecodeBounds, takesPlainForm: Bool) {
        var bounds = bounds
        bounds.recordBytes = min(max(bounds.recordBytes, 64), 1 << 28)
        bounds.depth = min(max(bounds.depth, 2), 1024)
        bounds.idBytes = max(bounds.idBytes, 1)
        bounds.textBytes = max(bounds.textBytes, 4)
        self.bounds = bounds
        self.takesPlainForm = takesPlainForm && bounds.depth >= PlainText.depth
        // simdjson's bound counts the level that is refused.
        guard let parser = vj_parser_new(bounds.recordBytes, bounds.depth + 1) else { fatalError("out of memory") }
        self.parser = parser
        ground = .allocate(capacity: 1)
        ground.initialize(to: EventWalk.Ground(tape: Tape(words: vj_tape(parser), strings: vj_strings(parser)), bounds: bounds))
        text = vj_text(parser)
        blank = .allocate(capacity: 1)
        blank.initialize(to: Event())
        borrowing = .allocate(capacity: 1)
        borrowing.initialize(to: false)
    }

    deinit {
        vj_parser_free(parser)
        ground.pointee.deallocate()
        ground.deallocate()
        borrowing.deallocate()
        blank.deallocate()
    }

    /// Every view of the event decoded last lies in its record's own bytes: the event is valid as long as those are, whatever
    /// is decoded next. So it is with records in the plain form, which most are.
    public var borrowsRecordOnly: Bool { borrowing.pointee }

    /// Decodes one record. `event` is reset first; after a rejection it holds what could still be read and is valid.
    ///
    /// Whom a rejection blames: with `requiresKey`, only ever the user the key names, because that is whose state lives
    /// here; nobody where the key is missing. Without it, the user the payload names.
    /// - Complexity: O(*n*) in the record's bytes; no allocation for records in the contract's own form.
    public func decode(_ record: Record, options plan: DecodePlan, into event: inout Event) -> DecodeOutcome {
        withUnsafeMutablePointer(to: &event) { $0.update(from: blank, count: 1) }
        borrowing.pointee = false
        guard let base = record.value.base, record.value.count <= bounds.recordBytes else {
            let rejection = record.value.isPresent
                ? Rejection(.tooLarge, detail: "the record is larger than the bound")
                : Rejection(.nullPayload, detail: "the record has no value")
            return reject(rejection, record, plan, &event)
        }
        if plan.rules.isEmpty, takesPlainForm {
            var walk = walk(plan, hasEscapes: false)
            let plain = PlainText(base, count: record.value.count, buffer: text)
            if withUnsafeMutablePointer(to: &event, { walk.plain(plain, into: $0) }) {
                borrowing.pointee = true
                return finish(&walk, record, plan, &event)
            }
            event = blank.pointee
        }
        let code = vj_parse(parser, base, record.value.count)
        guard code == 0 else { return reject(Self.parseFailure(code, record.value), record, plan, &event) }

        var walk = walk(plan, hasEscapes: memchr(record.value.base, 0x5C, record.value.count) != nil)
        guard walk.tape.kind(1) == UInt8(ascii: "{") else {
            return reject(
                Rejection(.wrongType, detail: "the record is not a JSON object"), record, plan, &event)
        }
        if walk.mapped {
            if !walk.map(plan, into: &event) { return .ignored }
        } else {
            walk.contract(into: &event)
        }
        return finish(&walk, record, plan, &event)
    }

    @inline(__always)
    private func walk(_ plan: DecodePlan, hasEscapes: Bool) -> EventWalk {
        EventWalk(on: ground, mapped: !plan.rules.isEmpty, inputType: plan.type, hasEscapes: hasEscapes)
    }

    @inline(__always)
    private func finish(
        _ walk: inout EventWalk, _ record: Record, _ plan: DecodePlan, _ event: inout Event
    ) -> DecodeOutcome {
        walk.finish(&event)
        if plan.requiresKey, walk.fault == nil, !Self.names(record.key, tenant: event.tenant, user: event.user) {
            walk.fault = Self.keyFault(record.key)
        }
        if let fault = walk.fault { return reject(fault, record, plan, &event) }
        return .event
    }

    private static func keyFault(_ key: ByteView) -> Rejection {
        key.isPresent
            ? Rejection(.keyMismatch, detail: "the record's key is neither the user nor tenant/user")
            : Rejection(.keyMissing, detail: "the record has no key")
    }

    /// Whether the key is `user` or `tenant/user`.
    private static func names(_ key: ByteView, tenant: ByteView, user: ByteView) -> Bool {
        guard user.isPresent, let p = key.base else { return false }
        if key.isEqual(to: user) { return true }
        let head = tenant.count
        guard head > 0, key.count == head + 1 + user.count, p[head] == UInt8(ascii: "/") else { return false }
        return key.prefix(head).isEqual(to: tenant)
            && ByteView(base: p + head + 1, count: user.count).isEqual(to: user)
    }

    private func reject(
        _ rejection: Rejection, _ record: Record, _ plan: DecodePlan, _ event: inout Event
    ) -> DecodeOutcome {
        var rejection = rejection
        if plan.requiresKey, !Self.names(record.key, tenant: event.tenant, user: event.user) {
            // Another user's session says nothing about the owner of the key.
            event.tenant = .absent
            event.user = .absent
            event.session = .absent
            readKey(record.key, &event)
        }
        rejection.knowsUser = event.user.isPresent
        return .rejected(rejection)
    }

    /// Takes the key apart at its first slash.
    private func readKey(_ key: ByteView, _ event: inout Event) {
        guard let p = key.base else { return }
        var tenant = ByteView.absent
        var user = key
        if let slash = key.bytes.firstIndex(of: UInt8(ascii: "/")) {
            tenant = key.prefix(slash)
            user = ByteView(base: p + slash + 1, count: key.count - slash - 1)
            guard Self.isKeyID(tenant, bounds) else { return }
        }
        guard Self.isKeyID(user, bounds) else { return }
        event.tenant = tenant
        event.user = user
    }

    /// Unlike a payload, a key may hold any bytes.
    private static func isKeyID(_ id: ByteView, _ bounds: DecodeBounds) -> Bool {
        EventWalk.isID(id, bounds) && String(validating: id.bytes, as: UTF8.self) != nil
    }

    private static func parseFailure(_ code: Int32, _ value: ByteView) -> Rejection {
        switch Int(vj_error_class(code)) {
        case VJ_DEPTH: Rejection(.tooDeep, detail: "the JSON is nested deeper than the bound")
        case VJ_UTF8: Rejection(.invalidUTF8, detail: "the record is not valid UTF-8")
        case VJ_CAPACITY: Rejection(.tooLarge, detail: "the record is larger than the bound")
        case VJ_NUMBER where NumberGrammar.holds(value):
            Rejection(.numberOutOfRange, detail: "a number is beyond 64-bit integers or doubles")
        default: Rejection(.notJSON, detail: "the record is not one JSON document")
        }
    }
}

/// Tells a number that is too large from one that JSON doesn't have; simdjson gives one code for both.
enum NumberGrammar {
    /// Whether every number outside strings follows RFC 8259 section 6.
    static func holds(_ text: ByteView) -> Bool {
        let bytes = text.bytes
        var i = 0
        while i < bytes.count {
            let c = bytes[i]
            if c == 0x22 {
                i += 1
                while i < bytes.count, bytes[i] != 0x22 { i += bytes[i] == 0x5C ? 2 : 1 }
                i += 1
            } else if c == 0x2D || isDigit(c) {
                var end = i
                while end < bytes.count, !isDelimiter(bytes[end]) { end += 1 }
                guard isNumber(bytes[i..<end]) else { return false }
                i = end
            } else {
                i += 1
            }
        }
        return true
    }

    private static func isDigit(_ c: UInt8) -> Bool { c >= 48 && c <= 57 }
    private static func isDelimiter(_ c: UInt8) -> Bool {
        c <= 0x20 || c == 0x2C || c == 0x5D || c == 0x7D || c == 0x3A
    }

    private static func isNumber(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var rest = text
        func digits() -> Int {
            let count = rest.prefix(while: isDigit).count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == 0x2D { rest = rest.dropFirst() }
        let startsWithZero = rest.first == 48
        let whole = digits()
        guard whole > 0, !(startsWithZero && whole > 1) else { return false }
        if rest.first == 0x2E {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == 0x65 || rest.first == 0x45 {
            rest = rest.dropFirst()
            if rest.first == 0x2B || rest.first == 0x2D { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}

@inline(__always)
func memchr(_ base: UnsafePointer<UInt8>?, _ byte: Int32, _ count: Int) -> UnsafeMutableRawPointer? {
    guard let base else { return nil }
    return Glibc.memchr(base, byte, count)
}
