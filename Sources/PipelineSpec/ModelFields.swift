import Behavior
import Risk

enum ModelFields {
    static var record: Record<ModelOptions> {
        Record(ModelOptions(), [
            WeightsFile.field,
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

    static var levels: Record<ModelOptions> {
        Record(ModelOptions(), [
            Field("medium", \.mediumScore, .number(0...100), "Score from which the level is medium."),
            Field("high", \.highScore, .number(0...100), "Score from which the level is high."),
            Field("critical", \.criticalScore, .number(0...100), "Score from which the level is critical."),
        ])
    }

    static var confidence: Record<ModelOptions> {
        Record(ModelOptions(), [
            Field("partial", \.partialSamples, .integer(1...100_000), "Learned events from which confidence is partial; below, it is learning."),
            Field("established", \.establishedSamples, .integer(1...100_000), "Learned events from which confidence is established."),
        ])
    }

    static var groups: Record<ModelOptions> {
        Record(ModelOptions(), SignalGroup.allCases.map { group in
            let index = Int(group.rawValue)
            let members = Signal.allCases.filter { $0.group == group }.map { "`\($0.name)`" }.joined(separator: ", ")
            return Field("\(group)", \.groupCaps[index], .number(0...200, unit: " of points"), "For \(members).")
        })
    }

    static var signals: Record<ModelOptions> {
        Record(ModelOptions(), Signal.allCases.map { signal in
            Field(signal.name.description, \.self, options(of: signal).format,
                signal.documentation.sees + " Also: " + signal.documentation.falsePositives)
        })
    }

    /// Everything that can be set of one signal.
    static func options(of signal: Signal) -> Record<ModelOptions> {
        let index = Int(signal.rawValue)
        let common: [Field<ModelOptions>] = [
            Field("enabled", \.signals[index].enabled, .flag, "Whether it is looked at."),
            Field("weight", \.signals[index].weight, .number(0...10), "Multiplies its evidence."),
            Field("cap", \.signals[index].cap, .number(0...100, unit: " of points"), "Most points it may add."),
        ]
        return Record(ModelOptions(), common + own(signal))
    }

    /// What can be set of it and of no other.
    static func ownShapes(of signal: Signal) -> [FieldShape] { Record(ModelOptions(), own(signal)).shapes }

    private static var patterns: Format<[String]> { Format.text("a pattern").list("", atMost: 64) }

    /// Options of one signal only.
    private static func own(_ signal: Signal) -> [Field<ModelOptions>] {
        switch signal {
        case .deviceNew, .deviceFamily:
            signal == .deviceNew
                ? [Field("prior", \.devicePrior, .number(0.1...100), "Pseudo-observations of novelty a baseline begins with: more make a short history say less. For `device.family` too.")] : []
        case .deviceRare:
            [Field("share", \.deviceRareShare, .number(0...1), "Share of learned logins below which a device is rare.")]
        case .deviceShared:
            [Field("users", \.deviceSharedUsers, .integer(2...100_000), "Users of one device within `windows.networks` from which it speaks.")]
        case .networkNew:
            [Field("prior", \.networkPrior, .number(0.1...100), "Pseudo-observations of novelty. For `network.provider_new` too.")]
        case .networkRare:
            [Field("share", \.providerRareShare, .number(0...1), "Share of all users below which a provider is rare.")]
        case .networkSpray:
            [Field("users", \.sprayUsers, .integer(2...1_000_000), "Users who failed from one network within `windows.networks` from which it speaks.")]
        case .networkStuffing:
            [
                Field("users", \.stuffingUsers, .integer(2...1_000_000), "Accounts tried from one network within `windows.networks` from which it speaks."),
                Field("failures", \.stuffingFailures, .number(0...1), "Least share of failures among the tries. For `network.spray` too."),
            ]
        case .placeNew:
            [Field("prior", \.placePrior, .number(0.1...100), "Pseudo-observations of novelty. For `place.country_new` too.")]
        case .travelImprobable:
            [Field("speed_kmh", \.improbableKilometresPerHour, .number(1...100_000, unit: " of kilometres per hour"), "Faster than this people fly.")]
        case .timeDormant:
            [Field("after", \.dormantAfter, .duration(86_400_000...(3650 * 86_400_000)), "Silence from which an account is dormant.")]
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
        case .loginRoundTrip:
            [Field("samples", \.roundTripSamples, .integer(2...10_000), "Round-trip times seen before it speaks.")]
        case .sessionAge:
            [Field("limit", \.sessionAgeLimit, .duration(60_000...(365 * 86_400_000)), "Age from which a session is old.")]
        case .sessionIdle:
            [Field("limit", \.sessionIdleLimit, .duration(60_000...(30 * 86_400_000)), "Silence after which a session is taken up again.")]
        case .sessionAssurance:
            [
                Field("limits", \.assuranceLimits, Format<Int64>.duration(1000...(365 * 86_400_000)).list(3_600_000, atMost: 4),
                    "Ages of the last authentication, at most 4, each of which makes it say more when a sensitive action is asked for.")
            ]
        case .actionRare:
            [Field("samples", \.actionSamples, .integer(5...10_000), "Actions seen before it speaks. For `action.sequence` too.")]
        case .actionSensitive:
            [Field("actions", \.sensitiveActions, patterns, "Patterns of the actions an intruder would take. For `session.assurance_stale` too.")]
        case .actionSequence:
            [Field("window", \.sequenceWindow, .number(2...1000, unit: " of actions"), "Actions over which it looks back; one that far back counts a third.")]
        case .actionBreadth:
            [
                Field("window", \.breadthWindow, .duration(10_000...86_400_000), "Tumbling window in which resources are counted.").fixed,
                Field("at_least", \.breadthAtLeast, .integer(2...100_000), "Different resources in the window below which it is silent."),
            ]
        case .actionTakeover:
            [
                Field("window", \.takeoverWindow, .duration(60_000...(30 * 86_400_000)), "How close together the changes are."),
                Field("contact", \.contactActions, patterns, "Patterns of actions that change how the person is reached."),
                Field("password", \.passwordActions, patterns, "Patterns of actions that change the password."),
                Field("factor", \.factorActions, patterns, "Patterns of actions that take a factor away."),
            ]
        case .actionExport:
            [
                Field("window", \.exportsWindow, .duration(60_000...86_400_000), "Tumbling window in which exports are counted.").fixed,
                Field("at_least", \.exportsAtLeast, .integer(1...100_000), "Exports in the window below which it is silent."),
                Field("actions", \.exportActions, patterns, "Patterns of the actions that take data out."),
            ]
        case .challengeFailed:
            [Field("window", \.challengeWindow, .duration(60_000...(30 * 86_400_000)), "How long a challenge that failed is remembered. For `challenge.abandoned` too.")]
        case .challengeDenied:
            [Field("window", \.denialWindow, .duration(60_000...(30 * 86_400_000)), "How long a denial is remembered.")]
        case .challengePushBombing:
            [
                Field("at_least", \.pushesAtLeast, .integer(2...12), "Pushes unanswered or denied within the window from which it speaks."),
                Field("window", \.pushWindow, .duration(10_000...86_400_000), "Sliding window of the pushes."),
            ]
        case .drift:
            [Field("share", \.driftShare, .number(0...1), "Share by which what the user does of late must differ.")]
        case .inputMalformed:
            [Field("window", \.malformedWindow, .duration(1000...(30 * 86_400_000)), "How long a malformed record is held against its user.")]
        default: []
        }
    }
}
