extension Signal {
    var conductDocumentation: SignalDocumentation {
        switch self {
        case .timeUnusual:
            SignalDocumentation(sees: "An hour at which the user is not seen.", formula: "10·ln((1 ÷ 24) ÷ share of logins around that hour)", source: Source.freeman, falsePositives: "A night shift.")
        case .timeDormant:
            SignalDocumentation(sees: "An account that has slept for long.", formula: "3 + 3·ln(silence ÷ limit)", source: "Dormant accounts, CIS control 5.3", falsePositives: "Parental leave.")
        case .actionRare:
            SignalDocumentation(sees: "An action the user hardly ever takes.", formula: "10·ln(0.005 ÷ share)", source: Source.freeman, falsePositives: "A change of role.")
        case .actionSensitive:
            SignalDocumentation(sees: "An action an intruder would take.", formula: "3", source: "The list the operator configures", falsePositives: "Everybody, now and then.")
        case .actionSequence:
            SignalDocumentation(sees: "A run of actions unlike the user's.", formula: "decayed sum of log likelihood ratios", source: "Schonlau et al., Statistical Science 2001", falsePositives: "A change of role.")
        case .actionRate:
            SignalDocumentation(sees: "Far more actions in a short time than the user's own rate.", formula: "6·(z − 2)", source: "Log-normal pace", falsePositives: "A nightly job, until it is known.")
        case .actionBreadth:
            SignalDocumentation(sees: "Far more different resources than the user's own.", formula: "6·(z − 2)", source: "Flajolet et al., AofA 2007", falsePositives: "An audit.")
        case .amountUnusual:
            SignalDocumentation(sees: "An amount far from the user's own.", formula: "5·(z − 1)", source: "Log-normal amounts", falsePositives: "A yearly bill.")
        case .actionTakeover:
            SignalDocumentation(sees: "Contact, password and factors changed one after the other.", formula: "10 for the second step, 25 for the third", source: "Account manipulation, MITRE ATT&CK T1098", falsePositives: "A person who tidies up.")
        case .actionExport:
            SignalDocumentation(sees: "Far more exports than the user's own, more so off hours.", formula: "6·(z − 2)", source: "Exfiltration, MITRE ATT&CK T1567", falsePositives: "Quarterly reports.")
        case .drift:
            SignalDocumentation(sees: "What the user does of late is not what the user does.", formula: "total variation between the fast and the slow baseline", source: "Concept drift, Gama et al., ACM CSUR 2014", falsePositives: "A new job.")
        default: preconditionFailure("not a signal of this group")
        }
    }
}
