import Events
import Policy
import Risk

/// What a rule may ask for.
enum ConditionFields {
    static var record: Record<RuleConditions> {
        Record(RuleConditions(), [
            Field("is", \.named, names, "Any of these named conditions holds (see `conditions`); as a mapping, any of some and all of others."),
            Field("type", \.types, Format.choice(EventType.allCases.filter { $0 != .erasure }.map { ($0.name.description, $0) }).list(.login),
                "The event's type is one of these. Rules decide logins and actions."),
            Field("user", \.users, pattern, "The user matches one of these, or `tenant/user` does."),
            Field("group", \.groups, plainNames, "The user belongs to one of these groups (see `groups`)."),
            Field("tenant", \.tenants, pattern, "The tenant matches one of these."),
            Field("action", \.actions, pattern, "The action matches one of these; `*` is any run of characters, `?` one, `@name` whatever a list holds."),
            Field("resource", \.resources, pattern, "The resource matches one of these."),
            Field("tag", \.tags, plainNames, "The resource has one of these tags (see `tags`)."),
            Field("amount", \.amount, interval(.number(0...1e15)), "The amount is in this range; an event without one never matches."),
            Field("currency", \.currencies, pattern, "The amount's currency is one of these."),
            Field("ip", \.addresses, addresses, "The address lies in one of these networks."),
            Field("asn", \.providers, providers, "The address belongs to one of these autonomous systems."),
            Field("country", \.countries, countries, "The address lies in one of these countries (ISO 3166-1 alpha-2)."),
            Field("device", \.devices, pattern, "The event's `device.id` matches one of these."),
            Field("device_type", \.deviceClasses, Format.choice(DeviceClass.allCases.map { ("\($0)", $0) }).list(.unknown), "The device is one of these."),
            Field("time_of_day", \.times, times.format.list(TimeOfDay(), atMost: 16), "The event's time lies in one of these stretches."),
            Field("score", \.score, interval(.number(0...100)), "The score is in this range."),
            Field("level", \.levels, Format.choice(RiskLevel.allCases.map { ($0.name.description, $0) }).list(.low), "The level is one of these."),
            Field("confidence", \.confidence, Format.choice(Confidence.allCases.map { ($0.name.description, $0) }).list(.learning), "The confidence is one of these."),
            Field("signals", \.self, signals, "Any of the listed signals speaks."),
            Field("rate", \.self, rate.format, "How often the user did something lately, this event included."),
            Field("network", \.self, network.format,
                "What all users did from the event's network (IPv4 /24, IPv6 /48) in one to two windows of `windows.networks`, as of the panes that are sealed: some seconds behind, and without this event."),
            Field("session_level", \.sessionLevels, Format.choice(RiskLevel.allCases.map { ($0.name.description, $0) }).list(.low),
                "The level of the session's risk, its riskiest event's and fading since, is one of these."),
            Field("assurance", \.assurance, assurance, "What the session has proven and still holds is in this range, weakest first: `none`, `aal1`, `aal2`, `phr`, `phrh`."),
            Field("acr", \.acr, pattern, "The session's `acr` is one of these."),
            Field("amr", \.self, methods, "The session's `amr` has any of the listed methods (RFC 8176)."),
            Field("auth_age", \.authAge, interval(Format<Int>.duration(0...(3650 * 86_400_000)).convert({ Double($0) }, { Int($0) })),
                "Time since the person last authenticated is in this range; unknown is endless."),
            Field("outcome", \.outcome, Format.choice([("success", LoginOutcome.success), ("failure", .failure)]).optional(.success), "The login ended so."),
        ])
    }

    /// The same where the reference need not list every key again.
    static var format: Format<RuleConditions> { record.format(likeDefinition: "conditions", "conditions as in `policies[].when`") }

    static var pattern: Format<[String]> { Format.text("a pattern").list("", atMost: 256) }

    static var plainNames: Format<[String]> { name.list("", atMost: 256) }

    static var name: Format<String> { .name("a name of letters, digits, `.`, `_` and `-`", length: 100) }

    static func interval(_ bound: Format<Double>) -> Format<Interval?> {
        Record(Interval(), [
            Field("at_least", \.atLeast, bound.optional(0), "Lower end, included."),
            Field("at_most", \.atMost, bound.optional(0), "Upper end, included."),
        ]).format.optional(Interval())
    }

    // MARK: - Texts of a kind

    private static func kind(
        _ type: String, pattern: String, _ parse: @escaping (String) -> String?
    ) -> Format<[String]> {
        Format<String>(
            type: type, schema: [("type", .array([.string("string"), .string("integer")])), ("pattern", .string("^@|" + pattern))],
            parse: { $0.hasPrefix("@") ? ($0.utf8.count <= 256 ? $0 : nil) : parse($0) }, show: quoted).list("", atMost: 256)
    }

