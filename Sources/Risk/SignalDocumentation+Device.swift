extension Signal {
    var deviceDocumentation: SignalDocumentation {
        switch self {
        case .deviceNew:
            SignalDocumentation(
                sees: "A device the user has not used, or has used less than once as the past fades.",
                formula: "10·ln(0.95 ÷ P(new device)), P(new) = (new devices + prior) ÷ (logins + prior); a known device takes points away: 10·ln(0.02 ÷ its share)",
                source: Source.turing, falsePositives: "A new phone, once; a browser that keeps no storage, every time, which the user's own rate of new devices makes up for.")
        case .deviceRare:
            SignalDocumentation(
                sees: "A known device the user hardly ever uses.", formula: "4·ln(share ÷ its share of learned logins), from 20 logins on",
                source: Source.freeman, falsePositives: "The tablet at the holiday home.")
        case .deviceFamily:
            SignalDocumentation(
                sees: "A browser and operating system the user has not used, versions aside.",
                formula: "10·ln(0.8 ÷ P(new family)), ×0.7 where the user has that class of device; known: 10·ln(everybody's share ÷ the user's)",
                source: Source.turing, falsePositives: "Trying another browser.")
        case .deviceChangedInSession:
            SignalDocumentation(
                sees: "A session that goes on from another device than it was trusted on.", formula: "45; 28 where the event names no device",
                source: "Session binding, NIST SP 800-63B-4 section 5.1", falsePositives: "An app that hands its session to a browser.")
        case .agentDowngrade:
            SignalDocumentation(
                sees: "A browser older than the same device has shown before.", formula: "6 + 3·ln(versions behind)",
                source: "Versions only rise: Alaca and van Oorschot, ACSAC 2016", falsePositives: "A device restored from a backup; two browsers of one family on one device without an id.")
        case .agentMismatch:
            SignalDocumentation(
                sees: "A device id that shows another operating system or class than before: an id copied to another machine.",
                formula: "18 for another system, 10 for another class only",
                source: "Inconsistent fingerprints: Vastel et al., USENIX Security 2018", falsePositives: "“Request desktop site” on a phone; a system replaced on the same machine.")
        default: preconditionFailure("not a signal of this group")
        }
    }
}
