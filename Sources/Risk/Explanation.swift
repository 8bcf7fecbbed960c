import Events

/// Puts evidence into words a person can check: what was observed, and what would have been expected.
public enum Explanation {
    /// Appends the observed text and then the expected text to `text`, and returns where they are.
    public static func write(
        _ signal: Signal, _ evidence: Evidence, of event: UnsafePointer<Event>, into text: inout OutputBuffer
    ) -> (observed: Range<Int>, expected: Range<Int>) {
        let start = text.count
        observed(signal, evidence, event, &text)
        let middle = text.count
        expected(signal, evidence, event, &text)
        return (start..<middle, middle..<text.count)
    }

    private static func observed(_ signal: Signal, _ e: Evidence, _ event: UnsafePointer<Event>, _ text: inout OutputBuffer) {
        switch signal {
        case .deviceNew, .deviceRare, .deviceChangedInSession:
            device(event, &text)
        case .deviceFamily, .agentMismatch:
            family(event, &text)
        case .deviceShared:
            text.append(count: e.observed, "user")
            text.append(" on this device in ")
            text.append(minutes: e.detail)
        case .agentDowngrade:
            text.append("version ")
            text.append(whole: e.observed)
        case .networkNew, .networkProvider, .networkChangedInSession, .sessionTokenReplayed, .networkAnonymous,
            .networkReputation:
            network(event, &text)
        case .networkRare:
            network(event, &text)
            text.append(", used by ")
            text.append(hundredths: e.observed)
            text.append(" % of users")
        case .networkSpray:
            text.append(count: e.observed, "user")
            text.append(" failing from it in ")
            text.append(minutes: e.detail)
        case .networkStuffing:
            text.append(count: e.observed, "account")
            text.append(" tried from it in ")
            text.append(minutes: e.detail)
        case .placeNew, .placeCountry, .placeMismatch:
            place(event, &text)
        case .timeDormant, .sessionAge, .sessionIdle, .sessionAssurance:
            text.append(minutes: e.observed)
        case .loginFirstFactor, .loginWeakerFactor:
            text.append("one factor")
        case .loginRoundTrip:
            text.append(whole: e.observed)
            text.append(" ms")
        case .actionSensitive:
            text.append(event.pointee.action)
        case .actionSequence:
            text.append("the last ")
            text.append(count: e.observed, "action")
        case .actionTakeover:
            text.append(whole: e.observed)
            text.append(" of contact, password and factors changed in ")
            text.append(minutes: e.detail)
        case .actionExport:
            text.append(count: e.observed, "export")
            text.append(" in ")
            text.append(minutes: abs(e.detail))
            if e.detail < 0 { text.append(", out of hours") }
        case .actionBreadth:
            text.append(count: e.observed, "resource")
            text.append(" in ")
            text.append(minutes: e.detail)
        case .challengeFailed:
            text.append(count: e.observed, "failed challenge")
            text.append(" in ")
            text.append(minutes: e.detail)
        case .challengeAbandoned:
            text.append(count: e.observed, "unanswered challenge")
            text.append(" in ")
            text.append(minutes: e.detail)
        case .challengeDenied:
            text.append("the person said “not me” ")
            text.append(count: e.observed, "time")
            text.append(" in ")
            text.append(minutes: e.detail)
        case .challengePushBombing:
            text.append(whole: e.observed)
            text.append(" pushes unanswered or denied in ")
            text.append(minutes: e.detail)
        case .drift:
            text.append(e.detail == 0 ? "actions " : e.detail == 1 ? "amounts " : e.detail == 2 ? "devices " : "providers ")
            text.append(whole: e.observed)
            text.append(" % unlike before")
        case .travelImpossible, .travelImprobable:
            text.append(whole: e.observed)
            text.append(" km in ")
            text.append(minutes: e.detail)
        case .timeUnusual:
            text.append(twoDigits: Int(e.observed))
            text.append(":00–")
            text.append(twoDigits: Int(e.observed))
            text.append(":59 UTC")
        case .loginFailures:
            text.append(whole: e.observed)
            text.append(" failed logins in ")
            text.append(minutes: e.detail)
        case .loginSuccessAfterFailures:
            text.append("success after ")
            text.append(whole: e.observed)
            text.append(" failures in ")
            text.append(minutes: e.detail)
        case .sessionTwoPlaces:
            if e.detail < 0 {
                text.append(whole: e.observed)
                text.append(" moves between networks")
            } else {
                network(event, &text)
                text.append(" ")
                text.append(minutes: e.detail)
                text.append(" after another")
            }
        case .actionRare:
            text.append(event.pointee.action)
        case .actionRate:
            text.append(whole: e.observed)
            text.append(" actions in ")
            text.append(whole: e.detail)
            text.append(" s")
        case .amountUnusual:
            text.append(amount: e.observed)
            if event.pointee.currency.isPresent {
                text.append(" ")
                text.append(event.pointee.currency)
            }
        case .inputMalformed:
            if e.observed > 0 {
                text.append(whole: e.observed)
                text.append(" malformed records")
            }
            if e.detail > 0 {
                if e.observed > 0 { text.append(", ") }
                text.append(event.pointee.truncatedField)
                text.append(" of ")
                text.append(whole: e.detail)
                text.append(" bytes")
            }
        }
    }

