import Foundation
import PipelineSpec

/// As much of a decision on the wire as a person is shown.
struct DecisionRecord: Decodable, Sendable {
    struct Reason: Decodable, Sendable {
        var signal: String
        var points: Double
        var observed: String?
        var expected: String?
    }
    struct Policy: Decodable, Sendable { var rule: String? }
    struct StepUp: Decodable, Sendable {
        var methods: [String]?
        var challenge: String
        var nonce: String
        var prompt: String?
    }

    var id: String
    var event: String
    var type: String?
    var time: String
    var tenant: String?
    var user: String
    var session: String?
    var decision: String
    var score: Double
    var logit: Double?
    var level: String
    var confidence: String?
    var reasons: [Reason]?
    var policy: Policy?
    var step_up: StepUp?

    /// Nil when the bytes are no decision. A structured CloudEvent is looked into.
    init?(json: [UInt8]) {
        guard let record = decodeRecord(DecisionRecord.self, from: json) else { return nil }
        self = record
    }

    /// `14:03:22  STEP_UP  alice  high 74  device.new +31.5: d-1 (3 known devices) · …  [rule]`
    /// With a pipeline, what would have spared the person follows at the end, the weightiest set of reasons alone and never cut.
    func line(_ terminal: Terminal, width: Int = 400, pipeline: Pipeline? = nil) -> String {
        let clock = clockText(time)
        let verdict = decision.uppercased()
        let name = printable(tenant.map { "\($0)/\(user)" } ?? user, atMost: 32)
        var why = ""
        for reason in (reasons ?? []).prefix(3) where reason.points > 0 {
            var part = "\(printable(reason.signal, atMost: 40)) +\(fixed(reason.points, 1))"
            if let observed = reason.observed, !observed.isEmpty { part += ": \(printable(observed, atMost: 60))" }
            if let expected = reason.expected, !expected.isEmpty { part += " (\(printable(expected, atMost: 60)))" }
            why += (why.isEmpty ? "" : " · ") + part
        }
        let rule = policy?.rule.map { "[\(printable($0, atMost: 40))]" } ?? ""
        let spared = pipeline.flatMap { avoidanceText(Array(avoidable(under: $0).prefix(1))) }.map { "  " + $0 } ?? ""
        let head = pad(clock, 8) + "  " + pad(verdict, 17) + "  " + pad(name, 18) + "  "
        let risk = pad("\(printable(level, atMost: 8)) \(fixed(score, 0))", 12)
        let tail = String("\(risk)  \(why)  \(rule)".prefix(max(0, width - head.count)))
        return pad(clock, 8) + "  " + terminal.paint(pad(verdict, 17), colour, bold: true) + "  " + pad(name, 18) + "  " + tail + spared
    }

    var colour: Terminal.Colour {
        switch decision {
        case "allow": .green
        case "step_up": .yellow
        case "deny": .magenta
        default: .red
        }
    }
}

/// A record on the decisions topic: as it is, or in the envelope of a structured CloudEvent. Nil when it is another.
func decodeRecord<Record: Decodable>(_ type: Record.Type, from json: [UInt8]) -> Record? {
    let decoder = JSONDecoder()
    let data = Data(json)
    return (try? decoder.decode(Record.self, from: data)) ?? (try? decoder.decode(Envelope<Record>.self, from: data))?.data
}

private struct Envelope<Record: Decodable>: Decodable { var data: Record }

/// The time of day of an RFC 3339 time.
func clockText(_ time: String) -> String {
    printable(time.split(separator: "T").last.map { String($0.prefix(8)) } ?? time, atMost: 8)
}

/// `text` filled up with blanks.
func pad(_ text: String, _ width: Int) -> String {
    text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
}
