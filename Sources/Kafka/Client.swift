import CRdKafka
import Glibc
import struct Logging.Logger
import Runtime

/// A librdkafka client that is closed within a deadline.
final class Client {
    let handle: OpaquePointer
    let events: ClientEvents
    private let kind: ClientKind
    private let logger: Logger
    private var isOpen = true

    init(
        _ kind: ClientKind, _ properties: consuming KafkaProperties, name: String, logger: Logger
    ) throws(LogFailure) {
        self.kind = kind
        self.logger = logger
        let events = ClientEvents(kind, name: name, logger: logger)
        handle = try properties.makeClient(kind, events: events)
        self.events = events
        if kind == .consumer { rd_kafka_poll_set_consumer(handle) }
    }

    deinit { close() }

    /// Closes and destroys the client. librdkafka may hang in either, so a thread of its own does it, and after
    /// `deadlineMilliseconds` it is left behind: the process is about to end, or the group to forget this member.
    func close(deadlineMilliseconds: Int = 8_000) {
        guard isOpen else { return }
        isOpen = false
        events.isClosing = true
        events.delivered = nil
        let (handle, events, kind) = (Handle(pointer: handle), events, kind)
        let closed = finishes(withinMilliseconds: deadlineMilliseconds) {
            if kind == .consumer {
                rd_kafka_consumer_close(handle.pointer)
            } else {
                rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            }
            rd_kafka_destroy(handle.pointer)
            withExtendedLifetime(events) {}
        }
        if !closed { logger.warning("a Kafka \(kind.rawValue) did not close in time and was left behind") }
    }

    /// Asks for the partition count of each topic; nil where the topic does not exist.
    func partitionCounts(_ topics: [String], timeoutMilliseconds: Int) throws(LogFailure) -> [Int?] {
        var counts: [Int?] = []
        for topic in topics {
            guard let reference = rd_kafka_topic_new(handle, topic, nil) else {
                throw .stop("`\(topic)` is not a valid topic name")
            }
            defer { rd_kafka_topic_destroy(reference) }
            var answer: UnsafePointer<rd_kafka_metadata>?
            let error = rd_kafka_metadata(handle, 0, reference, &answer, Int32(timeoutMilliseconds))
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else {
                if isFinal(error) { throw .stop("topic \(topic): \(text(error))") }
                throw .retry("topic \(topic): the broker did not answer: \(text(error))")
            }
            defer { rd_kafka_metadata_destroy(answer) }
            guard answer.pointee.topic_cnt == 1 else { counts.append(nil); continue }
            let found = answer.pointee.topics[0]
            if isFinal(found.err) { throw .stop("topic \(topic): \(text(found.err))") }
            counts.append(found.err == RD_KAFKA_RESP_ERR_NO_ERROR ? Int(found.partition_cnt) : nil)
        }
        events.sawBroker()
        return counts
    }

    /// The partition count of every topic this client may see, without bringing one into being.
    func visibleTopics(timeoutMilliseconds: Int) throws(LogFailure) -> [String: Int] {
        var answer: UnsafePointer<rd_kafka_metadata>?
        let error = rd_kafka_metadata(handle, 1, nil, &answer, Int32(timeoutMilliseconds))
        // The cause of a failed connection comes by callback.
        rd_kafka_poll(handle, 0)
        if let failure = events.failure { throw failure }
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else {
            throw isFinal(error) ? .stop(text(error)) : .retry("the broker did not answer: \(text(error))")
        }
        defer { rd_kafka_metadata_destroy(answer) }
        var counts: [String: Int] = [:]
        for topic in UnsafeBufferPointer(start: answer.pointee.topics, count: Int(answer.pointee.topic_cnt))
        where topic.err == RD_KAFKA_RESP_ERR_NO_ERROR {
            counts[String(cString: topic.topic)] = Int(topic.partition_cnt)
        }
        return counts
    }

    /// The end of a partition as the last fetch told it, committed or not; nil before the first.
    func lastKnownEnd(_ topic: UnsafePointer<CChar>, partition: Int32) -> Int64? {
        var first: Int64 = 0, end: Int64 = 0
        let error = rd_kafka_get_watermark_offsets(handle, topic, partition, &first, &end)
        return error == RD_KAFKA_RESP_ERR_NO_ERROR && end >= 0 ? end : nil
    }

    /// How long records may fail to come, though there are some, before the fetcher is woken.
    static let wakeMilliseconds = 5

    /// Makes a consumer that has stopped fetching look again whether its queue has room. librdkafka 2.0.2 looks only
    /// when something wakes the thread of the partition's leader, or after up to a second (mended in 2.2). A request to
    /// the leader wakes it; its answer is of no interest.
    func wakeFetcher(_ topic: UnsafePointer<CChar>, partition: Int32) {
        var first: Int64 = 0, end: Int64 = 0
        _ = rd_kafka_query_watermark_offsets(handle, topic, partition, &first, &end, 200)
    }

    func clusterIdentity(timeoutMilliseconds: Int) -> String? {
        guard let id = rd_kafka_clusterid(handle, Int32(timeoutMilliseconds)) else { return nil }
        defer { rd_kafka_mem_free(handle, id) }
        events.sawBroker()
        return String(cString: id)
    }

    private struct Handle: @unchecked Sendable { let pointer: OpaquePointer }
}

/// Runs `work` on a thread of its own; false when it has not finished in time, and then it goes on alone.
func finishes(withinMilliseconds limit: Int, _ work: @escaping @Sendable () -> Void) -> Bool {
    let errand = Errand(work)
    var thread = pthread_t()
    let created = pthread_create(&thread, nil, { raw in
        let errand = Unmanaged<Errand>.fromOpaque(raw!).takeRetainedValue()
        errand.work()
        errand.done.post()
        return nil
    }, Unmanaged.passRetained(errand).toOpaque())
    guard created == 0 else {
        Unmanaged.passUnretained(errand).release()
        work()
        return true
    }
    pthread_detach(thread)
    return errand.done.wait(milliseconds: limit)
}

private final class Errand: Sendable {
    let work: @Sendable () -> Void
    let done = Signal()
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
}

/// A POSIX semaphore: both of its threads may call it at any time.
private final class Signal: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    init() { sem_init(semaphore, 0, 0) }
    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() { sem_post(semaphore) }

    func wait(milliseconds: Int) -> Bool {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_sec += milliseconds / 1000
        until.tv_nsec += milliseconds % 1000 * 1_000_000
        if until.tv_nsec >= 1_000_000_000 {
            until.tv_sec += 1
            until.tv_nsec -= 1_000_000_000
        }
        while sem_timedwait(semaphore, &until) != 0 {
            if errno != EINTR { return false }
        }
        return true
    }
}

/// Milliseconds of a clock that never goes back.
func monotonicMilliseconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}
