/// What is told of an erasure. Views are borrowed from the plan and the event.
public struct ErasureReceipt {
    public var id: DecisionID
    /// Whether anything was known of the person.
    public var erased: Bool
    /// CloudEvents `source`.
    public var source: ByteView
    public var topic: ByteView
    public var partition: Int32
    public var offset: Int64
    public init(id: DecisionID, erased: Bool, source: ByteView, topic: ByteView, partition: Int32, offset: Int64) {
        self.id = id
        self.erased = erased
        self.source = source
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }
}

extension Effects {
    /// CloudEvents `type` of an erasure's receipt.
    public static let erasureType: StaticString = "dev.vigil.erasure.v1"

    /// Appends the receipt of an erasure, keyed as decisions are, in CloudEvents 1.0 binary or structured mode.
    /// - Complexity: O(bytes written)
    public mutating func emit(
        _ receipt: ErasureReceipt, for event: borrowing Event, input: UInt16, mode: CloudEventsMode
    ) {
        let origin = CloudEvent(
            id: receipt.id, type: Self.erasureType, source: receipt.source, time: event.time, tenant: event.tenant,
            user: event.user)
        let key = append { $0.append(keyOf: origin) }
        let start = bytes.count
        if mode == .structured { bytes.append(opening: origin) }
        let places = bytes.append(receipt, for: event)
        if mode == .structured { bytes.append(0x7D) }
        let value = start..<bytes.count
        let headers = describe(origin, key: key, places, mode: mode)
        outputs.append(
            Output(
                kind: .receipt, verdict: .allow, input: input, partition: receipt.partition, offset: receipt.offset,
                key: key, value: value, headers: headers))
    }
}

extension OutputBuffer {
    /// The receipt's JSON text.
    mutating func append(_ receipt: ErasureReceipt, for event: borrowing Event) -> CloudEvent.Places {
        let places = withUnsafePointer(to: event) { append(beginning: receipt.id, of: $0) }
        append(member: "erased")
        append(receipt.erased ? "true" : "false")
        append(sourceTopic: receipt.topic, partition: receipt.partition, offset: receipt.offset)
        append(0x7D)
        return places
    }
}
