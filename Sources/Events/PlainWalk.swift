/// A record as the first stage of parsing leaves it: its bytes, and where its tokens begin.
struct PlainText {
    /// How deep a record in the plain form is: a method in an array in `auth`.
    static let depth = 3

    let bytes: UnsafePointer<UInt8>
    let tokens: UnsafePointer<UInt32>
    /// From the bytes read here to the record's own, into which events' views point.
    var toRecord = 0

    @inline(__always) func start(_ token: Int) -> Int { Int(truncatingIfNeeded: tokens[token]) }

    /// Where the token before the one that begins at `next` ends: between the two stands nothing but white space.
    @inline(__always)
    func end(before next: Int) -> Int { bytes[next &- 1] > 0x20 ? next : endWithSpace(before: next) }

    @inline(never)
    private func endWithSpace(before next: Int) -> Int {
        var end = next
        while case let c = bytes[end &- 1], c == 0x20 || c == 0x0A || c == 0x0D || c == 0x09 { end &-= 1 }
        return end
    }

    /// The string that begins at `start`, before the token at `next`; nil where something else begins there.
    @inline(__always)
    func string(_ start: Int, before next: Int) -> ByteView? {
        let last = end(before: next) &- 1
        guard bytes[start] == 0x22, bytes[last] == 0x22, last > start else { return nil }
        return ByteView(base: bytes + start + 1, count: last &- start &- 1)
    }

    /// The same bytes in the record.
    @inline(__always)
    func own(_ view: ByteView) -> ByteView { ByteView(base: view.base.unsafelyUnwrapped + toRecord, count: view.count) }

    /// A literal, or a number of at most 18 digits without an exponent, whose value the tape would have, too; nil for
    /// everything else.
    @inline(__always)
    func scalar(_ start: Int, before next: Int) -> Scalar? {
        let end = end(before: next)
        switch bytes[start] {
        case UInt8(ascii: "t"): return spells("true", start, end) ? .bool(true) : nil
        case UInt8(ascii: "f"): return spells("false", start, end) ? .bool(false) : nil
        case UInt8(ascii: "n"): return spells("null", start, end) ? .null : nil
        default: return number(start, end)
        }
    }

    /// The token after a value nobody reads, which must be JSON all the same and at most `depth` deep; nil where it is not,
    /// or has escapes or odd numbers.
    func skip(_ token: Int, depth: Int) -> Int? {
        let start = start(token)
        let close: UInt8
        switch bytes[start] {
        case UInt8(ascii: "\""): return string(start, before: self.start(token &+ 1)) == nil ? nil : token &+ 1
        case UInt8(ascii: "{"): close = UInt8(ascii: "}")
        case UInt8(ascii: "["): close = UInt8(ascii: "]")
        default: return scalar(start, before: self.start(token &+ 1)) == nil ? nil : token &+ 1
        }
        guard depth > 0 else { return nil }
        var i = token &+ 1
        if bytes[self.start(i)] == close { return i &+ 1 }
        while true {
            if close == UInt8(ascii: "}") {
                let colon = self.start(i &+ 1)
                guard string(self.start(i), before: colon) != nil, bytes[colon] == UInt8(ascii: ":") else { return nil }
                i &+= 2
            }
            guard let next = skip(i, depth: depth &- 1) else { return nil }
            i = next &+ 1
            let separator = bytes[self.start(next)]
            if separator == close { return i }
            guard separator == UInt8(ascii: ",") else { return nil }
        }
    }

    private func spells(_ name: StaticString, _ start: Int, _ end: Int) -> Bool {
        ByteView(base: bytes + start, count: end &- start) == name
    }

    /// A mantissa below 2⁵³ over a power of ten up to 10²² is rounded once and thereby correctly (Clinger, "How to read
    /// floating point numbers accurately", PLDI 1990).
    private func number(_ start: Int, _ end: Int) -> Scalar? {
        let isNegative = bytes[start] == UInt8(ascii: "-")
        let digits = isNegative ? start &+ 1 : start
        guard end &- digits <= 19 else { return nil }
        var mantissa: Int64 = 0
        var i = digits
        while i < end, case let digit = bytes[i] &- 48, digit <= 9 {
            mantissa = mantissa &* 10 &+ Int64(digit)
            i &+= 1
        }
        let whole = i &- digits
        guard whole > 0, whole == 1 || bytes[digits] != 48 else { return nil }
        if i == end { return whole <= 18 ? .integer(isNegative ? 0 &- mantissa : mantissa) : nil }
        guard bytes[i] == UInt8(ascii: ".") else { return nil }
        i &+= 1
        let fraction = i
        var power = 1.0
        while i < end, case let digit = bytes[i] &- 48, digit <= 9 {
            mantissa = mantissa &* 10 &+ Int64(digit)
            power *= 10
            i &+= 1
        }
        guard i == end, i > fraction, mantissa < 1 << 53 else { return nil }
        let magnitude = Double(mantissa) / power
        return .double(isNegative ? -magnitude : magnitude)
    }
}

