import Events

/// A record of any topic, copied.
public struct StoredRecord: Sendable, Equatable {
    public struct Header: Sendable, Equatable {
        public var name: String
        /// Nil for a null value.
        public var value: [UInt8]?
        public init(name: String, value: [UInt8]?) {
            self.name = name
            self.value = value
        }
    }
    public var offset: Int64
    public var timestamp: Timestamp?
    /// Nil for a record without a key.
    public var key: [UInt8]?
    /// Nil for a null payload.
    public var value: [UInt8]?
    public var headers: [Header]

    public init(offset: Int64, timestamp: Timestamp?, key: [UInt8]?, value: [UInt8]?, headers: [Header]) {
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// The first header of that name, as text.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Topics read back by name, committed records only: for explaining decisions and for checking a whole run.
public protocol TopicLog: AnyObject {
    /// The topic's number of partitions; nil where it does not exist.
    func partitions(of topic: String) throws(LogFailure) -> Int?

    /// The first available offset, and the one after the last record, committed or not.
    func bounds(_ topic: String, partition: Int32) throws(LogFailure) -> (first: Int64, end: Int64)

    /// As `InternalLog.read`.
    func read(
        _ topic: String, partition: Int32, from offset: Int64, maxRecords: Int, timeoutMilliseconds: Int,
        _ body: (StoredRecord) -> Void
    ) throws(LogFailure) -> Int64
}

extension TopicLog {
    /// Every committed record of a partition from `offset` on, up to the end as it is now. Throws `.retry` when nothing
    /// comes for `patienceMilliseconds` before the end is reached.
    public func readAll(
        _ topic: String, partition: Int32, from offset: Int64 = 0, clock: any RuntimeClock = SystemClock(),
        patienceMilliseconds: Int = 30_000, _ body: (StoredRecord) -> Void
    ) throws(LogFailure) {
        let bounds = try bounds(topic, partition: partition)
        var next = max(offset, bounds.first)
        var since = clock.milliseconds
        while next < bounds.end {
            let reached = try read(topic, partition: partition, from: next, maxRecords: 10_000, timeoutMilliseconds: 200, body)
            if reached > next { since = clock.milliseconds }
            next = max(next, reached)
            guard clock.milliseconds - since < Int64(patienceMilliseconds) else {
                throw .retry("\(topic)/\(partition): nothing came from offset \(next) on, though the log ends at \(bounds.end): is a transaction open?")
            }
        }
    }
}