    private static func expected(_ signal: Signal, _ e: Evidence, _ event: UnsafePointer<Event>, _ text: inout OutputBuffer) {
        switch signal {
        case .deviceRare:
            text.append("seen ")
            text.append(tenths: e.observed)
            text.append(" times in ")
            text.append(whole: e.expected)
            text.append(" logins")
        case .deviceFamily:
            text.append(e.points <= 0 ? "a browser used before" : "a browser and system used before")
        case .agentMismatch:
            text.append(e.observed > 0 ? "the operating system this device had" : "the kind of device it was")
        case .deviceShared, .networkSpray, .networkStuffing:
            text.append("fewer than ")
            text.append(whole: e.expected)
        case .agentDowngrade:
            text.append("version ")
            text.append(whole: e.expected)
            text.append(" or newer")
        case .networkProvider:
            text.append(e.points <= 0 ? "a provider used before" : "a provider used before, in a known country")
        case .networkRare:
            text.append("a provider used by at least ")
            text.append(hundredths: e.expected)
            text.append(" %")
        case .networkAnonymous:
            text.append("a network that is nobody's disguise")
        case .networkReputation:
            text.append("a network that is on no list")
        case .placeCountry:
            if e.points <= 0 { text.append("a country known before") } else { text.append(count: e.expected, "known place") }
        case .placeMismatch:
            text.append(UInt8(truncatingIfNeeded: Int(e.expected) >> 8))
            text.append(UInt8(truncatingIfNeeded: Int(e.expected)))
            text.append(", where the account is at home")
        case .timeDormant, .sessionAge, .sessionIdle, .sessionAssurance:
            text.append("at most ")
            text.append(minutes: e.expected)
        case .loginFirstFactor:
            text.append("two factors")
        case .loginWeakerFactor:
            text.append("more than one factor, as in ")
            text.append(whole: e.expected)
            text.append(" % of logins")
        case .loginRoundTrip:
            text.append("about ")
            text.append(whole: e.expected)
            text.append(" ms")
        case .actionSensitive:
            text.append("an action that harms nobody")
        case .actionSequence:
            text.append(e.points <= 0 ? "what this user does one after the other" : "a course of actions like the user's")
        case .actionBreadth:
            text.append("at most ")
            text.append(whole: e.expected)
        case .actionTakeover:
            text.append("one at a time")
        case .actionExport:
            text.append("at most ")
            text.append(whole: e.expected)
        case .challengeDenied:
            text.append("no denial")
        case .challengeFailed, .challengeAbandoned, .challengePushBombing:
            text.append("fewer than ")
            text.append(whole: e.expected)
        case .drift:
            text.append("within ")
            text.append(whole: e.expected)
            text.append(" % of what was usual for months")
        case .deviceNew:
            if e.observed > 0 { text.append("a device used before") } else { text.append(count: e.expected, "known device") }
        case .deviceChangedInSession:
            text.append("the device the session began on")
        case .networkNew:
            if e.points <= 0 { text.append("a network used before") } else { text.append(count: e.expected, "known network") }
            if e.detail > 0 && e.points > 0 { text.append(", this provider among them") }
        case .networkChangedInSession, .sessionTokenReplayed:
            if e.expected > 0 {
                text.append("AS")
                text.append(whole: e.expected)
                text.append(" as before")
            } else {
                text.append("the network it began on")
            }
            if signal == .sessionTokenReplayed { text.append(" and the same device") }
        case .placeNew:
            if e.points <= 0 { text.append("a place known before") } else { text.append(count: e.expected, "known place") }
            if e.detail > 0 && e.points > 0 { text.append(", this country among them") }
        case .travelImpossible, .travelImprobable:
            text.append("at most ")
            text.append(whole: e.expected)
            text.append(" km/h")
        case .timeUnusual:
            text.append(tenths: e.expected)
            text.append(" % of sessions begin then")
        case .loginFailures, .loginSuccessAfterFailures:
            text.append("fewer than ")
            text.append(whole: e.expected)
        case .sessionTwoPlaces:
            text.append("one network and device at a time")
        case .actionRare:
            text.append("seen ")
            text.append(tenths: e.observed)
            text.append(" times in ")
            text.append(whole: e.expected)
            text.append(" actions")
        case .actionRate:
            text.append("at most ")
            text.append(whole: e.expected)
        case .amountUnusual:
            text.append("up to ")
            text.append(amount: e.expected)
        case .inputMalformed:
            text.append("well-formed records")
        }
    }

