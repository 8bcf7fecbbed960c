import Behavior
import Engine
import Events

/// Decides one partition's records again, in the order its cuts recorded and each under the plan it was decided under:
/// what a process did, without the process. The same plans give the same bytes.
public final class CutReplay {
    public private(set) var engine: Engine
    /// Per input, the offset of the next record.
    public private(set) var positions: [Int64]?
    private var queues: InputQueues
    private let panes: PaneSource?
    private let plans: [LoadedPlan]

    /// Gives the panes of a partition of the networks topic within a range of offsets, in order.
    public typealias PaneSource = (_ partition: Int, _ offsets: Range<Int64>) throws -> [(offset: Int64, pane: SealedPane)]

    /// - Parameters:
    ///   - plans: all that cuts were decided under; what each of them can follow all others. Not empty.
    ///   - panes: nil where partitions tell each other nothing.
    public init(plans: [LoadedPlan], panes: PaneSource? = nil) {
        let first = plans[0]
        engine = Engine(plan: first.plan, decoders: Decoders(plan: first.plan, enrichment: first.enrichment))
        self.plans = plans
        self.panes = panes
        queues = InputQueues(inputs: first.plan.inputs.count)
    }

    /// Goes on under the plan of that version, where it is another. Throws `StateError` where there is none.
    private func adopt(_ version: String) throws(StateError) {
        guard version != engine.version else { return }
        guard let next = plans.first(where: { $0.plan.engineVersion == version }) else {
            throw StateError("a cut was decided under version \(version), and this is \(engine.version)")
        }
        guard next.plan.canFollow(engine.plan) else {
            throw StateError("a cut was decided under version \(version), which changed what the state before it means: nothing before it can be carried over")
        }
        engine = engine.adopting(next.plan, decoders: Decoders(plan: next.plan, enrichment: next.enrichment))
    }

    /// Steps again what a cut holds beyond `positions`, for users who have not absorbed it.
    func redo(
        _ cut: Cut, from positions: [Int64], records: (_ input: Int, _ offsets: Range<Int64>) throws -> [Record],
        into effects: inout Effects
    ) throws {
        try adopt(cut.version)
        var reached = zip(cut.from, positions).map { max($0, $1) }
        for (index, ends) in cut.batches.enumerated() {
            // A batch of before the redo point: what was absorbed for it is in the image.
            if zip(ends, reached).allSatisfy({ $0 >= $1 }) { try absorb(cut.panes(before: index), recovering: true) }
            for input in ends.indices where ends[input] > reached[input] {
                for record in try records(input, reached[input]..<ends[input]) { queues.append(record) }
            }
            while let input = queues.next(below: nil, for: engine) {
                engine.stepStaged(queues.head(input), into: &effects, recovering: true)
                queues.pop(input)
            }
            reached = zip(reached, ends).map { max($0, $1) }
        }
    }

    /// After a restoration: what had been absorbed at the redo point and waited there.
    func absorbWhatIsOwed() throws {
        try absorb(engine.toAbsorb.enumerated().map { ($0, $1) }, recovering: true)
        engine.absorbedWhatWasOwed()
    }

    private func absorb(_ places: [(partition: Int, offset: Int64)], recovering: Bool) throws {
        guard let panes else { return }
        for place in places {
            let from = engine.panePosition(of: place.partition)
            guard from < place.offset else { continue }
            for (offset, pane) in try panes(place.partition, from..<place.offset) {
                engine.absorb(pane, partition: Int32(place.partition), offset: offset, recovering: recovering)
            }
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
        try adopt(cut.version)
        engine.beginCut()
        var reached = cut.from
        for (index, ends) in cut.batches.enumerated() {
            try absorb(cut.panes(before: index), recovering: false)
            for input in ends.indices where ends[input] > reached[input] {
                for record in try records(input, reached[input]..<ends[input]) { queues.append(record) }
            }
            while let input = queues.next(below: nil, for: engine) {
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
