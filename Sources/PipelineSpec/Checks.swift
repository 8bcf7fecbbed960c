import Behavior
import Events
import Policy

/// What a field alone can't know: how values fit together.
enum Checks {
    static func run(_ draft: Draft, _ reader: inout Reader) {
        secret(draft, &reader)
        sources(draft, &reader)
        windows(draft, &reader)
        bounds(draft, &reader)
        model(draft, &reader)
        assurance(draft, &reader)
        breaker(draft, &reader)
        topics(draft, &reader)
        kafka(draft, &reader)
        delivery(draft, &reader)
    }

    /// A transaction that lasts as long as the brokers let it last is aborted by them, every time.
    private static func delivery(_ draft: Draft, _ reader: inout Reader) {
        guard draft.pipeline.delivery.mode == .exactlyOnce else { return }
        func milliseconds(_ property: String) -> Int? {
            draft.kafka.last { $0.key == property }.flatMap { Int($0.value) }
        }
        let timeout = milliseconds("transaction.timeout.ms") ?? max(1_000, (milliseconds("session.timeout.ms") ?? 10_000) / 10 * 8)
        guard draft.pipeline.delivery.commitMilliseconds > timeout / 2 else { return }
        reader.report(
            at: "delivery.commit_interval", "value.range",
            "a transaction is open for `delivery.commit_interval`, and the brokers abort it after \(Units.duration(timeout)): at most half of that works; raise Kafka property `session.timeout.ms` or commit more often")
    }

    private static func secret(_ draft: Draft, _ reader: inout Reader) {
        guard !draft.secret.isEmpty, draft.secret.utf8.count < 16 else { return }
        reader.report(
            at: "secret", "secret.short", "a secret of fewer than 16 bytes can be guessed; make one with `openssl rand -hex 32`",
            severity: .warning)
    }

    private static func sources(_ draft: Draft, _ reader: inout Reader) {
        if draft.sources.isEmpty, !reader.hasProblem(under: "sources") {
            reader.report(at: "sources", "sources.none", "`sources` names no topic; leave the key out for the default four")
        }
        if draft.sources.count > PipelineFields.mostSources {
            let first = "sources." + draft.sources[PipelineFields.mostSources].key
            reader.report(
                reader.keyPlaces[first] ?? Position(line: 1, column: 1), "list.too_long",
                "`sources` has \(draft.sources.count) entries, at most \(PipelineFields.mostSources) are allowed: "
                    + "a user's state holds an offset for each")
        }
        for source in draft.sources { self.source(source, &reader) }
    }

    private static func source(_ source: Named<SourceDraft>, _ reader: inout Reader) {
        let path = "sources." + source.key
        let type = source.value.eventType(named: source.key)
        let mapped = Set(source.value.map.map(\.key))
        if !mapped.isEmpty {
            for field in ["id", "time", "user"] + needed(by: type) where !mapped.contains(field) {
                let hint = field == "type" ? "; map it, or give the source a `type`" : ""
                reader.report(at: path + ".map", "source.unmapped", "`\(path).map` doesn't say where `\(field)` is\(hint)")
            }
        }
        for entry in source.value.map { mappedField(entry, path: path + ".map." + entry.key, &reader) }
    }

    /// What events of the type need besides what every event needs.
    private static func needed(by type: EventType?) -> [String] {
        switch type {
        case .login: ["outcome"]
        case .action: ["action"]
        case .challenge: ["challenge.decision", "challenge.result"]
        case .feedback, .erasure: []
        case nil: ["type"]
        }
    }

    /// Values of these fields that the event has a name for.
    private static let known: [String: [String]] = [
        "type": EventType.allCases.map(\.name.description) + ["ignore"],
        "outcome": ["success", "failure"],
        "challenge.result": ["passed", "failed", "denied", "abandoned", "timed_out"],
        "feedback.label": ["legitimate", "compromised"],
        "feedback.by": ["user", "analyst"],
    ]

    private static func mappedField(_ entry: Named<MappedField>, path: String, _ reader: inout Reader) {
        if entry.value.paths.isEmpty, entry.value.fallback == nil, !reader.hasProblem(under: path) {
            reader.report(at: path, "key.missing", "`\(path)` needs the key `path` or `default`")
        }
        guard let known = known[entry.key] else { return }
        let targets = entry.value.values.map { (path + ".values." + $0.key, $0.value) }
            + (entry.value.fallback.map { [(path + ".default", $0)] } ?? [])
        for (place, value) in targets where !known.contains(value) {
            reader.report(
                at: place, "value.choice",
                "`\(place)` is one of " + known.map { "`\($0)`" }.joined(separator: ", "))
        }
    }

    private static func windows(_ draft: Draft, _ reader: inout Reader) {
        let windows = draft.pipeline.plan.windows
        guard windows.rateHop > 0 else { return }
        if windows.rate % windows.rateHop != 0 || windows.rate / windows.rateHop > 16 {
            reader.report(
                at: reader.places["windows.rate_hop"] == nil ? "windows.rate" : "windows.rate_hop", "windows.hop",
                "`windows.rate_hop` must divide `windows.rate` into at most 16 panes")
        }
    }

