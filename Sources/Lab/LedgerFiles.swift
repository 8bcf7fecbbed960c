import Events
import Foundation

/// A line of a labelled file that the ledger can't read.
public struct LedgerFileError: Error, Sendable, CustomStringConvertible {
    /// As given.
    public var file: String
    /// From 1; 0 when the file itself can't be read.
    public var line: Int
    /// What is wrong.
    public var problem: String
    /// `file:line: problem`.
    public var description: String { line == 0 ? "\(file): \(problem)" : "\(file):\(line): \(problem)" }
}

extension ScenarioLedger {
    private struct EventLine: Decodable {
        struct Label: Decodable {
            var kind: String
            var onset: String?
            var twin: String?
        }
        enum Time: Decodable {
            case text(String)
            case number(Double)
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let number = try? container.decode(Double.self) {
                    self = .number(number)
                } else {
                    self = .text(try container.decode(String.self))
                }
            }
        }
        var id: String
        var time: Time
        var label: Label
    }
    private struct DecisionLine: Decodable {
        struct StepUp: Decodable { var prompt: String? }
        var event: String
        var decision: String?
        var step_up: StepUp?
        /// Of an erasure's receipt, which is no decision.
        var erased: Bool?
    }

    /// Reads labelled events in NDJSON, in the order of event time, then decisions in NDJSON. Empty lines and
    /// receipts of erasures are skipped.
    /// - Throws: `LedgerFileError` at the first line that can't be read.
    /// - Complexity: O(bytes), about 100,000 lines a second; a file is mapped, not held.
    public init(eventsFile: String, decisionsFile: String) throws(LedgerFileError) {
        self.init()
        let decoder = JSONDecoder()
        try Self.eachLine(of: eventsFile) { (line, number) throws(LedgerFileError) in
            guard let event = try? decoder.decode(EventLine.self, from: line), let time = Self.timestamp(event.time) else {
                throw LedgerFileError(file: eventsFile, line: number, problem: "not an event with id, time and label")
            }
            note(event: event.id, time: time, kind: event.label.kind, onset: event.label.onset, twin: event.label.twin)
        }
        try Self.eachLine(of: decisionsFile) { (line, number) throws(LedgerFileError) in
            let read = try? decoder.decode(DecisionLine.self, from: line)
            if read?.erased != nil { return }
            guard let decision = read,
                let verdict = Verdict.allCases.first(where: { $0.name.description == decision.decision })
            else { throw LedgerFileError(file: decisionsFile, line: number, problem: "not a decision with event and decision") }
            note(decision: verdict, asks: decision.step_up?.prompt != nil, on: decision.event)
        }
    }

    private static func eachLine(
        of file: String, _ body: (Data, Int) throws(LedgerFileError) -> Void
    ) throws(LedgerFileError) {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: file), options: .alwaysMapped) else {
            throw LedgerFileError(file: file, line: 0, problem: "can't be read")
        }
        var start = data.startIndex
        var number = 0
        while start < data.endIndex {
            let end = data[start...].firstIndex(of: 0x0A) ?? data.endIndex
            number += 1
            if end > start { try body(data[start..<end], number) }
            start = end + 1
        }
    }

    private static func timestamp(_ time: EventLine.Time) -> Timestamp? {
        switch time {
        case .number(let milliseconds):
            return abs(milliseconds) < 1e15 ? Timestamp(milliseconds: Int64(milliseconds)) : nil
        case .text(let text):
            let precise = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            guard let date = (try? precise.parse(text)) ?? (try? Date.ISO8601FormatStyle().parse(text)) else { return nil }
            return Timestamp(milliseconds: Int64((date.timeIntervalSince1970 * 1_000).rounded()))
        }
    }
}
