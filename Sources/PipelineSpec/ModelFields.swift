import Behavior
import Risk

enum ModelFields {
    static var record: Record<ModelOptions> {
        Record(ModelOptions(), [
            Field("base", \.base, .number(-100...0, unit: " of points"),
                "Log-odds ×10 that an event is hostile before any evidence; -47.9 is one in 121."),
            Field("levels", \.self, levels.format, "Least score of each level above `low`, ascending."),
            Field("confidence", \.self, confidence.format, "How much history makes a baseline trusted."),
            Field("reassurance_cap", \.reassuranceCap, .number(0...100, unit: " of points"),
                "Most points that looking familiar may take away in all."),
            Field("groups", \.self, groups.format, "Most points that signals which see the same thing may add together."),
            Field("signals", \.self, signals.format, "What Vigil notices. Points are log-odds ×10: 10 points multiply the odds by 2.7."),
        ])
    }

    private static var levels: Record<ModelOptions> {
        Record(ModelOptions(), [
            Field("medium", \.mediumScore, .number(0...100), "Score from which the level is medium."),
            Field("high", \.highScore, .number(0...100), "Score from which the level is high."),
            Field("critical", \.criticalScore, .number(0...100), "Score from which the level is critical."),
        ])
    }

    private static var confidence: Record<ModelOptions> {
        Record(ModelOptions(), [
            Field("partial", \.partialSamples, .integer(1...100_000), "Learned events from which confidence is partial; below, it is learning."),
            Field("established", \.establishedSamples, .integer(1...100_000), "Learned events from which confidence is established."),
        ])
    }

    private static var groups: Record<ModelOptions> {
        Record(ModelOptions(), SignalGroup.allCases.map { group in
            let index = Int(group.rawValue)
            let members = Signal.allCases.filter { $0.group == group }.map { "`\($0.name)`" }.joined(separator: ", ")
            return Field("\(group)", \.groupCaps[index], .number(0...200, unit: " of points"), "For \(members).")
        })
    }

    private static var signals: Record<ModelOptions> {
        Record(ModelOptions(), Signal.allCases.map { signal in
            let index = Int(signal.rawValue)
            let common: [Field<ModelOptions>] = [
                Field("enabled", \.signals[index].enabled, .flag, "Whether it is looked at."),
                Field("weight", \.signals[index].weight, .number(0...10), "Multiplies its evidence."),
                Field("cap", \.signals[index].cap, .number(0...100, unit: " of points"), "Most points it may add."),
            ]
            return Field(signal.name.description, \.self, Record(ModelOptions(), common + own(signal)).format, doc(signal))
        })
    }

    /// Options of one signal only.
    private static func own(_ signal: Signal) -> [Field<ModelOptions>] {
        switch signal {
        case .travelImpossible:
            [
                Field("distance_km", \.travelKilometres, .number(1...20_000, unit: " of kilometres"), "Shorter trips never count: places of addresses are that wrong."),
                Field("speed_kmh", \.travelKilometresPerHour, .number(1...100_000, unit: " of kilometres per hour"), "Faster than this nobody travels."),
            ]
        case .loginFailures:
            [Field("at_least", \.failuresAtLeast, .integer(1...SlidingWindow.capacity), "Failed logins in the window `windows.failures` from which it speaks.")]
        case .loginSuccessAfterFailures:
            [Field("at_least", \.successAfterFailures, .integer(1...SlidingWindow.capacity), "Failed logins before the success from which it speaks.")]
        case .actionRate:
            [Field("at_least", \.rateAtLeast, .integer(1...100_000), "Actions in the window `windows.rate` below which it is silent.")]
        case .amountUnusual:
            [Field("samples", \.amountSamples, .integer(2...10_000), "Amounts seen before it speaks.")]
        case .inputMalformed:
            [Field("window", \.malformedWindow, .duration(1000...(30 * 86_400_000)), "How long a malformed record is held against its user.")]
        default: []
        }
    }

    private static func doc(_ signal: Signal) -> String {
        switch signal {
        case .deviceNew: "A device the user has not used. A new phone also looks so, once."
        case .deviceChangedInSession: "The session goes on from another device. An app handing over to a browser also looks so."
        case .networkNew: "A network the user has not used. Providers renumbering and new workplaces also look so."
        case .networkChangedInSession: "The session goes on from another network. A phone leaving the house also looks so."
        case .placeNew: "A country or city the user has not been in. A trip also looks so, once."
        case .travelImpossible: "Two places further apart than anybody travels in the time between. A VPN switched on also looks so."
        case .timeUnusual: "An hour at which the user is not seen. A night shift also looks so."
        case .loginFailures: "Many failed logins in a short time. A forgotten password also looks so."
        case .loginSuccessAfterFailures: "A login that succeeds after many failed. A password remembered at last also looks so."
        case .sessionTokenReplayed: "A token used from another place than it was seen in."
        case .sessionTwoPlaces: "One session used from two devices or networks in turn."
        case .actionRare: "An action the user hardly ever takes. A change of role also looks so."
        case .actionRate: "Far more actions in a short time than the user's own rate. A nightly job also looks so, until it is known."
        case .amountUnusual: "An amount far from the user's own. A yearly bill also looks so."
        case .inputMalformed: "A malformed record named this user lately. A broken client also looks so."
        }
    }
}
