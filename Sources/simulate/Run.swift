import Foundation
import Logging
import Runtime
import Synchronization
import VigilTesting

/// Many simulations, dealt to threads.
struct Run: Sendable {
    var seeds: ClosedRange<UInt64> = 1...100
    var mutant: Mutant?
    var jobs = 1
    var isVerbose = false
    var options = SimulationOptions()

    private struct Tally {
        var next: UInt64
        var reports: [SimulationReport] = []
        var errors: [String] = []
        var isOver = false
    }

    /// Shared by the threads.
    private final class Results: Sendable {
        let tally: Mutex<Tally>
        init(first: UInt64) { tally = Mutex(Tally(next: first)) }
    }

    /// True when all is as it should be: no seed noticed anything, or with a mutant one did.
    func execute() -> Bool {
        let begun = ContinuousClock.now
        let results = Results(first: seeds.lowerBound)
        let group = DispatchGroup()
        for _ in 0..<jobs {
            group.enter()
            let thread = Thread {
                while let seed = take(results) { simulate(seed, results) }
                group.leave()
            }
            thread.stackSize = 16 << 20
            thread.start()
        }
        group.wait()
        let elapsed = (ContinuousClock.now - begun) / .milliseconds(1)
        return results.tally.withLock { summarise($0, milliseconds: elapsed) }
    }

    private func take(_ results: Results) -> UInt64? {
        results.tally.withLock { tally in
            guard !tally.isOver, tally.next <= seeds.upperBound else { return nil }
            tally.next += 1
            return tally.next - 1
        }
    }

    private func simulate(_ seed: UInt64, _ results: Results) {
        var options = options
        if isVerbose {
            options.hear = { print("\(seed): \($0)") }
            options.logger = Logger(label: "simulation") { StreamLogHandler.standardOutput(label: $0) }
        }
        do {
            let report = try Simulation(seed: seed, options: options, mutant: mutant).run()
            results.tally.withLock {
                $0.reports.append(report)
                if mutant != nil && !report.problems.isEmpty { $0.isOver = true }
            }
            for problem in report.problems.prefix(8) { print("seed \(seed): \(problem)") }
        } catch {
            results.tally.withLock { $0.errors.append("seed \(seed): \(error)") }
            print("seed \(seed): \(error)")
        }
    }

    private func summarise(_ tally: Tally, milliseconds: Double) -> Bool {
        let failed = tally.reports.filter { !$0.problems.isEmpty }.map(\.seed).sorted()
        var faults: [Misfortune: Int] = [:]
        for report in tally.reports { faults.merge(report.faults) { $0 + $1 } }
        print("\(tally.reports.count) seeds, \(tally.reports.reduce(0) { $0 + $1.records }) records, \(tally.reports.reduce(0) { $0 + $1.turns }) turns in \(Int(milliseconds)) ms")
        for misfortune in Misfortune.allCases { print("  \(misfortune.rawValue): \(faults[misfortune] ?? 0)") }
        if let mutant {
            print(failed.isEmpty ? "\(mutant.rawValue) was not noticed" : "\(mutant.rawValue) was noticed at seed \(failed[0])")
            return !failed.isEmpty && tally.errors.isEmpty
        }
        print(failed.isEmpty ? "nothing was noticed" : "noticed at seeds \(failed)")
        return failed.isEmpty && tally.errors.isEmpty
    }
}
