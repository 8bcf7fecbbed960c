import Engine
import Events

/// Decides one partition's records again, in the order its cuts recorded: what a process did, without the process. The
/// same plan gives the same bytes.
public final class CutReplay {
    public let engine: Engine
    /// Per input, the offset of the next record.
    public private(set) var positions: [Int64]?
    private var queues: InputQueues

    public init(plan: EnginePlan, enrichment: EventEnrichment = EventEnrichment()) {
        engine = Engine(plan: plan, decoders: Decoders(plan: plan, enrichment: enrichment))
        queues = InputQueues(inputs: plan.inputs.count)
    }

    /// Steps again what a cut holds beyond `positions`, for users who have not absorbed it.
    func redo(
        _ cut: Cut, from positions: [Int64], records: (_ input: Int, _ offsets: Range<Int64>) throws -> [Record],
        into effects: inout Effects
    ) throws {
        var reached = zip(cut.from, positions).map { max($0, $1) }
        for ends in cut.batches {
            for input in ends.indices where ends[input] > reached[input] {
                for record in try records(input, reached[input]..<ends[input]) { queues.append(record) }
            }
            while let input = queues.next(below: nil, stage: { engine.stage($0) }) {
                engine.stepStaged(queues.head(input), into: &effects, recovering: true)
                queues.pop(input)
            }
            reached = zip(reached, ends).map { max($0, $1) }
        }
    }

    /// Replays one cut. `records` gives an input's records within a range of offsets, valid during the call, in order;
    /// `willStep` is called before each record is decided. Throws `StateError` when the cut doesn't follow the one before,
    /// or what it recorded isn't what came out, and what the closures throw.
    public func replay(
        _ cut: Cut, records: (_ input: Int, _ offsets: Range<Int64>) throws -> [Record], into effects: inout Effects,
        willStep: (Record) throws -> Void = { _ in }
    ) throws {
        if let positions, positions != cut.from {
            throw StateError("a cut begins at \(cut.from), and the one before it ended at \(positions)")
        }
        engine.mark(CutMark(positions: cut.from, cutsOffset: 0, milliseconds: 0))
        var reached = cut.from
        for ends in cut.batches {
            for input in ends.indices where ends[input] > reached[input] {
                for record in try records(input, reached[input]..<ends[input]) { queues.append(record) }
            }
            while let input = queues.next(below: nil, stage: { engine.stage($0) }) {
                try willStep(queues.head(input))
                engine.stepStaged(queues.head(input), into: &effects)
                queues.pop(input)
            }
            reached = ends
        }
        positions = cut.ends
        guard cut.sequence == engine.sequence, cut.watermark == engine.watermark.milliseconds,
            cut.evictions.map(\.essence) == engine.evictions.map(\.essence)
        else {
            throw StateError("a cut that ends at \(cut.ends) recorded a count of \(cut.sequence), a watermark of \(cut.watermark) and \(cut.evictions.count) evictions; replayed it is \(engine.sequence), \(engine.watermark.milliseconds) and \(engine.evictions.count)")
        }
    }
}

extension Eviction {
    /// Without what depends on when checkpoints were taken.
    fileprivate var essence: [UInt64] { [sequence, proven ? 1 : 0, touchedUpTo] }
}
