import Behavior
import Events

/// A committed cut: positions per input, where in the cuts topic its successors begin, and when.
public struct CutMark: Sendable, Equatable {
    /// Per input, the offset of the next record.
    public var positions: [Int64]
    public var cutsOffset: Int64
    /// By the runtime's clock.
    public var milliseconds: Int64
    public init(positions: [Int64], cutsOffset: Int64, milliseconds: Int64) {
        self.positions = positions
        self.cutsOffset = cutsOffset
        self.milliseconds = milliseconds
    }
}

/// A person who was forgotten: records of theirs up to these offsets must not bring them back by redo.
public struct ErasedUser: Sendable, Equatable {
    /// The keyed hash of tenant and user.
    public var hash: UInt64
    /// Per input, the last offset that was stepped.
    public var absorbed: [Int64]
    /// The engine's count of records when it happened.
    public var sequence: UInt64
    public init(hash: UInt64, absorbed: [Int64], sequence: UInt64) {
        self.hash = hash
        self.absorbed = absorbed
        self.sequence = sequence
    }
}

/// Everything redo needs to begin: persisted with every slice.
public struct RedoPoint: Sendable, Equatable {
    /// Per input, the offset of the first record to redo.
    public var positions: [Int64]
    /// Where in the cuts topic the cuts to follow begin.
    public var cutsOffset: Int64
    /// `Engine.sharedImage()` at that cut.
    public var shared: [UInt8]
    /// Whoever was forgotten after that cut.
    public var erased: [ErasedUser]
    /// `EnginePlan.version` and `Engine.version`, a blank between them.
    public var version: String

    public init(positions: [Int64], cutsOffset: Int64, shared: [UInt8], erased: [ErasedUser], version: String) {
        self.positions = positions
        self.cutsOffset = cutsOffset
        self.shared = shared
        self.erased = erased
        self.version = version
    }

    private static let layout: UInt32 = 1
    private static let mostInputs = 8
    private static let checksum = KeyedHash(k0: 0x5645_4449_4745_5231, k1: 0x9E37_79B9_7F4A_7C15)

    /// Its persisted form, little-endian: a checksum over all that follows, layout, count of inputs, positions, offset
    /// in the cuts topic, then shared image, forgotten people and version, each with its length before it.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        func append<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        append(Self.layout)
        append(UInt32(positions.count))
        for position in positions { append(position) }
        append(cutsOffset)
        append(UInt32(shared.count))
        bytes += shared
        append(UInt32(erased.count))
        for user in erased {
            append(user.hash)
            append(user.sequence)
            for offset in user.absorbed { append(offset) }
        }
        append(UInt32(version.utf8.count))
        bytes += version.utf8
        let sum = bytes.withUnsafeBytes { Self.checksum(ByteView($0)) }
        return withUnsafeBytes(of: sum.littleEndian) { Array($0) } + bytes
    }

    /// Reads what `encoded` wrote. Throws `StateError` for anything else.
    public init(decoding bytes: [UInt8]) throws(StateError) {
        self = try bytes.withUnsafeBufferPointer { bytes throws(StateError) in
            try RedoPoint(decoding: UnsafeRawBufferPointer(bytes))
        }
    }

    /// Reads what `encoded` wrote. Throws `StateError` for anything else.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(StateError) {
        var reader = StateReader(bytes, of: "the redo point")
        let sum = try reader.next(UInt64.self)
        guard sum == Self.checksum(ByteView(reader.rest)) else { throw StateError("the redo point's checksum is wrong") }
        guard try reader.next(UInt32.self) == Self.layout else {
            throw StateError("the redo point is of another version")
        }
        let inputs = try reader.count(of: 8)
        guard inputs <= Self.mostInputs else { throw StateError("the redo point is of more inputs than a plan can have") }
        positions = try reader.words(inputs)
        cutsOffset = try reader.next(Int64.self)
        shared = Array(try reader.run())
        erased = []
        for _ in 0..<(try reader.count(of: 16 + 8 * inputs)) {
            let hash = try reader.next(UInt64.self)
            let sequence = try reader.next(UInt64.self)
            erased.append(ErasedUser(hash: hash, absorbed: try reader.words(inputs), sequence: sequence))
        }
        guard let text = String(validating: try reader.run(), as: UTF8.self) else {
            throw StateError("the redo point's version is not a text")
        }
        version = text
        try reader.end()
    }
}
