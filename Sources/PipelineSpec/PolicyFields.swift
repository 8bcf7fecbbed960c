import Events
import Policy
import Risk

enum PolicyFields {
    /// Copies that overrides make included.
    static let mostRules = ReportedRules.capacity

    static var rule: Record<Rule> {
        Record(Rule(name: "", verdict: .allow), [
            Field("name", \.name, .name("a name of letters, digits, `.`, `_` and `-`", length: 100), required: true, "Unique; decisions carry it."),
            Field("when", \.conditions, ConditionFields.record.format, "What must hold, all of it; nothing given always holds."),
            Field("unless", \.unless, ConditionFields.format.list(RuleConditions(), atMost: 16),
                "The rule doesn't match where all of this holds; of a list, where any of it does."),
            Field("then", \.verdict, verdict, required: true, "The decision."),
            Field("step_up", \.stepUp, stepUp.format, "The question; only with `then: step_up`."),
            Field("mode", \.mode, mode,
                "`report` only notes under `shadow` what the rule would have decided, and goes on to the next."),
        ])
    }

    /// The rules of a policy that is only tried.
    static var triedRules: Format<[Rule]> {
        rule.format(likeDefinition: "rule", "a rule as in `policies`").list(Rule(name: "", verdict: .allow), atMost: mostRules)
    }

    static var fallback: Format<Verdict> { .choice([("allow", .allow), ("deny", .deny)]) }

    static var verdict: Format<Verdict> { .choice(Verdict.allCases.map { ($0.name.description, $0) }) }

    static var mode: Format<RuleMode> { .choice(RuleMode.allCases.map { ($0.rawValue, $0) }) }

    static var stepUp: Record<StepUpOptions> {
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
}
