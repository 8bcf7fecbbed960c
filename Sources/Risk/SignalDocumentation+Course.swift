extension Signal {
    var courseDocumentation: SignalDocumentation {
        switch self {
        case .loginFailures:
            SignalDocumentation(sees: "Many failed logins in a short time.", formula: "10 + 3 for each beyond the threshold", source: "Guessing, NIST SP 800-63B-4 section 3.2.2", falsePositives: "A forgotten password.")
        case .loginSuccessAfterFailures:
            SignalDocumentation(sees: "A login that succeeds after many failed.", formula: "15 + 3 for each failure beyond the threshold; ×0.4 on a device of the user's", source: "Guessing, NIST SP 800-63B-4 section 3.2.2", falsePositives: "A password remembered at last.")
        case .loginFirstFactor:
            SignalDocumentation(
                sees: "A successful login whose methods (`auth.amr`) are of one kind: something known, something owned, or something of the body.",
                formula: "3; two passwords are one factor; silent where no method is named",
                source: "NIST SP 800-63B-4 section 2; names of RFC 8176",
                falsePositives: "Every user without a second factor; a passkey whose provider doesn't report that the person was verified.")
        case .loginWeakerFactor:
            SignalDocumentation(
                sees: "A login with one factor by a user who mostly gives more.",
                formula: "10·ln(0.5 ÷ P(one factor)), P = (such logins + 1) ÷ (logins that named methods + 2), from 3 on",
                source: Source.freeman, falsePositives: "A lost second factor; a device that is remembered.")
        case .loginRoundTrip:
            SignalDocumentation(
                sees: "A round-trip time unlike the user's, from a provider of the user's: the address looks familiar, the distance doesn't.",
                formula: "2·(t − 4) from a known prefix, 1·(t − 4) from another prefix of a known provider; t are the log-odds of the farther tail of the user's log-normal round-trip times, Student's t",
                source: "Wiefling et al., ACM TOPS 2022, section 4; tail: Gelman et al., Bayesian Data Analysis, 3.2",
                falsePositives: "A bad line; a VPN of the same provider.")
        case .sessionTokenReplayed:
            SignalDocumentation(sees: "A token used from another place and device than it was first seen on.", formula: "50; 25 where devices are unknown", source: "Token binding, RFC 9449 section 2", falsePositives: "An app and a browser that share a token.")
        case .sessionTwoPlaces:
            SignalDocumentation(sees: "One session used from two devices or networks in turn.", formula: "45 with two devices, 30 for moving back and forth", source: "Session hijacking, MITRE ATT&CK T1539", falsePositives: "A router that spreads one person over two lines.")
        case .sessionAge:
            SignalDocumentation(
                sees: "An action in a session that began long ago.", formula: "3·ln(age ÷ limit)",
                source: "Reauthentication, NIST SP 800-63B-4 section 5.2", falsePositives: "A screen on a wall.")
        case .sessionIdle:
            SignalDocumentation(
                sees: "An action in a session that was silent for long.", formula: "2 + 2·ln(silence ÷ limit)",
                source: "Reauthentication, NIST SP 800-63B-4 section 5.2", falsePositives: "A long lunch.")
        case .sessionAssurance:
            SignalDocumentation(
                sees: "A sensitive action asked for on an authentication (`auth.time`) that is old.",
                formula: "3 for each limit its age is beyond; silent where events don't say when",
                source: "RFC 9470, max_age", falsePositives: "Whoever stays logged in all day.")
        case .challengeFailed:
            SignalDocumentation(
                sees: "Challenges of the user that failed lately, in any session. Answers without the challenge's nonce don't count, nor do they clear anything: anybody can send those.",
                formula: "5 for each beyond the first; one that is passed clears them",
                source: "NIST SP 800-63B-4 section 3.2.2", falsePositives: "Wet fingers.")
        case .challengeDenied:
            SignalDocumentation(
                sees: "The person said “not me” lately.",
                formula: "50; 12 on a device that is one of the user's; a phishing-resistant challenge that is passed clears it",
                source: "The person", falsePositives: "A wrong tap.")
        case .challengeAbandoned:
            SignalDocumentation(
                sees: "Challenges of the user that were abandoned, timed out or expired lately.",
                formula: "3 for each beyond the first", source: "The person's silence", falsePositives: "A phone out of reach.")
        case .challengePushBombing:
            SignalDocumentation(
                sees: "Many challenges by push, put or denied and none of them passed, in a short time. From then on push is left out of what is asked, until a phishing-resistant challenge is passed.",
                formula: "35 from the threshold on", source: "MITRE ATT&CK T1621",
                falsePositives: "An app that logs in again and again by itself.")
        case .inputMalformed:
            SignalDocumentation(sees: "A malformed record named this user lately, or a field of this one was cut.", formula: "5 for each record, 5 for a cut field", source: "Being undecodable must not be a way to hide", falsePositives: "A broken client.")
        default: preconditionFailure("not a signal of this group")
        }
    }
}
