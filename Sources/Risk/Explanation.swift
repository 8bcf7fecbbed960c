import Events
import Glibc

/// Puts evidence into words a person can check: what was observed, and what would have been expected.
public enum Explanation {
    /// Appends the observed text and then the expected text to `text`, and returns where they are.
    public static func write(
        _ signal: Signal, _ evidence: Evidence, of event: Event, into text: inout OutputBuffer
    ) -> (observed: Range<Int>, expected: Range<Int>) {
        let start = text.count
        observed(signal, evidence, event, &text)
        let middle = text.count
        expected(signal, evidence, event, &text)
        return (start..<middle, middle..<text.count)
    }

    private static func observed(_ signal: Signal, _ e: Evidence, _ event: Event, _ text: inout OutputBuffer) {
        switch signal {
        case .deviceNew, .deviceChangedInSession:
            device(event, &text)
        case .networkNew, .networkChangedInSession, .sessionTokenReplayed:
            network(event, &text)
        case .placeNew:
            place(event, &text)
        case .travelImpossible:
            text.append(text: "\(whole(e.observed)) km in \(duration(minutes: e.detail))")
        case .timeUnusual:
            text.append(text: "\(twoDigits(e.observed)):00–\(twoDigits(e.observed)):59 UTC")
        case .loginFailures:
            text.append(text: "\(whole(e.observed)) failed logins in \(duration(minutes: e.detail))")
        case .loginSuccessAfterFailures:
            text.append(text: "success after \(whole(e.observed)) failures in \(duration(minutes: e.detail))")
        case .sessionTwoPlaces:
            if e.detail < 0 {
                text.append(text: "\(whole(e.observed)) moves between networks")
            } else {
                network(event, &text)
                text.append(text: " \(duration(minutes: e.detail)) after another")
            }
        case .actionRare:
            text.append(event.action)
        case .actionRate:
            text.append(text: "\(whole(e.observed)) actions in \(whole(e.detail)) s")
        case .amountUnusual:
            text.append(text: "\(amount(e.observed))")
            if event.currency.isPresent {
                text.append(" ")
                text.append(event.currency)
            }
        case .inputMalformed:
            if e.observed > 0 { text.append(text: "\(whole(e.observed)) malformed records") }
            if e.detail > 0 {
                if e.observed > 0 { text.append(", ") }
                text.append(event.truncatedField)
                text.append(text: " of \(whole(e.detail)) bytes")
            }
        }
    }

    private static func expected(_ signal: Signal, _ e: Evidence, _ event: Event, _ text: inout OutputBuffer) {
        switch signal {
        case .deviceNew:
            if e.observed > 0 { text.append("a device used before") } else { counted(e.expected, "known device", &text) }
        case .deviceChangedInSession:
            text.append("the device the session began on")
        case .networkNew:
            if e.points <= 0 { text.append("a network used before") } else { counted(e.expected, "known network", &text) }
            if e.detail > 0 && e.points > 0 { text.append(", this provider among them") }
        case .networkChangedInSession, .sessionTokenReplayed:
            if e.expected > 0 {
                text.append(text: "AS\(whole(e.expected)) as before")
            } else {
                text.append("the network it began on")
            }
            if signal == .sessionTokenReplayed { text.append(" and the same device") }
        case .placeNew:
            if e.points <= 0 { text.append("a place known before") } else { counted(e.expected, "known place", &text) }
            if e.detail > 0 && e.points > 0 { text.append(", this country among them") }
        case .travelImpossible:
            text.append(text: "at most \(whole(e.expected)) km/h")
        case .timeUnusual:
            text.append(text: "\(tenths(e.expected)) % of sessions begin then")
        case .loginFailures, .loginSuccessAfterFailures:
            text.append(text: "fewer than \(whole(e.expected))")
        case .sessionTwoPlaces:
            text.append("one network and device at a time")
        case .actionRare:
            text.append(text: "seen \(tenths(e.observed)) times in \(whole(e.expected)) actions")
        case .actionRate:
            text.append(text: "at most \(whole(e.expected))")
        case .amountUnusual:
            text.append(text: "up to \(amount(e.expected))")
        case .inputMalformed:
            text.append("well-formed records")
        }
    }

    private static func device(_ event: Event, _ text: inout OutputBuffer) {
        if event.deviceID.isPresent {
            text.append(event.deviceID)
        } else if event.userAgent.isPresent {
            text.append(event.userAgent)
        } else if event.browser.isPresent || event.os.isPresent {
            text.append(event.browser)
            if event.browser.isPresent && event.os.isPresent { text.append(" on ") }
            text.append(event.os)
        } else {
            text.append("no device")
        }
    }

    private static func network(_ event: Event, _ text: inout OutputBuffer) {
        text.append(text: prefix(event.ip))
        if event.asn != 0 { text.append(text: " (AS\(event.asn))") }
    }

    private static func place(_ event: Event, _ text: inout OutputBuffer) {
        if event.city.isPresent {
            text.append(event.city)
            text.append(", ")
        }
        text.append(UInt8(event.country >> 8))
        text.append(UInt8(truncatingIfNeeded: event.country))
    }

    private static func counted(_ count: Double, _ noun: StaticString, _ text: inout OutputBuffer) {
        text.append(text: "\(whole(count)) ")
        text.append(noun)
        if whole(count) != "1" { text.append("s") }
    }

    /// The /24 or /48 the model compares by; the whole address stays in the event.
    public static func prefix(_ ip: IPAddress) -> String {
        switch ip.family {
        case .none: return "no address"
        case .v4: return "\((ip.low >> 24) & 255).\((ip.low >> 16) & 255).\((ip.low >> 8) & 255).0/24"
        case .v6:
            func group(_ shift: UInt64) -> String { String((ip.high >> shift) & 0xFFFF, radix: 16) }
            return "\(group(48)):\(group(32)):\(group(16))::/48"
        }
    }

    static func duration(minutes: Double) -> String {
        switch minutes {
        case ..<1: "\(whole(minutes * 60)) s"
        case ..<120: "\(whole(minutes)) min"
        case ..<2880: "\(whole(minutes / 60)) h"
        default: "\(whole(minutes / 1440)) d"
        }
    }

    static func whole(_ value: Double) -> String { String(Int64(max(-9e15, min(9e15, value.rounded())))) }

    static func tenths(_ value: Double) -> String {
        let scaled = Int64(max(-9e15, min(9e15, (value * 10).rounded())))
        return scaled % 10 == 0 ? "\(scaled / 10)" : "\(scaled / 10).\(abs(scaled % 10))"
    }

    static func amount(_ value: Double) -> String {
        let cents = Int64(max(0, min(9e15, (value * 100).rounded())))
        return cents % 100 == 0 ? "\(cents / 100)" : "\(cents / 100).\(twoDigits(Double(cents % 100)))"
    }

    static func twoDigits(_ value: Double) -> String { value < 10 ? "0\(whole(value))" : whole(value) }
}
