import Events

/// Puts evidence into words a person can check: what was observed, and what would have been expected.
public enum Explanation {
    /// Bytes that are room for a reason, whatever of the event it tells.
    public static func room(for event: UnsafePointer<Event>) -> Int {
        let device = event.pointee.deviceID.count + event.pointee.userAgent.count
        let family = event.pointee.browser.count + event.pointee.os.count
        let rest = event.pointee.action.count + event.pointee.city.count + event.pointee.currency.count
        return 1024 + TextCursor.room(escaping: device + family + rest)
    }

    /// Writes the reason as JSON and returns the place behind it: the signal, its points, what was observed, what would have been
    /// expected, and how many observations that rests on.
    public static func write(
        _ signal: Signal, _ evidence: UnsafePointer<Evidence>, of event: UnsafePointer<Event>, to place: TextCursor
    ) -> TextCursor {
        var text = place
        text.write("{\"signal\":\"")
        text.write(signal.name)
        text.write("\",\"points\":")
        text.write(number: evidence.pointee.points, decimals: 1)
        text.write(",\"observed\":\"")
        observed(signal, evidence.pointee, event, &text)
        text.write("\",\"expected\":\"")
        expected(signal, evidence.pointee, event, &text)
        text.write("\",\"samples\":")
        text.write(integer: Int64(max(0, min(1e9, evidence.pointee.samples))))
        text.write("}")
        return text
    }

    @inline(__always)
    private static func observed(_ signal: Signal, _ e: Evidence, _ event: UnsafePointer<Event>, _ text: inout TextCursor) {
        switch signal {
        case .deviceNew, .deviceRare, .deviceChangedInSession:
            text = device(event, text)
        case .deviceFamily, .agentMismatch:
            text = family(event, text)
        case .deviceShared:
            text.write(count: e.observed, "user")
            text.write(" on this device in ")
            text = .minutes(e.detail, text)
        case .agentDowngrade:
            text.write("version ")
            text.write(whole: e.observed)
        case .networkNew, .networkProvider, .networkChangedInSession, .sessionTokenReplayed, .networkAnonymous,
            .networkReputation:
            text = network(event, text)
        case .networkRare:
            text = network(event, text)
            text.write(", used by ")
            text.write(hundredths: e.observed)
            text.write(" % of users")
        case .networkSpray:
            text.write(count: e.observed, "user")
            text.write(" failing from it in ")
            text = .minutes(e.detail, text)
        case .networkStuffing:
            text.write(count: e.observed, "account")
            text.write(" tried from it in ")
            text = .minutes(e.detail, text)
        case .placeNew, .placeCountry, .placeMismatch:
            text = place(event, text)
        case .timeDormant, .sessionAge, .sessionIdle, .sessionAssurance:
            text = .minutes(e.observed, text)
        case .loginFirstFactor, .loginWeakerFactor:
            text.write("one factor")
        case .loginRoundTrip:
            text.write(whole: e.observed)
            text.write(" ms")
        case .actionSensitive:
            text.write(escaped: event.pointee.action)
        case .actionSequence:
            text.write("the last ")
            text.write(count: e.observed, "action")
        case .actionTakeover:
            text.write(whole: e.observed)
            text.write(" of contact, password and factors changed in ")
            text = .minutes(e.detail, text)
        case .actionExport:
            text.write(count: e.observed, "export")
            text.write(" in ")
            text = .minutes(abs(e.detail), text)
            if e.detail < 0 { text.write(", out of hours") }
        case .actionBreadth:
            text.write(count: e.observed, "resource")
            text.write(" in ")
            text = .minutes(e.detail, text)
        case .challengeFailed:
            text.write(count: e.observed, "failed challenge")
            text.write(" in ")
            text = .minutes(e.detail, text)
        case .challengeAbandoned:
            text.write(count: e.observed, "unanswered challenge")
            text.write(" in ")
            text = .minutes(e.detail, text)
        case .challengeDenied:
            text.write("the person said “not me” ")
            text.write(count: e.observed, "time")
            text.write(" in ")
            text = .minutes(e.detail, text)
        case .challengePushBombing:
            text.write(whole: e.observed)
            text.write(" pushes unanswered or denied in ")
            text = .minutes(e.detail, text)
        case .drift:
            text.write(e.detail == 0 ? "actions " : e.detail == 1 ? "amounts " : e.detail == 2 ? "devices " : "providers ")
            text.write(whole: e.observed)
            text.write(" % unlike before")
        case .travelImpossible, .travelImprobable:
            text.write(whole: e.observed)
            text.write(" km in ")
            text = .minutes(e.detail, text)
        case .timeUnusual:
            text.write(twoDigits: Int(e.observed))
            text.write(":00–")
            text.write(twoDigits: Int(e.observed))
            text.write(":59 UTC")
        case .loginFailures:
            text.write(whole: e.observed)
            text.write(" failed logins in ")
            text = .minutes(e.detail, text)
        case .loginSuccessAfterFailures:
            text.write("success after ")
            text.write(whole: e.observed)
            text.write(" failures in ")
            text = .minutes(e.detail, text)
        case .sessionTwoPlaces:
            if e.detail < 0 {
                text.write(whole: e.observed)
                text.write(" moves between networks")
            } else {
                text = network(event, text)
                text.write(" ")
                text = .minutes(e.detail, text)
                text.write(" after another")
            }
        case .actionRare:
            text.write(escaped: event.pointee.action)
        case .actionRate:
            text.write(whole: e.observed)
            text.write(" actions in ")
            text.write(whole: e.detail)
            text.write(" s")
        case .amountUnusual:
            text = .amount(e.observed, text)
            if event.pointee.currency.isPresent {
                text.write(" ")
                text.write(escaped: event.pointee.currency)
            }
        case .inputMalformed:
            if e.observed > 0 {
                text.write(whole: e.observed)
                text.write(" malformed records")
            }
            if e.detail > 0 {
                if e.observed > 0 { text.write(", ") }
                text.write(event.pointee.truncatedField)
                text.write(" of ")
                text.write(whole: e.detail)
                text.write(" bytes")
            }
        }
    }

