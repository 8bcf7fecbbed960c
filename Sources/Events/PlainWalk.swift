import CSimdjson

/// The short way of records in the contract's own form: straight through their bytes, once. It takes what most records are
/// and gives up on everything else, faults first of all; then simdjson and its tape tell what the record is.
extension EventWalk {
    /// How deep the plain form goes where nothing is read.
    private static var mostSkipped: Int { 16 }

    /// False when the record is not in the plain form: no escapes, no empty object of the contract, at most eight unknown
    /// keys, no number out of the ordinary, no fault. What it accepts, `contract` accepts, to the same event.
    /// - Complexity: O(bytes)
    mutating func plain(_ text: PlainText, into event: UnsafeMutablePointer<Event>) -> Bool {
        var object = ContractObject.root.rawValue
        var met: UInt64 = 0
        var last = expected.beginning
        var isOdd = false
        var p = PlainText.behindSpace(text.start)
        guard p[0] == UInt8(ascii: "{") else { return false }
        p += 1
        while true {
            var key = last.pointee.next
            if key.pointee.object == object, key.pointee.text.stands(at: p) {
                p += key.pointee.text.length
                last = key
            } else {
                guard let (found, end) = plainKey(text, p, in: object, after: last, met, &isOdd) else { return false }
                (key, p) = (found, end)
                if key.pointee.key.bit != 0 { last = key }
            }
            guard met & key.pointee.key.bit == 0 else { return false }
            met |= key.pointee.key.bit
            if p[0] <= 0x20 { p = PlainText.behindSpace(p) }
            let first = p[0]
            if first == UInt8(ascii: "\"") {
                guard let (content, end) = text.string(p, &isOdd) else { return false }
                p = end
                // What has no odd bytes has no control characters.
                if UInt(bitPattern: content.count &- key.pointee.least) < key.pointee.room, !isOdd {
                    (UnsafeMutableRawPointer(event) + key.pointee.place).storeBytes(of: text.own(content), as: ByteView.self)
                } else if key.pointee.key.isField {
                    guard plainText(key.pointee.key.field, content, text, into: event) else { return false }
                } else if key.pointee.key.value == .object {
                    return false
                }
            } else if first &- 48 <= 9 || first == UInt8(ascii: "-") {
                guard let (number, end) = PlainText.number(p) else { return false }
                p = end
                guard plainNumber(key, number, into: event) else { return false }
            } else if first == UInt8(ascii: "{"), key.pointee.key.value == .object {
                object = key.pointee.key.object.rawValue
                p += 1
                continue
            } else if key.pointee.list.stands(at: p), case let end = p + key.pointee.list.length, end < text.limit {
                event.pointee.take(key.pointee.names, of: key.pointee.key.field)
                p = end
            } else {
                guard let end = plainRest(key, text, p, in: object, into: event, &isOdd) else { return false }
                p = end
            }
            if p[0] == UInt8(ascii: ",") {
                p += 1
                continue
            }
            p = PlainText.behindSpace(p)
            if p[0] == UInt8(ascii: "}"), object != ContractObject.root.rawValue {
                guard p + 1 < text.limit else { return false }
                object = ContractObject.root.rawValue
                p = PlainText.behindSpace(p + 1)
            }
            if p[0] == UInt8(ascii: ",") {
                p += 1
                continue
            }
            return p[0] == UInt8(ascii: "}") && object == ContractObject.root.rawValue && fault == nil
                && (p + 1 == text.limit || PlainText.behindSpace(p + 1) == text.limit)
                && (!isOdd || vj_is_utf8(text.start, text.limit - text.start))
        }
    }

    /// The key that stands there when it is not the one expected after `last`, and what is behind its colon; nil where no key
    /// is, or an unknown one comes twice or is one too many.
    @inline(never)
    private mutating func plainKey(
        _ text: PlainText, _ start: PlainText.Place, in object: UInt8, after last: UnsafeMutablePointer<ExpectedKey>,
        _ met: UInt64, _ isOdd: inout Bool
    ) -> (key: UnsafeMutablePointer<ExpectedKey>, end: PlainText.Place)? {
        let p = PlainText.behindSpace(start)
        let follower = last.pointee.next
        if p != start, follower.pointee.object == object, follower.pointee.text.stands(at: p) {
            return (follower, p + follower.pointee.text.length)
        }
        var isOddName = false
        guard let (name, end) = text.string(p, &isOddName) else { return nil }
        isOdd = isOdd || isOddName
        let colon = PlainText.behindSpace(end)
        guard colon[0] == UInt8(ascii: ":") else { return nil }
        if let key = keys.key(parsed: name, in: KeyGroup(object)) {
            let found = expected.place(of: key.pointee)
            last.pointee.next = found
            return (found, colon + 1)
        }
        // A key that is learned is compared without a look at where the record ends or at its UTF-8, so it must be ASCII without
        // a brace.
        if !isOddName, name.count <= ExpectedKey.mostBytes, !name.bytes.contains(UInt8(ascii: "}")) {
            guard let found = expected.learn(name, of: object, met) else { return nil }
            last.pointee.next = found
            return (found, colon + 1)
        }
        guard unknownCount < ExpectedKeys.mostUnknown else { return nil }
        for other in 0..<unknownCount where expected.unknownNames[other].isEqual(to: name) { return nil }
        expected.unknownNames[unknownCount] = name
        unknownCount &+= 1
        return (expected.unknown, colon + 1)
    }

