import Foundation
import Runtime
import VigilTesting

/// Runs the engine with faults built into it, each until the oracle notices it. A seed counts only when nothing is
/// noticed at it without the mutant.
struct MutantHunt {
    let seeds: ClosedRange<UInt64>
    let jobs: Int
    let minimizes: Bool
    let settings: Settings

    /// True when every mutant was noticed.
    func execute() -> Bool {
        let mutants = settings.mutant.map { [$0] } ?? Mutant.allCases
        var missed: [Mutant] = []
        for mutant in mutants where !hunt(mutant) { missed.append(mutant) }
        if mutants.count > 1 { print("\(mutants.count - missed.count) of \(mutants.count) mutants were noticed") }
        return missed.isEmpty
    }

    private func hunt(_ mutant: Mutant) -> Bool {
        var with = settings
        with.mutant = mutant
        var without = settings
        without.mutant = nil
        var rest = seeds
        let judge = Worker(settings: without)
        while true {
            let reports = Fleet(settings: with, jobs: jobs, endsAtFirst: true).run(rest)
            for report in reports.sorted(by: { $0.seed < $1.seed }) where !report.problems.isEmpty {
                guard judge.run(report.seed).problems.isEmpty else { continue }
                print("\(mutant.rawValue): noticed at seed \(report.seed): \(report.problems[0])")
                tellNeeds(report.seed, with)
                return true
            }
            guard let last = reports.map(\.seed).max(), last < seeds.upperBound else { break }
            rest = (last + 1)...seeds.upperBound
        }
        print("\(mutant.rawValue): not noticed at seeds \(seeds.lowerBound) to \(seeds.upperBound)")
        return false
    }

    private func tellNeeds(_ seed: UInt64, _ settings: Settings) {
        guard minimizes else { return print("reproduce: \(settings.command(seed))") }
        let least = Minimizer(settings: settings).run(seed)
        print("it needs \(least.needs)\nreproduce: \(least.settings.command(seed))")
    }
}

