/// Names of the headers Vigil writes.
public enum HeaderName: UInt8, Sendable, CaseIterable {
    case ceSpecVersion, ceID, ceType, ceSource, ceTime, ceSubject, cePartitionKey, contentType
    case reason, detail, topic, partition, offset, truncated

    public var text: StaticString {
        switch self {
        case .ceSpecVersion: "ce_specversion"
        case .ceID: "ce_id"
        case .ceType: "ce_type"
        case .ceSource: "ce_source"
        case .ceTime: "ce_time"
        case .ceSubject: "ce_subject"
        case .cePartitionKey: "ce_partitionkey"
        case .contentType: "content-type"
        case .reason: "vigil-reason"
        case .detail: "vigil-detail"
        case .topic: "vigil-topic"
        case .partition: "vigil-partition"
        case .offset: "vigil-offset"
        case .truncated: "vigil-truncated"
        }
    }
}

/// What steps ask the world to do: records to produce, in order. Reused from batch to batch.
public struct Effects: ~Copyable {
    /// A receipt says that an erasure was done; it goes where decisions go.
    public enum Kind: UInt8, Sendable { case decision, receipt, deadLetter }

    public struct Header: Sendable {
        public var name: HeaderName
        public var value: Range<Int>
    }

    /// One record to produce; ranges are into `bytes`, `headers` into `Effects.headers`.
    public struct Output: Sendable {
        public var kind: Kind
        /// Meaningful for decisions.
        public var verdict: Verdict
        /// Where it came from.
        public var input: UInt16
        public var partition: Int32
        public var offset: Int64
        public var key: Range<Int>?
        public var value: Range<Int>?
        public var headers: Range<Int>
    }

    public internal(set) var outputs: [Output] = []
    public internal(set) var headers: [Header] = []
    public var bytes = OutputBuffer(capacity: 65_536)

    public init() {}

    public mutating func removeAll() {
        outputs.removeAll(keepingCapacity: true)
        headers.removeAll(keepingCapacity: true)
        bytes.removeAll()
    }

    public func view(_ range: Range<Int>) -> ByteView { bytes.view(range) }
}
