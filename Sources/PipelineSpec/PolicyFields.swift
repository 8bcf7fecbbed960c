import Events
import Policy
import Risk

enum PolicyFields {
    static var rule: Record<Rule> {
        Record(Rule(name: "", verdict: .allow), [
            Field("name", \.name, .name("a name of letters, digits, `.`, `_` and `-`", length: 100), required: true, "Unique; decisions carry it."),
            Field("when", \.conditions, conditions.format, "What must hold, all of it; nothing given always holds."),
            Field("then", \.verdict, .choice(Verdict.allCases.map { ($0.name.description, $0) }), required: true, "The decision."),
            Field("step_up", \.stepUp, stepUp.format, "The question; only with `then: step_up`."),
            Field("mode", \.mode, .choice(RuleMode.allCases.map { ($0.rawValue, $0) }),
                "`report` only notes under `shadow` what the rule would have decided, and goes on to the next."),
        ])
    }

    private static var conditions: Record<RuleConditions> {
        Record(RuleConditions(), [
            Field("type", \.types, Format.choice(EventType.allCases.filter { $0 != .erasure }.map { ($0.name.description, $0) }).list(.login),
                "The event's type is one of these."),
            Field("action", \.actions, pattern, "The action matches one of these; `*` is any run of characters, `?` one."),
            Field("resource", \.resources, pattern, "The resource matches one of these."),
            Field("tenant", \.tenants, texts, "The tenant is one of these."),
            Field("amount", \.amount, interval(.number(0...1e15)), "The amount is in this range; an event without one never matches."),
            Field("currency", \.currencies, texts, "The amount's currency is one of these."),
            Field("score", \.score, interval(.number(0...100)), "The score is in this range."),
            Field("level", \.levels, Format.choice(RiskLevel.allCases.map { ($0.name.description, $0) }).list(.low), "The level is one of these."),
            Field("confidence", \.confidence, Format.choice(Confidence.allCases.map { ($0.name.description, $0) }).list(.learning), "The confidence is one of these."),
            Field("signals", \.self, signals, "Any of the listed signals speaks."),
            Field("acr", \.acr, texts, "The session's `acr` is one of these."),
            Field("amr", \.self, methods, "The session's `amr` has any of the listed methods (RFC 8176)."),
            Field("auth_age", \.authAge, interval(Format<Int>.duration(0...(3650 * 86_400_000)).convert({ Double($0) }, { Int($0) })),
                "Time since the person last authenticated is in this range; unknown is endless."),
            Field("outcome", \.outcome, Format.choice([("success", LoginOutcome.success), ("failure", .failure)]).optional(.success), "The login ended so."),
        ])
    }

    private static var stepUp: Record<StepUpOptions> {
        Record(StepUpOptions(), [
            Field("assurance", \.assurance, AssuranceFields.level.optional(.single), standard: "what the weakest of `methods` proves",
                "What a session must have proven to be let through; methods that prove less are not offered."),
            Field("acr_values", \.acrValues, texts, standard: "those of `assurance.acr` that suffice", "Assurance asked for, the preferred first (RFC 9470)."),
            Field("methods", \.methods, methodNames, "How the person may be asked, the preferred first; `any` is every way, those that cost the person least first: biometric, push, webauthn, totp, hardware_key. Only what the person has enrolled is offered, where that is known, and what was left unanswered last comes last."),
            Field("max_age", \.maxAge, Format<Int>.duration(0...(30 * 86_400_000), whole: 1000).convert({ $0 / 1000 }, { $0 * 1000 }).optional(0),
                "Most time since the last authentication (RFC 9470); `0s` asks for a fresh one, which an answer to a question of ours is; `null` doesn't say."),
            Field("expires", \.expires, .duration(1000...86_400_000), "How long the question stays open."),
            Field("valid_for", \.validFor, .duration(1000...(30 * 86_400_000)), "How long a proof frees the session of this rule, while nothing riskier happens and its device and provider stay the same."),
            Field("prompt", \.prompt, .text(bytes: 500), "What the person reads."),
        ])
    }

    private static var methodNames: Format<[ChallengeMethod]> {
        let names: [(name: String, value: ChallengeMethod?)] = ChallengeMethod.allCases.map { ($0.rawValue, $0) } + [("any", nil)]
        return Format<ChallengeMethod?>.choice(names).list(nil).convert(
            { $0.contains(nil) ? ChallengeMethod.byFriction : $0.compactMap { $0 } },
            { $0 == ChallengeMethod.byFriction ? [nil] : $0 })
    }

    private static var texts: Format<[String]> { Format.text().list("", atMost: 256) }

    private static var pattern: Format<[String]> { Format.text("a pattern").list("", atMost: 256) }

    private static func interval(_ bound: Format<Double>) -> Format<Interval?> {
        Record(Interval(), [
            Field("at_least", \.atLeast, bound.optional(0), "Lower end, included."),
            Field("at_most", \.atMost, bound.optional(0), "Upper end, included."),
        ]).format.optional(Interval())
    }

    private static var signals: Format<RuleConditions> {
        let set = Format.choice(Signal.allCases.map { ($0.name.description, $0) }, called: "a signal's name").list(.deviceNew).convert(
            { $0.reduce(into: SignalSet()) { $0.insert(SignalSet($1)) } },
            { set in Signal.allCases.filter { set.contains(SignalSet($0)) } })
        return set.into(\.anySignals).or(mapping: Record(RuleConditions(), [
            Field("any", \.anySignals, set, "At least one of these speaks."),
            Field("all", \.allSignals, set, "Every one of these speaks."),
        ]).format)
    }

    private static var methods: Format<RuleConditions> {
        let set = methodSet
        return set.into(\.anyMethods).or(mapping: Record(RuleConditions(), [
            Field("any", \.anyMethods, set, "At least one of these was used."),
            Field("none", \.noMethods, set, "None of these was used."),
        ]).format)
    }

    /// Names of RFC 8176.
    static var methodSet: Format<AuthenticationMethods> {
        let all = AuthenticationMethods.names.map(\.description)
        return Format.choice(all.compactMap { name in AuthenticationMethods(name: name).map { (name, $0) } }, called: "a method's name as in RFC 8176").list([]).convert(
            { $0.reduce(into: AuthenticationMethods()) { $0.formUnion($1) } },
            { set in all.compactMap { AuthenticationMethods(name: $0) }.filter { set.contains($0) } })
    }
}

extension Format {
    /// Reads one part of a larger value.
    func into<Whole>(_ path: WritableKeyPath<Whole, Value>) -> Format<Whole> {
        Format<Whole>(
            shape: shape, read: { node, whole, reader in read(node, &whole[keyPath: path], &reader) },
            show: { show($0[keyPath: path]) })
    }
}
