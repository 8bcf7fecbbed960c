// How each field of the event is read from a value.

extension EventWalk {
    mutating func assign(_ field: EventField, _ value: Scalar, into event: inout Event) {
        switch field {
        case .time: if time(value, field, &event.time) { hasTime = true }
        case .authTime: _ = time(value, field, &event.authTime)
        case .amount: amount(value, &event)
        case .asn: systemNumber(value, &event)
        case .latitude: event.latitude = measure(value, field, within: -90...90)
        case .longitude: event.longitude = measure(value, field, within: -180...180)
        case .roundTrip: event.roundTripMilliseconds = measure(value, field, within: 0...1e9)
        case .amr, .enrolments: methods(value, field, &event)
        default:
            guard let text = text(value, field) else {
                if field == .type { hasType = true }
                return
            }
            assign(field, text: text, into: &event)
        }
    }

    @inline(__always)
    private mutating func assign(_ field: EventField, text: ByteView, into event: inout Event) {
        switch field {
        case .type: type(text, &event)
        case .ip: address(text, &event)
        case .country: country(text, &event)
        case .outcome: if let found = LoginOutcome(name: text) { event.outcome = found } else { unknown(field) }
        case .challengeResult:
            if let found = ChallengeResult(name: text) { event.challengeResult = found } else { unknown(field) }
        case .feedbackLabel:
            if let found = FeedbackLabel(name: text) { event.feedbackLabel = found } else { unknown(field) }
        case .feedbackBy: if let found = FeedbackSource(name: text) { event.feedbackBy = found } else { unknown(field) }
        default:
            if field.value == .text {
                event.set(field, text.count <= bounds.textBytes ? text : truncated(text, field, &event))
            } else if Self.isID(text, bounds) {
                event.set(field, text)
            } else {
                fail(.invalidID, field.path, "empty, longer than the bound, or with control characters")
            }
        }
    }

    private mutating func unknown(_ field: EventField) {
        fail(.invalidValue, field.path, "not one of the values the contract names")
    }

    // MARK: Texts

    /// The bytes of a text, or nil after a fault. Lone surrogates, which simdjson lets through, are not UTF-8.
    @inline(__always)
    private mutating func text(_ value: Scalar, _ field: EventField) -> ByteView? {
        if case .text(let view) = value {
            if hasEscapes, Self.hasSurrogate(view) {
                fail(.invalidUTF8, field.path, "holds half of a surrogate pair")
                return nil
            }
            return view
        }
        if mapped, let view = spelled(value) { return view }
        fail(.wrongType, field.path, "not a text")
        return nil
    }

    private func truncated(_ view: ByteView, _ field: EventField, _ event: inout Event) -> ByteView {
        var count = bounds.textBytes
        while count > 0, view[count] & 0xC0 == 0x80 { count -= 1 }
        if !event.flags.contains(.truncated) {
            event.flags.insert(.truncated)
            event.truncatedField = field.path
            event.truncatedBytes = view.count
        }
        return view.prefix(count)
    }

    /// 1 to `idBytes` bytes without control characters (C0, DEL, C1).
    @inline(never)
    static func isID(_ id: ByteView, _ bounds: DecodeBounds) -> Bool {
        guard let p = id.base, id.count > 0, id.count <= bounds.idBytes else { return false }
        if id.count < 8 { return isClean(p, id.count) }
        // Eight bytes at a time: a byte below 0x20, equal to 0x7F, or not ASCII sends the whole to the slow look.
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var odd: UInt64 = 0
        var i = 0
        while true {
            let word = UnsafeRawPointer(p + i).loadUnaligned(as: UInt64.self)
            let delete = word ^ (ones &* 0x7F)
            odd |= ((word &- (ones &* 0x20)) & ~word) | ((delete &- ones) & ~delete) | word
            if i == id.count - 8 { break }
            i = min(i + 8, id.count - 8)
        }
        return odd & tops == 0 || isClean(p, id.count)
    }

    private static func isClean(_ p: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        for i in 0..<count {
            let c = p[i]
            if c < 0x20 || c == 0x7F { return false }
            if c == 0xC2, i + 1 < count, p[i + 1] < 0xA0 { return false }
        }
        return true
    }

    static func hasSurrogate(_ view: ByteView) -> Bool {
        guard let p = view.base, view.count > 2 else { return false }
        for i in 0..<view.count - 1 where p[i] == 0xED && p[i + 1] >= 0xA0 { return true }
        return false
    }

    private mutating func type(_ name: ByteView, _ event: inout Event) {
        hasType = true
        if let found = EventType(name: name) {
            event.type = found
        } else {
            fail(.unknownType, "type", "not one of the types the contract names")
        }
    }

    // MARK: Numbers

    /// A number as a double; in mapped records a text that spells one, too. NaN after a fault.
    @inline(__always)
    private mutating func number(_ value: Scalar, _ field: EventField) -> Double? {
        switch value {
        case .double(let number): return number
        case .integer(let number): return Double(number)
        case .unsigned(let number): return Double(number)
        case .text(let view) where mapped: return Self.spelledNumber(view)
        default:
            fail(.wrongType, field.path, "not a number")
            return nil
        }
    }

    /// NaN for a text that is no decimal number.
    static func spelledNumber(_ view: ByteView) -> Double {
        guard view.count > 0, view.count <= 64 else { return .nan }
        for c in view.bytes {
            switch c {
            case 48...57, 0x2B, 0x2D, 0x2E, 0x65, 0x45: break
            default: return .nan
            }
        }
        return Double(view.string) ?? .nan
    }

