/// One record of an input log, borrowed for the length of its batch.
public struct Record: @unchecked Sendable {
    /// Index of the input in the plan (`EnginePlan.inputs`).
    public var input: UInt16
    public var partition: Int32
    public var offset: Int64
    /// The broker's or producer's timestamp; nil where there is none (files).
    public var timestamp: Timestamp?
    /// Absent for a keyless record.
    public var key: ByteView
    /// Absent for a null payload (a tombstone).
    public var value: ByteView

    @inlinable public init(
        input: UInt16, partition: Int32, offset: Int64, timestamp: Timestamp?, key: ByteView, value: ByteView
    ) {
        self.input = input
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
    }
}