    /// Takes a field's string that is not simply kept; false: gives up.
    @inline(__always)
    private mutating func plainText(
        _ field: EventField, _ content: ByteView, _ text: PlainText, into event: UnsafeMutablePointer<Event>
    ) -> Bool {
        switch field {
        case .time:
            guard let time = Timestamp(rfc3339: content, knowing: day), time.isInRange else { return false }
            event.pointee.time = time
            hasTime = true
        case .type:
            guard let type = keys.type(parsed: content) else { return false }
            event.pointee.type = type
            hasType = true
        case .country: country(content, &event.pointee)
        default: return plainRareText(field, content, text, into: event)
        }
        return true
    }

    @inline(never)
    private mutating func plainRareText(
        _ field: EventField, _ content: ByteView, _ text: PlainText, into event: UnsafeMutablePointer<Event>
    ) -> Bool {
        switch field {
        case .ip:
            guard let address = IPAddress(text: content) else { return false }
            event.pointee.ip = address
        case .authTime:
            guard let time = Timestamp(rfc3339: content), time.isInRange else { return false }
            event.pointee.authTime = time
        default: assignPlain(field, .text(text.own(content)), into: event)
        }
        return true
    }

    /// Takes a number; false: gives up.
    @inline(__always)
    private mutating func plainNumber(
        _ key: UnsafePointer<ExpectedKey>, _ number: Scalar, into event: UnsafeMutablePointer<Event>
    ) -> Bool {
        let key = key.pointee.key
        guard key.isField else { return key.value == .skipped }
        let value: Double
        switch number {
        case .integer(let number): value = Double(number)
        case .double(let number): value = number
        default: return false
        }
        switch key.field {
        case .latitude where abs(value) <= 90: event.pointee.latitude = Float(value)
        case .longitude where abs(value) <= 180: event.pointee.longitude = Float(value)
        case .amount where value >= 0: event.pointee.amount = value.magnitude
        case .asn:
            guard case .integer(let whole) = number, let asn = UInt32(exactly: whole) else { return false }
            event.pointee.asn = asn
        default: assignPlain(key.field, number, into: event)
        }
        return true
    }

    /// Not inlined: few records need it, and the walk would keep its registers free for it.
    @inline(never)
    private mutating func assignPlain(_ field: EventField, _ value: Scalar, into event: UnsafeMutablePointer<Event>) {
        assign(field, value, into: &event.pointee)
    }

    /// Reads what is neither a string nor a number nor an object of the contract, and returns where it ends; nil: gives up.
    @inline(never)
    private mutating func plainRest(
        _ expected: UnsafeMutablePointer<ExpectedKey>, _ text: PlainText, _ start: PlainText.Place, in object: UInt8,
        into event: UnsafeMutablePointer<Event>, _ isOdd: inout Bool
    ) -> PlainText.Place? {
        let key = expected.pointee.key
        switch start[0] {
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            if key.value == .skipped {
                // Within an object of the contract it lies one deeper.
                let depth = min(bounds.depth, Self.mostSkipped) &- (object == ContractObject.root.rawValue ? 1 : 2)
                return text.skip(start, depth: depth, &isOdd)
            }
            guard start[0] == UInt8(ascii: "["), key.isField, key.field.isList else { return nil }
            let isEnrolled = key.field == .enrolments
            var names: UInt32 = 0
            var p = start
            repeat {
                p = PlainText.behindSpace(p + 1)
                guard let (name, end) = text.string(p, &isOdd) else { return nil }
                names |= isEnrolled ? UInt32(keys.enrolment(parsed: name).rawValue) : keys.method(parsed: name).rawValue
                p = PlainText.behindSpace(end)
            } while p[0] == UInt8(ascii: ",")
            guard p[0] == UInt8(ascii: "]") else { return nil }
            p += 1
            event.pointee.take(names, of: key.field)
            if !isOdd, p - start <= ExpectedText.mostBytes {
                expected.pointee.list = ExpectedText(UnsafeBufferPointer(start: start, count: p - start))
                expected.pointee.names = names
            }
            return p
        default:
            guard let (value, end) = PlainText.scalar(start) else { return nil }
            if case .null = value { return end }
            if key.isField {
                assignPlain(key.field, value, into: event)
            } else if key.value == .object {
                return nil
            }
            return end
        }
    }
}

extension Event {
    /// Takes what a list of names says, as the bits of the set.
    @inline(__always)
    fileprivate mutating func take(_ names: UInt32, of list: EventField) {
        if list == .enrolments {
            enrolments = ChallengeMethods(rawValue: UInt8(truncatingIfNeeded: names))
        } else {
            amr = AuthenticationMethods(rawValue: names)
        }
    }
}
