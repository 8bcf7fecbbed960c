extension Signal {
    var conductDocumentation: SignalDocumentation {
        switch self {
        case .timeUnusual:
            SignalDocumentation(sees: "An hour at which the user is not seen.", formula: "10·ln((1 ÷ 24) ÷ share of logins around that hour)", source: Source.freeman, falsePositives: "A night shift.")
        case .timeDormant:
            SignalDocumentation(sees: "An account that has slept for long, by its own measure too: four times its mean silence.", formula: "3 + 3·ln(silence ÷ the larger limit)", source: "Dormant accounts, CIS control 5.3", falsePositives: "Parental leave.")
        case .actionRare:
            SignalDocumentation(
                sees: "An action that is less than one in two hundred of the user's. A run of them is for `action.sequence` to judge.",
                formula: "10·ln(0.005 ÷ share) · n ÷ (n + 50), share = (count + 0.1) ÷ (n + 5) of n actions",
                source: Source.freeman, falsePositives: "A change of role.")
        case .actionSensitive:
            SignalDocumentation(
                sees: "An action an intruder would take, the less so the more usual it is for the user.",
                formula: "0.2 ÷ (share + 0.05): 4 where the user never takes it, 2 where it is one in twenty",
                source: "The list the operator configures", falsePositives: "Everybody, now and then.")
        case .actionSequence:
            SignalDocumentation(
                sees: "A run of actions in the session (without sessions: of the user) unlike the user's. From 20 points on, what is done is learned by half on a device that is vouched for, and hardly elsewhere.",
                formula: "12·ln(1 + 5·S ÷ 12) for S above 0, else −5·ln(1 − S). S ← max(S·(1 − 1/window) + step, −25); a session begins with half of what spoke against the last. step = ln p(action | everybody) − ln p(action | user) + 0.4·ln(p(action | user) ÷ p(action | user, the one before)), the last logarithm within ±1.5, times n ÷ (n + 50), within ±6. p(action | user) backs off to everybody's with weight 5, its bigram to it with weight 2 a kind of follower. While nobody knows everybody's: the user's surprise −ln p less its mean and 0.6",
                source: "Schonlau et al., Statistical Science 2001; Maxion and Townsend, DSN 2002; Witten and Bell, IEEE Trans. IT 1991; Page, Biometrika 1954",
                falsePositives: "A change of role, for some weeks; somebody who helps out.")
        case .actionRate:
            SignalDocumentation(
                sees: "Far more actions in a short time than the user's own rate.",
                formula: "3·(t − 4), t the log-odds of the upper tail of the user's log-normal rates, Student's t; from 5 windows on",
                source: Source.tail, falsePositives: "A job, until it is known.")
        case .actionBreadth:
            SignalDocumentation(
                sees: "Far more different resources in a short time than the user's own.",
                formula: "3·(t − 4) as for `action.rate`, of distinct resources in a window (±14 %); from 5 windows on",
                source: "Flajolet et al., AofA 2007; " + Source.tail, falsePositives: "An audit.")
        case .amountUnusual:
            SignalDocumentation(
                sees: "An amount far above the user's own. An amount above what is usual that nothing proves is learned as the most that is usual, so rising step by step doesn't make it normal.",
                formula: "min(3·(t − 4), 24) ÷ min(1 + earlier amounts as large, 2.5), t as for `action.rate`; beyond twice the largest at least 4·ln(amount ÷ largest) · n ÷ (n + 20), n amounts",
                source: Source.tail + "; quantiles: Masson et al., VLDB 2019", falsePositives: "A yearly bill, the first time.")
        case .actionTakeover:
            SignalDocumentation(
                sees: "Two or three of contact, password and factors changed or removed within hours, in any order. A password reset alone is one.",
                formula: "10 for the second kind of change, 25 for the third",
                source: "Account manipulation, MITRE ATT&CK T1098", falsePositives: "A person who moves to a new phone and tidies up.")
        case .actionExport:
            SignalDocumentation(
                sees: "Far more exports in a window than in the user's own that have any, more so at an hour that is not the user's.",
                formula: "3·(t − 4) as for `action.rate`, with ten windows of two exports as everybody's prior; ×1.5 at hours with less than half an even share of the user's logins",
                source: "Exfiltration, MITRE ATT&CK T1567; " + Source.tail,
                falsePositives: "Quarterly reports; a nightly job, in its first days.")
        case .drift:
            SignalDocumentation(
                sees: "What the user does of late is not what the user does: actions, devices, providers, or amounts that rise.",
                formula: "16·(d − share) ÷ (1 − share); d the greatest of the total variations between fast and slow baseline, less what chance makes of so few, and a third of the deviations by which amounts rose; once a day, where the fast baseline has 4 sessions or amounts, or 20 actions, and the slow one three times as many; said when a session begins or comes from elsewhere",
                source: "Concept drift: Gama et al., ACM CSUR 2014", falsePositives: "A new job, a new phone, for some weeks.")
        default: preconditionFailure("not a signal of this group")
        }
    }
}
