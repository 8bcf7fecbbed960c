import Events
import Foundation
import Testing

@testable import Behavior
@testable import Engine

/// A checksum can be made right by whoever can write the file: a row that says impossible things must trap nothing that is
/// decided with it.
@Suite struct HostileRowTests {
    @Test(arguments: 1...6 as ClosedRange<UInt64>) func whateverARowSaysNothingTraps(seed: UInt64) throws {
        var random = SplitMix(seed)
        let lived = Story { $0.emit = .all }
        lived.live(days: 12)
        let transfer: [String: Any] = ["amount": 20_000, "currency": "EUR", "resource": "account/1"]
        lived.act("transfer.create", in: .attacker, transfer)
        lived.login(in: .attacker, outcome: "failure")
        lived.act("report.export", transfer)
        var bytes: [UInt8] = []
        try lived.engine.forEachDirty { _, row in bytes = Array(try #require(row)) }
        let values = MemoryLayout<UserHeader>.offset(of: \.agedTo)!
        let name = UserRow.headerBytes..<UserRow.headerBytes + "alice".utf8.count
        let odd: [UInt64] = [0, .max, 1 << 63, .max >> 1, 0x7F80_0000_7F80_0000, 0x7FC0_0000_FFC0_0000, 0x7FF0_0000_0000_0000, 1]
        var taken = 0
        for _ in 0..<60 {
            var damaged = bytes
            for _ in 0..<1 + random.next() % 40 {
                let size = [1, 2, 4, 8][Int(random.next() % 4)]
                let at = (values + Int(random.next() % UInt64(bytes.count - values))) / size * size
                guard at >= values, !name.overlaps(at..<at + size) else { continue }
                let word = random.next() % 2 == 0 ? odd[Int(random.next() % 8)] : random.next()
                withUnsafeBytes(of: word.littleEndian) { damaged.replaceSubrange(at..<at + size, with: $0.prefix(size)) }
            }
            let sum = damaged.withUnsafeBytes { UserTable.checksum($0) }
            withUnsafeBytes(of: sum) { damaged.replaceSubrange(0..<8, with: $0) }
            let story = Story { $0.emit = .all }
            story.engine.mark(CutMark(positions: [0], cutsOffset: 0, milliseconds: 0))
            guard (try? damaged.withUnsafeBytes { try story.engine.restore(user: 0, row: $0) }) != nil else { continue }
            taken += 1
            (story.now, story.offset) = (lived.now, lived.offset)
            for step in 0..<12 {
                let place = step % 3 == 2 ? Story.Circumstances.attacker : .home
                story.login(in: place, outcome: step % 4 == 3 ? "failure" : "success", ["rtt_ms": 20])
                let asked = story.act("transfer.create", in: place, transfer)
                story.act(["page.view", "report.export", "password.change"][step % 3], after: -5, in: place, ["resource": "r\(step)"])
                for result in ["failed", "passed"] {
                    let step = asked.stepUp ?? [:]
                    let answer: [String: Any] = [
                        "decision": step["challenge"] ?? "x", "nonce": step["nonce"] ?? "x", "method": "webauthn", "result": result,
                        "new_session": "n-\(story.offset)",
                    ]
                    story.tell("challenge", in: place, ["challenge": answer])
                }
                let verdict: [String: Any] = [
                    "decision": asked.json["id"] ?? "x", "label": step % 2 == 0 ? "legitimate" : "compromised", "by": "analyst",
                ]
                story.tell("feedback", in: place, ["feedback": verdict])
                story.tell(raw: #"{"id":"bad","type":"action","time":\#(story.now),"user":"alice","amount":-1}"#)
                if step == 6 { story.now += 40 * 86_400_000 }
            }
            story.engine.forEachDirty { _, _ in }
        }
        #expect(taken > 5, "seed \(seed)")
    }
}
