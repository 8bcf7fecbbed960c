import Foundation
import Logging
import Runtime
import VigilTesting

/// What the command line asks for.
struct Run: Sendable {
    enum Task { case seeds, mutants, work }
    var task = Task.seeds
    var seeds: ClosedRange<UInt64> = 1...300
    var jobs = 1
    var isVerbose = false
    var minimizes = false
    var settings = Settings()

    /// True when all is as it should be: no seed noticed anything, or with mutants every one was noticed.
    func execute() -> Bool {
        switch task {
        case .work: return work()
        case .mutants: return MutantHunt(seeds: seeds, jobs: jobs, minimizes: minimizes, settings: settings).execute()
        case .seeds:
            if settings.mutant != nil {
                return MutantHunt(seeds: seeds, jobs: jobs, minimizes: minimizes, settings: settings).execute()
            }
            return seeds.count == 1 && !minimizes ? showOne() : runAll()
        }
    }

    /// Reads seeds from standard input and answers each with a line of JSON.
    private func work() -> Bool {
        while let line = readLine(), let seed = UInt64(line) {
            let report = Self.simulate(seed, settings.options, settings.mutant)
            guard let answer = try? JSONEncoder().encode(report) else { return false }
            FileHandle.standardOutput.write(answer + Data("\n".utf8))
        }
        return true
    }

    static func simulate(_ seed: UInt64, _ options: SimulationOptions, _ mutant: Mutant?) -> SimulationReport {
        do {
            return try Simulation(seed: seed, options: options, mutant: mutant).run()
        } catch {
            var report = SimulationReport(seed: seed)
            report.problems = ["\(error)"]
            return report
        }
    }

    /// One seed, within this process, so that a debugger sees it.
    private func showOne() -> Bool {
        var options = settings.options
        let seed = seeds.lowerBound
        if isVerbose {
            options.hear = { print("\(seed): \($0)") }
            options.logger = Logger(label: "simulation") { StreamLogHandler.standardOutput(label: $0) }
        }
        return Tally([Self.simulate(seed, options, settings.mutant)]).tell(settings)
    }

    private func runAll() -> Bool {
        let begun = ContinuousClock.now
        let reports = Fleet(settings: settings, jobs: jobs).run(seeds)
        let elapsed = (ContinuousClock.now - begun) / .milliseconds(1)
        let isFine = Tally(reports, milliseconds: Int(elapsed)).tell(settings)
        if minimizes {
            for report in reports where !report.problems.isEmpty {
                let least = Minimizer(settings: settings).run(report.seed)
                print("seed \(report.seed) needs \(least.needs): \(least.problem)\nreproduce: \(least.settings.command(report.seed))")
            }
        }
        return isFine
    }
}

/// What many runs came to.
struct Tally {
    var reports: [SimulationReport]
    var milliseconds: Int

    init(_ reports: [SimulationReport], milliseconds: Int = 0) {
        self.reports = reports.sorted { $0.seed < $1.seed }
        self.milliseconds = milliseconds
    }

    /// Prints it; true when nothing was noticed.
    func tell(_ settings: Settings) -> Bool {
        var faults: [Misfortune: Int] = [:]
        for report in reports {
            faults.merge(report.faults) { $0 + $1 }
            if report.problems.isEmpty { continue }
            for problem in report.problems.prefix(8) { print("seed \(report.seed): \(problem)") }
            print("reproduce: \(settings.command(report.seed))")
        }
        let (records, turns) = (reports.reduce(0) { $0 + $1.records }, reports.reduce(0) { $0 + $1.turns })
        let failed = reports.filter { !$0.problems.isEmpty }.map(\.seed)
        print("\(reports.count) seeds \(settings.isExact ? "exactly once" : "at least once"), \(records) records, \(turns) turns in \(milliseconds) ms")
        print(Misfortune.allCases.map { "\($0.rawValue) \(faults[$0] ?? 0)" }.joined(separator: ", "))
        let crossed = reports.filter { $0.crossed > 0 }.count
        if crossed > 0 { print("redo crossed a reload at \(crossed) seeds, where bytes are not compared") }
        print(failed.isEmpty ? "nothing was noticed" : "noticed at \(failed.count) seeds: \(failed)")
        return failed.isEmpty
    }
}
