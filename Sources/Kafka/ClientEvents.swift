import CRdKafka
import struct Logging.Logger
import Runtime

/// What one client's callbacks report. Logs come from librdkafka's threads and touch only what never changes after
/// the client is made; everything else comes on the thread that polls the client, or the one that closes it.
final class ClientEvents: @unchecked Sendable {
    private let logger: Logger
    private let name: String
    private let kind: ClientKind
    var secrets: [String] = []

    /// Rebalances not yet answered, oldest first.
    var rebalances: [Rebalance] = []
    /// From here on a rebalance is answered by the callback itself.
    var isClosing = false
    /// True from "all brokers are down" to the first sign of life.
    private(set) var brokerAway = false
    /// What an operator must mend; kept until taken.
    var failure: LogFailure?
    /// Called for every delivery report.
    var delivered: ((UnsafePointer<rd_kafka_message_t>) -> Void)?

    enum Rebalance {
        case assigned([(topic: String, partition: Int32)])
        case revoked
        case lost
    }

    init(_ kind: ClientKind, name: String, logger: Logger) {
        self.kind = kind
        self.name = name
        self.logger = logger
    }

    func register(with configuration: OpaquePointer) {
        rd_kafka_conf_set_log_cb(configuration) { client, level, facility, message in
            guard let client, let opaque = rd_kafka_opaque(client), let facility, let message else { return }
            ClientEvents.from(opaque).log(level, String(cString: facility), String(cString: message))
        }
        rd_kafka_conf_set_error_cb(configuration) { client, error, reason, opaque in
            guard let client, let opaque else { return }
            let events = ClientEvents.from(opaque)
            events.error(rd_kafka_resp_err_t(rawValue: error), reason.map { String(cString: $0) } ?? "", client)
        }
    }

    static func from(_ opaque: UnsafeMutableRawPointer) -> ClientEvents {
        Unmanaged<ClientEvents>.fromOpaque(opaque).takeUnretainedValue()
    }

    /// Connection failures are librdkafka's commonest log line and repeat for as long as a broker is away, which is
    /// told once, by `error`.
    private func log(_ level: Int32, _ facility: String, _ message: String) {
        let ours: Logger.Level
        switch level {
        case ...2: ours = .error
        case 3: ours = facility == "FAIL" || facility == "ERROR" ? .debug : .warning
        case 4: ours = facility == "CONFWARN" && message.contains("will be ignored by this") ? .trace : .notice
        case 5, 6: ours = .debug
        default: ours = .trace
        }
        logger.log(level: ours, "\(name): \(facility): \(redacted(message))")
    }

    func redacted(_ text: String) -> String {
        secrets.reduce(text) { $0.replacing($1, with: "…") }
    }

    private func error(_ error: rd_kafka_resp_err_t, _ reason: String, _ client: OpaquePointer) {
        switch error {
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            if !brokerAway {
                brokerAway = true
                logger.warning("\(name): broker away: no Kafka broker can be reached; trying on")
            }
        case RD_KAFKA_RESP_ERR__FATAL: failure = fatalFailure(of: client)
        default:
            if isFinal(error) { failure = .stop("\(name): \(redacted(reason)) (\(text(error)))") }
        }
    }

    /// A record, a report or an answer came.
    func sawBroker() {
        if brokerAway {
            brokerAway = false
            logger.notice("\(name): broker back")
        }
    }

    /// Why the client can't go on: told to a producer by callback, to a consumer in place of a record.
    func fatalFailure(of client: OpaquePointer) -> LogFailure {
        var reason = [CChar](repeating: 0, count: 512)
        let cause = rd_kafka_fatal_error(client, &reason, reason.count)
        let words = redacted(text(reason))
        return switch cause {
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            .stop("\(name): another process has joined the group under the same instance id; give each its own")
        default:
            // A producer whose sequence was lost is replaced; what it had not delivered is read and decided again.
            kind == .producer
                ? .fenced("\(name): the producer can't go on and is made anew: \(words)")
                : .stop("\(name): the consumer can't go on: \(words)")
        }
    }
}

/// True for errors that trying again will not mend.
func isFinal(_ error: rd_kafka_resp_err_t) -> Bool {
    switch error {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR__SSL,
        RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
        RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT,
        RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, RD_KAFKA_RESP_ERR__INVALID_ARG:
        true
    default: false
    }
}

/// The callback only notes what happened, so that the shard can finish and commit before the partitions go:
/// librdkafka waits for the assign call that answers it.
func registerRebalance(_ configuration: OpaquePointer) {
    rd_kafka_conf_set_rebalance_cb(configuration) { client, error, partitions, opaque in
        guard let client, let opaque else { return }
        let events = ClientEvents.from(opaque)
        guard !events.isClosing else {
            rd_kafka_assign(client, nil)
            return
        }
        if error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let list = partitions.map { UnsafeBufferPointer(start: $0.pointee.elems, count: Int($0.pointee.cnt)) }
            events.rebalances.append(.assigned((list ?? .init(start: nil, count: 0)).map {
                (topic: String(cString: $0.topic), partition: $0.partition)
            }))
        } else {
            events.rebalances.append(rd_kafka_assignment_lost(client) != 0 ? .lost : .revoked)
        }
        rd_kafka_yield(client)
    }
}

func registerDeliveryReports(_ configuration: OpaquePointer) {
    rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, opaque in
        guard let message, let opaque else { return }
        ClientEvents.from(opaque).delivered?(message)
    }
}
