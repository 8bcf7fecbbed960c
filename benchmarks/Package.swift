// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "vigil-benchmarks",
    dependencies: [
        .package(name: "vigil", path: ".."),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "EngineBenchmarks",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"), .product(name: "VigilEngine", package: "vigil"),
            ],
            path: "Benchmarks/EngineBenchmarks",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
        // What geography and devices cost.
        .executableTarget(
            name: "enrichment", dependencies: [.product(name: "VigilEngine", package: "vigil")], path: "Enrichment"),
        // What surviving costs: recovery, paging, commits.
        .executableTarget(
            name: "durability",
            dependencies: [
                .product(name: "VigilEngine", package: "vigil"), .product(name: "VigilTesting", package: "vigil"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Durability"),
    ],
    swiftLanguageModes: [.v6]
)