    @inline(__always)
    private static func expected(_ signal: Signal, _ e: Evidence, _ event: UnsafePointer<Event>, _ text: inout TextCursor) {
        switch signal {
        case .deviceRare:
            text.write("seen ")
            text = .tenths(e.observed, text)
            text.write(" times in ")
            text.write(whole: e.expected)
            text.write(" logins")
        case .deviceFamily:
            text.write(e.points <= 0 ? "a browser used before" : "a browser and system used before")
        case .agentMismatch:
            text.write(e.observed > 0 ? "the operating system this device had" : "the kind of device it was")
        case .deviceShared, .networkSpray, .networkStuffing:
            text.write("fewer than ")
            text.write(whole: e.expected)
        case .agentDowngrade:
            text.write("version ")
            text.write(whole: e.expected)
            text.write(" or newer")
        case .networkProvider:
            text.write(e.points <= 0 ? "a provider used before" : "a provider used before, in a known country")
        case .networkRare:
            text.write("a provider used by at least ")
            text.write(hundredths: e.expected)
            text.write(" %")
        case .networkAnonymous:
            text.write("a network that is nobody's disguise")
        case .networkReputation:
            text.write("a network that is on no list")
        case .placeCountry:
            if e.points <= 0 { text.write("a country known before") } else { text.write(count: e.expected, "known place") }
        case .placeMismatch:
            text.write(country: Int(e.expected))
            text.write(", where the account is at home")
        case .timeDormant, .sessionAge, .sessionIdle, .sessionAssurance:
            text.write("at most ")
            text = .minutes(e.expected, text)
        case .loginFirstFactor:
            text.write("two factors")
        case .loginWeakerFactor:
            text.write("more than one factor, as in ")
            text.write(whole: e.expected)
            text.write(" % of logins")
        case .loginRoundTrip:
            text.write("about ")
            text.write(whole: e.expected)
            text.write(" ms")
        case .actionSensitive:
            text.write("an action that harms nobody")
        case .actionSequence:
            text.write(e.points <= 0 ? "what this user does one after the other" : "a course of actions like the user's")
        case .actionBreadth:
            text.write("at most ")
            text.write(whole: e.expected)
        case .actionTakeover:
            text.write("one at a time")
        case .actionExport:
            text.write("at most ")
            text.write(whole: e.expected)
        case .challengeDenied:
            text.write("no denial")
        case .challengeFailed, .challengeAbandoned, .challengePushBombing:
            text.write("fewer than ")
            text.write(whole: e.expected)
        case .drift:
            text.write("within ")
            text.write(whole: e.expected)
            text.write(" % of what was usual for months")
        case .deviceNew:
            if e.observed > 0 { text.write("a device used before") } else { text.write(count: e.expected, "known device") }
        case .deviceChangedInSession:
            text.write("the device the session began on")
        case .networkNew:
            if e.points <= 0 { text.write("a network used before") } else { text.write(count: e.expected, "known network") }
            if e.detail > 0 && e.points > 0 { text.write(", this provider among them") }
        case .networkChangedInSession, .sessionTokenReplayed:
            if e.expected > 0 {
                text.write("AS")
                text.write(whole: e.expected)
                text.write(" as before")
            } else {
                text.write("the network it began on")
            }
            if signal == .sessionTokenReplayed { text.write(" and the same device") }
        case .placeNew:
            if e.points <= 0 { text.write("a place known before") } else { text.write(count: e.expected, "known place") }
            if e.detail > 0 && e.points > 0 { text.write(", this country among them") }
        case .travelImpossible, .travelImprobable:
            text.write("at most ")
            text.write(whole: e.expected)
            text.write(" km/h")
        case .timeUnusual:
            text = .tenths(e.expected, text)
            text.write(" % of sessions begin then")
        case .loginFailures, .loginSuccessAfterFailures:
            text.write("fewer than ")
            text.write(whole: e.expected)
        case .sessionTwoPlaces:
            text.write("one network and device at a time")
        case .actionRare:
            text.write("seen ")
            text = .tenths(e.observed, text)
            text.write(" times in ")
            text.write(whole: e.expected)
            text.write(" actions")
        case .actionRate:
            text.write("at most ")
            text.write(whole: e.expected)
        case .amountUnusual:
            text.write("up to ")
            text = .amount(e.expected, text)
        case .inputMalformed:
            text.write("well-formed records")
        }
    }

