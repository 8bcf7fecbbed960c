import CSimdjson
import Engine
import Events
import Foundation
import Lab
import PipelineSpec

/// Traffic for the engine, made as it is needed, and an engine that has seen a million records of it.
final class Traffic: @unchecked Sendable {
    static let shared = Traffic()
    /// Nanoseconds of this thread's processor time per record.
    struct Times {
        var parse = 0.0
        var decode = 0.0
        var engine = 0.0
    }

    private let plan: EnginePlan
    private let engine: Engine
    /// Two with one history, the second with pre-images.
    private lazy var pair = (plain: Engine(plan: plan), undoable: Engine(plan: plan, keepsPreImages: true))
    private var isPairWarm = false
    private let parser = vj_parser_new(65_536, 16)!
    private let decoder = EventDecoder(bounds: DecodeBounds())
    private let decodePlans: [DecodePlan]
    private var event = Event()
    private var generator = BenchmarkTraffic(users: 200_000, seed: 7)
    private var buffer = OutputBuffer(capacity: 8 << 20)
    private var effects = Effects()
    private var offset: Int64 = 0

    private init() {
        // The rules people start from, where there are any beside this package.
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../pipelines/continuous-authorization.yaml")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? "name: benchmark\n"
        guard var pipeline = try? PipelineFile.parse(text: text, file: file.path, environment: [:]) else {
            fatalError("\(file.path) is not a valid pipeline; see `vigil validate`")
        }
        pipeline.plan.secret = Array("benchmark".utf8)
        plan = pipeline.plan
        engine = Engine(plan: plan)
        decodePlans = plan.inputs.map { DecodePlan($0.decode) }
        for _ in 0..<100 { _ = block(10_000) }
    }

    /// Half a million records in blocks of 10,000, each block parsed, decoded, and then stepped: the mean of all blocks, and
    /// the median of each figure. A virtual machine may take milliseconds to be given the memory that rows grow into, once
    /// for each page; the median leaves that to the mean.
    func measure() -> (mean: Times, median: Times) {
        let blocks = (0..<50).map { _ in block(10_000) }
        func times(_ figure: ([Double]) -> Double) -> Times {
            Times(parse: figure(blocks.map(\.parse)), decode: figure(blocks.map(\.decode)), engine: figure(blocks.map(\.engine)))
        }
        return (times { $0.reduce(0, +) / Double($0.count) }, times { $0.sorted()[$0.count / 2] })
    }

    /// Nanoseconds per record without pre-images and with them, over 300,000 records with a commit every `block`, after
    /// a million records of both.
    func measurePreImages(block count: Int) -> (without: Double, with: Double) {
        var sum = (without: 0.0, with: 0.0)
        let (warm, measured) = (isPairWarm ? 0 : 1_000_000 / count, 300_000 / count)
        isPairWarm = true
        for round in 0..<warm + measured {
            let records = nextRecords(count)
            let inputs = byInput(records)
            // Who goes first finds the records in no cache.
            let first = round % 2 == 0 ? pair.plain : pair.undoable
            let times = [first, first === pair.plain ? pair.undoable : pair.plain].map { each in
                let start = Self.processorTime()
                step(records, inputs, by: each, into: &effects)
                each.mark(CutMark(positions: [], cutsOffset: 0, milliseconds: Int64(round)))
                let time = Self.processorTime() - start
                effects.removeAll()
                each.markClean()
                return time
            }
            guard round >= warm else { continue }
            sum.without += first === pair.plain ? times[0] : times[1]
            sum.with += first === pair.plain ? times[1] : times[0]
        }
        let n = Double(measured * count)
        return (sum.without / n, sum.with / n)
    }

    private func nextRecords(_ count: Int) -> [Record] {
        buffer.removeAll()
        return generator.fill(&buffer, records: count).map { slice in
            defer { offset += 1 }
            return Record(
                input: slice.type == .login ? 0 : 1, partition: 0, offset: offset, timestamp: nil,
                key: buffer.view(slice.key), value: buffer.view(slice.value))
        }
    }

    private func block(_ count: Int) -> Times {
        let records = nextRecords(count)
        let inputs = byInput(records)
        let start = Self.processorTime()
        for record in records where vj_parse(parser, record.value.base, record.value.count) != 0 { fatalError("bad JSON") }
        let parsed = Self.processorTime()
        for record in records {
            guard case .event = decoder.decode(record, options: decodePlans[Int(record.input)], into: &event) else {
                fatalError("not an event")
            }
        }
        let decoded = Self.processorTime()
        step(records, inputs, by: engine, into: &effects)
        let stepped = Self.processorTime()
        effects.removeAll()
        let n = Double(count)
        return Times(parse: (parsed - start) / n, decode: (decoded - parsed) / n, engine: (stepped - decoded) / n)
    }

    /// As a shard keeps them until they are decided.
    private func byInput(_ records: [Record]) -> [[Record]] {
        plan.inputs.indices.map { input in records.filter { $0.input == input } }
    }

    /// As a shard does: each input's records are decoded in runs, the next one when the first of it is due, and decided in the
    /// order of all. Effects are handed in, or each step would pay for a check that nobody else writes to a variable of this
    /// class.
    private func step(_ records: [Record], _ inputs: [[Record]], by engine: Engine, into effects: inout Effects) {
        var times: [Timestamp?] = []
        var next = Array(repeating: 0, count: inputs.count)
        var staged = next
        for (place, record) in records.enumerated() {
            let input = Int(record.input)
            if next[input] == staged[input] {
                let waiting = inputs[input][next[input]...]
                let run = Decoders.run(of: waiting.count, among: records.count - place)
                engine.stage(waiting.prefix(run), times: &times)
                staged[input] += times.count
            }
            engine.stepStaged(record, into: &effects)
            next[input] += 1
        }
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}
