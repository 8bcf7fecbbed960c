// Records in another JSON form: each field of the event is looked up by its rule's paths.

extension EventWalk {
    /// False when the mapping says to ignore the record. Fields without a rule, or whose rule finds nothing, are absent.
    mutating func map(_ plan: DecodePlan, into event: inout Event) -> Bool {
        for rule in plan.rules {
            guard let value = find(rule) else { continue }
            if rule.field == .type, case .text(let name) = value, name == "ignore" { return false }
            if rule.field.isList, case .array(let start) = value {
                mapMethods(from: start, rule, into: &event)
            } else {
                assign(rule.field, value, into: &event)
            }
        }
        return true
    }

    /// The value of the first path that leads to one, translated; else the fallback. Null and "" are no values.
    private mutating func find(_ rule: DecodePlan.Rule) -> Scalar? {
        for path in rule.paths {
            guard let index = follow(path, rule.field) else { continue }
            let value = translate(tape.scalar(index), rule)
            switch value {
            case .null: continue
            case .text(let view) where view.isEmpty: continue
            default: return value
            }
        }
        return rule.fallback.isEmpty ? nil : .text(rule.fallback)
    }

    private mutating func translate(_ value: Scalar, _ rule: DecodePlan.Rule) -> Scalar {
        if rule.translations.isEmpty, !rule.rest.isPresent { return value }
        switch value {
        case .null: return value
        case .array where rule.field.isList: return value
        default: break
        }
        guard let view = spelled(value) else { return rule.rest.isPresent ? .text(rule.rest) : value }
        return translation(of: view, rule).map(Scalar.text) ?? value
    }

    private func translation(of view: ByteView, _ rule: DecodePlan.Rule) -> ByteView? {
        for entry in rule.translations where entry.from.isEqual(to: view) { return entry.to }
        return rule.rest.isPresent ? rule.rest : nil
    }

    /// Each element is translated by itself.
    private mutating func mapMethods(from start: Int, _ rule: DecodePlan.Rule, into event: inout Event) {
        let end = tape.end(start &- 1) &- 1
        if rule.field == .enrolments { event.enrolments = event.enrolments ?? [] }
        var i = start
        while i < end {
            assign(rule.field, translate(tape.scalar(i), rule), into: &event)
            i = tape.next(i)
        }
    }

    private mutating func follow(_ path: [DecodePlan.Step], _ field: EventField) -> Int? {
        var at = 1
        for step in path {
            if step.key.isPresent {
                guard tape.kind(at) == UInt8(ascii: "{"), let value = member(step.key, of: at, field) else { return nil }
                at = value
            } else {
                guard tape.kind(at) == UInt8(ascii: "["), let value = element(step.index, of: at) else { return nil }
                at = value
            }
        }
        return at
    }

    private mutating func member(_ key: ByteView, of index: Int, _ field: EventField) -> Int? {
        var found: Int?
        let end = tape.end(index) &- 1
        var i = index &+ 1
        while i < end {
            if tape.string(i).isEqual(to: key) {
                if found == nil { found = i &+ 1 } else { fail(.duplicateKey, field.path, "a key on its path comes twice") }
            }
            i = tape.next(i &+ 1)
        }
        return found
    }

    private func element(_ number: Int, of index: Int) -> Int? {
        guard number >= 0 else { return nil }
        let end = tape.end(index) &- 1
        var i = index &+ 1
        var n = 0
        while i < end {
            if n == number { return i }
            n += 1
            i = tape.next(i)
        }
        return nil
    }

    /// Numbers and truth values as the text they have in JSON; nil for what has no one text.
    mutating func spelled(_ value: Scalar) -> ByteView? {
        switch value {
        case .text(let view): return view
        case .bool(true): return ByteView(staticText: "true")
        case .bool(false): return ByteView(staticText: "false")
        case .integer(let number): return digits(number.magnitude, negative: number < 0)
        case .unsigned(let number): return digits(number, negative: false)
        case .double(let number):
            guard number == number.rounded(), number.magnitude < 9e15 else { return nil }
            return digits(UInt64(number.magnitude), negative: number < 0)
        default: return nil
        }
    }

    private mutating func digits(_ magnitude: UInt64, negative: Bool) -> ByteView? {
        guard scratchUsed + 24 <= Self.scratchBytes else { return nil }
        let end = scratchUsed + 24
        scratchUsed = end
        var i = end
        var rest = magnitude
        repeat {
            i -= 1
            scratch[i] = UInt8(48 + rest % 10)
            rest /= 10
        } while rest > 0
        if negative {
            i -= 1
            scratch[i] = UInt8(ascii: "-")
        }
        return ByteView(base: UnsafePointer(scratch + i), count: end - i)
    }
}
