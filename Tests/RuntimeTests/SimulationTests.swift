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

    @Test func pipelinesThatChange() throws {
        var options = SimulationOptions()
        options.spared = Set(Misfortune.allCases).subtracting([.reload])
        options.events = 150
        var reloads = 0
        for seed in 1...UInt64(6) {
            let report = try Simulation(seed: seed, options: options).run()
            #expect(report.problems.isEmpty, "seed \(seed)")
            reloads += report.faults[.reload] ?? 0
        }
        #expect(reloads > 0)
        let reports = try (1...UInt64(30)).lazy.map { try Simulation(seed: $0, options: options, mutant: .swapUnwritten).run() }
        #expect(try reports.contains { !$0.problems.isEmpty }, "a swap with users unwritten goes unnoticed")
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
