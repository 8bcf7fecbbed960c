import Benchmark
import Foundation

/// The engine on one thread beside simdjson alone on the same bytes: 441-byte logins and actions of 200,000 users whose
/// activity follows Zipf's law, baselines warm, the default pipeline. Blocks of both alternate, so that a noisy machine
/// slows both alike; the ratio of the medians is what to read.
let benchmarks: @Sendable () -> Void = {
    let share = BenchmarkMetric.custom("engine, % of simdjson", polarity: .prefersLarger, useScalingFactor: false)
    let parse = BenchmarkMetric.custom("simdjson, ns/record", polarity: .prefersSmaller, useScalingFactor: false)
    let decode = BenchmarkMetric.custom("decode, ns/record", polarity: .prefersSmaller, useScalingFactor: false)
    let step = BenchmarkMetric.custom("engine, ns/record", polarity: .prefersSmaller, useScalingFactor: false)
    let meanStep = BenchmarkMetric.custom("engine, mean ns/record", polarity: .prefersSmaller, useScalingFactor: false)

    Benchmark(
        "engine beside simdjson",
        configuration: .init(metrics: [share, parse, decode, step, meanStep], maxDuration: .seconds(120), maxIterations: 7)
    ) { benchmark in
        let (mean, times) = Traffic.shared.measure()
        benchmark.measurement(share, Int((100 * times.parse / times.engine).rounded()))
        benchmark.measurement(parse, Int(times.parse.rounded()))
        benchmark.measurement(decode, Int(times.decode.rounded()))
        benchmark.measurement(step, Int(times.engine.rounded()))
        benchmark.measurement(meanStep, Int(mean.engine.rounded()))
    }

    let cost = BenchmarkMetric.custom("step with pre-images, % of one without", polarity: .prefersSmaller, useScalingFactor: false)
    for block in [1_000, 10_000] {
        Benchmark(
            "pre-images, a commit every \(block) records",
            configuration: .init(metrics: [cost, step], maxDuration: .seconds(120), maxIterations: 7)
        ) { benchmark in
            let times = Traffic.shared.measurePreImages(block: block)
            benchmark.measurement(cost, Int((100 * times.with / times.without).rounded()))
            benchmark.measurement(step, Int(times.without.rounded()))
        }
    }
}
