import Events
import Foundation
import Testing

@testable import Lab

@Suite struct ScenarioLedgerTests {
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_790_812_800_000 + seconds * 1_000) }

    //  seconds   0    10   20   30
    //  hijack a  a0   a1   a2            stopped at a1, then a2
    //  hijack b       b0                 missed
    //  trip                l1   l2       one question, repeated
    private func sample() -> ScenarioLedger {
        var ledger = ScenarioLedger()
        ledger.note(event: "a0", time: at(0), kind: "hijack", onset: "a0")
        ledger.note(event: "a1", time: at(10), kind: "hijack", onset: "a0")
        ledger.note(event: "b0", time: at(10), kind: "hijack", onset: "b0")
        ledger.note(event: "a2", time: at(20), kind: "hijack", onset: "a0")
        ledger.note(event: "l1", time: at(20), kind: "legitimate", onset: nil, twin: "trip")
        ledger.note(event: "l2", time: at(30), kind: "legitimate", onset: nil, twin: "trip")
        ledger.note(event: "l3", time: at(31), kind: "legitimate", onset: nil)
        ledger.note(event: "l4", time: at(32), kind: "legitimate", onset: nil)
        return ledger
    }

    @Test func countsWhatWasStopped() {
        var ledger = sample()
        ledger.note(decision: .deny, on: "a2")
        ledger.note(decision: .stepUp, on: "a1")
        ledger.note(decision: .allow, on: "b0")
        ledger.note(decision: .stepUp, on: "l1")
        ledger.note(decision: .stepUp, on: "l1")
        ledger.note(decision: .stepUp, asks: false, on: "l2")
        ledger.note(decision: .terminateSession, on: "l3")
        let row = ledger.attacks[0]
        #expect(ledger.attacks.count == 1)
        #expect(row.scenarios == 2 && row.stopped == 1 && row.share == 0.5)
        #expect(row.medianEvents == 2 && row.medianSeconds == 10)
        let legitimate = ledger.legitimate
        #expect(legitimate.map(\.name) == ["legitimate", "trip"])
        #expect(legitimate[0].events == 4 && legitimate[0].challenges == 1 && legitimate[0].denials == 1)
        #expect(legitimate[0].challengesPerThousand == 250)
        #expect(legitimate[1].events == 2 && legitimate[1].challenges == 1 && legitimate[1].denials == 0)
    }

    @Test func quantilesAreOverStoppedScenarios() {
        var ledger = ScenarioLedger()
        for scenario in 1...10 {
            for event in 1...scenario {
                ledger.note(event: "\(scenario)-\(event)", time: at(Int64(event)), kind: "replay", onset: "\(scenario)-1")
            }
            ledger.note(decision: .deny, on: "\(scenario)-\(scenario)")
        }
        #expect(ledger.attacks[0].medianEvents == 5)
        #expect(ledger.attacks[0].p90Events == 9)
        #expect(ledger.attacks[0].p90Seconds == 8)
    }

    @Test func theTableIsAligned() {
        var ledger = sample()
        ledger.note(decision: .stepUp, on: "a1")
        let lines = ledger.table()
        #expect(lines[0].hasPrefix("attack") && lines[1].hasPrefix("hijack"))
        #expect(lines[0].count == lines[1].count)
        #expect(lines[1].contains("50.0 %"))
        let painted = ledger.table { line, style in
            if case .attack(let share) = style { "<\(share)>" + line } else { line }
        }
        #expect(painted[1] == "<0.5>" + lines[1])
        #expect(ScenarioLedger().table().count > 2)
    }

    @Test func readsFiles() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let events = folder.appendingPathComponent("events").path
        let decisions = folder.appendingPathComponent("decisions").path

        var options = Stream.options(users: 30, days: 5)
        options.tenant = nil
        var generator = TrafficGenerator(options)
        var direct = ScenarioLedger()
        var buffer = OutputBuffer()
        var text = ""
        var answers = ""
        while let event = generator.next(into: &buffer) {
            direct.note(event, in: buffer)
            text += buffer.view(event.value).string + "\n"
            let id = buffer.view(event.id).string
            if event.label.attack != nil || id.hasSuffix("0") {
                direct.note(decision: .stepUp, on: id)
                answers += "{\"event\":\"\(id)\",\"decision\":\"step_up\",\"step_up\":{\"prompt\":\"Is it you?\"}}\n"
            }
            buffer.removeAll()
        }
        answers += "{\"id\":\"x\",\"event\":\"forget-1\",\"type\":\"erasure\",\"user\":\"alice\",\"erased\":true}\n"
        try text.write(toFile: events, atomically: true, encoding: .utf8)
        try answers.write(toFile: decisions, atomically: true, encoding: .utf8)
        let read = try ScenarioLedger(eventsFile: events, decisionsFile: decisions)
        #expect(read.attacks == direct.attacks)
        #expect(read.legitimate == direct.legitimate)
        #expect(read.attacks.allSatisfy { $0.share == 1 && $0.medianEvents == 1 })

        try "{\"event\":\"x\",\"decision\":\"allow\"}\n\nnonsense\n".write(toFile: decisions, atomically: true, encoding: .utf8)
        let failure = #expect(throws: LedgerFileError.self) {
            _ = try ScenarioLedger(eventsFile: events, decisionsFile: decisions)
        }
        #expect(failure?.line == 3)
        #expect(failure.map { "\($0)".hasPrefix(decisions + ":3: ") } == true)
    }
}
