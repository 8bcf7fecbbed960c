import Foundation
import Synchronization
import VigilTesting

/// Runs seeds in processes of their own, so that one that crashes or hangs is a finding like any other.
struct Fleet: Sendable {
    let settings: Settings
    let jobs: Int
    /// Nothing is taken up any more once a run was noticed.
    var endsAtFirst = false

    private final class Results: Sendable {
        struct State {
            var next: UInt64
            var reports: [SimulationReport] = []
            var isOver = false
        }
        let state: Mutex<State>
        init(first: UInt64) { state = Mutex(State(next: first)) }
    }

    func run(_ seeds: ClosedRange<UInt64>) -> [SimulationReport] {
        let results = Results(first: seeds.lowerBound)
        let group = DispatchGroup()
        for _ in 0..<min(jobs, seeds.count) {
            group.enter()
            Thread {
                let worker = Worker(settings: settings)
                while let seed = take(results, seeds) {
                    let report = worker.run(seed)
                    results.state.withLock {
                        $0.reports.append(report)
                        if endsAtFirst && !report.problems.isEmpty { $0.isOver = true }
                    }
                }
                group.leave()
            }.start()
        }
        group.wait()
        return results.state.withLock { $0.reports }
    }

    private func take(_ results: Results, _ seeds: ClosedRange<UInt64>) -> UInt64? {
        results.state.withLock { state in
            guard !state.isOver, state.next <= seeds.upperBound else { return nil }
            state.next += 1
            return state.next - 1
        }
    }
}

/// A process that simulates what it is given, and is replaced when it ends.
final class Worker {
    /// A run that takes longer hangs.
    static let patienceSeconds: Int32 = 90

    private let settings: Settings
    private var process: Process?
    private var questions = Pipe()
    private var answers = Pipe()
    private var complaints = Pipe()

    init(settings: Settings) { self.settings = settings }

    deinit {
        try? questions.fileHandleForWriting.close()
        process?.waitUntilExit()
    }

    /// One seed's report. What became of the process is a problem of it.
    func run(_ seed: UInt64) -> SimulationReport {
        do {
            let process = try ready()
            try questions.fileHandleForWriting.write(contentsOf: Data("\(seed)\n".utf8))
            if let answer = read() { return try JSONDecoder().decode(SimulationReport.self, from: answer) }
            if process.isRunning && isHanging { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
            self.process = nil
            return Self.failed(seed, isHanging ? "it hangs" : "it crashed: \(cause(process))")
        } catch {
            process = nil
            return Self.failed(seed, "\(error)")
        }
    }

    private static func failed(_ seed: UInt64, _ why: String) -> SimulationReport {
        var report = SimulationReport(seed: seed)
        report.problems = [why]
        return report
    }

    private func ready() throws -> Process {
        if let process { return process }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--worker"] + settings.flags
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        (questions, answers, complaints) = (Pipe(), Pipe(), Pipe())
        process.standardInput = questions
        process.standardOutput = answers
        process.standardError = complaints
        try process.run()
        self.process = process
        return process
    }

    private var isHanging = false

    /// A line of its output; nil when it has ended or doesn't answer.
    private func read() -> Data? {
        var line = Data()
        isHanging = false
        let descriptor = answers.fileHandleForReading.fileDescriptor
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var waits = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waits, 1, Self.patienceSeconds * 1000)
            if ready < 0 && errno == EINTR { continue }
            guard ready > 0 else {
                isHanging = true
                return nil
            }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return nil }
            line.append(contentsOf: buffer[..<count])
            if line.last == UInt8(ascii: "\n") { return line }
        }
    }

    private func cause(_ process: Process) -> String {
        let said = String(decoding: complaints.fileHandleForReading.availableData, as: UTF8.self)
        return said.split(separator: "\n").first { $0.contains("Fatal error") }.map(String.init)
            ?? "status \(process.terminationStatus)"
    }
}