    private mutating func amount(_ value: Scalar, _ event: inout Event) {
        guard let number = number(value, .amount) else { return }
        if number.isFinite, number >= 0 {
            event.amount = number.magnitude
        } else {
            fail(.amountInvalid, "amount", "negative or not finite")
        }
    }

    @inline(__always)
    private mutating func measure(_ value: Scalar, _ field: EventField, within range: ClosedRange<Double>) -> Float {
        guard let number = number(value, field) else { return .nan }
        if range.contains(number) { return Float(number) }
        odd(field, "out of range")
        return .nan
    }

    private mutating func systemNumber(_ value: Scalar, _ event: inout Event) {
        switch value {
        case .integer(let number) where number >= 0 && number <= Int64(UInt32.max): event.asn = UInt32(number)
        case .integer, .unsigned: odd(.asn, "not between 0 and 4294967295")
        default:
            guard let number = number(value, .asn) else { return }
            guard mapped, number >= 0, number <= 4_294_967_295, number == number.rounded() else {
                return odd(.asn, "not a whole number between 0 and 4294967295")
            }
            event.asn = UInt32(number)
        }
    }

    /// Context that can't be read is a fault in the contract's own form and absent in others, whose makers write
    /// things like a service's name where an address belongs.
    private mutating func odd(_ field: EventField, _ detail: StaticString) {
        if !mapped { fail(.invalidValue, field.path, detail) }
    }

    // MARK: Time, place, methods

    private mutating func time(_ value: Scalar, _ field: EventField, _ target: inout Timestamp) -> Bool {
        let found: Timestamp
        switch value {
        case .text(let view):
            if let time = Timestamp(rfc3339: view) {
                found = time
            } else {
                let number = mapped ? Self.spelledNumber(view) : .nan
                guard !number.isNaN else {
                    fail(.timeInvalid, field.path, "neither RFC 3339 nor epoch milliseconds")
                    return field == .time
                }
                found = epoch(number)
            }
        case .integer(let number) where !mapped: found = Timestamp(milliseconds: number)
        case .integer(let number): found = epoch(Double(number))
        case .unsigned: found = .latest
        case .double(let number): found = epoch(number)
        default:
            fail(.wrongType, field.path, "neither a text nor a number")
            return field == .time
        }
        if found.isInRange {
            target = found
        } else {
            fail(.timeOutOfRange, field.path, "before the year 2000 or after 2099")
        }
        return true
    }

    /// Epoch milliseconds, cut to whole ones. In mapped records what would be too early for that but not for epoch
    /// seconds is epoch seconds: the two ranges don't meet.
    private func epoch(_ number: Double) -> Timestamp {
        var number = number
        if mapped, number >= 946_684_800, number < 4_102_444_800 { number *= 1000 }
        guard number >= 0 else { return .distantPast }
        guard number < 4_102_444_800_000 else { return .latest }
        return Timestamp(milliseconds: Int64(number))
    }

    private mutating func address(_ view: ByteView, _ event: inout Event) {
        if let address = IPAddress(text: view) { event.ip = address } else { odd(.ip, "not an IP address") }
    }

    @inline(__always)
    mutating func country(_ view: ByteView, _ event: inout Event) {
        guard view.count == 2 else { return odd(.country, "not two letters") }
        let first = view[0] & 0xDF, second = view[1] & 0xDF
        guard first >= 65, first <= 90, second >= 65, second <= 90, view[0] < 0x80, view[1] < 0x80 else {
            return odd(.country, "not two letters")
        }
        event.country = UInt16(first) << 8 | UInt16(second)
    }

    private mutating func methods(_ value: Scalar, _ field: EventField, _ event: inout Event) {
        let isEnrolled = field == .enrolments
        guard case .array(let start) = value else {
            guard mapped, let name = text(value, field) else { return fail(.wrongType, field.path, "not an array") }
            if isEnrolled {
                event.enrolments = (event.enrolments ?? []).union(keys.enrolment(name))
            } else {
                event.amr.formUnion(keys.method(name))
            }
            return
        }
        if isEnrolled { event.enrolments = [] }
        var i = start
        let end = tape.end(start &- 1) &- 1
        while i < end {
            if case .text(let name) = tape.scalar(i) {
                if isEnrolled {
                    event.enrolments?.formUnion(keys.enrolment(parsed: name))
                } else {
                    event.amr.formUnion(keys.method(parsed: name))
                }
            } else {
                fail(.wrongType, field.path, "holds something that is not a text")
            }
            i = tape.next(i)
        }
    }
}

extension EventField {
    /// Its value is a list of names.
    @inline(__always) var isList: Bool { self == .amr || self == .enrolments }
}

extension Event {
    /// Sets a field whose value is a text or an identifier.
    @inline(__always)
    mutating func set(_ field: EventField, _ text: ByteView) {
        switch field {
        case .id: id = text
        case .tenant: tenant = text
        case .user: user = text
        case .session: session = text
        case .action: action = text
        case .resource: resource = text
        case .currency: currency = text
        case .token: token = text
        case .reason: reason = text
        case .region: region = text
        case .city: city = text
        case .deviceID: deviceID = text
        case .userAgent: userAgent = text
        case .browser: browser = text
        case .os: os = text
        case .deviceType: deviceType = text
        case .acr: acr = text
        case .challengeDecision: challengeDecision = text
        case .challengeMethod: challengeMethod = text
        case .nonce: nonce = text
        case .newSession: newSession = text
        case .feedbackDecision: feedbackDecision = text
        case .type, .time, .amount, .asn, .ip, .outcome, .country, .latitude, .longitude, .roundTrip, .amr, .authTime,
            .enrolments, .challengeResult, .feedbackLabel, .feedbackBy:
            break
        }
    }
}
