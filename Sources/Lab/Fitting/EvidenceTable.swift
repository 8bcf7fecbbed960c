import Engine
import Risk

/// What every signal found about every event, before weights and caps: the table a model is fitted on. Sparse, because
/// most signals have nothing to say about most events.
public struct EvidenceTable: Sendable {
    private var starts: [Int] = [0]
    private var signals: [UInt8] = []
    private var raws: [Float] = []

    public init() {}

    /// Events in it.
    public var count: Int { starts.count - 1 }

    /// Adds the evidence of the event the engine stepped last.
    public mutating func append(from engine: Engine) {
        engine.forEachEvidence { signal, evidence in append(signal, raw: evidence.raw) }
        endEvent()
    }

    /// Adds to the event under way.
    mutating func append(_ signal: Signal, raw: Double) {
        signals.append(signal.rawValue)
        raws.append(Float(raw))
    }

    mutating func endEvent() { starts.append(signals.count) }

    /// In how many of these events each signal spoke.
    func spoken(in events: [Int]) -> [Int] {
        var counts = [Int](repeating: 0, count: Signal.count)
        for event in events {
            for entry in starts[event]..<starts[event + 1] { counts[Int(signals[entry])] += 1 }
        }
        return counts
    }

    /// Calls `body` with each signal that spoke of the event, and what it found.
    @inline(__always)
    func forEach(of event: Int, _ body: (Int, Double) -> Void) {
        for entry in starts[event]..<starts[event + 1] { body(Int(signals[entry]), Double(raws[entry])) }
    }
}

/// The fusion of `Scorer`, on raw evidence and for any weights: what a signal adds is weighted and capped, what a group
/// adds is capped, and so is what speaks for the user, which counts for nothing against what can't be denied.
///
/// All of it is homogeneous: weights and caps times a factor give points times that factor.
struct Fusion {
    private let caps: [Double]
    private let groups: [Int]
    private let groupCaps: [Double]
    private let isUndeniable: [Bool]
    private let reassuranceCap: Double

    init(_ model: ModelOptions) {
        caps = model.signals.map(\.cap)
        groups = Signal.allCases.map { Int($0.group.rawValue) }
        groupCaps = model.groupCaps
        isUndeniable = Signal.allCases.map { !SignalSet.undeniable.isDisjoint(with: SignalSet($0)) }
        reassuranceCap = model.reassuranceCap
    }

    /// Points of the event's evidence, without the base. `gradient` gets the signals whose weight still moves them, each
    /// with by how much; where a cap holds, a weight moves nothing.
    /// - Complexity: O(signals that spoke)
    func points(
        _ table: EvidenceTable, _ event: Int, weights: [Double], gradient: inout [(signal: Int, slope: Double)]
    ) -> Double {
        var positive = InlineArray<8, Double>(repeating: 0)
        var negative = 0.0
        var isDenied = false
        gradient.removeAll(keepingCapacity: true)
        table.forEach(of: event) { signal, raw in
            let points = raw * weights[signal]
            if points > 0 {
                positive[groups[signal]] += min(points, caps[signal])
                if isUndeniable[signal] { isDenied = true }
            } else {
                negative += points
            }
            if points < caps[signal] { gradient.append((signal, raw)) }
        }
        var total = 0.0
        for group in groupCaps.indices { total += min(positive[group], groupCaps[group]) }
        let allowance = isDenied ? 0 : reassuranceCap
        total -= min(-negative, allowance)
        gradient.removeAll { entry in
            entry.slope > 0 ? positive[groups[entry.signal]] > groupCaps[groups[entry.signal]] : -negative > allowance
        }
        return total
    }
}
