import Testing
import VigilTesting

/// Whole deployments in a simulated world. Thousands of seeds, with every fault there is a name for, run with `simulate`;
/// these few say at once when something is badly wrong.
@Suite struct SimulationTests {
    @Test func calmWeather() throws {
        var options = SimulationOptions()
        options.spared = Set(Misfortune.allCases)
        for seed in 1...UInt64(20) {
            let report = try Simulation(seed: seed, options: options).run()
            #expect(report.problems.isEmpty, "seed \(seed)")
        }
    }

    @Test func theSameSeedGivesTheSameRun() throws {
        var options = SimulationOptions()
        options.spared = Set(Misfortune.allCases).subtracting([.pauseAtStep])
        let (first, second) = (try Simulation(seed: 3, options: options).run(), try Simulation(seed: 3, options: options).run())
        #expect(first.turns == second.turns)
        #expect(first.milliseconds == second.milliseconds)
        #expect(first.problems == second.problems)
    }
}
