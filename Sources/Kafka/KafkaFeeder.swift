import CRdKafka
import Events
import struct Logging.Logger
import Runtime

/// Produces keyed records, for the demo and for generated traffic. Use from one thread only.
public final class KafkaFeeder {
    private let client: Client
    private var topics: [String: [CChar]] = [:]
    private var refused: LogFailure?

    /// - Parameter queueBytes: most bytes waiting for acknowledgement.
    public init(
        properties: [String: String], queueBytes: Int = 16 * 1024 * 1024, logger: Logger
    ) throws(LogFailure) {
        client = try Producer.makeClient(properties, queueBytes: queueBytes, logger: logger)
        client.events.delivered = { [unowned self] message in
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                client.events.sawBroker()
            } else if refused == nil {
                refused = .stop("a record was not delivered: \(text(message.pointee.err))")
            }
        }
    }

    /// Records taken and not yet acknowledged.
    public var waiting: Int { Int(rd_kafka_outq_len(client.handle)) }

    /// Copies one record into the queue, and waits up to `timeoutMilliseconds` for room in it. `.absent` stands for
    /// no key or a null value.
    /// - Throws: `.retry` when there was no room in time, `.stop` when a record was refused, this one or an earlier.
    public func produce(
        topic: String, key: ByteView, value: ByteView, timeoutMilliseconds: Int = 10_000
    ) throws(LogFailure) {
        let until = monotonicMilliseconds() + timeoutMilliseconds
        let name = topics[topic] ?? Array(topic.utf8CString)
        topics[topic] = name
        rd_kafka_poll(client.handle, 0)
        while true {
            try check()
            let error = vk_produce(client.handle, name, -1, key.base, key.count, value.base, value.count, nil, 0, nil)
            if error == RD_KAFKA_RESP_ERR_NO_ERROR { return }
            if error != RD_KAFKA_RESP_ERR__QUEUE_FULL { throw .stop("topic \(topic): \(text(error))") }
            if monotonicMilliseconds() >= until { throw .retry("topic \(topic): the producer's queue is full") }
            rd_kafka_poll(client.handle, 10)
        }
    }

    /// Waits until everything was acknowledged; false when the time ran out.
    public func flush(timeoutMilliseconds: Int) throws(LogFailure) -> Bool {
        rd_kafka_flush(client.handle, Int32(clamping: max(0, timeoutMilliseconds)))
        try check()
        return waiting == 0
    }

    public func close() { client.close() }

    private func check() throws(LogFailure) {
        if let failure = refused ?? client.events.failure { throw failure }
    }
}
