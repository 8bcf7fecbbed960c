import CRdKafka
import struct Logging.Logger
import Runtime

/// A Kafka broker inside this process: librdkafka's mock cluster, at 127.0.0.1, reachable by any client on this host.
public final class EmbeddedBroker {
    /// `host:port`, for `bootstrap.servers`.
    public let address: String
    private let client: Client
    private var cluster: OpaquePointer?

    /// What to tell a person who starts one.
    public static let limits = """
        The embedded broker is for trying things out. It keeps everything in memory: the newest 5 MiB, or 100,000
        batches, of each partition, and drops what is older without a word, so produce no faster than is read. It does
        not isolate transactions or keep offsets committed in them, does not fence, compact, create or delete topics
        on request, or find offsets by time; an unknown topic springs up with 4 partitions. The first member to join a
        group waits 3 s, a later change of the group up to its session timeout. Only this host can reach it.
        """

    /// What to tell a person who runs exactly-once against one.
    public static let delivery = """
        this is an embedded broker: it isolates no transactions and keeps no offsets in them, so delivery is at least \
        once, and state is kept in the state directory alone
        """

    /// - Parameter port: where to listen; 0 for any free one.
    /// - Throws: `.stop` when the port is taken.
    public init(port: UInt16 = 0, logger: Logger) throws(LogFailure) {
        client = try Client(.producer, KafkaProperties(user: [:]), name: "embedded broker", logger: logger)
        guard let cluster = vk_mock_cluster_new(client.handle, port) else {
            throw .stop("the embedded broker can't listen on port \(port) of 127.0.0.1: is it taken?")
        }
        self.cluster = cluster
        address = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    deinit { close() }

    /// Makes a topic. Do this before any client asks for it, or it springs up with 4 partitions.
    /// - Throws: `.stop` when it is there already or `partitions` is below 1.
    public func createTopic(_ name: String, partitions: Int) throws(LogFailure) {
        guard let cluster, let count = Int32(exactly: partitions), count > 0 else {
            throw .stop("topic \(name): \(partitions) partitions are not possible")
        }
        let error = rd_kafka_mock_topic_create(cluster, name, count, 1)
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw .stop("topic \(name) can't be made: \(text(error))") }
    }

    /// Takes the broker off the network or brings it back, to try an outage. What it holds stays.
    public func setReachable(_ reachable: Bool) {
        guard let cluster else { return }
        if reachable { rd_kafka_mock_broker_set_up(cluster, -1) } else { rd_kafka_mock_broker_set_down(cluster, -1) }
    }

    /// Makes the next requests of a kind fail, for tests.
    func failNext(_ errors: [rd_kafka_resp_err_t], apiKey: Int16) {
        guard let cluster else { return }
        rd_kafka_mock_push_request_errors_array(cluster, apiKey, errors.count, errors)
    }

    /// Stops it; everything it held is gone.
    public func close() {
        guard let cluster else { return }
        self.cluster = nil
        rd_kafka_mock_cluster_destroy(cluster)
        client.close()
    }
}