/// The short way of records in the contract's own form: straight from their tokens, without the tape. It takes what most
/// records are and gives up on everything else, faults first of all; then the tape tells what the record is.
extension EventWalk {
    /// How deep the plain form goes where nothing is read.
    private static var mostSkipped: Int { 16 }

    /// False when the record is not in the plain form: no escapes, no empty object of the contract, at most eight unknown
    /// keys, no number out of the ordinary, no fault. What it accepts, `contract` accepts, to the same event.
    /// - Complexity: O(tokens)
    mutating func plain(_ text: PlainText, tokens count: Int, into event: inout Event) -> Bool {
        let bytes = text.bytes
        let keys = keys
        let plainBytes = bounds.textBytes
        var object = ContractObject.root
        var group = KeyGroup(object)
        var met: UInt64 = 0
        let expected = expected
        var last = expected.beginning
        var unknown = InlineArray<8, ByteView>(repeating: .absent)
        var unknownCount = 0
        guard bytes[text.start(0)] == UInt8(ascii: "{") else { return false }
        // The token at which a key must begin.
        var i = 1
        while true {
            let quote = text.start(i)
            let key: UnsafePointer<ContractKey>?
            let follower = last.pointee.next
            if follower.pointee.object == object, follower.pointee.stands(at: bytes + quote) {
                last = follower
                key = UnsafeRawPointer(follower).assumingMemoryBound(to: ContractKey.self)
            } else {
                let colon = text.start(i &+ 1)
                guard let name = text.string(quote, before: colon), bytes[colon] == UInt8(ascii: ":") else { return false }
                key = keys.key(parsed: name, in: group)
                if let key {
                    let found = expected.place(of: key.pointee)
                    last.pointee.next = found
                    last = found
                } else {
                    guard unknownCount < unknown.count else { return false }
                    for other in 0..<unknownCount where unknown[other].isEqual(to: name) { return false }
                    unknown[unknownCount] = name
                    unknownCount &+= 1
                }
            }
            if let key {
                guard met & key.pointee.bit == 0 else { return false }
                met |= key.pointee.bit
            }
            let start = text.start(i &+ 2)
            // What follows a value of one token.
            i &+= 3
            var next = text.start(i)
            let first = bytes[start]
            if first == UInt8(ascii: "\"") {
                guard let content = text.string(start, before: next) else { return false }
                if let key {
                    let isPlain = switch key.pointee.value {
                    case .text: content.count <= plainBytes
                    case .identifier: Self.isID(content, bounds)
                    default: false
                    }
                    if isPlain {
                        event.set(key.pointee.field, text.own(content))
                    } else if key.pointee.isField {
                        assign(key.pointee.field, .text(text.own(content)), into: &event)
                    } else if key.pointee.value == .object {
                        return false
                    }
                }
            } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "["), key == nil || key?.pointee.value == .skipped {
                // Within an object of the contract it lies one deeper.
                let depth = min(bounds.depth, Self.mostSkipped) &- (object == .root ? 1 : 2)
                guard let after = text.skip(i &- 1, depth: depth) else { return false }
                i = after
                next = text.start(i)
            } else if first == UInt8(ascii: "{") {
                guard let key, key.pointee.value == .object else { return false }
                object = key.pointee.object
                group = KeyGroup(object)
                continue
            } else if first == UInt8(ascii: "[") {
                guard let key, key.pointee.isField, key.pointee.field.isList else { return false }
                let isEnrolled = key.pointee.field == .enrolments
                if isEnrolled { event.enrolments = [] }
                while true {
                    let separator = text.start(i &+ 1)
                    guard let method = text.string(text.start(i), before: separator) else { return false }
                    if isEnrolled {
                        event.enrolments?.formUnion(keys.enrolment(parsed: method))
                    } else {
                        event.amr.formUnion(keys.method(parsed: method))
                    }
                    i &+= 2
                    if bytes[separator] == UInt8(ascii: "]") { break }
                    guard bytes[separator] == UInt8(ascii: ",") else { return false }
                }
                next = text.start(i)
            } else {
                guard let content = text.scalar(start, before: next) else { return false }
                if let key {
                    if case .null = content {
                    } else if key.pointee.isField {
                        assign(key.pointee.field, content, into: &event)
                    } else if key.pointee.value == .object {
                        return false
                    }
                }
            }
            if bytes[next] == UInt8(ascii: "}") && object != .root {
                object = .root
                group = KeyGroup(object)
                i &+= 1
                next = text.start(i)
            }
            if bytes[next] == UInt8(ascii: ",") {
                i &+= 1
            } else {
                return bytes[next] == UInt8(ascii: "}") && object == .root && i == count &- 1 && fault == nil
            }
        }
    }
}