    @inline(never)
    private static func device(_ event: UnsafePointer<Event>, _ start: TextCursor) -> TextCursor {
        var text = start
        if event.pointee.deviceID.isPresent {
            text.write(escaped: event.pointee.deviceID)
        } else if event.pointee.userAgent.isPresent {
            text.write(escaped: event.pointee.userAgent)
        } else if event.pointee.browser.isPresent || event.pointee.os.isPresent {
            text.write(escaped: event.pointee.browser)
            if event.pointee.browser.isPresent && event.pointee.os.isPresent { text.write(" on ") }
            text.write(escaped: event.pointee.os)
        } else {
            text.write("no device")
        }
        return text
    }

    @inline(never)
    private static func family(_ event: UnsafePointer<Event>, _ start: TextCursor) -> TextCursor {
        var text = start
        if event.pointee.browser.isPresent { text.write(escaped: event.pointee.browser) }
        if event.pointee.browser.isPresent && event.pointee.os.isPresent { text.write(" on ") }
        if event.pointee.os.isPresent { text.write(escaped: event.pointee.os) }
        if !event.pointee.browser.isPresent && !event.pointee.os.isPresent { text = device(event, text) }
        return text
    }

    /// The /24 or /48 the model compares by; the whole address stays in the event.
    @inline(never)
    private static func network(_ event: UnsafePointer<Event>, _ start: TextCursor) -> TextCursor {
        var text = start
        let ip = event.pointee.ip
        switch ip.family {
        case .none: text.write("no address")
        case .v4:
            text.write(integer: Int64(ip.low >> 24 & 255))
            text.write(".")
            text.write(integer: Int64(ip.low >> 16 & 255))
            text.write(".")
            text.write(integer: Int64(ip.low >> 8 & 255))
            text.write(".0/24")
        case .v6:
            text.write(hexGroup: UInt16(truncatingIfNeeded: ip.high >> 48))
            text.write(":")
            text.write(hexGroup: UInt16(truncatingIfNeeded: ip.high >> 32))
            text.write(":")
            text.write(hexGroup: UInt16(truncatingIfNeeded: ip.high >> 16))
            text.write("::/48")
        }
        if event.pointee.asn != 0 {
            text.write(" (AS")
            text.write(integer: Int64(event.pointee.asn))
            text.write(")")
        }
        return text
    }

