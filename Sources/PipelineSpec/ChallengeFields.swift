import Behavior
import Engine
import Policy

/// What goes for all questions of a pipeline, and for too many of them.
enum ChallengeFields {
    static var challenges: Record<ChallengeOptions> {
        Record(ChallengeOptions(), [
            Field("per_hour", \.perHour, .integer(1...UserTable.mostAsks),
                "New questions to one user within an hour of event time; half of them at most to one session, and half to all devices together that are not the user's own. The next one is denied with the rule `challenge-budget`, until the hour has passed; never allowed. Repeating a question that is open costs nothing."),
            Field("no_method", \.noMethod, .choice(NoMethod.allCases.map { ($0.rawValue, $0) }),
                "Where the person has enrolled nothing that suffices: `ask` puts the question with the rule's own methods, for the identity provider to have one enrolled; `deny` denies with the rule `no-method`."),
        ])
    }

    static var breaker: Record<BreakerOptions> {
        Record(BreakerOptions(), [
            Field("established_users_asked", \.self, asked.format,
                "When the breaker opens. Users count once a window, if their baseline is established, their device is vouched for and nothing speaks of an attack; questions about sensitive actions don't count."),
            Field("relax", \.relax, Format<String>.name("a rule's name", length: 100).list("", atMost: 64),
                "Rules that are passed over while it is open, as if their mode were `report`, for events of users who count. Only enforced rules with `then: step_up` that don't name sensitive actions. Without any the breaker only raises the alarm."),
            Field("for", \.duration, .duration(60_000...86_400_000), "How long it stays open, of event time; longer while people go on being asked."),
        ])
    }

    private static var asked: Record<BreakerOptions> {
        Record(BreakerOptions(), [
            Field("share", \.share, .number(0...1), "Share of a window's established users who were asked, above which it opens."),
            Field("of_at_least", \.leastUsers, .integer(1...100_000_000), "Established users of a partition in a window, below which nothing is concluded."),
            Field("window", \.window, .duration(1000...86_400_000, whole: 1000), "Tumbling window of event time."),
        ])
    }
}
