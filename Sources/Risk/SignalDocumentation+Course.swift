extension Signal {
    var courseDocumentation: SignalDocumentation {
        switch self {
        case .loginFailures:
            SignalDocumentation(sees: "Many failed logins in a short time.", formula: "10 + 3 for each beyond the threshold", source: "Guessing, NIST SP 800-63B-4 section 3.2.2", falsePositives: "A forgotten password.")
        case .loginSuccessAfterFailures:
            SignalDocumentation(sees: "A login that succeeds after many failed.", formula: "15 + 3 for each failure beyond the threshold; ×0.4 on a device of the user's", source: "Guessing, NIST SP 800-63B-4 section 3.2.2", falsePositives: "A password remembered at last.")
        case .loginFirstFactor:
            SignalDocumentation(sees: "A login with one factor only.", formula: "3", source: "NIST SP 800-63B-4, AAL1", falsePositives: "Every user without a second factor.")
        case .loginWeakerFactor:
            SignalDocumentation(sees: "A login with one factor by a user who uses to give more.", formula: "10·ln(share of logins with more ÷ 0.5)", source: Source.freeman, falsePositives: "A lost second factor.")
        case .loginRoundTrip:
            SignalDocumentation(sees: "A round-trip time unlike the user's.", formula: "tail of the user's log-normal round-trip times", source: "Wiefling et al., ACM TOPS 2022, section 4", falsePositives: "A bad line.")
        case .sessionTokenReplayed:
            SignalDocumentation(sees: "A token used from another place and device than it was first seen on.", formula: "50; 25 where devices are unknown", source: "Token binding, RFC 9449 section 2", falsePositives: "An app and a browser that share a token.")
        case .sessionTwoPlaces:
            SignalDocumentation(sees: "One session used from two devices or networks in turn.", formula: "45 with two devices, 30 for moving back and forth", source: "Session hijacking, MITRE ATT&CK T1539", falsePositives: "A router that spreads one person over two lines.")
        case .sessionAge:
            SignalDocumentation(sees: "A session older than the user's use to be.", formula: "3·ln(age ÷ limit)", source: "Reauthentication, NIST SP 800-63B-4 section 5.2", falsePositives: "A screen on a wall.")
        case .sessionIdle:
            SignalDocumentation(sees: "A session used again after a long silence.", formula: "3·ln(silence ÷ limit)", source: "Reauthentication, NIST SP 800-63B-4 section 5.2", falsePositives: "A long lunch.")
        case .sessionAssurance:
            SignalDocumentation(sees: "A sensitive action on an authentication that is old.", formula: "3·ln(age ÷ limit)", source: "RFC 9470, max_age", falsePositives: "Whoever stays logged in all day.")
        case .challengeFailed:
            SignalDocumentation(sees: "Challenges of the user failed lately.", formula: "6 for each", source: "NIST SP 800-63B-4 section 3.2.2", falsePositives: "Wet fingers.")
        case .challengeDenied:
            SignalDocumentation(sees: "The person said “not me” lately.", formula: "50", source: "The person", falsePositives: "A wrong tap.")
        case .challengeAbandoned:
            SignalDocumentation(sees: "Challenges of the user were left unanswered lately.", formula: "3 for each", source: "The person's silence", falsePositives: "A phone out of reach.")
        case .challengePushBombing:
            SignalDocumentation(sees: "Many pushes unanswered or denied in a short time.", formula: "35 from the threshold on", source: "MITRE ATT&CK T1621", falsePositives: "An app that retries by itself.")
        case .inputMalformed:
            SignalDocumentation(sees: "A malformed record named this user lately, or a field of this one was cut.", formula: "5 for each record, 5 for a cut field", source: "Being undecodable must not be a way to hide", falsePositives: "A broken client.")
        default: preconditionFailure("not a signal of this group")
        }
    }
}
