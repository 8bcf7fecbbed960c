import CRdKafka
import Runtime

/// Which client properties are for.
enum ClientKind: String {
    case consumer, producer

    var native: rd_kafka_type_t { self == .consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER }
}

/// A librdkafka configuration until a client takes it over.
struct KafkaProperties: ~Copyable {
    private var handle: OpaquePointer?
    /// Values that must never be logged.
    private(set) var secrets: [String] = []

    /// What correctness rests on: a pipeline file that sets one of these is refused, not silently overruled.
    static let owned: Set<String> = [
        "group.id", "group.instance.id", "enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store",
        "partition.assignment.strategy", "isolation.level", "auto.offset.reset", "acks", "request.required.acks",
        "enable.idempotence", "transactional.id", "message.timeout.ms", "delivery.timeout.ms",
    ]

    /// - Parameters:
    ///   - defaults: what `user` may override.
    ///   - user: the pipeline file's properties. librdkafka takes consumer and producer properties alike for either
    ///     kind of client, and ignores what is not for it.
    ///   - fixed: what nothing overrides.
    /// - Throws: `.stop` that names every property refused, never a value.
    init(
        defaults: [(String, String)] = [], user: [String: String], fixed: [(String, String)] = []
    ) throws(LogFailure) {
        handle = rd_kafka_conf_new()
        var problems: [String] = []
        for (name, value) in defaults where user[name] == nil { set(name, value, &problems) }
        for (name, value) in user.sorted(by: { $0.key < $1.key }) {
            if Self.owned.contains(name) {
                problems.append("Kafka property `\(name)` is set by Vigil itself: remove it")
                continue
            }
            set(name, value, &problems)
            let lowered = name.lowercased()
            let isSecret = ["password", "secret", "token", "pem", "oauthbearer.config"].contains { lowered.contains($0) }
            if isSecret && value.utf8.count >= 3 { secrets.append(value) }
        }
        for (name, value) in fixed { set(name, value, &problems) }
        if !problems.isEmpty { throw .stop(problems.joined(separator: "; ")) }
    }

    deinit { if let handle { rd_kafka_conf_destroy(handle) } }

    /// librdkafka's own message quotes the value, so it is not used.
    private func set(_ name: String, _ value: String, _ problems: inout [String]) {
        switch rd_kafka_conf_set(handle, name, value, nil, 0) {
        case RD_KAFKA_CONF_OK: break
        case RD_KAFKA_CONF_UNKNOWN: problems.append("librdkafka knows no Kafka property `\(name)`: check its spelling")
        default: problems.append("librdkafka does not accept the value of Kafka property `\(name)`")
        }
    }

    /// Makes the client; its callbacks go to `events`, which must outlive it.
    consuming func makeClient(_ kind: ClientKind, events: ClientEvents) throws(LogFailure) -> OpaquePointer {
        events.secrets = secrets
        rd_kafka_conf_set_opaque(handle, Unmanaged.passUnretained(events).toOpaque())
        events.register(with: handle!)
        if kind == .consumer { registerRebalance(handle!) } else { registerDeliveryReports(handle!) }
        var reason = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(kind.native, handle, &reason, reason.count) else {
            throw .stop("The Kafka \(kind.rawValue) can't be made: \(events.redacted(text(reason)))")
        }
        handle = nil
        return client
    }
}

/// The text of a C string in an array.
func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// librdkafka's words for an error code.
func text(_ error: rd_kafka_resp_err_t) -> String { String(cString: rd_kafka_err2str(error)) }
