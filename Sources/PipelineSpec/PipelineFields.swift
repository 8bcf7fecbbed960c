import Behavior
import Engine
import Events
import Policy
import Risk

/// What the fields fill: a pipeline, and what it takes a second look at the whole file to turn into one.
struct Draft {
    var pipeline = Pipeline()
    var secret = ""
    var group: String?
    var sources = SourceDraft.standard
    var enrichment = EnrichmentDraft()
    var decode = DecodeBounds()
    var kafka: [Named<String>] = []
    var policy = PolicyDraft()
}

/// Every key of a pipeline file, in the order of the reference.
enum PipelineFields {
    static let standardSecret = "${VIGIL_SECRET:}"
    static let standardBrokers = "${VIGIL_BROKERS:127.0.0.1:9092}"
    static let mostSources = 8
    static let mostTests = 1_000

    static var root: Record<Draft> {
        Record(Draft(), meaning + operation)
    }

    private static let minute = 60_000
    private static let hour = 3_600_000
    private static let day = 86_400_000

    private static var meaning: [Field<Draft>] {
        [
            Field("name", \.pipeline.plan.name, .name("a name of letters, digits, `.`, `_` and `-`", length: 100), required: true,
                "Names the pipeline. Decision ids derive from it: another name gives other ids.").fixed,
            Field("secret", \.secret, .verbatim, standard: "`\(standardSecret)`",
                "Key of challenge nonces and of the hashes in state; at least 16 bytes that nobody can guess. Changing it makes saved state unreadable.")
                .operational.fixed,
            Field("sources", \.sources, SourceFields.record.format.map(keys: "source", SourceDraft(), pattern: "^[A-Za-z0-9._-]+$", rename: {
                isPlainName($0) ? $0 : nil
            }), "The topics events come from, at most \(mostSources). Given, they replace the default: `logins`, `actions`, `challenges` and `feedback`.").fixed,
            Field("enrichment", \.enrichment, EnrichmentFields.record.format,
                "What is added to events before they are decided, from files; none is needed, none comes with Vigil. What a file knows overrides what an event claims. Relative paths start at the pipeline file. What the files hold is part of `policy.version`, where they lie is not. Replace a file by renaming another over it; a running service takes it up by itself.")
                .operational,
            Field("emit", \.pipeline.plan.emit, .choice(Emission.allCases.map { ($0.rawValue, $0) }),
                "Which decisions are produced: `interventions` leaves out uneventful allows, `changes` adds whatever changed a user's level, `all` is every event's."),
            Field("windows", \.pipeline.plan.windows, windows.format, "How event time is cut up, and how fast the past fades."),
            Field("model", \.pipeline.plan.model, ModelFields.record.format, "How evidence becomes a score."),
            Field("lists", \.policy.lists, PolicyDraftFields.lists,
                "Lists that rules name as `@name`, in files or here. A file has one entry a line; `#` at the beginning of a line or behind a blank begins a comment. In texts `*` and `?` are patterns, and what is none is found by hash, a million entries as fast as one. What a file holds is part of `policy.version`; paths start at the pipeline file.")
                .operational,
            Field("groups", \.policy.groups, PolicyDraftFields.groups, "Groups of users by name: patterns of `user` or `tenant/user`, or `@list`."),
            Field("tags", \.policy.tags, PolicyDraftFields.tags, "Tags of resources by name: patterns, or `@list`."),
            Field("conditions", \.policy.conditions, PolicyDraftFields.conditions,
                "Conditions that rules use by name, as `is`. A list holds where any of its mappings does."),
            Field("assurance", \.pipeline.plan.assurance, AssuranceFields.record.format,
                "What counts as proof of who somebody is, and what follows where it doesn't."),
            Field("policies", \.pipeline.plan.rules, PolicyFields.rule.format.list(
                Rule(name: "", verdict: .allow), atMost: PolicyFields.mostRules,
                why: ": which rules only reported is held in \(PolicyFields.mostRules) bits"),
                "Rules in order; the first that matches decides. At most \(PolicyFields.mostRules). [policies.md](policies.md) shows how they read."),
            Field("overrides", \.policy.overrides, PolicyDraftFields.overrides,
                "What is different for some tenants or groups. A rule that is changed becomes a copy of the same name before the rule; of several overrides that change it for a user, the first counts."),
            Field("otherwise", \.pipeline.plan.fallback, PolicyFields.fallback,
                "What is decided when no rule matches."),
            Field("shadow", \.policy.shadows, PolicyDraftFields.shadows,
                "Whole policies that are tried on every event and never carried out, at most \(ShadowPolicy.most). Where one would have decided otherwise, the decision says so under `shadow`, and is produced."),
            Field("challenges", \.pipeline.plan.challenges, ChallengeFields.challenges.format, "What goes for every question."),
            Field("breaker", \.pipeline.plan.breaker, ChallengeFields.breaker.format,
                "A circuit breaker for each partition against an operator's mistake: rules that suddenly ask people whom they should leave alone."),
            Field("sinks", \.self, sinks.format, "Where decisions and dead letters go.").fixed,
            Field("bounds", \.self, bounds.format, "Limits. Beyond them state is evicted, optional text truncated, or the record becomes a dead letter; nothing grows.").fixed,
        ]
    }

