import ArgumentParser
import PipelineSpec
import Runtime
import StateStore

/// Exit codes of sysexits.h.
enum Exit {
    static let findings = ExitCode(1)
    static let usage = ExitCode(64)
    static let badData = ExitCode(65)
    static let noInput = ExitCode(66)
    static let unavailable = ExitCode(69)
    static let fault = ExitCode(70)
    static let io = ExitCode(74)
    static let configuration = ExitCode(78)
}

/// Says what went wrong on standard error; the caller throws what it returns.
func failure(_ exit: ExitCode, _ message: String) -> ExitCode {
    Output.error("error: \(message)")
    return exit
}

/// A log's failure by what is to be done about it: waiting mends the one kind, an operator the other.
func failure(_ failure: LogFailure, stop: ExitCode = Exit.configuration) -> ExitCode {
    switch failure {
    case .retry(let text), .aborted(let text), .unknown(let text), .fenced(let text): vigil.failure(Exit.unavailable, text)
    case .stop(let text): vigil.failure(stop, text)
    }
}

/// The exit code of shards that have ended; what went wrong is said.
func exit(after outcomes: [ShardOutcome?], failed: ExitCode = Exit.unavailable) -> ExitCode {
    var exit = ExitCode.success
    for (number, outcome) in outcomes.enumerated() {
        switch outcome {
        case .stopped, .ended: continue
        case .gaveUp(let why): exit = failure(Exit.unavailable, "shard \(number) gave up: \(why)")
        case .failed(let why): exit = failure(failed, "shard \(number): \(why)")
        case nil: exit = failure(Exit.fault, "shard \(number) did not end")
        }
    }
    return exit
}

/// Opens a directory for checkpoints.
func openState(_ path: String) throws(ExitCode) -> StateDirectory {
    do {
        return try StateDirectory(path: path)
    } catch {
        throw failure(Exit.io, "\(error)")
    }
}