    private static func device(_ event: UnsafePointer<Event>, _ text: inout OutputBuffer) {
        if event.pointee.deviceID.isPresent {
            text.append(event.pointee.deviceID)
        } else if event.pointee.userAgent.isPresent {
            text.append(event.pointee.userAgent)
        } else if event.pointee.browser.isPresent || event.pointee.os.isPresent {
            text.append(event.pointee.browser)
            if event.pointee.browser.isPresent && event.pointee.os.isPresent { text.append(" on ") }
            text.append(event.pointee.os)
        } else {
            text.append("no device")
        }
    }

    private static func family(_ event: UnsafePointer<Event>, _ text: inout OutputBuffer) {
        if event.pointee.browser.isPresent { text.append(event.pointee.browser) }
        if event.pointee.browser.isPresent && event.pointee.os.isPresent { text.append(" on ") }
        if event.pointee.os.isPresent { text.append(event.pointee.os) }
        if !event.pointee.browser.isPresent && !event.pointee.os.isPresent { device(event, &text) }
    }

    /// The /24 or /48 the model compares by; the whole address stays in the event.
    private static func network(_ event: UnsafePointer<Event>, _ text: inout OutputBuffer) {
        let ip = event.pointee.ip
        switch ip.family {
        case .none: text.append("no address")
        case .v4:
            text.append(integer: Int64(ip.low >> 24 & 255))
            text.append(".")
            text.append(integer: Int64(ip.low >> 16 & 255))
            text.append(".")
            text.append(integer: Int64(ip.low >> 8 & 255))
            text.append(".0/24")
        case .v6:
            text.append(hexGroup: UInt16(truncatingIfNeeded: ip.high >> 48))
            text.append(":")
            text.append(hexGroup: UInt16(truncatingIfNeeded: ip.high >> 32))
            text.append(":")
            text.append(hexGroup: UInt16(truncatingIfNeeded: ip.high >> 16))
            text.append("::/48")
        }
        if event.pointee.asn != 0 {
            text.append(" (AS")
            text.append(integer: Int64(event.pointee.asn))
            text.append(")")
        }
    }

    private static func place(_ event: UnsafePointer<Event>, _ text: inout OutputBuffer) {
        if event.pointee.city.isPresent {
            text.append(event.pointee.city)
            text.append(", ")
        }
        text.append(UInt8(event.pointee.country >> 8))
        text.append(UInt8(truncatingIfNeeded: event.pointee.country))
    }
}

extension OutputBuffer {
    fileprivate mutating func append(whole value: Double) {
        append(integer: Int64(max(-9e15, min(9e15, value.rounded()))))
    }

    fileprivate mutating func append(tenths value: Double) {
        let scaled = (value * 10).rounded()
        let isWhole = scaled.truncatingRemainder(dividingBy: 10) == 0
        if isWhole { append(whole: scaled / 10) } else { append(number: value, decimals: 1) }
    }

    fileprivate mutating func append(hundredths value: Double) { append(number: value, decimals: 2) }

    fileprivate mutating func append(amount value: Double) {
        let cents = (value * 100).rounded()
        let isWhole = cents.truncatingRemainder(dividingBy: 100) == 0 || value >= 1e9
        if isWhole { append(whole: cents / 100) } else { append(number: value, decimals: 2) }
    }

    fileprivate mutating func append(twoDigits value: Int) {
        if value < 10 { append("0") }
        append(integer: Int64(value))
    }

    /// A group of an IPv6 address without leading zeros.
    fileprivate mutating func append(hexGroup value: UInt16) {
        var shift = 12
        while shift > 0 && value >> UInt16(shift) == 0 { shift -= 4 }
        while shift >= 0 {
            let digit = UInt8(value >> UInt16(shift) & 15)
            append(digit < 10 ? 48 + digit : 87 + digit)
            shift -= 4
        }
    }

    fileprivate mutating func append(minutes: Double) {
        switch minutes {
        case ..<1:
            append(whole: minutes * 60)
            append(" s")
        case ..<120:
            append(whole: minutes)
            append(" min")
        case ..<2880:
            append(whole: minutes / 60)
            append(" h")
        default:
            append(whole: minutes / 1440)
            append(" d")
        }
    }

    fileprivate mutating func append(count: Double, _ noun: StaticString) {
        append(whole: count)
        append(" ")
        append(noun)
        if count != 1 { append("s") }
    }
}
