import Engine
import Foundation

/// What one commit of one partition held: for each of its batches how far every input had come. Records of a batch are
/// merged by event time, so the cuts and the inputs together say in which order everything was decided.
///
/// A record of the cuts topic: JSON, keyed by the partition's number.
public struct Cut: Sendable, Equatable, Codable {
    public static let format = 2

    public var v = Cut.format
    /// `Engine.version` of whoever decided it: the pipeline's meaning and the engine's.
    public var version = ""
    /// Per input, the offset of the first record that is in this cut or a later one.
    public var from: [Int64]
    /// Batch by batch, per input, the offset after its last record.
    public var batches: [[Int64]]
    /// The task's watermark after the last batch, in milliseconds since 1970.
    public var watermark: Int64
    /// The engine's count of records after the last batch.
    public var sequence: UInt64
    /// Up to where others' panes were absorbed: the batch, from 0, before whose first record it was; the partition of the
    /// networks topic; and the offset after the last one. Only what is news since the batch before. Nil: nothing.
    public var panes: [[Int64]]?
    /// Users dropped at a bound within the cut: see `Eviction`.
    public var evictions: [Eviction]

    public init(from: [Int64]) {
        self.from = from
        batches = []
        watermark = 0
        sequence = 0
        evictions = []
    }

    private enum CodingKeys: String, CodingKey { case v, version, from, batches, watermark, sequence, panes, evictions }

    /// Per input, the offset after the last record of the cut.
    public var ends: [Int64] { batches.last ?? from }

    public func encoded() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Integers and arrays of them always encode.
        return (try? encoder.encode(self)).map { Array($0) } ?? []
    }

    /// Reads a record of the cuts topic. Throws `StateError` when it isn't one of a pipeline with so many inputs.
    public init(decoding bytes: UnsafeRawBufferPointer, inputs: Int) throws(StateError) {
        let cut: Cut
        do {
            cut = try JSONDecoder().decode(Cut.self, from: Data(bytes))
        } catch {
            throw StateError("a cut can't be read")
        }
        guard cut.v == Cut.format else { throw StateError("a cut is of format \(cut.v), not \(Cut.format)") }
        var previous = cut.from
        for ends in [cut.from] + cut.batches {
            guard ends.count == inputs, zip(previous, ends).allSatisfy({ $0 >= 0 && $0 <= $1 }) else {
                throw StateError("a cut's positions are not those of \(inputs) inputs")
            }
            previous = ends
        }
        let isSound = (cut.panes ?? []).allSatisfy {
            $0.count == 3 && cut.batches.indices.contains(Int($0[0])) && (0...Int64(Int32.max)).contains($0[1]) && $0[2] >= 0
        }
        guard isSound else { throw StateError("a cut's panes are not those of its batches") }
        self = cut
    }

    /// What was absorbed before that batch.
    func panes(before batch: Int) -> [(partition: Int, offset: Int64)] {
        (panes ?? []).filter { $0[0] == Int64(batch) }.map { (Int($0[1]), $0[2]) }
    }
}

/// `[sequence, 1 for proven users, touchedUpTo, recent]`
extension Eviction: Codable {
    public init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        self.init(
            sequence: try list.decode(UInt64.self), proven: try list.decode(Int.self) != 0,
            touchedUpTo: try list.decode(UInt64.self), recent: try list.decode([UInt64].self))
    }

    public func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(sequence)
        try list.encode(proven ? 1 : 0)
        try list.encode(touchedUpTo)
        try list.encode(recent)
    }
}
