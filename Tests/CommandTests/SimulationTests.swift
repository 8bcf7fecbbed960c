import Foundation
import Testing

private let simulator = ProcessInfo.processInfo.environment["VIGIL_SIMULATE"]
private let simulatorMissing = "skipped: VIGIL_SIMULATE does not name the simulate binary"

/// Many simulated deployments with everything that can go wrong, and the oracle after each.
@Suite(.enabled(if: simulator != nil, Comment(rawValue: simulatorMissing)), .serialized)
struct SimulationTests {
    private func simulate(_ arguments: String...) throws -> Finished {
        let jobs = ["--jobs", String(ProcessInfo.processInfo.activeProcessorCount)]
        let finished = try Started(simulator ?? "", arguments + jobs).wait(seconds: 600)
        print(finished.output)
        return finished
    }

    @Test func exactlyOnce() throws {
        let run = try simulate("--seeds", "1...1500")
        #expect(run.status == 0, "\(run.output) \(run.error)")
    }

    @Test func atLeastOnce() throws {
        let run = try simulate("--seeds", "1...300", "--at-least-once")
        #expect(run.status == 0, "\(run.output) \(run.error)")
    }

    /// Of each mutant the oracle must notice one seed, at which nothing is noticed without it.
    @Test func everyMutantIsNoticed() throws {
        let run = try simulate("--mutants", "--seeds", "1...300")
        #expect(run.status == 0, "\(run.output) \(run.error)")
    }
}