    private static var addresses: Format<[String]> {
        kind("a network such as `192.0.2.0/24`, or `@list`", pattern: "^[0-9A-Fa-f:.]+(/[0-9]+)?$") { NetworkPrefix($0[...]) == nil ? nil : $0 }
    }

    private static var providers: Format<[String]> {
        kind("a number such as `64496` or `AS64496`, or `@list`", pattern: "^(AS)?[0-9]+$", systemNumber)
    }

    private static var countries: Format<[String]> {
        kind("a country's two letters, or `@list`", pattern: "^[A-Z]{2}$") { isCountry($0) ? $0 : nil }
    }

    /// The digits of an autonomous system's number; nil for anything else.
    static func systemNumber(_ text: String) -> String? {
        let digits = text.hasPrefix("AS") ? text.dropFirst(2) : text[...]
        guard isDigits(digits), let number = UInt32(digits), number > 0 else { return nil }
        return String(number)
    }

    static func isCountry(_ text: String) -> Bool { text.utf8.count == 2 && text.utf8.allSatisfy { (65...90).contains($0) } }

    // MARK: - Mappings

    private struct Names {
        var any: [String] = []
        var all: [String] = []
    }

    /// As sets of which one name each must hold.
    private static var names: Format<[[String]]> {
        let mapping = Record(Names(), [
            Field("any", \.any, plainNames, "At least one of these holds."),
            Field("all", \.all, plainNames, "Every one of these holds."),
        ]).format
        return plainNames.into(\Names.any).or(mapping: mapping).convert(
            { names in (names.any.isEmpty ? [] : [names.any]) + names.all.map { [$0] } },
            { sets in Names(any: sets.first { $0.count > 1 } ?? [], all: sets.filter { $0.count == 1 }.flatMap { $0 }) })
    }

    private static var rate: Record<RuleConditions> {
        Record(RuleConditions(), [
            Field("actions", \.[count: .actions], interval(.number(0...1e6)), "Logins and actions in the window `windows.rate`."),
            Field("failures", \.[count: .failures], interval(.number(0...16)), "Failed logins in `windows.failures`, since the last that succeeded; no more than 16 are known."),
            Field("challenges", \.[count: .challenges], interval(.number(0...12)), "Challenges failed, denied or left unanswered within an hour; no more than 12 are known."),
            Field("exports", \.[count: .exports], interval(.number(0...1e6)), "Actions that the signal `action.bulk_export` takes for exports, in its window."),
            Field("resources", \.[count: .resources], interval(.number(0...1e6)), "Different resources in the window of the signal `action.breadth`, as it counts them; above a few an estimate."),
        ])
    }

    private static var network: Record<RuleConditions> {
        Record(RuleConditions(), [
            Field("tries", \.[count: .networkTries], interval(.number(0...1e9)), "Logins that were tried."),
            Field("failures", \.[count: .networkFailures], interval(.number(0...1e9)), "Of them, those that failed."),
            Field("users", \.[count: .networkUsers], interval(.number(0...1e9)), "Different users who tried, within about a quarter more or less."),
            Field("users_failing", \.[count: .networkUsersFailing], interval(.number(0...1e9)), "Different users of whom a login failed."),
        ])
    }

    private static var assurance: Format<AssuranceRange?> {
        let level = Format.choice(AssuranceLevel.allCases.map { ($0.name.description, $0) })
        return Record(AssuranceRange(), [
            Field("at_least", \.atLeast, level.optional(.none), "Lower end, included."),
            Field("below", \.below, level.optional(.none), "Upper end, left out."),
        ]).format.optional(AssuranceRange())
    }

    private static var times: Record<TimeOfDay> {
        Record(TimeOfDay(), [
            Field("from", \.from, .minutes(atMost: 1439), "When it begins."),
            Field("to", \.to, .minutes(atMost: 1440), "When it ends; what is not after `from` is on the next day."),
            Field("days", \.days, days, "The days on which it begins."),
            Field("zone", \.zone, .zone, "By whose clocks: an offset such as `+01:00`, or a name of the tz database, whose changes of clocks from 2020 to 2050 are part of `policy.version`."),
        ])
    }

    private static var days: Format<UInt8> {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        return Format.choice(names.enumerated().map { ($0.element, $0.offset) }).list(0).convert(
            { $0.reduce(0) { $0 | 1 << UInt8($1) } }, { mask in (0..<7).filter { mask >> UInt8($0) & 1 == 1 } })
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

extension RuleConditions {
    /// The range asked of a count; nil when none is. Kept in the order of `RecentCount`.
    fileprivate subscript(count count: RecentCount) -> Interval? {
        get { counts.first { $0.count == count }?.range }
        set {
            counts.removeAll { $0.count == count }
            guard let newValue, newValue != Interval() else { return }
            counts.append(CountRange(count, newValue))
            counts.sort { $0.count.rawValue < $1.count.rawValue }
        }
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
