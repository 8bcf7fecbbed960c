import Benchmark
import CSimdjson
import Engine
import Events
import Lab
import PipelineSpec

/// The engine on one thread beside simdjson alone on the same bytes: 441-byte logins and actions of 200,000 users whose
/// activity follows Zipf's law, the default pipeline.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput, .peakMemoryResident], timeUnits: .milliseconds, warmupIterations: 1,
        maxDuration: .seconds(60), maxIterations: 5)

    Benchmark("simdjson parse alone, 1M records") { benchmark in
        let traffic = Traffic.shared
        let parser = vj_parser_new(65_536, 16)!
        defer { vj_parser_free(parser) }
        benchmark.startMeasurement()
        for slice in traffic.slices {
            blackHole(vj_parse(parser, traffic.buffer.base + slice.value.lowerBound, slice.value.count))
        }
        benchmark.stopMeasurement()
    }

    Benchmark("engine, 1M records") { benchmark in
        let traffic = Traffic.shared
        let engine = traffic.makeEngine()
        var effects = Effects()
        benchmark.startMeasurement()
        traffic.run(engine, &effects)
        benchmark.stopMeasurement()
        blackHole(engine.userCount)
    }

    Benchmark("engine with warm baselines, 1M records") { benchmark in
        let traffic = Traffic.shared
        var effects = Effects()
        benchmark.startMeasurement()
        traffic.run(traffic.warm, &effects)
        benchmark.stopMeasurement()
    }
}

/// One million records made once, and an engine that has seen them.
final class Traffic: @unchecked Sendable {
    static let shared = Traffic()
    let plan: EnginePlan
    var buffer = OutputBuffer(capacity: 512 << 20)
    let slices: [BenchmarkTraffic.Slice]
    let warm: Engine
    private var offset: Int64 = 0

    private init() {
        var pipeline = try! PipelineFile.parse(text: "name: benchmark\n", file: "benchmark", environment: [:])
        pipeline.plan.secret = Array("benchmark".utf8)
        plan = pipeline.plan
        var generator = BenchmarkTraffic(users: 200_000, seed: 7)
        slices = generator.fill(&buffer, records: 1_000_000)
        warm = Engine(plan: plan)
        var effects = Effects()
        run(warm, &effects)
    }

    func makeEngine() -> Engine { Engine(plan: plan) }

    func run(_ engine: Engine, _ effects: inout Effects) {
        for slice in slices {
            let record = Record(
                input: slice.type == .login ? 0 : 1, partition: 0, offset: offset, timestamp: nil,
                key: buffer.view(slice.key), value: buffer.view(slice.value))
            offset += 1
            engine.step(record, into: &effects)
            if effects.outputs.count >= 1024 { effects.removeAll() }
        }
        effects.removeAll()
    }
}
