import Engine
import Events
import Foundation
import Logging
import Runtime
import StateStore
import Synchronization
import VigilTesting

/// A directory that goes away with its owner.
final class TemporaryDirectory {
    let path: String
    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "vigil-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { path + "/" + name }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// Collects what is logged at warning and above.
final class Heard: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func contains(_ text: String) -> Bool { all.contains { $0.contains(text) } }
    func count(_ text: String) -> Int { all.filter { $0.contains(text) }.count }
    var logger: Logger {
        Logger(label: "test") { _ in Handler(heard: self) }
    }
    private struct Handler: LogHandler {
        let heard: Heard
        var logLevel = Logger.Level.notice
        var metadata = Logger.Metadata()
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: Logging.LogEvent) {
            heard.lines.withLock { $0.append("\(event.message) \(event.metadata?["reason"] ?? "")") }
        }
    }
}

enum Fixture {
    static func plan(inputs: Int = 1) -> EnginePlan {
        var plan = EnginePlan()
        (plan.bounds.sharedNetworks, plan.bounds.sharedValues) = (64, 64)
        plan.name = "test"
        plan.version = "sha256:test"
        plan.secret = Array("a secret of the tests, 32 bytes.".utf8)
        plan.emit = .all
        plan.inputs = (0..<inputs).map { InputPlan(topic: ["logins", "actions"][$0]) }
        return plan
    }

    static func event(_ number: Int, user: String, type: String = "action") -> String {
        let time = 1_763_892_000_000 + number * 1_000
        let rest = type == "login" ? #""outcome":"success""# : #""action":"view.\#(number % 5)""#
        return #"{"id":"e\#(number)","type":"\#(type)","time":\#(time),"user":"\#(user)","session":"s-\#(user)","ip":"203.0.113.\#(number % 7)",\#(rest)}"#
    }

    /// `count` events of seven users, who keep to their partitions.
    static func fill(_ log: SimulatedLog, from first: Int = 0, count: Int, input: Int = 0) {
        for number in first..<first + count {
            let user = number % 7
            let text = number % 19 == 18 ? "not json" : event(number, user: "user\(user)", type: number % 9 == 0 ? "login" : "action")
            log.append(
                input: input, partition: Int32(user) % log.partitions, key: "user\(user)", value: text,
                timestamp: Timestamp(milliseconds: 1_763_892_000_000 + Int64(number) * 1_000))
        }
    }

    /// Every user's row of every partition, by file and number.
    static func rows(in directory: TemporaryDirectory) throws -> [String: [UInt8]] {
        var rows: [String: [UInt8]] = [:]
        for partition in StateDirectory.partitions(in: directory.path) {
            let file = StateDirectory.file(in: directory.path, partition: partition)
            try StateStore.forEachRow(file: file) { number, row throws(StoreError) in rows["\(partition)/\(number)"] = Array(row) }
        }
        return rows
    }

    /// What the file of partition 0 says, as far as it can be believed; nil when it is refused.
    static func believed(_ file: String, plan: EnginePlan = plan()) -> [[UInt8]]? {
        let engine = Engine(plan: plan)
        let identity = StoreIdentity(
            log: "simulated", topics: plan.inputs.map(\.topic), partition: 0, state: engine.stateIdentity, pipeline: plan.name)
        guard let store = try? StateStore(file: file, identity: identity), let checkpoint = try? store.checkpoint(),
            (try? store.restore(into: engine)) != nil
        else { return nil }
        var all = [checkpoint.redo, Array("\(checkpoint.tail) \(checkpoint.written)".utf8)]
        guard (try? StateStore.forEachRow(file: file) { all.append(Array("\($0)".utf8) + Array($1)) }) != nil else {
            return nil
        }
        return all
    }
}

/// Where an output came from.
struct Source: Hashable {
    var input: Int
    var partition: Int32
    var offset: Int64
    init(_ output: SimulatedOutput) {
        input = output.input
        partition = output.partition
        offset = output.offset
    }
}
