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

/// Finds out which misfortunes a failing seed can do without.
struct Minimizer {
    let settings: Settings

    struct Least {
        var settings: Settings
        var needs: String {
            let names = Misfortune.allCases.filter { !settings.spared.contains($0) }.map(\.rawValue)
                + (settings.sparesPaging ? [] : ["paging"])
            return names.isEmpty ? "no misfortune" : names.joined(separator: ", ")
        }
    }

    /// The settings with as much spared as can be: one at a time, for as long as the seed still fails, and with a mutant
    /// doesn't fail without it.
    func run(_ seed: UInt64) -> Least {
        var least = settings
        var candidates: [(inout Settings) -> Void] = [{ $0.sparesPaging = true }]
        for misfortune in Misfortune.allCases { candidates.append { $0.spared.insert(misfortune) } }
        for spare in candidates {
            var tried = least
            spare(&tried)
            if fails(seed, tried) { least = tried }
        }
        return Least(settings: least)
    }

    private func fails(_ seed: UInt64, _ settings: Settings) -> Bool {
        guard !Worker(settings: settings).run(seed).problems.isEmpty else { return false }
        guard settings.mutant != nil else { return true }
        var without = settings
        without.mutant = nil
        return Worker(settings: without).run(seed).problems.isEmpty
    }
}
