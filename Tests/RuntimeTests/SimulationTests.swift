import Testing
import VigilTesting

/// Whole deployments under every fault there is a name for. Thousands of seeds run with `simulate`; these few say at once
/// when something is badly wrong.
@Suite struct SimulationTests {
    @Test func aFewSeedsExactlyOnce() throws {
        for seed in 1...UInt64(30) {
            let report = try Simulation(seed: seed).run()
            #expect(report.problems.isEmpty, "seed \(seed)")
        }
    }
}