    private static var operation: [Field<Draft>] {
        ([
            Field("state", \.pipeline.state, state.format, "Where state is kept between runs."),
            Field("delivery", \.pipeline.delivery, delivery, "How outputs and offsets are committed; a mode alone may stand for the mapping."),
            Field("group", \.group, Format.name("a name of letters, digits, `.`, `_` and `-`").optional(""), standard: "the pipeline's name", "Kafka consumer group."),
            Field("instance", \.pipeline.instance, Format.name("a name of letters, digits, `.`, `_` and `-`", length: 200).optional(""),
                "Static membership: shard n joins as `<instance>-<n>`. Give one only where a shard comes back under the same name; `null` for dynamic membership."),
            Field("shards", \.pipeline.shards, .integer(1...256), "Threads, each a complete pipeline with partitions of its own."),
            Field("topics", \.pipeline, topics.format, "How `vigil topics --create` and the embedded broker make topics."),
            Field("kafka", \.kafka, Format.verbatim.map(keys: "property", "", pattern: "^[a-z0-9._]+$", rename: {
                $0.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || [46, 95].contains($0) } && !$0.isEmpty ? $0 : nil
            }), standard: "`bootstrap.servers: \(standardBrokers)`", "Properties of librdkafka, passed through as they are written: brokers, TLS, SASL and all."),
        ].map(\.fixed) + [
            Field("tests", \.pipeline.tests, TestFields.test.format.list(PipelineTest(), atMost: mostTests),
                "What the rules are to do, as `vigil test` runs it; [evaluation.md](evaluation.md#tests) says how. Variables are not expanded here."),
        ]).map(\.operational)
    }

    static var windows: Record<WindowOptions> {
        Record(WindowOptions(), [
            Field("allowed_lateness", \.allowedLateness, .duration(0...day), "How far behind the newest event the watermark runs; an event behind the watermark is flagged late."),
            Field("allowed_skew", \.allowedSkew, .duration(0...day), "How far an event's time may be ahead of its record's before it is clamped."),
            Field("idle", \.idle, .duration(1000...day), "An input whose newest event is this far behind the newest of all no longer holds the watermark back."),
            Field("session_gap", \.sessionGap, .duration(minute...(30 * day)), "Session window: a session silent for this long has ended."),
            Field("session_risk", \.sessionRisk, .duration(1000...(30 * day)), "Half-life of a session's risk: what is left of its riskiest event."),
            Field("failures", \.failures, .duration(1000...day), "Sliding window of failed logins."),
            Field("rate", \.rate, .duration(1000...day), "Hopping window of the action rate.").fixed,
            Field("rate_hop", \.rateHop, .duration(100...day), "Pane of the hopping window; divides `rate` into at most 16 panes.").fixed,
            Field("pane", \.pane, .duration(1000...minute), "Pane of event time in which what crosses users is summed up; an event sees the panes up to the one before the last. All processes of a pipeline need the same.").fixed,
            Field("networks", \.networks, .duration(60_000...day), "Window over which activity is counted per network; it covers one to two of these.").fixed,
            Field("rarity", \.rarity, .duration(day...(400 * day)), "Window of what counts as common among all users; it covers one to two of these.").fixed,
            Field("half_life", \.halfLife, .duration(hour...(3650 * day)), "After this long an observation counts half."),
            Field("fast_half_life", \.fastHalfLife, .duration(hour...(3650 * day)),
                "The same for the fast baseline beside it, by which drift is noticed."),
        ])
    }

    static var sinks: Record<Draft> {
        Record(Draft(), [
            Field("decisions", \.pipeline, Record(Pipeline(), [
                Field("topic", \.decisionsTopic, .name("a topic name"), "Where decisions go, keyed as the event was."),
                Field("cloudevents", \.plan.cloudEvents, .choice(CloudEventsMode.allCases.map { ($0.rawValue, $0) }),
                    "CloudEvents 1.0: `binary` puts the attributes in headers, `structured` in an envelope around the decision."),
            ]).format, "The answers."),
            Field("dead_letters", \.pipeline, Record(Pipeline(), [
                Field("topic", \.deadLettersTopic, .name("a topic name"), "Where records that can't be decided go, bytes untouched, the reason in their headers."),
            ]).format, "What could not be answered."),
        ])
    }

    static var bounds: Record<Draft> {
        Record(Draft(), [
            Field("record", \.decode.recordBytes, .size(256...(16 << 20)), "Bytes of a record; a longer one is a dead letter."),
            Field("id", \.decode.idBytes, .size(16...1024), "Bytes of an id, user, tenant, session, nonce or token; a longer one is a dead letter."),
            Field("text", \.decode.textBytes, .size(16...8192), "Bytes of any other text; longer text is truncated and flagged."),
            Field("depth", \.decode.depth, .integer(2...64), "Levels of nesting of a record's JSON."),
            Field("devices", \.pipeline.plan.bounds.devices, .integer(1...64), "Devices remembered of a user."),
            Field("networks", \.pipeline.plan.bounds.networks, .integer(1...64), "Networks remembered of a user."),
            Field("places", \.pipeline.plan.bounds.places, .integer(1...64), "Places remembered of a user."),
            Field("actions", \.pipeline.plan.bounds.actions, .integer(1...255), "Kinds of action remembered of a user."),
            Field("pairs", \.pipeline.plan.bounds.pairs, .integer(1...255), "Pairs of actions in a row remembered of a user."),
            Field("sessions", \.pipeline.plan.bounds.sessions, .integer(1...64), "Open sessions of a user."),
            Field("challenges", \.pipeline.plan.bounds.challenges, .integer(1...64), "Open challenges of a user."),
            Field("user", \.pipeline.plan.bounds.bytesPerUser, .size(512...65_536), "Hard cap on the bytes of one user's state."),
            Field("users_per_partition", \.pipeline.plan.bounds.usersPerPartition, .integer(1...50_000_000), "Users who have logged in or acted, per partition."),
            Field("shared_networks", \.pipeline.plan.bounds.sharedNetworks, .integer(64...8192), "Networks and devices of which is known what happens on them, over all users; the quietest give way."),
            Field("shared_values", \.pipeline.plan.bounds.sharedValues, .integer(64...8192), "Countries, providers, browsers and systems of which is known how many users have them; the rarest give way."),
            Field("unproven_per_partition", \.pipeline.plan.bounds.unprovenPerPartition, .integer(1...50_000_000),
                "Names that never logged in successfully, per partition; they can't evict a user."),
        ])
    }

    static var state: Record<StateOptions> {
        Record(StateOptions(), [
            Field("directory", \.directory, .text("a path", bytes: 1024), "One SQLite file per partition is kept here."),
            Field("checkpoint_interval", \.checkpointMilliseconds, .duration(100...hour), "For how long a changed user may stay unwritten: longer writes less, shorter recovers faster; [recovery.md](recovery.md) has the arithmetic."),
            Field("write_budget", \.checkpointBytesPerSecond, .size((64 << 10)...(1 << 30)), "Most bytes of users' rows a shard writes in a second. Too little, and recovery has more to redo than `checkpoint_interval` says."),
            Field("memory", \.memoryBytes, .size((1 << 20)...(1 << 40)), "Most bytes of users' rows in the process's memory; colder users stay in the state files and come back when they are needed."),
            Field("topic", \.topic, .name("a topic name"), "The compacted topic through which state follows a partition to another host."),
            Field("networks_topic", \.networksTopic, .name("a topic name"), "The topic in which partitions tell each other what happens on networks and what is common."),
            Field("cuts_topic", \.cutsTopic, .name("a topic name"), "The topic that records what each batch held, for recovery and audit."),
            Field("tombstones", \.tombstoneMilliseconds, .duration(hour...(90 * day)), "`delete.retention.ms` of the state topic. A state file that is older is rebuilt, because it may have missed a removal."),
        ])
    }

    private static var deliveryMode: Format<DeliveryMode> {
        .choice([("exactly_once", .exactlyOnce), ("at_least_once", .atLeastOnce)])
    }

    static var delivery: Format<DeliveryOptions> {
        let simple = deliveryMode.convert({ mode in
            var options = DeliveryOptions()
            options.mode = mode
            return options
        }, { $0.mode })
        return simple.or(mapping: Record(DeliveryOptions(), [
            Field("mode", \.mode, deliveryMode,
                "`exactly_once`: decisions, state and offsets in one transaction; subscribers read with `isolation.level=read_committed`. `at_least_once`: lowest latency; after a crash a decision may repeat, with the same id. An embedded broker has no transactions and is always served at least once."),
            Field("commit_interval", \.commitMilliseconds, .duration(1...minute), "How often a transaction ends, or offsets are committed once outputs are acknowledged."),
            Field("intervention_commit_interval", \.interventionCommitMilliseconds, .duration(1...minute), "The same after an intervention."),
            Field("max_idle", \.idleMilliseconds, .duration(0...minute), "How long records of one topic wait for those of another that are known to be in the log, so that inputs are merged by event time."),
            Field("batch", \.batchRecords, .integer(1...65_536), "Most records taken at once."),
            Field("queue", \.queueBytes, .size((1 << 20)...(2047 << 20)), "Most bytes waiting to be sent; beyond it reading pauses."),
        ]).format)
    }

    static var topics: Record<Pipeline> {
        Record(Pipeline(), [
            Field("partitions", \.partitions, .integer(1...10_000), "Partitions of every topic; inputs need equal counts."),
            Field("replication_factor", \.replicationFactor, .integer(1...32), "Copies of every partition."),
        ])
    }
}

extension Format where Value == String {
    /// Any scalar, exactly as written.
    static var verbatim: Format {
        Format(
            type: "text", schema: [("type", .array([.string("string"), .string("number"), .string("boolean")]))],
            parse: { $0.utf8.contains(0) ? nil : $0 }, show: quoted)
    }
}