    @inline(never)
    private static func place(_ event: UnsafePointer<Event>, _ start: TextCursor) -> TextCursor {
        var text = start
        if event.pointee.city.isPresent {
            text.write(escaped: event.pointee.city)
            text.write(", ")
        }
        text.write(country: Int(event.pointee.country))
        return text
    }
}

extension TextCursor {
    @inline(__always)
    fileprivate mutating func write(whole value: Double) { self = Self.whole(value, self) }

    @inline(never)
    private static func whole(_ value: Double, _ start: TextCursor) -> TextCursor {
        var text = start
        text.write(integer: whole(value))
        return text
    }

    /// The nearest whole number, of two the one farther from zero: what is beyond ±9·10¹⁵ as that, and NaN as the greatest.
    /// Rounding as such would be a call of the C library on processors without SSE4.1.
    @inline(__always)
    private static func whole(_ value: Double) -> Int64 {
        let bounded = max(-9e15, min(9e15, value))
        let cut = Int64(bounded)
        let rest = bounded - Double(cut)
        return cut &+ (rest >= 0.5 ? 1 : 0) &- (rest <= -0.5 ? 1 : 0)
    }

    /// Without the decimal where it is zero.
    @inline(never)
    fileprivate static func tenths(_ value: Double, _ start: TextCursor) -> TextCursor {
        var text = start
        let (tens, rest) = whole(value * 10).quotientAndRemainder(dividingBy: 10)
        if rest == 0 { text.write(integer: tens) } else { text.write(number: value, decimals: 1) }
        return text
    }

    @inline(__always)
    fileprivate mutating func write(hundredths value: Double) { write(number: value, decimals: 2) }

    /// Without the cents where there are none, or nobody asks for them.
    @inline(never)
    fileprivate static func amount(_ value: Double, _ start: TextCursor) -> TextCursor {
        var text = start
        let (units, cents) = whole(value * 100).quotientAndRemainder(dividingBy: 100)
        if value >= 1e9 {
            text.write(whole: (value * 100).rounded() / 100)
        } else if cents == 0 {
            text.write(integer: units)
        } else {
            text.write(number: value, decimals: 2)
        }
        return text
    }

    @inline(__always)
    fileprivate mutating func write(twoDigits value: Int) {
        if value < 10 { write("0") }
        write(integer: Int64(value))
    }

    /// A group of an IPv6 address without leading zeros.
    fileprivate mutating func write(hexGroup value: UInt16) {
        var shift = 12
        while shift > 0 && value >> UInt16(shift) == 0 { shift -= 4 }
        while shift >= 0 {
            write(hexDigit: UInt8(value >> UInt16(shift) & 15))
            shift -= 4
        }
    }

    /// Two letters, or whatever else stands there.
    fileprivate mutating func write(country letters: Int) {
        write(escaped: UInt8(truncatingIfNeeded: letters >> 8))
        write(escaped: UInt8(truncatingIfNeeded: letters))
    }

    @inline(never)
    fileprivate static func minutes(_ minutes: Double, _ start: TextCursor) -> TextCursor {
        var text = start
        switch minutes {
        case ..<1:
            text.write(whole: minutes * 60)
            text.write(" s")
        case ..<120:
            text.write(whole: minutes)
            text.write(" min")
        case ..<2880:
            text.write(whole: minutes / 60)
            text.write(" h")
        default:
            text.write(whole: minutes / 1440)
            text.write(" d")
        }
        return text
    }

    @inline(__always)
    fileprivate mutating func write(count: Double, _ noun: StaticString) {
        write(whole: count)
        write(" ")
        write(noun)
        if count != 1 { write("s") }
    }
}
