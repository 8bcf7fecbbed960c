// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "vigil",
    products: [
        .executable(name: "vigil", targets: ["vigil"]),
        .library(name: "VigilEngine", targets: ["CSimdjson", "Events", "Behavior", "Risk", "Policy", "Engine", "Enrichment", "PipelineSpec", "Lab"]),
        .library(name: "VigilTesting", targets: ["StateStore", "Runtime", "VigilTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // Doors to C and C++. They are linked by name, from Debian's -dev packages.
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CRdKafka", linkerSettings: [.linkedLibrary("rdkafka")]),
        .target(name: "CMaxMindDB", linkerSettings: [.linkedLibrary("maxminddb")]),
        .target(name: "CPCRE2", linkerSettings: [.linkedLibrary("pcre2-8")]),

        // The pure core: no IO, no clock, no randomness. Each layer imports only the one above it.
        .target(name: "Events", dependencies: ["CSimdjson", "COpenSSL"]),
        .target(name: "Behavior", dependencies: ["Events"]),
        .target(name: "Risk", dependencies: ["Events", "Behavior"]),
        .target(name: "Policy", dependencies: ["Events", "Behavior", "Risk"]),
        .target(name: "Engine", dependencies: ["Events", "Behavior", "Risk", "Policy"]),

        // The shell around it.
        .target(name: "Enrichment", dependencies: ["Events", "CMaxMindDB", "CPCRE2", "Yams"]),
        .target(name: "PipelineSpec", dependencies: ["Events", "Behavior", "Risk", "Policy", "Engine", "Enrichment", "Yams"]),
        .target(name: "StateStore", dependencies: ["Events", "Behavior", "Engine", "CSQLite"]),
        .target(name: "Runtime", dependencies: [
            "Events", "Behavior", "Engine", "StateStore", .product(name: "Logging", package: "swift-log"),
        ]),
        .target(name: "Kafka", dependencies: [
            "Events", "Runtime", "CRdKafka", .product(name: "Logging", package: "swift-log"),
        ]),
        .target(name: "Lab", dependencies: ["Events", "PipelineSpec", "Runtime"]),
        .target(name: "VigilTesting", dependencies: [
            "Events", "Engine", "StateStore", "Runtime", .product(name: "Logging", package: "swift-log"),
        ]),
        .executableTarget(name: "vigil", dependencies: [
            "Events", "Behavior", "Risk", "Policy", "Engine", "Enrichment", "PipelineSpec", "StateStore", "Runtime", "Kafka", "Lab",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Logging", package: "swift-log"),
        ]),

        .executableTarget(name: "simulate", dependencies: [
            "Runtime", "VigilTesting", .product(name: "Logging", package: "swift-log"),
        ]),

        .testTarget(name: "EventsTests", dependencies: ["Events"]),
        .testTarget(name: "BehaviorTests", dependencies: ["Events", "Behavior", "VigilTesting"]),
        .testTarget(name: "EngineTests", dependencies: ["Events", "Behavior", "Risk", "Policy", "Engine"]),
        .testTarget(name: "EnrichmentTests", dependencies: ["Events", "Enrichment", "PipelineSpec", "Yams"]),
        .testTarget(name: "PipelineSpecTests", dependencies: ["PipelineSpec"]),
        .testTarget(name: "RuntimeTests", dependencies: [
            "Events", "Policy", "Engine", "Runtime", "StateStore", "VigilTesting", "PipelineSpec", "Lab",
            .product(name: "Logging", package: "swift-log"),
        ]),
        .testTarget(name: "KafkaTests", dependencies: ["Kafka", "Runtime", "VigilTesting"]),
        .testTarget(name: "LabTests", dependencies: ["Events", "Risk", "Policy", "Engine", "PipelineSpec", "Lab"]),
        .testTarget(name: "CommandTests", dependencies: []),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
