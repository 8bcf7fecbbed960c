import Foundation
import Glibc
import Lab
import Runtime

/// The processes of a soak run, and what is done to them.
final class SoakFleet {
    struct Trouble: Error, CustomStringConvertible { var description: String }

    private final class Member {
        let number: Int
        var process: Process?
        /// Each move to another host gives it an empty directory.
        var host = 0
        var runs = 0
        /// When a frozen process thaws.
        var thaws: Int64?
        /// When a stopped or dead process is started again.
        var starts: Int64?
        /// It is meant to end, by a signal or by itself.
        var isDoomed = false
        init(number: Int) { self.number = number }
    }

    private let directory: String
    private let pipeline: String
    private let shards: Int
    private let members: [Member]
    private let clock = SystemClock()
    private var random: Random
    /// What was done, and how often.
    private(set) var harm: [String: Int] = [:]

    init(directory: String, pipeline: String, shards: Int, processes: Int, seed: UInt64) {
        self.directory = directory
        self.pipeline = pipeline
        self.shards = shards
        members = (0..<processes).map(Member.init)
        random = Random(seed: seed)
    }

    func startAll() throws { for member in members { try start(member) } }

    private func start(_ member: Member, dieAt: String? = nil) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [
            "run", pipeline, "--shards", String(shards), "--state", "\(directory)/host-\(member.number)-\(member.host)",
            "--log-level", "info",
        ]
        var environment = ProcessInfo.processInfo.environment
        environment[StepFault.variable] = dieAt
        process.environment = environment
        let log = "\(directory)/process-\(member.number)-run-\(member.runs).log"
        FileManager.default.createFile(atPath: log, contents: nil)
        guard let file = FileHandle(forWritingAtPath: log) else { throw Trouble(description: "\(log): can't be written") }
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw Trouble(description: "a process can't be started: \(error.localizedDescription)")
        }
        member.process = process
        member.runs += 1
        member.starts = nil
        member.thaws = nil
        member.isDoomed = dieAt != nil
    }

    /// Does something bad to one of the processes, and says what; nil when all are being dealt with already.
    func doHarm() throws -> String? {
        let idle = members.filter { $0.starts == nil && $0.thaws == nil && !$0.isDoomed && $0.process?.isRunning == true }
        guard idle.count > 0, let member = idle.randomElement(using: &random), let process = member.process else { return nil }
        let now = clock.milliseconds
        let soon = Int64.random(in: 0...4_000, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0...1:
            kill(process.processIdentifier, SIGKILL)
            member.isDoomed = true
            member.starts = now + soon
            return note("killed", "process \(member.number) is killed")
        case 2:
            kill(process.processIdentifier, SIGKILL)
            member.isDoomed = true
            member.host += 1
            member.starts = now + soon
            return note("killed and moved", "process \(member.number) is killed and goes on with an empty directory")
        case 3...5:
            let step = ShardStep.allCases.randomElement(using: &random) ?? .ended
            let count = Int.random(in: 1...30, using: &random)
            process.terminate()
            process.waitUntilExit()
            try start(member, dieAt: "\(step.rawValue):\(count)")
            return note("dies at a step", "process \(member.number) will die at step \(step.rawValue), the \(count). time")
        case 6...7:
            kill(process.processIdentifier, SIGSTOP)
            member.thaws = now + 7_000 + soon
            return note("frozen", "process \(member.number) is frozen past its session")
        default:
            process.terminate()
            member.isDoomed = true
            member.starts = now + soon
            return note("left and joined", "process \(member.number) leaves, and joins again")
        }
    }

    private func note(_ kind: String, _ text: String) -> String {
        harm[kind, default: 0] += 1
        return text
    }

    /// Thaws and starts who is due. Throws `Trouble` when a process has ended that should not have.
    func look() throws {
        let now = clock.milliseconds
        for member in members {
            if let thaws = member.thaws, thaws <= now, let process = member.process {
                kill(process.processIdentifier, SIGCONT)
                member.thaws = nil
            }
            if let process = member.process, !process.isRunning {
                let status = process.terminationStatus
                // One that was just started may be asked to stop before it listens for that.
                let isKilled = process.terminationReason == .uncaughtSignal && [SIGKILL, SIGTERM].contains(status)
                guard member.isDoomed, isKilled || (process.terminationReason == .exit && status == 0) else {
                    throw Trouble(description: "process \(member.number) ended with status \(status)")
                }
                if member.starts == nil { member.starts = now }
            }
            if let starts = member.starts, starts <= now, member.process?.isRunning != true { try start(member) }
        }
    }

    /// Everything runs again, and nothing more happens.
    func healAll() {
        for member in members {
            if let process = member.process, member.thaws != nil { kill(process.processIdentifier, SIGCONT) }
            member.thaws = nil
            if member.process?.isRunning != true { try? start(member) }
        }
    }

    /// SIGTERM for all. Throws `Trouble` when one doesn't end well.
    func stopAll() throws {
        for member in members { member.process?.terminate() }
        for member in members {
            guard let process = member.process else { continue }
            process.waitUntilExit()
            guard process.terminationReason == .exit, process.terminationStatus == 0 else {
                throw Trouble(description: "process \(member.number) ended with status \(process.terminationStatus) when it was stopped")
            }
        }
    }

    /// Leaves nobody behind.
    func killAll() {
        for member in members where member.process?.isRunning == true {
            kill(member.process?.processIdentifier ?? 0, SIGKILL)
        }
    }
}
