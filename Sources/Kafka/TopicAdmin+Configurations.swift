import CRdKafka
import Runtime

/// Whether topics are configured for what they hold.
extension TopicAdmin {
    func checkConfigurations(
        _ needs: [Need], _ timeoutMilliseconds: Int, _ findings: inout Findings
    ) throws(LogFailure) {
        let concerned = needs.filter { $0.role != .output }
        if concerned.isEmpty { return }
        if try isEmbedded(timeoutMilliseconds: timeoutMilliseconds) { return }
        var settings: [String: [String: String]] = [:]
        do {
            settings = try configurations(of: concerned.map(\.name), timeoutMilliseconds: timeoutMilliseconds)
        } catch .retry(let why), .stop(let why) {
            findings.notes.append("the topics' configuration could not be read, so it is not checked: \(why)")
            return
        } catch {
            throw error
        }
        let hidden = concerned.filter { settings[$0.name] == nil }.map(\.name)
        if !hidden.isEmpty {
            findings.notes.append(
                "the configuration of \(hidden.joined(separator: ", ")) may not be read with these credentials (DescribeConfigs), so it is not checked")
        }
        let kept = concerned.filter(\.isInput).compactMap { need in
            settings[need.name].map { (name: need.name, milliseconds: Self.retention($0)) }
        }
        let longest = kept.max { $0.milliseconds < $1.milliseconds }
        for need in concerned {
            guard let found = settings[need.name] else { continue }
            switch need.role {
            case .state: Self.checkState(need.name, found, &findings)
            case .cuts: Self.checkCuts(need.name, found, longest, &findings)
            case .networks: Self.checkNetworks(need.name, found, &findings)
            case .input, .source: Self.checkInput(need.name, found, &findings)
            case .repartition, .output: break
            }
        }
    }

    private static func policies(_ settings: [String: String]) -> Set<String> {
        Set((settings["cleanup.policy"] ?? "delete").split(separator: ",").map { $0.filter { $0 != " " } })
    }

    /// In milliseconds; for ever is the greatest number.
    private static func retention(_ settings: [String: String]) -> Int64 {
        guard policies(settings).contains("delete"), let text = settings["retention.ms"], let value = Int64(text),
            value >= 0
        else { return .max }
        return value
    }

    private static func checkState(_ name: String, _ settings: [String: String], _ findings: inout Findings) {
        let found = policies(settings)
        if found.contains("compact") && !found.contains("delete") { return }
        findings.problems.append(
            "topic \(name) has cleanup.policy=\(settings["cleanup.policy"] ?? "delete"), which would delete users' state as it grows old: set cleanup.policy=compact on it")
    }

    private static func checkCuts(
        _ name: String, _ settings: [String: String], _ longest: (name: String, milliseconds: Int64)?,
        _ findings: inout Findings
    ) {
        if policies(settings).contains("compact") {
            findings.problems.append(
                "topic \(name) has cleanup.policy=\(settings["cleanup.policy"] ?? ""), which would drop cuts that recovery needs: set cleanup.policy=delete on it")
        }
        let mine = retention(settings)
        if let longest, mine < longest.milliseconds {
            let theirs = longest.milliseconds == .max ? "for ever" : "for \(longest.milliseconds) ms"
            findings.problems.append(
                "topic \(name) keeps records for \(mine) ms and \(longest.name) \(theirs): recovery needs the cuts of every record it reads again, so set retention.ms of \(name) to no less")
        }
        if let text = settings["retention.bytes"], let value = Int64(text), value >= 0 {
            findings.notes.append(
                "topic \(name) has retention.bytes=\(value): cuts may be deleted before the records they belong to")
        }
    }

    private static func checkNetworks(_ name: String, _ settings: [String: String], _ findings: inout Findings) {
        guard policies(settings).contains("compact") else { return }
        findings.problems.append(
            "topic \(name) has cleanup.policy=\(settings["cleanup.policy"] ?? ""), which keeps every pane for ever: set cleanup.policy=delete on it")
    }

    private static func checkInput(_ name: String, _ settings: [String: String], _ findings: inout Findings) {
        if settings["message.timestamp.type"] == "CreateTime" {
            findings.notes.append(
                "topic \(name) carries its producers' timestamps, so events dated in the future can't be recognised: set message.timestamp.type=LogAppendTime on it")
        }
    }

    /// Every setting of each topic by name, defaults included. Topics that may not be read are missing.
    /// - Throws: `.retry` when no broker answers in time, `.stop` when access is refused.
    func configurations(
        of topics: [String], timeoutMilliseconds: Int
    ) throws(LogFailure) -> [String: [String: String]] {
        var resources: [OpaquePointer?] = topics.map { rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0) }
        defer { rd_kafka_ConfigResource_destroy_array(&resources, resources.count) }
        let answer = try AdminAnswer(
            of: client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "reading the topics' configuration",
            timeoutMilliseconds: timeoutMilliseconds
        ) { rd_kafka_DescribeConfigs(client.handle, &resources, resources.count, $0, $1) }
        var count = 0
        guard let result = rd_kafka_event_DescribeConfigs_result(answer.event),
            let found = rd_kafka_DescribeConfigs_result_resources(result, &count)
        else { return [:] }
        var settings: [String: [String: String]] = [:]
        for resource in UnsafeBufferPointer(start: found, count: count) {
            guard rd_kafka_ConfigResource_error(resource) == RD_KAFKA_RESP_ERR_NO_ERROR,
                let name = rd_kafka_ConfigResource_name(resource)
            else { continue }
            var entries = 0
            guard let list = rd_kafka_ConfigResource_configs(resource, &entries) else { continue }
            var values: [String: String] = [:]
            for entry in UnsafeBufferPointer(start: list, count: entries) {
                if let key = rd_kafka_ConfigEntry_name(entry), let value = rd_kafka_ConfigEntry_value(entry) {
                    values[String(cString: key)] = String(cString: value)
                }
            }
            settings[String(cString: name)] = values
        }
        return settings
    }
}