    /// A row never grows beyond its bound; but the one a user begins with must fit, however long the name, with room for
    /// what tells on an attacker.
    private static func bounds(_ draft: Draft, _ reader: inout Reader) {
        guard !reader.hasProblem(under: "bounds") else { return }
        let needed = UserTable.smallestRow(
            inputs: min(draft.sources.count, PipelineFields.mostSources), identityBytes: 2 * draft.decode.idBytes)
        guard draft.pipeline.plan.bounds.bytesPerUser < needed else { return }
        reader.report(
            at: reader.places["bounds.user"] == nil ? "bounds.id" : "bounds.user", "bounds.user",
            "`bounds.user` must be at least \(needed)B: a new user's state, with a tenant and a name of `bounds.id` bytes each")
    }

    private static func model(_ draft: Draft, _ reader: inout Reader) {
        let model = draft.pipeline.plan.model
        if model.highScore <= model.mediumScore {
            reader.report(
                at: reader.places["model.levels.high"] == nil ? "model.levels.medium" : "model.levels.high", "model.levels",
                "`model.levels.high` must be above `medium`")
        }
        if model.criticalScore <= model.highScore {
            reader.report(
                at: reader.places["model.levels.critical"] == nil ? "model.levels.high" : "model.levels.critical", "model.levels",
                "`model.levels.critical` must be above `high`")
        }
        if model.establishedSamples <= model.partialSamples {
            reader.report(
                at: reader.places["model.confidence.established"] == nil ? "model.confidence.partial" : "model.confidence.established",
                "model.confidence",
                "`model.confidence.established` must be above `partial`")
        }
    }

    /// Who has to prove something must be able to.
    private static func assurance(_ draft: Draft, _ reader: inout Reader) {
        let table = draft.pipeline.plan.assurance
        if table.alarm > 0, !table.methods.contains(where: { $0.level >= table.alarmNeed }) {
            reader.report(
                at: "assurance.alarm_assurance", "assurance.unreachable",
                "no method of `assurance.methods` proves `\(table.alarmNeed.name)`: after a \"not me\" nobody could get in")
        }
    }

    private static func topics(_ draft: Draft, _ reader: inout Reader) {
        var used: [String: String] = [:]
        let inputs = draft.sources.map { ("sources.\($0.key).topic", $0.value.topic ?? $0.key) }
        let outputs = [
            ("sinks.decisions.topic", draft.pipeline.decisionsTopic), ("sinks.dead_letters.topic", draft.pipeline.deadLettersTopic),
            ("state.topic", draft.pipeline.state.topic), ("state.cuts_topic", draft.pipeline.state.cutsTopic),
            ("state.networks_topic", draft.pipeline.state.networksTopic),
        ]
        for (path, topic) in inputs + outputs {
            if let other = used[topic] {
                let isGiven = reader.places[path] != nil || reader.places[other] == nil
                reader.report(at: isGiven ? path : other, "topic.shared", "`\(path)` and `\(other)` name the same topic; each needs its own")
            }
            used[topic] = used[topic] ?? path
        }
    }

    private static func kafka(_ draft: Draft, _ reader: inout Reader) {
        for property in draft.kafka {
            guard let reason = OwnedProperties.reason(property.key) else { continue }
            reader.report(
                reader.keyPlaces["kafka." + property.key] ?? Position(line: 1, column: 1), "kafka.owned",
                "`kafka.\(property.key)` is Vigil's to set: \(reason)")
        }
    }
}

/// Properties of librdkafka that a pipeline file may not set.
enum OwnedProperties {
    /// Where it is set instead, or why it isn't; nil when it may be set.
    static func reason(_ property: String) -> String? {
        if property.hasSuffix("_cb") || property == "opaque" { return "a program can set it, a file can't" }
        return reasons[property]
    }

    private static let reasons = [
        "group.id": "use the key `group`",
        "group.instance.id": "use the key `instance`",
        "enable.auto.commit": "offsets are committed once outputs are acknowledged; see `delivery.commit_interval`",
        "auto.commit.enable": "offsets are committed once outputs are acknowledged; see `delivery.commit_interval`",
        "auto.commit.interval.ms": "use the key `delivery.commit_interval`",
        "enable.auto.offset.store": "offsets are committed once outputs are acknowledged",
        "offset.store.method": "offsets live in the consumer group",
        "isolation.level": "records of an aborted transaction are never decided",
        "auto.offset.reset": "a group that is new starts at the beginning, one that isn't never skips",
        "partition.assignment.strategy": "inputs stay co-partitioned under `range` only",
        "enable.idempotence": "it is always on, so that retries neither double nor reorder decisions",
        "acks": "every output waits for all replicas in sync",
        "request.required.acks": "every output waits for all replicas in sync",
        "message.timeout.ms": "a decision is never given up",
        "delivery.timeout.ms": "a decision is never given up",
        "transactional.id": "delivery is at least once in this version",
        "enable.partition.eof": "recovery depends on it",
        "queue.buffering.max.kbytes": "use the key `delivery.queue`",
    ]
}
