import Foundation

/// Why a test of this target may be skipped.
let binaryMissing = "skipped: VIGIL_BINARY does not name the vigil binary"
/// The binary under test; scripts/test sets it.
let binary = ProcessInfo.processInfo.environment["VIGIL_BINARY"]
/// Events in the tests that kill and resume; the acceptance runs use 200,000.
let killedEvents = ProcessInfo.processInfo.environment["VIGIL_TEST_EVENTS"].flatMap { Int($0) }

/// A directory that goes with the test.
final class Scratch {
    let path = NSTemporaryDirectory() + "/vigil-test-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: file(name), atomically: false, encoding: .utf8)
        return file(name)
    }

    /// A copy of the default pipeline that emits every decision, with more lines at its end.
    func pipeline(_ name: String = "all.yaml", adding lines: String = "", replacing: [String: String] = [:]) throws -> String {
        var text = try String(contentsOfFile: checkout + "/pipelines/continuous-authorization.yaml", encoding: .utf8)
        for (old, new) in replacing.merging(["\nemit: interventions": "\nemit: all"], uniquingKeysWith: { a, _ in a }) {
            text = text.replacingOccurrences(of: old, with: new)
        }
        return try write(text + lines, to: name)
    }
}

/// The checkout this test was built in.
let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

struct Finished {
    var status: Int32
    var output: String
    var error: String
}

struct Overdue: Error, CustomStringConvertible {
    var description: String
}

/// A started process with its output in files.
final class Started {
    let process = Process()
    private let scratch: Scratch
    private var outputFile: String { scratch.file("stdout") }
    private var errorFile: String { scratch.file("stderr") }

    init(_ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]) throws {
        scratch = try Scratch()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        var all = ProcessInfo.processInfo.environment
        all["NO_COLOR"] = "1"
        all["VIGIL_SECRET"] = "a secret for tests only"
        for (name, value) in environment { all[name] = value }
        process.environment = all
        let given = try scratch.write(input ?? "", to: "stdin")
        for file in ["stdout", "stderr"] { _ = try scratch.write("", to: file) }
        process.standardInput = FileHandle(forReadingAtPath: given)
        process.standardOutput = FileHandle(forWritingAtPath: scratch.file("stdout"))
        process.standardError = FileHandle(forWritingAtPath: scratch.file("stderr"))
        try process.run()
    }

    deinit { if process.isRunning { kill(SIGKILL) } }

    var output: String { (try? String(contentsOfFile: outputFile, encoding: .utf8)) ?? "" }
    var outputBytes: Int { size(outputFile) }
    var error: String { (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? "" }

    func kill(_ signal: Int32) { Foundation.kill(process.processIdentifier, signal) }

    /// Waits until it has ended.
    func wait(seconds: Double = 60) throws -> Finished {
        try until(seconds, "the process to end") { !process.isRunning }
        return Finished(status: process.terminationStatus, output: output, error: error)
    }

    /// Waits for a line that begins so on standard output, and returns the rest of it.
    func line(_ start: String, seconds: Double = 30) throws -> String {
        var found: Substring?
        try until(seconds, "a line `\(start)` of \(process.arguments ?? []); standard error: \(error)") {
            found = output.split(separator: "\n").first { $0.hasPrefix(start) }
            return found != nil || !process.isRunning
        }
        guard let found else { throw Overdue(description: "it ended without a line `\(start)`: \(error)") }
        return String(found.dropFirst(start.count))
    }
}

/// Waits for a condition.
func until(_ seconds: Double, _ what: @autoclosure () -> String, _ holds: () throws -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while try !holds() {
        guard Date() < deadline else { throw Overdue(description: "waited \(seconds) s for \(what())") }
        poll(nil, 0, 2)
    }
}

/// Runs vigil to its end.
func vigil(
    _ arguments: String..., input: String? = nil, environment: [String: String] = [:]
) throws -> Finished {
    try Started(binary ?? "", arguments, input: input, environment: environment).wait(seconds: 120)
}

/// Starts vigil.
func startVigil(_ arguments: String..., environment: [String: String] = [:]) throws -> Started {
    try Started(binary ?? "", arguments, environment: environment)
}

/// Where a program is; nil when it isn't installed.
func find(_ program: String) -> String? {
    let paths = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
    return paths.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
}

/// Bytes in a file; 0 where there is none.
func size(_ path: String) -> Int {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
}

/// The lines of a file.
func lines(_ path: String) throws -> [String] {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self).split(separator: "\n").map(String.init)
}

/// One JSON object of a line.
func object(_ line: String) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
}

/// The text of a top-level string member, without reading the whole line. Vigil writes no blanks.
func member(_ name: String, of line: String) -> String? {
    guard let start = line.range(of: "\"\(name)\":\"")?.upperBound, let end = line[start...].firstIndex(of: "\"")
    else { return nil }
    return String(line[start..<end])
}
